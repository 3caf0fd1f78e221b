package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Faults;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Pod;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Nodes are drained, one after the other and then all at once, while clients work (scenario 32).
@Tag("long")
@ExtendWith(Stage.class)
@ResourceLock(Story.NODES)
class DrainIT {
    private static final int MEMBERS = 3;

    @Test
    void nodesAreDrained(Story story) {
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
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients, story.faults());
            for (String node : List.copyOf(told.nodes().keySet())) {
                told.drain(node);
            }
            told.drainAll();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients, Faults faults) {
        /// {@return the member on each node}
        Map<String, String> nodes() {
            var nodes = new TreeMap<String, String>();
            ensemble.pods().stream()
                    .sorted(Comparator.comparing((Pod pod) -> pod.getMetadata().getName()))
                    .forEach(pod ->
                            nodes.put(pod.getSpec().getNodeName(), pod.getMetadata().getName()));
            return nodes;
        }

        /// As a person does it: drain, and let it take pods again.
        void drain(String node) {
            String pod = Objects.requireNonNull(nodes().get(node));
            String uid = ensemble.uid(pod);
            try {
                story.kubectl(
                        "drain",
                        node,
                        "--pod-selector",
                        "app.kubernetes.io/instance=" + ensemble.name(),
                        "--delete-emptydir-data",
                        "--timeout=180s");
            } finally {
                faults.cordon(node, false);
            }
            Duration back =
                    Await.until(
                            "all well after the drain of " + node,
                            Story.PATIENCE,
                            () ->
                                    uid.equals(ensemble.uids().get(pod))
                                            ? pod + " is the old one"
                                            : ensemble.missingForCalm(MEMBERS));
            clients.goOn();
            story.report()
                    .say(
                            "%s drained of %s: well %s after it took pods again"
                                    .formatted(node, pod, Report.seconds(back)));
        }

        /// Everybody drains everything: the budget lets one member go, and the next only when that
        /// one is back.
        void drainAll() {
            Map<String, String> nodes = nodes();
            Map<String, String> before = ensemble.uids();
            nodes.keySet().forEach(node -> faults.cordon(node, true));
            List<String> gone = new ArrayList<>();
            try {
                while (gone.size() < MEMBERS) {
                    int so = gone.size();
                    Await.until(
                            "the budget to let a member go",
                            Story.PATIENCE,
                            () -> {
                                nodes.values().stream()
                                        .filter(pod -> !gone.contains(pod))
                                        .filter(faults::evict)
                                        .forEach(gone::add);
                                return gone.size() > so ? "" : "no member may go";
                            });
                    // The others are asked for again and again while this one is out.
                    for (int i = 0; i < 20; i++) {
                        List<String> more =
                                nodes.values().stream()
                                        .filter(pod -> !gone.contains(pod))
                                        .filter(faults::evict)
                                        .toList();
                        assertEquals(List.of(), more, "members that went beside " + gone);
                        Await.pass(Duration.ofMillis(250));
                    }
                    assertEquals(so + 1, gone.size(), "members that went: " + gone);
                    String last = gone.getLast();
                    nodes.forEach((node, pod) -> {
                        if (pod.equals(last)) {
                            faults.cordon(node, false);
                        }
                    });
                    Await.until(
                            last + " to be back",
                            Story.PATIENCE,
                            () ->
                                    back(before, last)
                                            ? ensemble.missingForCalm(MEMBERS)
                                            : last + " is not back");
                }
            } finally {
                nodes.keySet().forEach(node -> faults.cordon(node, false));
            }
            clients.goOn();
            story.report().say("all nodes drained at once: one member went at a time, " + gone);
        }

        private boolean back(Map<String, String> before, String pod) {
            String now = ensemble.uids().get(pod);
            return now != null && !now.equals(before.get(pod));
        }
    }
}
