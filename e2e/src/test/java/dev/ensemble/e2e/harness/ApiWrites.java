package dev.ensemble.e2e.harness;

import static java.util.stream.Collectors.joining;

import io.fabric8.kubernetes.client.KubernetesClient;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Writes to an API server so far, by resource, as its own metrics count them.
///
/// They do not say who wrote: on a cluster that has other users, theirs are among them.
public record ApiWrites(Map<String, Long> byResource) {
    private static final Pattern LINE =
            Pattern.compile("^apiserver_request_total\\{([^}]*)} (\\S+)$", Pattern.MULTILINE);
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

    public ApiWrites {
        byResource = new TreeMap<>(byResource);
    }

    /// {@return the counts until now}
    public static ApiWrites now(KubernetesClient client) {
        return parse(client.raw("/metrics"));
    }

    static ApiWrites parse(String metrics) {
        Map<String, Long> counts = new TreeMap<>();
        Matcher lines = LINE.matcher(metrics);
        while (lines.find()) {
            Map<String, String> labels = new TreeMap<>();
            Matcher each = LABEL.matcher(lines.group(1));
            while (each.find()) {
                labels.put(each.group(1), each.group(2));
            }
            switch (labels.getOrDefault("verb", "")) {
                case "POST", "PUT", "PATCH", "APPLY", "DELETE" -> {
                    String sub = labels.getOrDefault("subresource", "");
                    counts.merge(
                            labels.getOrDefault("resource", "") + (sub.isEmpty() ? "" : "/" + sub),
                            (long) Double.parseDouble(lines.group(2)),
                            Long::sum);
                }
                default -> {}
            }
        }
        return new ApiWrites(counts);
    }

    /// {@return the writes since then}
    public ApiWrites since(ApiWrites before) {
        Map<String, Long> more = new TreeMap<>();
        byResource.forEach((resource, count) -> {
            long difference = count - before.byResource.getOrDefault(resource, 0L);
            if (difference > 0) {
                more.put(resource, difference);
            }
        });
        return new ApiWrites(more);
    }

    /// {@return the counts in one line}
    public String text() {
        return byResource.isEmpty()
                ? "none"
                : byResource.entrySet().stream()
                        .map(e -> e.getKey() + " " + e.getValue())
                        .collect(joining(", "));
    }
}
