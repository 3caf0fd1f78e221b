package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.EnsembleBackupScheduleSpec;
import dev.ensemble.operator.api.EnsembleBackupScheduleStatus;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.S3Bucket;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;

/// Backups at their times, one at a time, and what is kept of them, on a made-up API server.
@EnableKubernetesMockClient(crud = true)
@Timeout(60)
final class ScheduleReconcilerTest {
    private static final String NAMESPACE = "shop";

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private @Nullable EnsembleBackupScheduleStatus status;
    private String cron = "0 */6 * * *";
    private boolean suspend;
    private EnsembleBackupSpec.Destination destination =
            new EnsembleBackupSpec.Destination(
                    new EnsembleBackupSpec.Claim("backups", "all"), null);

    private EnsembleBackupScheduleStatus at(String now) {
        EnsembleBackupSchedule resource = new EnsembleBackupSchedule();
        resource.getMetadata().setName("nightly");
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.getMetadata().setUid("77");
        resource.getMetadata().setCreationTimestamp("2026-01-31T05:10:00Z");
        resource.setSpec(
                new EnsembleBackupScheduleSpec(
                        "orders",
                        cron,
                        "UTC",
                        suspend,
                        destination,
                        new EnsembleBackupSpec.Retention(2, null)));
        resource.setStatus(status);
        new ScheduleReconciler(client, Clock.fixed(Instant.parse(now), ZoneOffset.UTC))
                .reconcile(resource, null)
                .getResource()
                .ifPresent(each -> status = each.getStatus());
        return Objects.requireNonNull(status);
    }

    private List<EnsembleBackup> backups() {
        return client.resources(EnsembleBackup.class).inNamespace(NAMESPACE).list().getItems();
    }

    private List<String> names() {
        return backups().stream().map(each -> each.getMetadata().getName()).sorted().toList();
    }

    private void ends(String name, String phase, @Nullable String time) {
        EnsembleBackup backup =
                client.resources(EnsembleBackup.class).inNamespace(NAMESPACE).withName(name).get();
        backup.setStatus(
                new EnsembleBackupStatus(
                        phase,
                        "x",
                        "so it is",
                        null,
                        null,
                        null,
                        time,
                        null,
                        null,
                        null,
                        null,
                        null));
        client.resource(backup).update();
    }

    @Test
    void oneAtATimeAndTheOldestGo() {
        assertEquals("Active", at("2026-01-31T05:59:59Z").phase());
        assertEquals(List.of(), names());
        at("2026-01-31T06:00:05Z");
        assertEquals(List.of("nightly-202601310600"), names());
        EnsembleBackupSpec spec = Objects.requireNonNull(backups().getFirst().getSpec());
        assertEquals("all/nightly/x", spec.destination().file("x"));
        assertEquals("backups", Objects.requireNonNull(spec.destination().claim()).name());
        assertEquals(new EnsembleBackupSpec.Retention(2, null), spec.retention());
        at("2026-01-31T06:00:25Z");
        // The next one is due, and waits for the one that runs.
        at("2026-01-31T12:03:00Z");
        assertEquals(1, names().size());
        ends("nightly-202601310600", "Complete", "2026-01-31T06:00:09Z");
        at("2026-01-31T12:04:00Z");
        assertEquals(List.of("nightly-202601310600", "nightly-202601311200"), names());
        ends("nightly-202601311200", "Complete", "2026-01-31T12:04:09Z");
        EnsembleBackupScheduleStatus done = at("2026-01-31T12:05:00Z");
        assertEquals("nightly-202601311200", done.lastComplete());
        assertEquals("2026-01-31T12:04:09Z", done.lastCompleteTime());
        at("2026-01-31T18:00:00Z");
        ends("nightly-202601311800", "Complete", "2026-01-31T18:00:09Z");
        at("2026-01-31T18:01:00Z");
        assertEquals(List.of("nightly-202601311200", "nightly-202601311800"), names());
    }

    @Test
    void inABucketEachScheduleHasAFolderToo() {
        destination =
                new EnsembleBackupSpec.Destination(
                        null, new S3Bucket("vault", null, "http://s3", "eu-1", true, "keys"));
        at("2026-01-31T06:00:05Z");
        assertEquals(
                new EnsembleBackupSpec.Destination(
                        null, new S3Bucket("vault", "nightly", "http://s3", "eu-1", true, "keys")),
                Objects.requireNonNull(backups().getFirst().getSpec()).destination());
    }

    @Test
    void whatWasMissedIsMadeUpForWithinADay() {
        at("2026-02-05T08:00:00Z");
        assertEquals(List.of("nightly-202602050600"), names());
    }

    @Test
    void aFailedOneIsSaidAndTheNextIsTried() {
        at("2026-01-31T06:00:05Z");
        ends("nightly-202601310600", "Failed", null);
        EnsembleBackupScheduleStatus failing = at("2026-01-31T06:10:00Z");
        assertEquals("Failing", failing.phase());
        assertEquals("nightly-202601310600 is Failed: so it is", failing.message());
        assertEquals("Active", at("2026-01-31T12:00:00Z").phase());
        assertEquals(2, names().size());
    }

    @Test
    void suspendedOrInvalidBeginsNone() {
        suspend = true;
        assertEquals("Suspended", at("2026-01-31T06:00:05Z").phase());
        suspend = false;
        cron = "0 25 * * *";
        EnsembleBackupScheduleStatus invalid = at("2026-01-31T06:00:05Z");
        assertEquals("Invalid", invalid.phase());
        assertTrue(
                String.valueOf(invalid.message()).startsWith("spec.cron '0 25 * * *'"),
                invalid::toString);
        assertEquals(List.of(), names());
    }
}
