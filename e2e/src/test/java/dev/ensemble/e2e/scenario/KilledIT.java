package dev.ensemble.e2e.scenario;

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

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Processes end by `kill -9`, a follower's, the leader's, all at once; then pods are deleted, two
/// and all of them, with and without time to end. Clients go on each time (scenarios 30, 31).
@Tag("long")
@ExtendWith(Stage.class)
class KilledIT {
    private static final int MEMBERS = 3;

    @Test
    void membersEndWithoutWarning(Story story) {
        EnsembleView ensemble =
                story.apply("orders", "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.well(ensemble, MEMBERS);
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients, story.faults());
            told.kill("a follower", List.of(told.followers().getFirst()));
            told.kill("the leader", List.of(ensemble.leader()));
            told.kill("all of them", List.copyOf(ensemble.uids().keySet()));
            told.delete("two, the leader among them", told.leaderAndAnother(), true);
            told.delete("two without grace", told.leaderAndAnother(), false);
            told.delete("all", List.copyOf(ensemble.uids().keySet()), true);
            told.delete("all without grace", List.copyOf(ensemble.uids().keySet()), false);
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients, Faults faults) {
        List<String> followers() {
            String leader = ensemble.leader();
            return ensemble.uids().keySet().stream().filter(pod -> !pod.equals(leader)).toList();
        }

        List<String> leaderAndAnother() {
            return List.of(ensemble.leader(), followers().getFirst());
        }

        void kill(String whom, List<String> pods) {
            Map<String, Integer> before = starts(ensemble.pods());
            pods.forEach(pod -> faults.kill(story.cluster(), pod));
            Duration back =
                    Await.until(
                            whom + " killed, all well again",
                            Story.PATIENCE,
                            () -> {
                                Map<String, Integer> now = starts(ensemble.pods());
                                for (String pod : pods) {
                                    if (Objects.equals(now.get(pod), before.get(pod))) {
                                        return pod + " has not ended yet";
                                    }
                                }
                                return ensemble.missingForCalm(MEMBERS);
                            });
            clients.goOn();
            story.report()
                    .say("kill -9 of %s: well after %s".formatted(whom, Report.seconds(back)));
        }

        private static Map<String, Integer> starts(List<Pod> pods) {
            var starts = new TreeMap<String, Integer>();
            pods.forEach(pod ->
                    starts.put(
                            pod.getMetadata().getName(),
                            pod.getStatus().getContainerStatuses().getFirst().getRestartCount()));
            return starts;
        }

        void delete(String which, List<String> pods, boolean grace) {
            Map<String, String> before = ensemble.uids();
            pods.forEach(pod -> {
                if (grace) {
                    faults.delete(pod);
                } else {
                    faults.deleteAtOnce(pod);
                }
            });
            Duration back =
                    Await.until(
                            which + " deleted, all well again",
                            Story.PATIENCE,
                            () -> {
                                var old = new ArrayList<>(ensemble.kept(before));
                                old.retainAll(pods);
                                return old.isEmpty()
                                        ? ensemble.missingForCalm(MEMBERS)
                                        : old + " are the old ones";
                            });
            clients.goOn();
            story.report()
                    .say("pods deleted, %s: well after %s".formatted(which, Report.seconds(back)));
        }
    }
}
