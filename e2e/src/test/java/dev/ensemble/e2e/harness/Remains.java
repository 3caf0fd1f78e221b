package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What is kept of a failure: the objects, events and logs of a namespace, before it is taken away.
public final class Remains {
    private Remains() {}

    /// Writes all that helps to understand into a folder.
    public static void keep(KubernetesClient client, String namespace, Path folder) {
        try {
            Files.createDirectories(folder);
            for (Pod pod : client.pods().inNamespace(namespace).list().getItems()) {
                String name = pod.getMetadata().getName();
                Files.writeString(folder.resolve(name + ".yaml"), Serialization.asYaml(pod));
                Files.writeString(
                        folder.resolve(name + ".log"), log(client, namespace, name, false));
                Files.writeString(
                        folder.resolve(name + "-previous.log"), log(client, namespace, name, true));
            }
            Files.writeString(
                    folder.resolve("events.yaml"),
                    Serialization.asYaml(client.v1().events().inNamespace(namespace).list()));
            Files.writeString(
                    folder.resolve("statefulsets.yaml"),
                    Serialization.asYaml(
                            client.apps().statefulSets().inNamespace(namespace).list()));
            Files.writeString(
                    folder.resolve("ensembles.json"),
                    // None if the definition of the resource is missing.
                    String.valueOf(
                            client.raw(
                                    "/apis/ensemble.dev/v1alpha1/namespaces/%s/ensembles"
                                            .formatted(namespace))));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to " + folder, e);
        }
    }

    private static String log(
            KubernetesClient client, String namespace, String pod, boolean previous) {
        try {
            var named = client.pods().inNamespace(namespace).withName(pod);
            return String.valueOf(previous ? named.terminated().getLog() : named.getLog());
        } catch (KubernetesClientException e) {
            return "no log: " + e.getMessage();
        }
    }
}
