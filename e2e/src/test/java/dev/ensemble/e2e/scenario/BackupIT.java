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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/// Scenario 36, and of 51 what there is: a backup to a volume claim under load, then everything is
/// lost, and an ensemble of the same name begins with the backup.
@ExtendWith(Stage.class)
class BackupIT {
    private static final String CLAIM =
            """
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: backups}
            spec:
              accessModes: [ReadWriteOnce]
              resources: {requests: {storage: 1Gi}}
            """;

    private static final String BACKUP =
            """
            apiVersion: ensemble.dev/v1alpha1
            kind: EnsembleBackup
            metadata: {name: before-the-fire}
            spec:
              ensemble: orders
              destination: {claim: {name: backups, path: daily}}
            """;

    @Test
    void allIsLostAndTheBackupIsRestored(Story story) {
        EnsembleView before =
                story.apply("orders", "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.well(before, 3);
        int znodes;
        try (Clients clients = story.clients(before)) {
            clients.goOn();
            story.load(CLAIM);
            story.load(BACKUP);
            Duration took = Await.until("the backup", Story.PATIENCE, () -> missing(status(story)));
            clients.goOn();
            clients.finish();
            story.report().say("a backup under load, verified, in " + Report.seconds(took));
        }
        Map<?, ?> backup = status(story);
        assertEquals("daily/before-the-fire.ensemble", backup.get("file"));
        znodes = ((Number) Objects.requireNonNull(backup.get("znodes"))).intValue();
        loseAll(story);

        EnsembleView after =
                story.apply(
                        "orders",
                        "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}, bootstrap:"
                                + " {fromBackup: {claim: backups, file:"
                                + " daily/before-the-fire.ensemble}}}");
        story.report()
                .say(
                        "the same name begins with the backup: "
                                + Report.seconds(story.well(after, 3)));
        assertEquals(3, after.voters());
        int now = after.znodes();
        // Ephemerals of the old sessions are gone, which the clients of this test do not make many
        // of.
        assertTrue(now > znodes / 2 && now <= znodes, now + " znodes of " + znodes);
        try (Clients clients = story.clients(after)) {
            clients.goOn();
            clients.finish();
        }
        story.sound(after, 3, 0);
    }

    private static void loseAll(Story story) {
        story.kubectl("delete", "ensemble", "orders", "--wait=true");
        Await.until(
                "the members to go",
                Story.PATIENCE,
                () -> {
                    String pods =
                            story.kubectl(
                                    "get",
                                    "pods",
                                    "-l",
                                    "app.kubernetes.io/name=ensemble",
                                    "-o",
                                    "name");
                    return pods.contains("pod/") ? pods : "";
                });
        story.kubectl("delete", "pvc", "-l", "app.kubernetes.io/name=ensemble", "--wait=true");
    }

    private static Map<?, ?> status(Story story) {
        GenericKubernetesResource found =
                story.client()
                        .genericKubernetesResources("ensemble.dev/v1alpha1", "EnsembleBackup")
                        .inNamespace(story.namespace())
                        .withName("before-the-fire")
                        .get();
        return found != null
                        && found.getAdditionalProperties().get("status") instanceof Map<?, ?> is
                ? is
                : Map.of();
    }

    private static String missing(Map<?, ?> status) {
        return "Complete".equals(status.get("phase")) ? "" : "the backup is " + status;
    }
}
