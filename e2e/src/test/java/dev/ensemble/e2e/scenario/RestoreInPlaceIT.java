package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;

/// Of scenario 51: an ensemble that is well goes back to what it held when a backup was taken, on
/// its own volumes, once a person has approved that.
@ExtendWith(Stage.class)
@Tag("long")
class RestoreInPlaceIT {
    private static final String BEFORE =
            """
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: backups}
            spec:
              accessModes: [ReadWriteOnce]
              resources: {requests: {storage: 1Gi}}
            ---
            apiVersion: ensemble.dev/v1alpha1
            kind: EnsembleBackup
            metadata: {name: noon}
            spec:
              ensemble: orders
              destination: {claim: {name: backups}}
            """;

    private static final String BACK =
            """
            apiVersion: ensemble.dev/v1alpha1
            kind: EnsembleRecovery
            metadata: {name: back-to-noon}
            spec:
              ensemble: orders
              fromBackup: {claim: backups, file: noon.ensemble}
            """;

    @Test
    void anEnsembleGoesBackToItsBackup(Story story) {
        EnsembleView ensemble =
                story.apply("orders", "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.well(ensemble, 3);
        story.load(BEFORE);
        Await.until(
                "the backup",
                Story.PATIENCE,
                () -> missing(story, "EnsembleBackup", "noon", "Complete"));
        int then = ensemble.znodes();
        try (Clients clients = story.clients(ensemble)) {
            clients.goOn();
            clients.finish();
        }
        int now = ensemble.znodes();
        assertTrue(now > then, now + " znodes after " + then);

        story.load(BACK);
        Await.until(
                "a plan",
                Story.PATIENCE,
                () -> missing(story, "EnsembleRecovery", "back-to-noon", "Planned"));
        story.report().say("plan: " + status(story, "EnsembleRecovery", "back-to-noon", "message"));
        assertEquals(now, ensemble.znodes(), "a plan alone changes nothing");
        story.kubectl(
                "patch",
                "ensrec",
                "back-to-noon",
                "--type=merge",
                "-p",
                "{\"spec\":{\"approvedPlan\":\"%s\"}}"
                        .formatted(status(story, "EnsembleRecovery", "back-to-noon", "plan")));
        Duration took =
                Await.until(
                        "the recovery to be over",
                        Story.PATIENCE,
                        () -> missing(story, "EnsembleRecovery", "back-to-noon", "Recovered"));
        story.report().say("back at the backup in " + Report.seconds(took));
        story.well(ensemble, 3);
        assertEquals(then, ensemble.znodes(), "znodes as in the backup");
        assertEquals(3, ensemble.voters());
        try (Clients clients = story.clients(ensemble)) {
            clients.goOn();
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    private static String status(Story story, String kind, String name, String field) {
        GenericKubernetesResource found =
                story.client()
                        .genericKubernetesResources("ensemble.dev/v1alpha1", kind)
                        .inNamespace(story.namespace())
                        .withName(name)
                        .get();
        Object value = found == null ? null : found.get("status", field);
        return String.valueOf(value);
    }

    private static String missing(Story story, String kind, String name, String phase) {
        return phase.equals(status(story, kind, name, "phase"))
                ? ""
                : "%s %s: %s".formatted(kind, name, status(story, kind, name, "message"));
    }
}
