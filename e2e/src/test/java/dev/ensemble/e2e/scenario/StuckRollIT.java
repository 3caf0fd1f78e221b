package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Rolling restarts that cannot go on: an image that does not exist, a start that crashes, a quota
/// that refuses the next pod. Never more than one member is out, and each time the correction alone
/// is enough (scenarios 21, 22).
@Tag("long")
@ExtendWith(Stage.class)
class StuckRollIT {
    private static final int MEMBERS = 3;

    /// How long to watch that nothing happens.
    private static final Duration A_WHILE = Duration.ofSeconds(20);

    @Test
    void rollsThatCannotGoOn(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, MEMBERS);
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients);
            told.badImage();
            told.crash();
            told.quota();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        void badImage() {
            Map<String, String> before = ensemble.uids();
            ensemble.set("version", "\"0.0.0-none\"");
            stopsAfterOne(
                    "an image that is not there",
                    before,
                    () -> ensemble.missingReason("ImagePullFailed"));
            ensemble.set("version", "\"%s\"".formatted(story.settings().version()));
            rollsOn("the image", before, 1);
        }

        void crash() {
            Map<String, String> before = ensemble.uids();
            ensemble.set("jvm", "{\"options\":[\"-XX:NoSuchOption\"]}");
            stopsAfterOne(
                    "a start that crashes", before, () -> ensemble.missingReason("CanaryFailed"));
            ensemble.set("jvm", "{\"options\":null}");
            rollsOn("the option", before, 1);
        }

        /// Three pods may exist as long as they do, and no new one.
        void quota() {
            story.load(
                    """
                    apiVersion: v1
                    kind: ResourceQuota
                    metadata: {name: too-small}
                    spec: {hard: {pods: "2"}}
                    """);
            Await.until(
                    "the quota to be counted",
                    Story.PATIENCE,
                    () ->
                            story.client()
                                            .resourceQuotas()
                                            .inNamespace(story.namespace())
                                            .withName("too-small")
                                            .require()
                                            .getStatus()
                                            .getUsed()
                                            .containsKey("pods")
                                    ? ""
                                    : "no count yet");
            Map<String, String> before = ensemble.restart();
            stopsAfterOne(
                    "a quota that refuses its pod",
                    before,
                    () -> ensemble.missingReason("PodRefused"));
            story.client()
                    .resourceQuotas()
                    .inNamespace(story.namespace())
                    .withName("too-small")
                    .delete();
            rollsOn("the quota", before, MEMBERS);
        }

        private int restarted(Map<String, String> before) {
            return MEMBERS - ensemble.kept(before).size();
        }

        /// One member is out, its condition says why, and the others are left alone.
        private void stopsAfterOne(
                String what, Map<String, String> before, Supplier<String> reason) {
            Await.until(what + " to be told", Story.PATIENCE, reason);
            List<String> untouched = ensemble.kept(before);
            assertEquals(MEMBERS - 1, untouched.size(), "members that were left alone");
            for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                Await.pass(Duration.ofSeconds(1));
                assertEquals(untouched, ensemble.kept(before), "the others are left alone");
            }
            clients.goOn();
            story.report()
                    .say("%s: stopped after one member, and the clients went on".formatted(what));
        }

        /// The correction is enough: nobody deletes a pod.
        ///
        /// @param atLeast members that are restarted in the end
        private void rollsOn(String what, Map<String, String> before, int atLeast) {
            Duration took =
                    Await.until(
                            "all well with %s corrected".formatted(what),
                            Story.PATIENCE.multipliedBy(2),
                            () -> {
                                if (restarted(before) < atLeast) {
                                    return "%d of %d restarted"
                                            .formatted(restarted(before), atLeast);
                                }
                                String missing = ensemble.missing("UpToDate");
                                return missing.isEmpty()
                                        ? ensemble.missingForCalm(MEMBERS)
                                        : missing;
                            });
            clients.goOn();
            story.report().say("%s corrected: well after %s".formatted(what, Report.seconds(took)));
        }
    }
}
