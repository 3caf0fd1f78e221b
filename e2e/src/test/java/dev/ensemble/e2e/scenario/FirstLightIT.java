package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;
import dev.ensemble.e2e.check.History;
import dev.ensemble.e2e.client.Fleet;
import dev.ensemble.e2e.harness.ApiWrites;
import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Cluster;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Faults;
import dev.ensemble.e2e.harness.Memory;
import dev.ensemble.e2e.harness.PodDiary;
import dev.ensemble.e2e.harness.Remains;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Settings;
import dev.ensemble.e2e.harness.Versions;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// The first thing that a user does: install the chart, apply one `Ensemble`, connect a stock
/// client through its Service; then pods are deleted, a volume is lost, all members are restarted,
/// the operator goes away, and the client loses nothing.
class FirstLightIT {
    private static final int MEMBERS = 3;
    private static final int CLIENTS = 4;
    private static final int SESSION_MILLIS = 15_000;
    private static final int PAUSE_MILLIS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String NAME = "orders";

    /// Always the same: Helm keeps the definition of `Ensemble` for the release that first
    /// installed it.
    private static final String RELEASE = "ensemble-e2e";

    private static final String SYSTEM = "ensemble-e2e-system";

    private final Settings settings = Settings.of(System.getenv());
    private final Path folder = settings.home().resolve("e2e/target/first-light");
    private final String id = Long.toString(System.nanoTime() & 0xffffff, 36);
    private final String namespace = "first-light-" + id;

    @Test
    void oneEnsembleFromChartToNoOperatorAtAll() throws Exception {
        switch (Cluster.find(settings)) {
            case Cluster.Found.None(String reason) -> {
                System.out.println("FirstLightIT is skipped: " + reason);
                abort(reason);
            }
            case Cluster.Found.Here(Cluster cluster) -> {
                try (cluster) {
                    var story = new Story(cluster);
                    try {
                        story.tell();
                    } catch (Exception | AssertionError failure) {
                        story.keepRemains(failure);
                        throw failure;
                    } finally {
                        story.cleanUp();
                    }
                }
            }
        }
    }

    /// The story on a cluster.
    private final class Story {
        private final Cluster cluster;
        private final KubernetesClient client;
        private final EnsembleView ensemble;
        private final Faults faults;
        private final Report report = new Report(folder.resolve("report.txt"));
        private final Path history = folder.resolve("history.jsonl");

        Story(Cluster cluster) throws IOException {
            this.cluster = cluster;
            this.client = cluster.client();
            this.ensemble = new EnsembleView(client, namespace, NAME);
            this.faults = new Faults(client, namespace);
            Files.createDirectories(folder);
            Files.deleteIfExists(history);
            report.say("cluster: " + cluster.name());
        }

        void tell() throws IOException {
            loadImages();
            installOperator();
            applyAndWait();
            columnsTellTheTruth();
            idleMinute();
            try (var fleet = startFleet();
                    var diary = new PodDiary(client, namespace, NAME)) {
                for (int ordinal = 0; ordinal < MEMBERS; ordinal++) {
                    deletePod(NAME + "-" + ordinal);
                }
                loseVolume(NAME + "-1");
                rollingRestart(diary);
                columnsTellTheTruth();
                memory();
                withoutOperator();
                fleet.finish();
            }
            judge();
        }

        private void loadImages() throws IOException {
            for (String image : List.of("ensemble-server", "ensemble-operator")) {
                Path archive = settings.image(image);
                cluster.load(archive);
                double megabytes = Files.size(archive) / 1e6;
                report.say("image %s: %.1f MB compressed".formatted(image, megabytes));
                assertTrue(megabytes < 120, () -> image + " should be under 120 MB, compressed");
            }
        }

        private void installOperator() {
            namespace(SYSTEM);
            namespace(namespace);
            cluster.helm(
                    "install",
                    RELEASE,
                    settings.chart().toString(),
                    "--namespace",
                    SYSTEM,
                    "--set",
                    "image.tag=" + settings.version(),
                    "--wait",
                    "--timeout",
                    "120s");
            report.say("operator installed by its chart");
        }

        private void namespace(String name) {
            client.resource(
                            new NamespaceBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                                    .endMetadata()
                                    .build())
                    .create();
        }

        private void applyAndWait() {
            String yaml =
                    """
                    apiVersion: ensemble.dev/v1alpha1
                    kind: Ensemble
                    metadata:
                      name: %s
                      namespace: %s
                    spec:
                      replicas: %d
                      version: "%s"
                      storage:
                        log: {size: 1Gi}
                      podTemplate:
                        spec:
                          resources:
                            requests: {cpu: 100m, memory: 512Mi}
                            limits: {memory: 512Mi}
                    """
                            .formatted(NAME, namespace, MEMBERS, settings.version());
            client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                    .inNamespace(namespace)
                    .serverSideApply();
            Duration ready =
                    Await.until(
                            "Ready after apply",
                            PATIENCE,
                            () -> {
                                String missing = ensemble.missing("Ready");
                                return missing.isEmpty()
                                        ? ensemble.missingForCalm(MEMBERS)
                                        : missing;
                            });
            report.say("from apply to Ready: " + Report.seconds(ready));
        }

