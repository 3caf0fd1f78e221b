package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;
import dev.ensemble.e2e.check.History;
import dev.ensemble.e2e.client.Fleet;
import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Cluster;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Faults;
import dev.ensemble.e2e.harness.Remains;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Settings;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// What comes after the first day: an ensemble of one grows to five under load, shrinks to one, and
/// grows again with its old volumes; then it sleeps and wakes; then it loses a majority for good,
/// and a person lets it go on from what is left.
class DayTwoIT {
    private static final int CLIENTS = 4;
    private static final int SESSION_MILLIS = 15_000;
    private static final int PAUSE_MILLIS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String NAME = "orders";
    private static final String RELEASE = "ensemble-e2e";
    private static final String SYSTEM = "ensemble-e2e-system";

    private final Settings settings = Settings.of(System.getenv());
    private final Path folder = settings.home().resolve("e2e/target/day-two");
    private final String id = Long.toString(System.nanoTime() & 0xffffff, 36);
    private final String namespace = "day-two-" + id;

    @Test
    void anEnsembleGrowsShrinksSleepsWakesAndIsRecovered() throws Exception {
        switch (Cluster.find(settings)) {
            case Cluster.Found.None(String reason) -> {
                System.out.println("DayTwoIT is skipped: " + reason);
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
        private final Report report = new Report(folder.resolve("report.txt"));
        private final Path history = folder.resolve("history.jsonl");

        Story(Cluster cluster) throws IOException {
            this.cluster = cluster;
            this.client = cluster.client();
            this.ensemble = new EnsembleView(client, namespace, NAME);
            Files.createDirectories(folder);
            Files.deleteIfExists(history);
            report.say("cluster: " + cluster.name());
        }

        void tell() throws IOException {
            loadImages();
            installOperator();
            applyAndWait();
            try (var fleet = startFleet()) {
                for (int replicas : List.of(3, 5, 3, 1, 3)) {
                    scale(replicas);
                }
                fleet.finish();
            }
            judge();
            sleepAndWake();
            loseMajorityAndRecover();
        }

        private Duration well(String what, int members) {
            return Await.until(
                    what,
                    PATIENCE,
                    () -> {
                        String missing = ensemble.missing("Ready");
                        return missing.isEmpty() ? ensemble.missingForCalm(members) : missing;
                    });
        }

        private void scale(int replicas) {
            long failed = failed();
            ensemble.set("replicas", Integer.toString(replicas));
            Duration took = well("to be " + replicas, replicas);
            clientsGoOn();
            assertEquals(
                    replicas,
                    ensemble.says(ensemble.leader()).path("configuration").path("members").size(),
                    "voters of the committed configuration");
            report.say(
                    "to %d members in %s, %d requests failed meanwhile"
                            .formatted(replicas, Report.seconds(took), failed() - failed));
        }

        private void sleepAndWake() {
            int before = ensemble.says(ensemble.leader()).path("metrics").path("znodes").asInt();
            ensemble.set("hibernate", "true");
            Await.until(
                    "all members to end",
                    PATIENCE,
                    () -> ensemble.pods().isEmpty() ? "" : ensemble.uids().keySet() + " are there");
            ensemble.set("hibernate", "false");
            Duration took = well("awake", 3);
            int after = ensemble.says(ensemble.leader()).path("metrics").path("znodes").asInt();
            assertEquals(before, after, "znodes before and after");
            report.say("awake again in " + Report.seconds(took));
        }

        /// Nothing happens without a person's word; with it, the ensemble goes on with what the one
        /// member holds that is left.
        private void loseMajorityAndRecover() {
            int before = ensemble.says(ensemble.leader()).path("metrics").path("znodes").asInt();
            String survivor = NAME + "-0";
            Map<String, String> uids = ensemble.uids();
            var faults = new Faults(client, namespace);
            for (int ordinal = 1; ordinal < 3; ordinal++) {
                assertEquals(1, faults.loseVolume(NAME + "-" + ordinal), "claims of it");
            }
            Await.until(
                    "the loss to be known", PATIENCE, () -> ensemble.missing("RecoveryRequired"));
            report.say("a majority has lost its volumes, and RecoveryRequired says so");
            client.load(
                            new ByteArrayInputStream(
                                    """
                                    apiVersion: ensemble.dev/v1alpha1
                                    kind: EnsembleRecovery
                                    metadata: {name: after-the-fire, namespace: %s}
                                    spec: {ensemble: %s}
                                    """
                                            .formatted(namespace, NAME)
                                            .getBytes(StandardCharsets.UTF_8)))
                    .inNamespace(namespace)
                    .create();
            Await.until(
                    "a plan",
                    PATIENCE,
                    () ->
                            recovery("status", "phase").equals("Planned")
                                    ? ""
                                    : recovery("status", "message"));
            assertEquals(survivor, recovery("status", "survivor", "member"));
            assertEquals(
                    uids.get(survivor), ensemble.uid(survivor), "a plan alone changes nothing");
            report.say("plan: " + recovery("status", "message"));
            recoveries()
                    .withName("after-the-fire")
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"spec\":{\"approvedPlan\":\"%s\"}}"
                                    .formatted(recovery("status", "plan")));
            Duration took = well("to be recovered", 3);
            Await.until(
                    "the recovery to be over",
                    PATIENCE,
                    () ->
                            recovery("status", "phase").equals("Recovered")
                                    ? ""
                                    : recovery("status", "message"));
            int after = ensemble.says(ensemble.leader()).path("metrics").path("znodes").asInt();
            assertEquals(before, after, "znodes before and after");
            assertEquals(
                    3,
                    ensemble.says(ensemble.leader()).path("configuration").path("members").size(),
                    "voters after the recovery");
            report.say("recovered in " + Report.seconds(took));
        }

        private NonNamespaceOperation<
                        GenericKubernetesResource,
                        GenericKubernetesResourceList,
                        Resource<GenericKubernetesResource>>
                recoveries() {
            return client.genericKubernetesResources("ensemble.dev/v1alpha1", "EnsembleRecovery")
                    .inNamespace(namespace);
        }

        private String recovery(Object... path) {
            Object there = recoveries().withName("after-the-fire").require().get(path);
            return there == null ? "nothing yet" : there.toString();
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
                      replicas: 1
                      version: "%s"
                      storage:
                        log: {size: 1Gi}
                      podTemplate:
                        spec:
                          resources:
                            requests: {cpu: 100m, memory: 512Mi}
                            limits: {memory: 512Mi}
                    """
                            .formatted(NAME, namespace, settings.version());
            client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                    .inNamespace(namespace)
                    .serverSideApply();
            report.say("from apply to Ready: " + Report.seconds(well("Ready after apply", 1)));
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

        /// The clients must go on after each fault; what they lost is judged at the end.
        private void clientsGoOn() {
            long before = acked();
            Await.until(
                    "clients go on",
                    Duration.ofMinutes(1),
                    () -> acked() >= before + 100 ? "" : (acked() - before) + " more writes");
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
