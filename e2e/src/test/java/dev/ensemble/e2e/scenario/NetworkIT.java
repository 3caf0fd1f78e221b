package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
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
import java.util.Map;

/// A network that loses packets: what the leader sends to one member, three of ten from and to
/// another one, what the operator asks the members, what it asks the API server. Clients go on, and
/// an operator that cannot see does nothing (scenario 38, without delays; `NodesIT` has the leader
/// that is cut off as a whole).
@Tag("long")
@ExtendWith(Stage.class)
@Isolated
class NetworkIT {
    private static final int MEMBERS = 3;
    private static final Duration A_WHILE = Duration.ofSeconds(20);
    private static final String TABLE = "inet ensemble_e2e";

    @Test
    void packetsAreLost(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        availability: {spread: {hosts: Required}}
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, MEMBERS);
        var patient = new Clients.How(Clients.LONG_SESSION_MILLIS, null);
        try (Clients clients = story.clients(ensemble, patient)) {
            var told = new Told(story, ensemble, clients);
            told.oneWay();
            told.loss();
            told.withoutMembers();
            told.withoutApiServer();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        /// Loses the packets that a node forwards and that match.
        private void lose(String node, String match) {
            try {
                nft(
                        node,
                        "nft add table %1$s; nft add chain %1$s forward".formatted(TABLE)
                                + " '{ type filter hook forward priority -300; }';"
                                + " nft 'add rule %s forward %s drop'".formatted(TABLE, match));
            } catch (IllegalStateException e) {
                abort("packets cannot be lost there: " + e.getMessage());
            }
        }

        private void mend(String node) {
            nft(node, "nft delete table " + TABLE);
        }

        private void nft(String node, String commands) {
            story.cluster().onNode(node, "sh", "-euc", commands);
        }

        private Pod pod(String name) {
            return story.client().pods().inNamespace(story.namespace()).withName(name).require();
        }

        private static String node(Pod pod) {
            return pod.getSpec().getNodeName();
        }

        private static String address(Pod pod) {
            return pod.getStatus().getPodIP();
        }

        private String follower() {
            String leader = ensemble.leader();
            return ensemble.uids().keySet().stream()
                    .filter(each -> !each.equals(leader))
                    .findFirst()
                    .orElseThrow();
        }

        private void calm(String what) {
            Duration back =
                    Await.until(
                            "all well after " + what,
                            Story.PATIENCE,
                            () -> ensemble.missingForCalm(MEMBERS));
            clients.goOn();
            story.report().say("%s: well %s after its end".formatted(what, Report.seconds(back)));
        }

        /// A follower hears nothing from its leader, which hears it.
        void oneWay() {
            Pod leader = pod(ensemble.leader());
            Pod follower = pod(follower());
            lose(
                    node(leader),
                    "ip saddr %s ip daddr %s".formatted(address(leader), address(follower)));
            try {
                Await.until(
                        "the loss to be seen",
                        Story.PATIENCE,
                        () ->
                                ensemble.status().path("quorum").path("synced").asInt() < MEMBERS
                                        ? ""
                                        : "all are in sync");
                clients.goOn();
                Await.pass(A_WHILE);
                clients.goOn();
            } finally {
                mend(node(leader));
            }
            calm("a follower that did not hear its leader");
        }

        /// Three of ten packets do not arrive.
        void loss() {
            String node = node(pod(follower()));
            lose(node, "meta l4proto tcp numgen random mod 10 < 3");
            try {
                Await.pass(A_WHILE);
                clients.goOn();
                Await.pass(A_WHILE);
            } finally {
                mend(node);
            }
            calm("a loss of 30 % of the packets of " + node);
        }

        private Pod operator() {
            return story.client()
                    .pods()
                    .inNamespace(Operator.NAMESPACE)
                    .list()
                    .getItems()
                    .getFirst();
        }

        /// Members that do not answer are unknown, and unknown is no permission.
        void withoutMembers() {
            Pod operator = operator();
            lose(node(operator), "ip saddr %s tcp dport 8080".formatted(address(operator)));
            Map<String, String> before;
            try {
                Await.until(
                        "the operator not to know",
                        Story.PATIENCE,
                        () -> ensemble.missingReason("MembersUnreachable"));
                before = ensemble.restart();
                nothingHappens(before);
                story.report().say("says meanwhile: " + ensemble.missing("QuorumAvailable"));
            } finally {
                mend(node(operator));
            }
            rolled("an operator that could not ask the members", before);
        }

        void withoutApiServer() {
            Pod operator = operator();
            lose(node(operator), "ip saddr %s tcp dport 6443".formatted(address(operator)));
            Map<String, String> before;
            try {
                before = ensemble.restart();
                nothingHappens(before);
            } finally {
                mend(node(operator));
            }
            rolled("an operator that could not ask the API server", before);
        }

        private void nothingHappens(Map<String, String> before) {
            for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                Await.pass(Duration.ofSeconds(1));
                assertEquals(before, ensemble.uids(), "nobody restarts");
            }
            clients.goOn();
        }

        private void rolled(String after, Map<String, String> before) {
            Duration took =
                    Await.until(
                            "all restarted after " + after,
                            Story.PATIENCE.multipliedBy(2),
                            () -> ensemble.missingForRoll(before, MEMBERS));
            clients.goOn();
            story.report().say("rolled after %s: %s".formatted(after, Report.seconds(took)));
        }
    }
}
