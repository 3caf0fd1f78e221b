package dev.ensemble.e2e.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.fabric8.kubernetes.client.KubernetesClient;

import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;

/// Memory that pods use, as the kubelets' summaries have it (working set of the containers).
public final class Memory {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Memory() {}

    /// {@return megabytes by pod, of the pods of a namespace; empty where the kubelets do not tell}
    public static Map<String, Long> megabytes(KubernetesClient client, String namespace) {
        Map<String, Long> used = new TreeMap<>();
        client.nodes()
                .list()
                .getItems()
                .forEach(node -> add(client, node.getMetadata().getName(), namespace, used));
        return used;
    }

    private static void add(
            KubernetesClient client, String node, String namespace, Map<String, Long> used) {
        try {
            String text = client.raw("/api/v1/nodes/%s/proxy/stats/summary".formatted(node));
            for (JsonNode pod : JSON.readTree(text).path("pods")) {
                if (pod.path("podRef").path("namespace").asText().equals(namespace)) {
                    long bytes = 0;
                    for (JsonNode container : pod.path("containers")) {
                        bytes += container.path("memory").path("workingSetBytes").asLong();
                    }
                    used.put(pod.path("podRef").path("name").asText(), bytes >> 20);
                }
            }
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
