package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

import java.time.Duration;
import java.util.List;

/// How ensembles begin: with one node too few at first, with names that do not resolve at first,
/// crash-looping, asleep and awake, five members at once (scenarios 1, 2, 3, 10).
@Tag("long")
@ExtendWith(Stage.class)
@Isolated
class FormingIT {
    private static final Duration A_WHILE = Duration.ofSeconds(20);

    @Test
    void ensemblesBegin(Story story) {
        var told = new Told(story);
        told.oneNodeTooFew();
        told.namesDoNotResolve();
        told.crashLoopingAndAsleep();
        told.five();
    }

    /// The parts of the story.
    private record Told(Story story) {
        private static final String SPEC =
                "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}, update:"
                        + " {minReadySeconds: 2}}";

        /// Two of three are no ensemble yet.
        void oneNodeTooFew() {
            List<String> nodes =
                    story.client().nodes().list().getItems().stream()
                            .map(node -> node.getMetadata().getName())
                            .toList();
            EnsembleView ensemble;
            story.faults().cordon(nodes.getLast(), true);
            try {
                ensemble =
                        story.apply(
                                "orders",
                                """
                                replicas: 3
                                availability: {spread: {hosts: Required}}
                                config: {heartbeatTimeoutMillis: "2000"}
                                """);
                Await.until(
                        "two members to run, and one to wait",
                        Story.PATIENCE,
                        () -> {
                            long running =
                                    ensemble.pods().stream()
                                            .filter(pod ->
                                                    "Running".equals(pod.getStatus().getPhase()))
                                            .count();
                            return running == nodes.size() - 1
                                    ? ensemble.missingReason("Unschedulable")
                                    : running + " run";
                        });
                for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                    Await.pass(Duration.ofSeconds(1));
                    assertEquals("", ensemble.leader(), "a leader of two");
                    assertEquals("", ensemble.status().path("bootstrapped").asText(), "formed");
                }
            } finally {
                story.faults().cordon(nodes.getLast(), false);
            }
            Duration took = story.well(ensemble, 3);
            story.report()
                    .say(
                            "two of three did not form; with the third %s"
                                    .formatted(Report.seconds(took)));
            goodbye(ensemble);
        }

        private void goodbye(EnsembleView ensemble) {
            story.kubectl("delete", "ens", ensemble.name(), "--wait=false");
            gone(ensemble);
        }

        private void gone(EnsembleView ensemble) {
            Await.until(
                    ensemble.name() + " gone",
                    Story.PATIENCE,
                    () -> ensemble.pods().isEmpty() ? "" : ensemble.uids().keySet() + " are there");
        }

        /// Nobody can resolve a name while the ensemble is made.
        void namesDoNotResolve() {
            var slice =
                    story.client()
                            .discovery()
                            .v1()
                            .endpointSlices()
                            .inNamespace("kube-system")
                            .withName("kube-dns");
            List<String> addresses =
                    slice.get() == null
                            ? List.of()
                            : slice.get().getEndpoints().getFirst().getAddresses();
            if (addresses.isEmpty()) {
                story.report().say("cluster DNS is no endpoint slice: that part is left out");
                return;
            }
            EnsembleView ensemble;
            answerFrom("10.77.0.250");
            try {
                ensemble = story.apply("nameless", SPEC);
                Await.until(
                        "three members to run",
                        Story.PATIENCE,
                        () ->
                                ensemble.pods().size() == 3
                                                && ensemble.pods().stream()
                                                        .allMatch(pod ->
                                                                "Running"
                                                                        .equals(
                                                                                pod.getStatus()
                                                                                        .getPhase()))
                                        ? ""
                                        : "not yet");
                for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                    Await.pass(Duration.ofSeconds(1));
                    assertEquals("", ensemble.leader(), "a leader without names");
                }
            } finally {
                answerFrom(addresses.getFirst());
            }
            Duration took = story.well(ensemble, 3);
            story.report().say("without DNS none formed; with it " + Report.seconds(took));
            goodbye(ensemble);
        }

        private void answerFrom(String address) {
            story.client()
                    .discovery()
                    .v1()
                    .endpointSlices()
                    .inNamespace("kube-system")
                    .withName("kube-dns")
                    .edit(slice -> {
                        slice.getEndpoints().getFirst().setAddresses(List.of(address));
                        return slice;
                    });
        }

        void crashLoopingAndAsleep() {
            EnsembleView ensemble =
                    story.apply(
                            "broken",
                            """
                            replicas: 3
                            jvm: {options: ["-XX:NoSuchOption"]}
                            config: {heartbeatTimeoutMillis: "2000"}
                            """);
            Await.until(
                    "crash loops", Story.PATIENCE, () -> ensemble.missingReason("CrashLooping"));
            ensemble.set("hibernate", "true");
            gone(ensemble);
            ensemble.set("hibernate", "false");
            Await.until(
                    "crash loops", Story.PATIENCE, () -> ensemble.missingReason("CrashLooping"));
            ensemble.set("hibernate", "true");
            gone(ensemble);
            ensemble.set("jvm", "{\"options\":null}");
            ensemble.set("hibernate", "false");
            Duration took = story.well(ensemble, 3);
            story.report().say("crash-looping, asleep, corrected, awake: " + Report.seconds(took));
            goodbye(ensemble);
        }

        void five() {
            EnsembleView ensemble =
                    story.apply(
                            "five", "{replicas: 5, config: {heartbeatTimeoutMillis: \"2000\"}}");
            Duration took = story.well(ensemble, 5);
            assertEquals(5, ensemble.voters());
            story.report().say("five from the start: " + Report.seconds(took));
        }
    }
}
