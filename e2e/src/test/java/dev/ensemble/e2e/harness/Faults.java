package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

/// What is done to an ensemble from outside.
public record Faults(KubernetesClient client, String namespace) {
    private static final int TOO_MANY_REQUESTS = 429;

    /// Deletes a pod, as `kubectl delete pod` does.
    public void delete(String pod) {
        client.pods().inNamespace(namespace).withName(pod).delete();
    }

    /// Deletes a pod and gives it no time to end.
    public void deleteAtOnce(String pod) {
        client.pods().inNamespace(namespace).withName(pod).withGracePeriod(0).delete();
    }

    /// Ends the process of a pod as `kill -9` does: nothing in it can do anything about that.
    public void kill(Cluster cluster, String pod) {
        Pod there = client.pods().inNamespace(namespace).withName(pod).require();
        String container = there.getStatus().getContainerStatuses().getFirst().getContainerID();
        cluster.onNode(
                there.getSpec().getNodeName(),
                "ctr",
                "--namespace",
                "k8s.io",
                "tasks",
                "kill",
                "--signal",
                "SIGKILL",
                container.substring(container.indexOf("//") + 2));
    }

    /// {@return the folder of a pod's data on the disk of its node}
    public String folder(String pod) {
        Pod there = client.pods().inNamespace(namespace).withName(pod).require();
        String claim =
                there.getSpec().getVolumes().stream()
                        .filter(v -> v.getPersistentVolumeClaim() != null)
                        .findFirst()
                        .orElseThrow()
                        .getPersistentVolumeClaim()
                        .getClaimName();
        String volume =
                client.persistentVolumeClaims()
                        .inNamespace(namespace)
                        .withName(claim)
                        .require()
                        .getSpec()
                        .getVolumeName();
        var source = client.persistentVolumes().withName(volume).require().getSpec();
        if (source.getLocal() != null) {
            return source.getLocal().getPath();
        }
        if (source.getHostPath() != null) {
            return source.getHostPath().getPath();
        }
        return abort("the volume of " + pod + " is no folder of its node");
    }

    /// Lets a node take no new pods, or take them again.
    public void cordon(String node, boolean closed) {
        // Not by reading and writing back: kubelet and others write to it all the time.
        client.nodes()
                .withName(node)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":{\"unschedulable\":%s}}".formatted(closed));
    }

    /// Asks for a pod's eviction, as `kubectl drain` does.
    ///
    /// @return whether the disruption budget let it go
    public boolean evict(String pod) {
        // The library would ask again by itself, for minutes, when the budget refuses.
        Config once =
                new ConfigBuilder(client.getConfiguration())
                        .withRequestRetryBackoffLimit(0)
                        .build();
        try (KubernetesClient asking = new KubernetesClientBuilder().withConfig(once).build()) {
            return asking.pods()
                    .inNamespace(namespace)
                    .withName(pod)
                    .evict(
                            new EvictionBuilder()
                                    .withNewMetadata()
                                    .withName(pod)
                                    .withNamespace(namespace)
                                    .endMetadata()
                                    .build());
        } catch (KubernetesClientException e) {
            if (e.getCode() == TOO_MANY_REQUESTS) {
                return false;
            }
            throw e;
        }
    }

    /// Deletes a pod and its volume claims: its successor begins with empty disks.
    ///
    /// @return how many claims it had
    public int loseVolume(String pod) {
        Pod there = client.pods().inNamespace(namespace).withName(pod).require();
        var claims =
                there.getSpec().getVolumes().stream()
                        .filter(v -> v.getPersistentVolumeClaim() != null)
                        .map(v -> v.getPersistentVolumeClaim().getClaimName())
                        .toList();
        // The claim goes when its pod has gone, and the next pod waits for the new one.
        claims.forEach(claim ->
                client.persistentVolumeClaims().inNamespace(namespace).withName(claim).delete());
        delete(pod);
        return claims.size();
    }
}
