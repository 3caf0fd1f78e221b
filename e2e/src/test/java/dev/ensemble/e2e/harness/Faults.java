package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

/// What is done to an ensemble from outside.
public record Faults(KubernetesClient client, String namespace) {
    /// Deletes a pod, as `kubectl delete pod` does.
    public void delete(String pod) {
        client.pods().inNamespace(namespace).withName(pod).delete();
    }

    /// Asks for a pod's eviction, as `kubectl drain` does.
    ///
    /// @return whether the disruption budget let it go
    public boolean evict(String pod) {
        return client.pods()
                .inNamespace(namespace)
                .withName(pod)
                .evict(
                        new EvictionBuilder()
                                .withNewMetadata()
                                .withName(pod)
                                .withNamespace(namespace)
                                .endMetadata()
                                .build());
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
