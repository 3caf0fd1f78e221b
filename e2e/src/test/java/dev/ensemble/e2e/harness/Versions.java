package dev.ensemble.e2e.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.fabric8.kubernetes.client.KubernetesClient;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The versions of all objects in some namespaces: what an ensemble and its operator could write
/// to. Unlike `ApiWrites` it is not disturbed by other users of the cluster.
public record Versions(Map<String, String> byObject) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> KINDS =
            List.of(
                    "api/v1 pods",
                    "api/v1 services",
                    "api/v1 configmaps",
                    "api/v1 serviceaccounts",
                    "api/v1 persistentvolumeclaims",
                    "apis/apps/v1 statefulsets",
                    "apis/apps/v1 deployments",
                    "apis/policy/v1 poddisruptionbudgets",
                    "apis/discovery.k8s.io/v1 endpointslices",
                    "apis/events.k8s.io/v1 events",
                    "apis/coordination.k8s.io/v1 leases",
                    "apis/ensemble.dev/v1alpha1 ensembles");

    public Versions {
        byObject = new TreeMap<>(byObject);
    }

    /// {@return the versions as they are now}
    public static Versions now(KubernetesClient client, String... namespaces) {
        Map<String, String> versions = new TreeMap<>();
        for (String namespace : namespaces) {
            for (String kind : KINDS) {
                String group = kind.substring(0, kind.indexOf(' '));
                String plural = kind.substring(kind.indexOf(' ') + 1);
                String list =
                        client.raw("/%s/namespaces/%s/%s".formatted(group, namespace, plural));
                for (JsonNode item : items(list)) {
                    JsonNode metadata = item.path("metadata");
                    versions.put(
                            "%s %s".formatted(plural, metadata.path("name").asText()),
                            metadata.path("resourceVersion").asText());
                }
            }
        }
        return new Versions(versions);
    }

    private static JsonNode items(String list) {
        try {
            return JSON.readTree(list).path("items");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// {@return the objects that are new or were written to since then}
    public List<String> changedSince(Versions before) {
        return byObject.entrySet().stream()
                .filter(e -> !e.getValue().equals(before.byObject.get(e.getKey())))
                .map(Map.Entry::getKey)
                .toList();
    }
}
