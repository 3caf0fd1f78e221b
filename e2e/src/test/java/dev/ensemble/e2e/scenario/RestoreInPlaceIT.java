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
import io.fabric8.kubernetes.api.model.VolumeNodeAffinity;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Of scenarios 51 and 56: an ensemble that is well goes back to what it held when a backup was
/// taken, on its own volumes, once a person has approved that; all by `kubectl ensemble`.
///
/// Volumes of the test cluster are bound to nodes, and the backup's is made where the last member's
/// is: so that is the member whose volume it has to be put on.
@ExtendWith(Stage.class)
@Tag("long")
class RestoreInPlaceIT {
    @Test
    void anEnsembleGoesBackToItsBackup(Story story) {
        EnsembleView ensemble =
                story.apply("orders", "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.well(ensemble, 3);
        story.load(
                """
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata:
                  name: backups
                  annotations: {volume.kubernetes.io/selected-node: %s}
                spec:
                  accessModes: [ReadWriteOnce]
                  resources: {requests: {storage: 1Gi}}
                """
                        .formatted(ensemble.pods().getLast().getSpec().getNodeName()));
        String said = story.plugin("backup", "orders", "--claim=backups", "--wait=240");
        story.report().say("kubectl ensemble backup:\n" + said);
        String backup = found(said, "EnsembleBackup (\\S+)");
        int then = ensemble.znodes();
        try (Clients clients = story.clients(ensemble)) {
            clients.goOn();
            clients.finish();
        }
        int now = ensemble.znodes();
        assertTrue(now > then, now + " znodes after " + then);

        String plan = story.plugin("recover", "orders", "--from-backup", backup, "--wait=120");
        story.report().say("kubectl ensemble recover:\n" + plan);
        assertEquals(now, ensemble.znodes(), "a plan alone changes nothing");
        String member = found(plan, "on the volume of (orders-[0-9])");
        assertEquals(
                where(story, "backups"),
                where(story, "data-" + member),
                "volumes that one node can have");
        String approved =
                story.plugin("recover", "orders", "--approve", found(plan, "--approve (\\S+)"));
        String recovery = found(approved, "EnsembleRecovery (\\S+?);");
        Duration took =
                Await.until(
                        "the recovery to be over",
                        Story.PATIENCE,
                        () -> {
                            GenericKubernetesResource is = recovery(story, recovery);
                            return "Recovered".equals(is.get("status", "phase"))
                                    ? ""
                                    : is.<String>get("status", "message");
                        });
        story.report()
                .say(
                        "back at the backup, by the volume of %s, in %s"
                                .formatted(member, Report.seconds(took)));
        story.well(ensemble, 3);
        assertEquals(then, ensemble.znodes(), "znodes as in the backup");
        assertEquals(3, ensemble.voters());
        try (Clients clients = story.clients(ensemble)) {
            clients.goOn();
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    private static GenericKubernetesResource recovery(Story story, String name) {
        return story.client()
                .genericKubernetesResources("ensemble.dev/v1alpha1", "EnsembleRecovery")
                .inNamespace(story.namespace())
                .withName(name)
                .require();
    }

    /// {@return where the volume of a claim can be used}
    private static @Nullable VolumeNodeAffinity where(Story story, String claim) {
        String volume =
                story.client()
                        .persistentVolumeClaims()
                        .inNamespace(story.namespace())
                        .withName(claim)
                        .require()
                        .getSpec()
                        .getVolumeName();
        return story.client()
                .persistentVolumes()
                .withName(volume)
                .require()
                .getSpec()
                .getNodeAffinity();
    }

    private static String found(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), () -> "no '" + pattern + "' in: " + text);
        return matcher.group(1);
    }
}
