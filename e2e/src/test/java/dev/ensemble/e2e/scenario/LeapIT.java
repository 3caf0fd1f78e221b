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
import java.util.ArrayList;
import java.util.List;

/// From 1 member to 7 and from 7 to 3, each by one edit, while clients work: the number of voters
/// goes by two at a time, and is never even (scenario 12).
@Tag("long")
@ExtendWith(Stage.class)
class LeapIT {
    @Test
    void theNumberOfMembersLeaps(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 1
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, 1);
        try (Clients clients = story.clients(ensemble)) {
            leap(story, ensemble, clients, 7, List.of(1, 3, 5, 7));
            leap(story, ensemble, clients, 3, List.of(7, 5, 3));
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    private static void leap(
            Story story, EnsembleView ensemble, Clients clients, int to, List<Integer> way) {
        story.kubectl("scale", "ens", ensemble.name(), "--replicas=" + to);
        List<Integer> seen = new ArrayList<>();
        Duration took =
                Await.until(
                        "%d members".formatted(to),
                        Story.PATIENCE.multipliedBy(2),
                        () -> {
                            int voters =
                                    ensemble.status().path("quorum").path("configured").asInt();
                            if (voters > 0 && (seen.isEmpty() || seen.getLast() != voters)) {
                                seen.add(voters);
                            }
                            String missing = ensemble.missing("Ready");
                            return missing.isEmpty() ? ensemble.missingForCalm(to) : missing;
                        });
        clients.goOn();
        assertEquals(to, ensemble.voters(), "voters");
        List<Integer> strange = seen.stream().filter(each -> !way.contains(each)).toList();
        assertEquals(List.of(), strange, () -> "numbers of voters on the way: " + seen);
        story.report().say("to %d in %s, voters %s".formatted(to, Report.seconds(took), seen));
    }
}
