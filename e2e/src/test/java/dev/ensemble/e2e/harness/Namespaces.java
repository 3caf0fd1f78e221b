package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// Namespaces in which only `restricted` pods may run.
final class Namespaces {
    private Namespaces() {}

    static void make(KubernetesClient client, String name) {
        client.resource(
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                                .endMetadata()
                                .build())
                .serverSideApply();
    }

    /// Deletes it with all that is in it. Its pods are given no time to end: what follows should
    /// have the machine to itself.
    static void drop(KubernetesClient client, String name) {
        var there = client.namespaces().withName(name);
        there.delete();
        client.pods().inNamespace(name).withGracePeriod(0).delete();
        there.waitUntilCondition(Objects::isNull, 3, TimeUnit.MINUTES);
    }
}
