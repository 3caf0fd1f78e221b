package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.EnsembleBackupScheduleSpec;
import dev.ensemble.operator.api.EnsembleBackupScheduleStatus;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.plan.Windows;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;

import org.jspecify.annotations.Nullable;

import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Makes an EnsembleBackup at each time of a schedule, one at a time, and removes those that are
/// over. Their files are removed by the Job of a later one.
@ControllerConfiguration(name = "ensemble-backup-schedule")
@GradualRetry(maxAttempts = -1, initialInterval = 1000, maxInterval = 60_000)
public final class ScheduleReconciler implements Reconciler<EnsembleBackupSchedule> {
    /// On each EnsembleBackup: the schedule that made it.
    static final String LABEL = "ensemble.dev/schedule";

    private static final Duration AGAIN = Duration.ofSeconds(20);

    /// A time that was missed by more is left out.
    private static final Duration MAKES_UP_FOR = Duration.ofDays(1);

    private static final int FAILED_KEPT = 3;
    private static final int COMPLETE_KEPT = 7;
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmm").withZone(ZoneOffset.UTC);

    private final KubernetesClient client;
    private final Clock clock;

    public ScheduleReconciler(KubernetesClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    @Override
    public UpdateControl<EnsembleBackupSchedule> reconcile(
            EnsembleBackupSchedule resource, @Nullable Context<EnsembleBackupSchedule> context) {
        if (resource.getMetadata().getDeletionTimestamp() != null) {
            return UpdateControl.noUpdate();
        }
        EnsembleBackupScheduleStatus status = next(resource);
        if (status.equals(resource.getStatus())) {
            return UpdateControl.<EnsembleBackupSchedule>noUpdate().rescheduleAfter(AGAIN);
        }
        EnsembleBackupSchedule fresh = new EnsembleBackupSchedule();
        fresh.getMetadata().setName(resource.getMetadata().getName());
        fresh.getMetadata().setNamespace(resource.getMetadata().getNamespace());
        fresh.setStatus(status);
        return UpdateControl.patchStatus(fresh).rescheduleAfter(AGAIN);
    }

    private EnsembleBackupScheduleStatus next(EnsembleBackupSchedule resource) {
        EnsembleBackupScheduleSpec spec = Objects.requireNonNull(resource.getSpec());
        EnsembleBackupScheduleStatus before =
                resource.getStatus() == null
                        ? new EnsembleBackupScheduleStatus(null, null, null, null, null, null)
                        : resource.getStatus();
        List<EnsembleBackup> made = made(resource);
        remove(made, spec.retention());
        String problem = Windows.problem(spec.cron(), spec.tz());
        if (problem != null) {
            return status("Invalid", "spec." + problem, before.lastScheduled(), before, made);
        }
        if (spec.suspend()) {
            return status("Suspended", "spec.suspend is set", before.lastScheduled(), before, made);
        }
        Instant now = clock.instant();
        Instant due = Windows.last(spec.cron(), spec.tz(), since(resource, before, now), now);
        boolean busy = made.stream().anyMatch(each -> !isOver(each));
        if (due == null || busy) {
            return status(
                    made.isEmpty() || !is(made.getLast(), BackupReconciler.FAILED)
                            ? "Active"
                            : "Failing",
                    made.isEmpty() ? "no backup has been due yet" : about(made.getLast()),
                    before.lastScheduled(),
                    before,
                    made);
        }
        EnsembleBackup begun = begin(resource, spec, due);
        return new EnsembleBackupScheduleStatus(
                "Active",
                "%s has begun".formatted(begun.getMetadata().getName()),
                due.toString(),
                begun.getMetadata().getName(),
                before.lastComplete(),
                before.lastCompleteTime());
    }

    private static Instant since(
            EnsembleBackupSchedule resource, EnsembleBackupScheduleStatus before, Instant now) {
        String last =
                before.lastScheduled() != null
                        ? before.lastScheduled()
                        : resource.getMetadata().getCreationTimestamp();
        Instant since = last == null ? now : Instant.parse(last);
        Instant earliest = now.minus(MAKES_UP_FOR);
        return since.isBefore(earliest) ? earliest : since;
    }

    private static String about(EnsembleBackup backup) {
        EnsembleBackupStatus status = backup.getStatus();
        return "%s is %s"
                .formatted(
                        backup.getMetadata().getName(),
                        status == null || status.phase() == null
                                ? "new"
                                : status.phase() + ": " + status.message());
    }

    private static EnsembleBackupScheduleStatus status(
            String phase,
            String message,
            @Nullable String scheduled,
            EnsembleBackupScheduleStatus before,
            List<EnsembleBackup> made) {
        EnsembleBackup complete = null;
        for (EnsembleBackup each : made) {
            complete = is(each, BackupReconciler.COMPLETE) ? each : complete;
        }
        return new EnsembleBackupScheduleStatus(
                phase,
                message,
                scheduled,
                before.lastBackup(),
                complete == null ? before.lastComplete() : complete.getMetadata().getName(),
                complete == null || complete.getStatus() == null
                        ? before.lastCompleteTime()
                        : complete.getStatus().time());
    }

    private static boolean is(EnsembleBackup backup, String phase) {
        return backup.getStatus() != null && phase.equals(backup.getStatus().phase());
    }

    private static boolean isOver(EnsembleBackup backup) {
        return is(backup, BackupReconciler.COMPLETE) || is(backup, BackupReconciler.FAILED);
    }

    /// {@return the backups of this schedule, the newest last: their names begin with its, then the
    /// time}
    private List<EnsembleBackup> made(EnsembleBackupSchedule resource) {
        return client
                .resources(EnsembleBackup.class)
                .inNamespace(resource.getMetadata().getNamespace())
                .withLabel(LABEL, resource.getMetadata().getName())
                .list()
                .getItems()
                .stream()
                .filter(each -> each.getMetadata().getDeletionTimestamp() == null)
                .sorted(Comparator.comparing(each -> each.getMetadata().getName()))
                .toList();
    }

    private EnsembleBackup begin(
            EnsembleBackupSchedule resource, EnsembleBackupScheduleSpec spec, Instant due) {
        String schedule = resource.getMetadata().getName();
        EnsembleBackup backup = new EnsembleBackup();
        backup.setMetadata(
                new ObjectMetaBuilder()
                        .withName(schedule + "-" + NAME.format(due))
                        .withNamespace(resource.getMetadata().getNamespace())
                        .addToLabels(LABEL, schedule)
                        .addNewOwnerReference()
                        .withApiVersion("ensemble.dev/v1alpha1")
                        .withKind(EnsembleBackupSchedule.class.getSimpleName())
                        .withName(schedule)
                        .withUid(resource.getMetadata().getUid())
                        .withController(true)
                        .withBlockOwnerDeletion(false)
                        .endOwnerReference()
                        .build());
        backup.setSpec(
                new EnsembleBackupSpec(
                        spec.ensemble(), spec.destination().within(schedule), spec.retention()));
        try {
            return client.resource(backup).create();
        } catch (KubernetesClientException e) {
            // Begun before, and the status that says so was not written.
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return backup;
            }
            throw e;
        }
    }

    /// As many as there are files, and the last few that have failed; deleting one deletes no file.
    private void remove(
            List<EnsembleBackup> made, EnsembleBackupSpec.@Nullable Retention retention) {
        int count =
                retention == null || retention.count() == null ? COMPLETE_KEPT : retention.count();
        Instant oldest =
                retention == null || retention.days() == null
                        ? Instant.MIN
                        : clock.instant().minus(retention.days(), ChronoUnit.DAYS);
        int complete = 0;
        int failed = 0;
        for (EnsembleBackup each : made.reversed()) {
            boolean goes = false;
            if (is(each, BackupReconciler.COMPLETE)) {
                complete++;
                goes = complete > 1 && (complete > count || takenAt(each).isBefore(oldest));
            } else if (is(each, BackupReconciler.FAILED)) {
                goes = ++failed > FAILED_KEPT;
            }
            if (goes) {
                client.resource(each).delete();
            }
        }
    }

    private static Instant takenAt(EnsembleBackup backup) {
        String time = backup.getStatus() == null ? null : backup.getStatus().time();
        return time == null ? Instant.MAX : Instant.parse(time);
    }
}