        /// `kubectl get ens` against what the members say themselves.
        private void columnsTellTheTruth() {
            Map<String, String> columns = ensemble.columns();
            report.say("kubectl get ens: " + columns);
            assertEquals(
                    List.of(
                            "NAME", "READY", "LEADER", "QUORUM", "CANLOSE", "VERSION", "PHASE",
                            "AGE"),
                    List.copyOf(columns.keySet()));
            assertEquals(NAME, columns.get("NAME"));
            assertEquals("3/3", columns.get("READY"));
            String leader = ensemble.leader();
            assertEquals(leader, columns.get("LEADER"));
            var said = ensemble.says(leader);
            assertEquals("leader", said.path("role").asText());
            assertEquals("True", columns.get("QUORUM"));
            assertEquals(said.path("quorum").path("canLose").asText(), columns.get("CANLOSE"));
            assertEquals(said.path("version").asText(), columns.get("VERSION"));
            assertEquals(MEMBERS, ensemble.status().path("members").size());
        }

        /// With nothing to do the operator writes nothing, but to the Lease that says that it is
        /// there.
        private void idleMinute() {
            // The status shows figures of the last minute, and so for a minute how long the first
            // transactions took.
            Await.until(
                    "figures at rest",
                    Duration.ofMinutes(2),
                    () -> {
                        var figures = ensemble.status().path("metrics");
                        boolean atRest =
                                figures.path("p99Millis").asInt() == 0
                                        && figures.path("writesPerSecond").asInt() == 0;
                        return atRest ? "" : figures.toString();
                    });
            // What Kubernetes itself has to say of the new pods (endpoints, events) comes a little
            // later.
            Await.pass(Duration.ofSeconds(10));
            Versions before = Versions.now(client, namespace, SYSTEM);
            ApiWrites writes = ApiWrites.now(client);
            Await.pass(Duration.ofMinutes(1));
            List<String> changed = Versions.now(client, namespace, SYSTEM).changedSince(before);
            report.say(
                    "API writes in an idle minute, whole cluster: "
                            + ApiWrites.now(client).since(writes).text());
            report.say("objects of ours that were written to in that minute: " + changed);
            assertEquals(
                    List.of(),
                    changed.stream().filter(object -> !object.startsWith("leases ")).toList());
        }

        private Cluster.Program startFleet() {
            var fleet =
                    cluster.start(
                            "fleet-" + id,
                            history,
                            Fleet.class.getName(),
                            List.of(
                                    "%s-client.%s.svc.cluster.local:2181"
                                            .formatted(NAME, namespace),
                                    "/fleet-" + id,
                                    Integer.toString(CLIENTS),
                                    Integer.toString(SESSION_MILLIS),
                                    Integer.toString(PAUSE_MILLIS)));
            Await.until(
                    "clients at work",
                    Duration.ofMinutes(1),
                    () -> {
                        assertTrue(fleet.running(), fleet::errors);
                        return acked() >= 100 ? "" : acked() + " writes acknowledged";
                    });
            report.say(CLIENTS + " clients write, watch and hold an ephemeral each");
            return fleet;
        }

        private long acked() {
            return History.read(history).of(Entry.Acked.class).count();
        }

        private long failed() {
            return History.read(history).of(Entry.Failed.class).count();
        }

        private long closed() {
            return Findings.closed(History.read(history));
        }

        /// The clients must go on after each fault; what they lost is judged at the end.
        private void clientsGoOn() {
            long before = acked();
            Await.until(
                    "clients go on",
                    Duration.ofMinutes(1),
                    () -> acked() >= before + 100 ? "" : (acked() - before) + " more writes");
        }

        private void deletePod(String pod) {
            String role = pod.equals(ensemble.leader()) ? "the leader" : "a follower";
            long failed = failed();
            String uid = ensemble.uid(pod);
            faults.delete(pod);
            Duration back = awaitSuccessor(pod, uid);
            clientsGoOn();
            report.say(
                    "%s deleted, %s: all in sync again after %s, %d requests failed meanwhile"
                            .formatted(pod, role, Report.seconds(back), failed() - failed));
        }

        private Duration awaitSuccessor(String pod, String uid) {
            return Await.until(
                    "all well after the end of " + pod,
                    PATIENCE,
                    () ->
                            uid.equals(ensemble.uids().get(pod))
                                    ? pod + " is still the old one"
                                    : ensemble.missingForCalm(MEMBERS));
        }

