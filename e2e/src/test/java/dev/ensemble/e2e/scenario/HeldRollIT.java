package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Rolling restarts that must not begin: a person has not approved them, or no maintenance window
/// is open (scenarios 25, 26).
@Tag("long")
@ExtendWith(Stage.class)
class HeldRollIT {
    private static final int MEMBERS = 3;

    /// How long to watch that nothing happens.
    private static final Duration A_WHILE = Duration.ofSeconds(20);

    @Test
    void rollsThatMustNotBegin(Story story) {
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
            told.manual();
            told.window();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        void manual() {
            ensemble.set("update", "{\"strategy\":\"Manual\"}");
            Map<String, String> before = ensemble.restart();
            Await.until(
                    "approval to be asked for",
                    Story.PATIENCE,
                    () -> ensemble.missingReason("ManualUpdate"));
            nothingHappens(before);
            Matcher revision =
                    Pattern.compile("ensemble\\.dev/approved=(\\w+)")
                            .matcher(ensemble.missing("UpToDate"));
            assertTrue(revision.find(), () -> ensemble.missing("UpToDate"));
            story.kubectl("annotate", "ens", ensemble.name(), revision.group());
            rolls("it was approved", before);
            ensemble.set("update", "{\"strategy\":\"Automatic\"}");
        }

        void window() {
            int far = (Instant.now().atOffset(ZoneOffset.UTC).getHour() + 12) % 24;
            ensemble.set(
                    "update",
                    "{\"maintenanceWindows\":[{\"cron\":\"0 %d * * *\",\"duration\":\"1h\"}]}"
                            .formatted(far));
            Map<String, String> before = ensemble.restart();
            Await.until(
                    "the restart to be seen",
                    Story.PATIENCE,
                    () ->
                            ensemble.missing("UpToDate").startsWith("UpToDate is False")
                                    ? ""
                                    : "not seen yet");
            nothingHappens(before);
            story.report().say("closed window: " + ensemble.status().path("operation"));
            ensemble.set("update", "{\"maintenanceWindows\":[{\"cron\":\"* * * * *\"}]}");
            rolls("the window is open", before);
        }

        private void nothingHappens(Map<String, String> before) {
            for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                Await.pass(Duration.ofSeconds(1));
                assertEquals(before, ensemble.uids(), "nobody restarts");
            }
        }

        private void rolls(String since, Map<String, String> before) {
            Duration took =
                    Await.until(
                            "all restarted since " + since,
                            Story.PATIENCE.multipliedBy(2),
                            () -> ensemble.missingForRoll(before, MEMBERS));
            clients.goOn();
            story.report().say("rolled since %s: %s".formatted(since, Report.seconds(took)));
        }
    }
}
