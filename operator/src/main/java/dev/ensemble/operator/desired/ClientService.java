package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;

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

    private static List<ServicePort> ports(Wanted wanted) {
        ServicePort plain = port("client", Labels.CLIENT_PORT);
        return TlsFiles.forClients(wanted.spec())
                ? List.of(plain, port("secure-client", Labels.SECURE_PORT))
                : List.of(plain);
    }

    /// {@return where clients in the cluster connect}
    public static String endpoint(String name, String namespace) {
        return "%s.%s.svc:%d".formatted(Labels.client(name), namespace, Labels.CLIENT_PORT);
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