        private void loseVolume(String pod) {
            String incarnation = incarnation(pod);
            long failed = failed();
            String uid = ensemble.uid(pod);
            assertEquals(1, faults.loseVolume(pod), "claims of " + pod);
            Duration back = awaitSuccessor(pod, uid);
            clientsGoOn();
            assertNotEquals(
                    incarnation,
                    incarnation(pod),
                    "a member that lost its disk is another incarnation");
            report.say(
                    "%s lost its volume: all in sync again after %s, %d requests failed meanwhile"
                            .formatted(pod, Report.seconds(back), failed() - failed));
        }

        private String incarnation(String pod) {
            return ensemble.says(pod).path("identity").path("incarnation").asText();
        }

        private void rollingRestart(PodDiary diary) {
            String leader = ensemble.leader();
            long failed = failed();
            long closed = closed();
            Map<String, String> before = ensemble.uids();
            int births = diary.births().size();
            ensemble.set(
                    "restartedAt", "\"" + Instant.now().truncatedTo(ChronoUnit.SECONDS) + "\"");
            Duration took =
                    Await.until(
                            "rolling restart",
                            PATIENCE.multipliedBy(2),
                            () -> {
                                for (var pod : ensemble.uids().entrySet()) {
                                    if (pod.getValue().equals(before.get(pod.getKey()))) {
                                        return pod.getKey() + " is still the old one";
                                    }
                                }
                                String missing = ensemble.missing("UpToDate");
                                return missing.isEmpty()
                                        ? ensemble.missingForCalm(MEMBERS)
                                        : missing;
                            });
            clientsGoOn();
            List<String> order =
                    diary.births().stream().skip(births).map(PodDiary.Birth::pod).toList();
            assertEquals(
                    MEMBERS, order.size(), "each member is restarted once, and it was " + order);
            assertEquals(
                    leader, order.getLast(), "the leader is restarted last, and it was " + order);
            long lost = failed() - failed;
            long ended = closed() - closed;
            report.say(
                    "rolling restart in %s, in the order %s, %d connections ended and %d requests failed meanwhile"
                            .formatted(Report.seconds(took), order, ended, lost));
            // Each client has one request at a time: more would be a connection that was refused,
            // or a request that failed while its connection was well.
            assertTrue(lost <= ended, () -> lost + " failed requests, " + ended + " ends");
            assertTrue(
                    ended <= (long) CLIENTS * MEMBERS,
                    () -> "a client loses its connection only to a member that restarts: " + ended);
        }

        private void memory() {
            report.say("memory of the members, MB: " + Memory.megabytes(client, namespace));
            report.say("memory of the operator, MB: " + Memory.megabytes(client, SYSTEM));
        }

        /// Everything needed to survive is in the pods: without the operator a pod comes back all
        /// the same.
        private void withoutOperator() {
            cluster.helm("uninstall", RELEASE, "--namespace", SYSTEM, "--wait");
            Await.until(
                    "operator gone",
                    PATIENCE,
                    () ->
                            client.pods().inNamespace(SYSTEM).list().getItems().isEmpty()
                                    ? ""
                                    : "its pod is there");
            String pod = NAME + "-2";
            String uid = ensemble.uid(pod);
            faults.delete(pod);
            Duration back =
                    Await.until(
                            "the members without operator",
                            PATIENCE,
                            () ->
                                    uid.equals(ensemble.uids().get(pod))
                                            ? pod + " is still the old one"
                                            : missingWithoutOperator());
            clientsGoOn();
            report.say(
                    "operator deleted, then %s: all in sync again after %s"
                            .formatted(pod, Report.seconds(back)));
        }

        private String missingWithoutOperator() {
            for (String pod : ensemble.uids().keySet()) {
                var said = ensemble.says(pod);
                if (said.path("role").asText().equals("leader")) {
                    int synced = said.path("quorum").path("synced").asInt();
                    return synced == MEMBERS ? "" : synced + " voters in sync";
                }
            }
            return "no leader";
        }

        private void judge() {
            Findings findings = Findings.of(History.read(history));
            report.say("clients: " + findings.figures());
            findings.broken().forEach(broken -> report.say("BROKEN " + broken));
            assertEquals(List.of(), findings.broken());
            assertTrue(findings.watches() > 0, "no watch had to fire");
        }

        void keepRemains(Throwable failure) {
            report.say("FAILED " + failure);
            try {
                Remains.keep(client, namespace, folder.resolve("remains"));
                Remains.keep(client, SYSTEM, folder.resolve("remains-operator"));
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }

        void cleanUp() {
            try {
                cluster.helm("uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found");
            } finally {
                for (String name : List.of(namespace, SYSTEM)) {
                    var there = client.namespaces().withName(name);
                    there.delete();
                    // The next run makes it again, which fails while it is going.
                    there.waitUntilCondition(Objects::isNull, 2, TimeUnit.MINUTES);
                }
            }
        }
    }
}
