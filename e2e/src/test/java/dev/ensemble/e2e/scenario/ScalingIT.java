package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Changes of the number of members that are refused, cannot go on, or meet something else: even
/// numbers by `kubectl scale`, new members that no node takes, a leader that is to go, a staying
/// member that is dead, a rolling restart in the middle (scenarios 14, 15, 16, 18, 19).
@Tag("long")
@ExtendWith(Stage.class)
@ResourceLock(Story.NODES)
class ScalingIT {
    private static final Duration A_WHILE = Duration.ofSeconds(20);

    @Test
    void theNumberOfMembersChangesInTrouble(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, 3);
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients);
            told.evenNumber();
            told.noNodeTakesThem();
            told.scale(5);
            told.leaderIsTheHighest();
            told.scale(5);
            told.deadMemberStays();
            told.inTheMiddleOfARoll();
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        void evenNumber() {
            IllegalStateException refusal =
                    assertThrows(IllegalStateException.class, () -> kubectlScale(4));
            String said = String.valueOf(refusal.getMessage());
            assertTrue(said.contains("allowEvenReplicas"), said);
            assertEquals(3, ensemble.pods().size());
            story.report().say("kubectl scale --replicas=4 is refused: " + said);
        }

        private void kubectlScale(int replicas) {
            story.kubectl("scale", "ens", ensemble.name(), "--replicas=" + replicas);
        }

        void scale(int replicas) {
            kubectlScale(replicas);
            Duration took = story.well(ensemble, replicas);
            clients.goOn();
            assertEquals(replicas, ensemble.voters(), "voters");
            story.report().say("kubectl scale to %d: %s".formatted(replicas, Report.seconds(took)));
        }

        /// New members that cannot run get no vote, and may be given up.
        void noNodeTakesThem() {
            List<String> nodes =
                    story.client().nodes().list().getItems().stream()
                            .map(node -> node.getMetadata().getName())
                            .toList();
            try {
                nodes.forEach(node -> story.faults().cordon(node, true));
                kubectlScale(5);
                Await.until(
                        "the new members to wait for a node",
                        Story.PATIENCE,
                        () ->
                                ensemble.pods().size() == 5
                                        ? ensemble.missingReason("Unschedulable")
                                        : ensemble.pods().size() + " pods");
                for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                    Await.pass(Duration.ofSeconds(1));
                    assertEquals(3, ensemble.voters(), "voters");
                }
                clients.goOn();
                kubectlScale(3);
                story.well(ensemble, 3);
            } finally {
                nodes.forEach(node -> story.faults().cordon(node, false));
            }
            assertEquals(3, ensemble.voters(), "voters");
            story.report().say("new members that no node takes got no vote, and were given up");
        }

        void leaderIsTheHighest() {
            String highest = ensemble.name() + "-4";
            story.plugin(
                    "transfer-leader",
                    "--operator-namespace",
                    Operator.NAMESPACE,
                    ensemble.name(),
                    "4");
            Await.until(
                    highest + " to lead",
                    Story.PATIENCE,
                    () -> ensemble.leader().equals(highest) ? "" : ensemble.leader());
            scale(3);
            story.report().say("the leader was the highest: it handed over, and went");
        }

        /// With a member out that stays, no vote of a healthy one is taken.
        void deadMemberStays() {
            String pod = ensemble.name() + "-0";
            String node =
                    story.client()
                            .pods()
                            .inNamespace(story.namespace())
                            .withName(pod)
                            .require()
                            .getSpec()
                            .getNodeName();
            story.faults().cordon(node, true);
            try {
                story.faults().deleteAtOnce(pod);
                Await.until(
                        pod + " to be out",
                        Story.PATIENCE,
                        () ->
                                ensemble.status().path("quorum").path("synced").asInt() == 4
                                        ? ""
                                        : "synced is not 4");
                kubectlScale(3);
                Await.until(
                        "the operator to say what it waits for",
                        Story.PATIENCE,
                        () ->
                                ensemble.status()
                                                .path("operation")
                                                .path("waitingFor")
                                                .toString()
                                                .contains(pod)
                                        ? ""
                                        : ensemble.status().path("operation").toString());
                for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                    Await.pass(Duration.ofSeconds(1));
                    assertEquals(5, ensemble.voters(), "voters");
                }
                story.report().say("waits: " + ensemble.status().path("operation"));
                clients.goOn();
            } finally {
                story.faults().cordon(node, false);
            }
            Duration took = story.well(ensemble, 3);
            assertEquals(3, ensemble.voters(), "voters");
            story.report().say("%s is back, to 3 in %s".formatted(pod, Report.seconds(took)));
        }

        /// 5 is asked for when one member of three has been restarted, and 3 again when the new
        /// ones are on their way. All has its turn.
        void inTheMiddleOfARoll() {
            Map<String, String> before = ensemble.restart();
            Await.until(
                    "one to be restarted",
                    Story.PATIENCE,
                    () -> ensemble.kept(before).size() < 3 ? "" : "all are the old ones");
            kubectlScale(5);
            Await.until(
                    "more members",
                    Story.PATIENCE,
                    () -> ensemble.pods().size() == 5 ? "" : ensemble.pods().size() + " pods");
            kubectlScale(3);
            Duration took =
                    Await.until(
                            "three new members",
                            Story.PATIENCE.multipliedBy(2),
                            () -> {
                                if (!ensemble.kept(before).isEmpty()) {
                                    return ensemble.kept(before) + " are the old ones";
                                }
                                String missing = ensemble.missing("Ready");
                                return missing.isEmpty() ? ensemble.missingForCalm(3) : missing;
                            });
            clients.goOn();
            assertEquals(3, ensemble.voters(), "voters");
            story.report()
                    .say("3 to 5 to 3 in the middle of a roll: %s".formatted(Report.seconds(took)));
        }
    }
}
