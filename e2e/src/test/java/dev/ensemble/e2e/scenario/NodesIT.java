package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.Cluster.Power;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Pod;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The leader's node is cut off from the network, and then a node loses its power. Clients go on
/// (scenarios 33 and, since each node of the test cluster is a zone of its own, 42; of 38 the
/// leader that is cut off).
///
/// The clients of the story are on the first node, and the operator is somewhere: the faults are on
/// another one.
@Tag("long")
@ExtendWith(Stage.class)
@Isolated
class NodesIT {
    private static final int MEMBERS = 3;

    @Test
    void aNodeIsCutOffAndLosesItsPower(Story story) {
        assumeTrue(
                story.client().nodes().list().getItems().size() >= MEMBERS,
                "skipped: the cluster has fewer than three nodes");
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        availability: {spread: {hosts: Required}}
                        config: {heartbeatTimeoutMillis: "2000"}
                        """);
        story.well(ensemble, MEMBERS);
        // A node that falls silent closes no connection.
        var patient = new Clients.How(Clients.LONG_SESSION_MILLIS, null);
        try (Clients clients = story.clients(ensemble, patient)) {
            var told = new Told(story, ensemble, clients);
            told.lead();
            told.fault("cut off", Power.CUT, Power.MEND);
            told.fault("without power", Power.STOP, Power.START);
            clients.finish();
        }
        story.well(ensemble, MEMBERS);
        story.report().say("the same tree on every member: " + ensemble.sameDigest());
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        /// {@return the member on each node}
        Map<String, String> nodes() {
            var nodes = new TreeMap<String, String>();
            ensemble.pods().stream()
                    .sorted(Comparator.comparing((Pod pod) -> pod.getMetadata().getName()))
                    .forEach(pod ->
                            nodes.put(pod.getSpec().getNodeName(), pod.getMetadata().getName()));
            return nodes;
        }

        /// {@return a node that has a member, and neither clients nor the operator}
        private String victim() {
            Set<String> spared =
                    story.client().pods().inNamespace(Operator.NAMESPACE).list().getItems().stream()
                            .map(pod -> pod.getSpec().getNodeName())
                            .collect(Collectors.toSet());
            return nodes().keySet().stream()
                    .skip(1)
                    .filter(node -> !spared.contains(node))
                    .findFirst()
                    .orElseThrow();
        }

        /// Lets the member lead whose node is to fail.
        void lead() {
            String pod = Objects.requireNonNull(nodes().get(victim()));
            if (!pod.equals(ensemble.leader())) {
                story.plugin(
                        "transfer-leader",
                        "--operator-namespace",
                        Operator.NAMESPACE,
                        ensemble.name(),
                        pod.substring(pod.lastIndexOf('-') + 1));
            }
            Await.until(
                    pod + " to lead",
                    Story.PATIENCE,
                    () -> ensemble.leader().equals(pod) ? "" : ensemble.leader());
        }

        /// A node with a member fails for a while, and comes back.
        void fault(String what, Power off, Power on) {
            String node = victim();
            String pod = Objects.requireNonNull(nodes().get(node));
            String role = pod.equals(ensemble.leader()) ? "the leader" : "a follower";
            story.cluster().node(node, off);
            try {
                Await.until(
                        "its loss to be seen",
                        Story.PATIENCE,
                        () ->
                                ensemble.status().path("quorum").path("synced").asInt() < MEMBERS
                                        ? ""
                                        : "all are in sync");
                clients.goOn();
                Await.until(
                        "the leader to tell the voters",
                        Story.PATIENCE,
                        () -> ensemble.voters() > 0 ? "" : "none");
                assertEquals(
                        MEMBERS,
                        ensemble.voters(),
                        "voters: a node that fails is no reason to change them");
            } finally {
                story.cluster().node(node, on);
            }
            Duration back =
                    Await.until(
                            "all well again",
                            Story.PATIENCE,
                            () -> ensemble.missingForCalm(MEMBERS));
            clients.goOn();
            story.report()
                    .say(
                            "%s, with %s, %s: well %s after its end"
                                    .formatted(node, role, what, Report.seconds(back)));
        }
    }
}
