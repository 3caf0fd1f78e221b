package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;

import java.util.ArrayList;
import java.util.List;

/// The Service that clients connect to: any member that is ready.
public final class ClientService {
    private ClientService() {}

    public static Service of(Wanted wanted) {
        return new ServiceBuilder()
                .withMetadata(wanted.meta(Labels.client(wanted.name())))
                .withNewSpec()
                .withType("ClusterIP")
                .withSessionAffinity("None")
                .withSelector(Labels.selector(wanted.name()))
                .withPorts(ports(wanted))
                .endSpec()
                .build();
    }

    /// Each port has those members that have it: while they change, the Service has both.
    private static List<ServicePort> ports(Wanted wanted) {
        TlsStage.Side clients = wanted.security().stage().clients();
        List<ServicePort> ports = new ArrayList<>();
        if (clients.mode() != TlsStage.Mode.Required || wanted.security().plainPods()) {
            ports.add(port("client", Labels.CLIENT_PORT));
        }
        if (clients.on()) {
            ports.add(port("secure-client", Labels.SECURE_PORT));
        }
        return ports;
    }

    /// {@return where clients in the cluster connect}
    public static String endpoint(Wanted wanted) {
        return "%s.%s.svc:%d"
                .formatted(Labels.client(wanted.name()), wanted.namespace(), port(wanted));
    }

    /// {@return the port of each member that clients connect to}
    public static int port(Wanted wanted) {
        return wanted.security().stage().clients().mode() == TlsStage.Mode.Required
                ? Labels.SECURE_PORT
                : Labels.CLIENT_PORT;
    }

    static ServicePort port(String name, int number) {
        return new ServicePortBuilder()
                .withName(name)
                .withPort(number)
                .withTargetPort(new IntOrString(name))
                .withProtocol("TCP")
                .build();
    }
}
