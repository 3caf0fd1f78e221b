package dev.ensemble.operator.desired;

import com.fasterxml.jackson.databind.ObjectMapper;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRuleBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeerBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPortBuilder;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// The NetworkPolicy: who may reach the members. Probes come from the member's own node, and
/// Kubernetes lets those through by itself.
public final class Reach {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Reach() {}

    /// {@return the policy; one that lets everybody in if the spec wants none, for where there is
    /// one already: the operator deletes nothing that it does not have to}
    ///
    /// @throws InvalidSpec if `spec.networkPolicy.clientsFrom` is not what a policy can have
    public static NetworkPolicy of(Wanted wanted) throws InvalidSpec {
        return new NetworkPolicyBuilder()
                .withMetadata(wanted.meta(wanted.name()))
                .withNewSpec()
                .withNewPodSelector()
                .withMatchLabels(Labels.selector(wanted.name()))
                .endPodSelector()
                .withPolicyTypes("Ingress")
                .withIngress(
                        wanted.spec().networkPolicy().enabled()
                                ? rules(wanted)
                                : List.of(new NetworkPolicyIngressRule()))
                .endSpec()
                .build();
    }

    private static List<NetworkPolicyIngressRule> rules(Wanted wanted) throws InvalidSpec {
        List<NetworkPolicyPeer> members = List.of(pods(Labels.selector(wanted.name())));
        String namespace = wanted.defaults().operatorNamespace();
        List<NetworkPolicyPeer> commanding =
                namespace.isEmpty()
                        ? List.of()
                        : List.of(
                                new NetworkPolicyPeerBuilder()
                                        .withNewNamespaceSelector()
                                        .withMatchLabels(
                                                Map.of("kubernetes.io/metadata.name", namespace))
                                        .endNamespaceSelector()
                                        .build(),
                                pods(Labels.backups(wanted.name())));
        return List.of(
                rule(members, Labels.PEER_PORT),
                rule(clients(wanted.spec()), Labels.CLIENT_PORT, Labels.SECURE_PORT),
                rule(commanding, Labels.ADMIN_PORT),
                rule(List.of(), Labels.METRICS_PORT));
    }

    /// {@return pods of the ensemble's namespace}
    private static NetworkPolicyPeer pods(Map<String, String> labels) {
        return new NetworkPolicyPeerBuilder()
                .withNewPodSelector()
                .withMatchLabels(labels)
                .endPodSelector()
                .build();
    }

    /// @param from everybody if it is empty
    private static NetworkPolicyIngressRule rule(List<NetworkPolicyPeer> from, int... ports) {
        return new NetworkPolicyIngressRuleBuilder()
                .withFrom(from)
                .withPorts(
                        Arrays.stream(ports)
                                .mapToObj(each ->
                                        new NetworkPolicyPortBuilder()
                                                .withProtocol("TCP")
                                                .withPort(new IntOrString(each))
                                                .build())
                                .toList())
                .build();
    }

    private static List<NetworkPolicyPeer> clients(EnsembleSpec spec) throws InvalidSpec {
        List<NetworkPolicyPeer> clients = new ArrayList<>();
        List<Map<String, Object>> from = spec.networkPolicy().clientsFrom();
        for (int i = 0; from != null && i < from.size(); i++) {
            try {
                clients.add(JSON.convertValue(from.get(i), NetworkPolicyPeer.class));
            } catch (IllegalArgumentException e) {
                throw new InvalidSpec(
                        "spec.networkPolicy.clientsFrom[" + i + "]",
                        "is not valid; valid: as in the 'from' of a NetworkPolicy");
            }
        }
        return clients;
    }
}
