package dev.ensemble.e2e.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/// One `Ensemble` as its user sees it, and beside it what its members say themselves, to hold the
/// one against the other.
public record EnsembleView(KubernetesClient client, String namespace, String name) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String API = "ensemble.dev/v1alpha1";
    private static final int ADMIN_PORT = 8080;

    /// {@return the resource as it is now}
    public JsonNode resource() {
        return parse(
                client.raw("/apis/%s/namespaces/%s/ensembles/%s".formatted(API, namespace, name)));
    }

    /// {@return its status as it is now; a missing node before the first}
    public JsonNode status() {
        return resource().path("status");
    }

    /// {@return what hinders this condition from being `True` for the newest spec, empty if it is}
    public String missing(String condition) {
        JsonNode resource = resource();
        long generation = resource.path("metadata").path("generation").asLong();
        for (JsonNode c : resource.path("status").path("conditions")) {
            if (c.path("type").asText().equals(condition)) {
                if (!c.path("status").asText().equals("True")) {
                    return "%s is %s, %s: %s"
                            .formatted(
                                    condition,
                                    c.path("status").asText(),
                                    c.path("reason").asText(),
                                    c.path("message").asText());
                }
                return c.path("observedGeneration").asLong() == generation
                        ? ""
                        : condition + " is not about the newest spec yet";
            }
        }
        return "no condition " + condition;
    }

    /// {@return where clients connect, by name}
    public String connectString() {
        return "%s-client.%s.svc.cluster.local:2181".formatted(name, namespace);
    }

    /// {@return where clients connect by TLS, by name}
    public String secureConnectString() {
        return "%s-client.%s.svc.cluster.local:2281".formatted(name, namespace);
    }

    /// Waits until the newest transaction that all members know a digest of is the same for all,
    /// and compares these digests. A member knows them since its start, for some of the
    /// transactions: a few hundred writes are needed after each restart.
    ///
    /// @return the digest, with its transaction
    public String sameDigest() {
        String[] same = {""};
        Await.until(
                "a transaction that all members have a digest of",
                Duration.ofMinutes(1),
                () -> {
                    List<Map<String, String>> all =
                            pods().stream().map(p -> digests(p.getMetadata().getName())).toList();
                    var common = new TreeSet<>(all.getFirst().keySet());
                    all.forEach(each -> common.retainAll(each.keySet()));
                    if (common.isEmpty()) {
                        return all.toString();
                    }
                    var different =
                            all.stream().map(each -> each.get(common.last())).distinct().toList();
                    if (different.size() != 1) {
                        throw new AssertionError(
                                "members hold different trees at %s: %s"
                                        .formatted(common.last(), all));
                    }
                    same[0] = "%s at %s".formatted(different.getFirst(), common.last());
                    return "";
                });
        return same[0];
    }

    private Map<String, String> digests(String pod) {
        Map<String, String> digests = new LinkedHashMap<>();
        asks(pod, "/commands/hash")
                .path("digests")
                .forEach(each ->
                        digests.put(
                                "%016x".formatted(each.path("zxid").asLong()),
                                each.path("digest").asText()));
        return digests;
    }

    /// {@return the leader's pod, as the status has it}
    public String leader() {
        return status().path("leader").path("member").asText();
    }

    /// {@return the members' pods, by name}
    public List<Pod> pods() {
        return client
                .pods()
                .inNamespace(namespace)
                .withLabel("app.kubernetes.io/instance", name)
                .withLabel("app.kubernetes.io/component", "server")
                .list()
                .getItems()
                .stream()
                .sorted(Comparator.comparing(p -> p.getMetadata().getName()))
                .toList();
    }

    /// {@return uid of each pod by its name}
    public Map<String, String> uids() {
        Map<String, String> uids = new LinkedHashMap<>();
        pods().forEach(p -> uids.put(p.getMetadata().getName(), p.getMetadata().getUid()));
        return uids;
    }

    /// {@return the pods that are the same as before, by name}
    ///
    /// @param before uids by name
    public List<String> kept(Map<String, String> before) {
        Map<String, String> now = uids();
        return before.entrySet().stream()
                .filter(pod -> pod.getValue().equals(now.get(pod.getKey())))
                .map(Map.Entry::getKey)
                .toList();
    }

    /// {@return what a condition with this reason is missing: nothing if there is one}
    public String missingReason(String reason) {
        return status().path("conditions").toString().contains("\"" + reason + "\"")
                ? ""
                : "no condition has the reason " + reason;
    }

    /// Asks for a rolling restart.
    ///
    /// @return the uids before
    public Map<String, String> restart() {
        Map<String, String> before = uids();
        set("restartedAt", "\"" + Instant.now().truncatedTo(ChronoUnit.SECONDS) + "\"");
        return before;
    }

    /// {@return uid of a pod that is there}
    public String uid(String pod) {
        return client.pods().inNamespace(namespace).withName(pod).require().getMetadata().getUid();
    }

    /// {@return what a member says of itself at its admin port, through the API server}
    public JsonNode says(String pod) {
        return asks(pod, "/v1/status");
    }

    private JsonNode asks(String pod, String path) {
        return parse(
                client.raw(
                        "/api/v1/namespaces/%s/pods/%s:%d/proxy%s"
                                .formatted(namespace, pod, ADMIN_PORT, path)));
    }

    /// {@return voters of the committed configuration, as the leader says}
    public int voters() {
        return says(leader()).path("configuration").path("members").size();
    }

    /// {@return znodes in the tree, as the leader says, once none of them belongs to a session}
    ///
    /// What a member says is a moment old, and clients that have just gone are in it: with their
    /// ephemerals no two counts can be compared.
    public int znodes() {
        Await.until(
                "the ephemerals of clients that have gone to go",
                Story.PATIENCE,
                () -> metric("ephemerals") == 0 ? "" : metric("ephemerals") + " are there");
        return metric("znodes");
    }

    private int metric(String name) {
        return says(leader()).path("metrics").path(name).asInt();
    }

    /// Looks whether a rolling restart is over, and all is well after it.
    ///
    /// @param before the pods' uids before it, by name
    /// @return what is missing, empty if nothing is
    public String missingForRoll(Map<String, String> before, int members) {
        if (!kept(before).isEmpty()) {
            return kept(before) + " are the old ones";
        }
        String missing = missing("UpToDate");
        return missing.isEmpty() ? missingForCalm(members) : missing;
    }

    /// Looks whether all is well, in truth and in the status: each pod ready, one leader that has
    /// every voter in sync, and conditions that say so.
    ///
    /// @return what is missing, empty if nothing is
    public String missingForCalm(int members) {
        List<Pod> pods = pods();
        if (pods.size() != members) {
            return "%d pods of %d".formatted(pods.size(), members);
        }
        for (Pod pod : pods) {
            if (pod.getMetadata().getDeletionTimestamp() != null) {
                return pod.getMetadata().getName() + " is ending";
            }
            if (!ready(pod)) {
                return pod.getMetadata().getName() + " is not ready";
            }
        }
        List<String> leaders = new ArrayList<>();
        for (Pod pod : pods) {
            JsonNode said = says(pod.getMetadata().getName());
            if (said.path("role").asText().equals("leader")) {
                leaders.add(pod.getMetadata().getName());
                int synced = said.path("quorum").path("synced").asInt();
                if (synced != members) {
                    return "the leader has %d voters in sync".formatted(synced);
                }
            }
        }
        if (leaders.size() != 1) {
            return "leaders: " + leaders;
        }
        if (!leader().equals(leaders.getFirst())) {
            return "the status says that %s leads, and it is %s"
                    .formatted(leader(), leaders.getFirst());
        }
        String quorum = missing("QuorumAvailable");
        return quorum.isEmpty() ? missing("Ready") : quorum;
    }

    private static boolean ready(Pod pod) {
        return pod.getStatus() != null
                && pod.getStatus().getConditions() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
    }

    /// Sets a field of the spec.
    ///
    /// @param json its value
    public void set(String field, String json) {
        client.genericKubernetesResources(API, "Ensemble")
                .inNamespace(namespace)
                .withName(name)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":{\"%s\":%s}}".formatted(field, json));
    }

    /// {@return what `kubectl get ens` shows of it: columns of the table by their names, in their
    /// order, without the wide ones}
    public Map<String, String> columns() {
        JsonNode table = table();
        JsonNode cells = table.path("rows").path(0).path("cells");
        Map<String, String> columns = new LinkedHashMap<>();
        IntStream.range(0, cells.size())
                .filter(i -> table.path("columnDefinitions").path(i).path("priority").asInt() == 0)
                .forEach(i ->
                        columns.put(
                                table.path("columnDefinitions")
                                        .path(i)
                                        .path("name")
                                        .asText()
                                        .toUpperCase(java.util.Locale.ROOT),
                                cells.path(i).asText()));
        return columns;
    }

    private JsonNode table() {
        var request =
                client.getHttpClient()
                        .newHttpRequestBuilder()
                        .uri(
                                "%sapis/%s/namespaces/%s/ensembles/%s"
                                        .formatted(client.getMasterUrl(), API, namespace, name))
                        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
                        .build();
        try {
            return parse(
                    client.getHttpClient()
                            .sendAsync(request, String.class)
                            .get(30, TimeUnit.SECONDS)
                            .body());
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("cannot read the table", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
