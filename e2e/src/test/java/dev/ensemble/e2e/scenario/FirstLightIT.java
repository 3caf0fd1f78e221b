package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.harness.ApiWrites;
import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Memory;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.PodDiary;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;
import dev.ensemble.e2e.harness.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/// The first thing that a user does: install the chart, apply one `Ensemble`, connect a stock
/// client through its Service; then pods are deleted, a volume is lost, all members are restarted,
/// the operator goes away, and the client loses nothing.
@ExtendWith(Stage.class)
class FirstLightIT {
    private static final int MEMBERS = 3;
    private static final String NAME = "orders";

    @Test
    void oneEnsembleFromChartToNoOperatorAtAll(Story story) {
        // A busy machine needs the longer time-out between members.
        EnsembleView ensemble =
                story.apply(
                        NAME,
                        "{replicas: %d, config: {heartbeatTimeoutMillis: \"2000\"}}"
                                .formatted(MEMBERS));
        story.report().say("from apply to Ready: " + Report.seconds(story.well(ensemble, MEMBERS)));
        columnsTellTheTruth(story, ensemble);
        idleMinute(story, ensemble);
        try (Clients clients = story.clients(ensemble);
                var diary = new PodDiary(story.client(), story.namespace(), NAME)) {
            var told = new Told(story, ensemble, clients);
            for (int ordinal = 0; ordinal < MEMBERS; ordinal++) {
                told.deletePod(NAME + "-" + ordinal);
            }
            told.loseVolume(NAME + "-1");
            told.rollingRestart(diary);
            columnsTellTheTruth(story, ensemble);
            told.memory();
            told.withoutOperator();
            clients.finish();
        }
        story.report().say("the same tree on every member: " + ensemble.sameDigest());
    }

    /// `kubectl get ens` against what the members say themselves.
    private static void columnsTellTheTruth(Story story, EnsembleView ensemble) {
        Map<String, String> columns = ensemble.columns();
        story.report().say("kubectl get ens: " + columns);
        assertEquals(
                List.of("NAME", "READY", "LEADER", "QUORUM", "CANLOSE", "VERSION", "PHASE", "AGE"),
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

    /// With nothing to do the operator writes nothing, but to the Lease that says that it is there.
    private static void idleMinute(Story story, EnsembleView ensemble) {
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
        List<String> changed = changedInAMinute(story);
        // On a machine that is busy with other things a probe fails now and then, and Kubernetes
        // and the operator have something to say: then there was no idle minute.
        for (int again = 0; !changed.isEmpty() && again < 3; again++) {
            changed = changedInAMinute(story);
        }
        assertEquals(List.of(), changed);
    }

    private static List<String> changedInAMinute(Story story) {
        Versions before = Versions.now(story.client(), story.namespace(), Operator.NAMESPACE);
        ApiWrites writes = ApiWrites.now(story.client());
        Await.pass(Duration.ofMinutes(1));
        List<String> changed =
                Versions.now(story.client(), story.namespace(), Operator.NAMESPACE)
                        .changedSince(before);
        story.report()
                .say(
                        "API writes in an idle minute, whole cluster: "
                                + ApiWrites.now(story.client()).since(writes).text());
        story.report().say("objects of ours that were written to in that minute: " + changed);
        return changed.stream().filter(object -> !object.startsWith("leases ")).toList();
    }

    /// What happens while clients are at work.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        void deletePod(String pod) {
            String role = pod.equals(ensemble.leader()) ? "the leader" : "a follower";
            long failed = clients.failed();
            String uid = ensemble.uid(pod);
            story.faults().delete(pod);
            Duration back = awaitSuccessor(pod, uid);
            clients.goOn();
            story.report()
                    .say(
                            "%s deleted, %s: all in sync again after %s, %d requests failed meanwhile"
                                    .formatted(
                                            pod,
                                            role,
                                            Report.seconds(back),
                                            clients.failed() - failed));
        }

        private Duration awaitSuccessor(String pod, String uid) {
            return Await.until(
                    "all well after the end of " + pod,
                    Story.PATIENCE,
                    () ->
                            uid.equals(ensemble.uids().get(pod))
                                    ? pod + " is still the old one"
                                    : ensemble.missingForCalm(MEMBERS));
        }

        void loseVolume(String pod) {
            String incarnation = incarnation(pod);
            long failed = clients.failed();
            String uid = ensemble.uid(pod);
            assertEquals(1, story.faults().loseVolume(pod), "claims of " + pod);
            Duration back = awaitSuccessor(pod, uid);
            clients.goOn();
            assertNotEquals(
                    incarnation,
                    incarnation(pod),
                    "a member that lost its disk is another incarnation");
            story.report()
                    .say(
                            "%s lost its volume: all in sync again after %s, %d requests failed meanwhile"
                                    .formatted(
                                            pod, Report.seconds(back), clients.failed() - failed));
        }

        private String incarnation(String pod) {
            return ensemble.says(pod).path("identity").path("incarnation").asText();
        }

        void rollingRestart(PodDiary diary) {
            String leader = ensemble.leader();
            long failed = clients.failed();
            long closed = clients.closed();
            Map<String, String> before = ensemble.uids();
            int births = diary.births().size();
            ensemble.set(
                    "restartedAt", "\"" + Instant.now().truncatedTo(ChronoUnit.SECONDS) + "\"");
            Duration took =
                    Await.until(
                            "rolling restart",
                            Story.PATIENCE.multipliedBy(2),
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
            clients.goOn();
            List<String> order =
                    diary.births().stream().skip(births).map(PodDiary.Birth::pod).toList();
            assertEquals(
                    MEMBERS, order.size(), "each member is restarted once, and it was " + order);
            assertEquals(
                    leader, order.getLast(), "the leader is restarted last, and it was " + order);
            long lost = clients.failed() - failed;
            long ended = clients.closed() - closed;
            story.report()
                    .say(
                            "rolling restart in %s, in the order %s, %d connections ended and %d requests failed meanwhile"
                                    .formatted(Report.seconds(took), order, ended, lost));
            // Each client has one request at a time: more would be a connection that was refused,
            // or a request that failed while its connection was well.
            assertTrue(lost <= ended, () -> lost + " failed requests, " + ended + " ends");
            assertTrue(
                    ended <= (long) Clients.NUMBER * MEMBERS,
                    () -> "a client loses its connection only to a member that restarts: " + ended);
        }

        void memory() {
            story.report()
                    .say(
                            "memory of the members, MB: "
                                    + Memory.megabytes(story.client(), story.namespace()));
            story.report()
                    .say(
                            "memory of the operator, MB: "
                                    + Memory.megabytes(story.client(), Operator.NAMESPACE));
        }

        /// Everything needed to survive is in the pods: without the operator a pod comes back all
        /// the same.
        void withoutOperator() {
            story.operator().uninstall();
            String pod = NAME + "-2";
            String uid = ensemble.uid(pod);
            story.faults().delete(pod);
            Duration back =
                    Await.until(
                            "the members without operator",
                            Story.PATIENCE,
                            () ->
                                    uid.equals(ensemble.uids().get(pod))
                                            ? pod + " is still the old one"
                                            : missingWithoutOperator());
            clients.goOn();
            story.report()
                    .say(
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
    }
}
