package dev.ensemble.operator.reconcile;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.S3Bucket;
import dev.ensemble.operator.desired.BackupJob;
import dev.ensemble.operator.desired.InvalidSpec;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.BackupClient;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Answer;
import dev.ensemble.operator.ensemble.EnsembleClient.Outcome;
import dev.ensemble.operator.ensemble.MemberStatus;
import dev.ensemble.operator.plan.BackupReason;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;
import io.micrometer.core.instrument.MeterRegistry;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Takes each backup once: makes the Job, tells a member to give a backup to its pod, and keeps
/// what the pod reports.
@ControllerConfiguration(name = "ensemble-backup")
@GradualRetry(maxAttempts = -1, initialInterval = 1000, maxInterval = 60_000)
public final class BackupReconciler implements Reconciler<EnsembleBackup> {
    static final String PENDING = "Pending";
    static final String RUNNING = "Running";
    static final String COMPLETE = "Complete";
    static final String FAILED = "Failed";

    private static final Logger LOG = LoggerFactory.getLogger(BackupReconciler.class);
    private static final Duration AGAIN = Duration.ofSeconds(3);
    private static final int PERMIT_SECONDS = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final KubernetesClient client;
    private final EnsembleClient members;
    private final BackupClient backups;
    private final Wanted.Defaults defaults;
    private final MeterRegistry metrics;
    private final Clock clock;
    private final Events events;
    private final Observation.Address address;

    /// @param defaults the server's image where a spec names none
    public BackupReconciler(
            KubernetesClient client,
            EnsembleClient members,
            BackupClient backups,
            Wanted.Defaults defaults,
            MeterRegistry metrics,
            Clock clock) {
        this(client, members, backups, defaults, metrics, clock, Observation.Address::inCluster);
    }

    BackupReconciler(
            KubernetesClient client,
            EnsembleClient members,
            BackupClient backups,
            Wanted.Defaults defaults,
            MeterRegistry metrics,
            Clock clock,
            Observation.Address address) {
        this.client = client;
        this.members = members;
        this.backups = backups;
        this.defaults = defaults;
        this.metrics = metrics;
        this.clock = clock;
        this.events = new Events(clock);
        this.address = address;
    }

    @Override
    public UpdateControl<EnsembleBackup> reconcile(
            EnsembleBackup resource, @Nullable Context<EnsembleBackup> context) {
        EnsembleBackupStatus before = resource.getStatus();
        if (resource.getMetadata().getDeletionTimestamp() != null
                || (before != null
                        && (COMPLETE.equals(before.phase()) || FAILED.equals(before.phase())))) {
            return UpdateControl.noUpdate();
        }
        EnsembleBackupStatus status = next(resource);
        if (status.equals(before)) {
            return UpdateControl.<EnsembleBackup>noUpdate().rescheduleAfter(AGAIN);
        }
        LOG.atInfo()
                .addKeyValue("namespace", resource.getMetadata().getNamespace())
                .addKeyValue("name", resource.getMetadata().getName())
                .addKeyValue("phase", status.phase())
                .addKeyValue("reason", status.reason())
                .log("backup: {}", status.message());
        tell(resource, before == null ? null : before.phase(), status);
        EnsembleBackup fresh = new EnsembleBackup();
        fresh.getMetadata().setName(resource.getMetadata().getName());
        fresh.getMetadata().setNamespace(resource.getMetadata().getNamespace());
        fresh.setStatus(status);
        return UpdateControl.patchStatus(fresh).rescheduleAfter(AGAIN);
    }

    /// Each phase is entered once. A process that ends right here tells it again.
    private void tell(
            EnsembleBackup resource, @Nullable String before, EnsembleBackupStatus status) {
        String phase = String.valueOf(status.phase());
        if (phase.equals(before) || phase.equals(PENDING)) {
            return;
        }
        String ensemble = Objects.requireNonNull(resource.getSpec()).ensemble();
        String namespace = resource.getMetadata().getNamespace();
        Events.What what =
                switch (phase) {
                    case COMPLETE -> Events.What.BackupComplete;
                    case FAILED -> Events.What.BackupFailed;
                    default -> Events.What.BackupBegun;
                };
        String result =
                phase.equals(COMPLETE) ? "complete" : phase.equals(FAILED) ? "failed" : null;
        Gauges.backup(metrics, namespace, ensemble, result);
        KubeCluster.tell(
                client,
                events.event(
                        resource,
                        what,
                        "Backup of Ensemble %s: %s".formatted(ensemble, status.message())));
    }

    private EnsembleBackupStatus next(EnsembleBackup resource) {
        String namespace = resource.getMetadata().getNamespace();
        String name = resource.getMetadata().getName();
        EnsembleBackupSpec spec = Objects.requireNonNull(resource.getSpec());
        Job job = client.batch().v1().jobs().inNamespace(namespace).withName(name).get();
        if (job == null) {
            return begin(resource, spec, namespace);
        }
        String started = job.getMetadata().getCreationTimestamp();
        if (!isOurs(job, resource)) {
            return ended(
                    BackupReason.JobFailed,
                    "a Job %s exists that is not of this backup".formatted(name),
                    started);
        }
        Pod pod = JobPods.newest(client, namespace, BackupJob.LABEL, name);
        if (JobPods.isDone(job, "Complete")) {
            return complete(spec, pod, started, name);
        }
        if (JobPods.isDone(job, "Failed")) {
            String why = pod == null ? null : JobPods.lastWords(pod, BackupJob.BACKUP);
            return ended(
                    BackupReason.JobFailed,
                    why == null || why.isEmpty() ? "Job %s failed".formatted(name) : why,
                    started);
        }
        return give(spec, namespace, pod, started);
    }

    private EnsembleBackupStatus begin(
            EnsembleBackup resource, EnsembleBackupSpec spec, String namespace) {
        Ensemble ensemble = ensemble(namespace, spec.ensemble());
        if (ensemble == null) {
            return pending(
                    BackupReason.EnsembleMissing,
                    "there is no Ensemble %s".formatted(spec.ensemble()));
        }
        World world = World.read(client, namespace, spec.ensemble());
        String bootstrapped = world.bootstrapped(ensemble);
        if (bootstrapped == null) {
            return pending(
                    BackupReason.NotFormed,
                    "Ensemble %s has not formed yet".formatted(spec.ensemble()));
        }
        EnsembleBackupStatus lacking = lacking(spec.destination(), namespace);
        if (lacking != null) {
            return lacking;
        }
        try {
            client.resource(
                            BackupJob.of(
                                    resource, spec, world.wanted(ensemble, bootstrapped, defaults)))
                    .create();
        } catch (InvalidSpec e) {
            return pending(BackupReason.JobRefused, e.problem().toString());
        } catch (KubernetesClientException e) {
            // What said that there is none was old.
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                return pending(BackupReason.JobRefused, String.valueOf(e.getMessage()));
            }
        }
        return running(BackupReason.PodStarting, "the Job was made", now());
    }

    /// {@return what the destination lacks; null if nothing does, as far as is known}
    private @Nullable EnsembleBackupStatus lacking(
            EnsembleBackupSpec.Destination destination, String namespace) {
        EnsembleBackupSpec.Claim claim = destination.claim();
        if (claim != null
                && client.persistentVolumeClaims()
                                .inNamespace(namespace)
                                .withName(claim.name())
                                .get()
                        == null) {
            return pending(
                    BackupReason.ClaimMissing,
                    "there is no PersistentVolumeClaim %s".formatted(claim.name()));
        }
        String credentials = destination.s3() == null ? null : lacking(destination.s3(), namespace);
        return credentials == null ? null : pending(BackupReason.SecretMissing, credentials);
    }

    private @Nullable String lacking(S3Bucket bucket, String namespace) {
        Secret secret;
        try {
            secret = client.secrets().inNamespace(namespace).withName(bucket.secretName()).get();
        } catch (KubernetesClientException e) {
            // Without the permission to look, the pod tells.
            if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
                return null;
            }
            throw e;
        }
        if (secret == null) {
            return "there is no Secret %s".formatted(bucket.secretName());
        }
        for (String key : List.of(S3Bucket.ACCESS_KEY, S3Bucket.SECRET_KEY)) {
            if (secret.getData() == null
                    || Objects.requireNonNullElse(secret.getData().get(key), "").isEmpty()) {
                return "Secret %s has no %s".formatted(bucket.secretName(), key);
            }
        }
        return null;
    }

    private @Nullable Ensemble ensemble(String namespace, String name) {
        return client.resources(Ensemble.class).inNamespace(namespace).withName(name).get();
    }

    private static boolean isOurs(Job job, EnsembleBackup resource) {
        return job.getMetadata().getOwnerReferences().stream()
                .anyMatch(each -> each.getUid().equals(resource.getMetadata().getUid()));
    }

    /// Lets the pod have a backup, once it has told the hash of its secret.
    private EnsembleBackupStatus give(
            EnsembleBackupSpec spec,
            String namespace,
            @Nullable Pod pod,
            @Nullable String started) {
        String hash = pod == null ? null : JobPods.lastWords(pod, BackupJob.SECRET);
        if (pod == null || hash == null || !hash.matches("[0-9a-f]{64}")) {
            return running(
                    BackupReason.PodStarting,
                    pod == null
                            ? "there is no pod of the Job yet"
                            : "pod %s does not run yet%s"
                                    .formatted(pod.getMetadata().getName(), JobPods.waiting(pod)),
                    started);
        }
        Ensemble ensemble = ensemble(namespace, spec.ensemble());
        if (ensemble == null) {
            return running(
                    BackupReason.NoMember,
                    "there is no Ensemble %s any more".formatted(spec.ensemble()),
                    started);
        }
        World world = World.read(client, namespace, spec.ensemble());
        Map<Integer, URI> roots = roots(world, ensemble, spec.ensemble());
        MemberStatus giver = giver(members.ask(roots));
        if (giver == null) {
            return running(
                    BackupReason.NoMember,
                    "no member that does not lead is in sync and answers",
                    started);
        }
        String member = member(ensemble, spec.ensemble(), giver.myid());
        Outcome outcome =
                backups.permitBackup(
                        Objects.requireNonNull(roots.get(giver.myid())),
                        world.ensembleIds(ensemble).getFirst(),
                        hash,
                        PERMIT_SECONDS);
        return switch (outcome) {
            case Outcome.Done _ ->
                    running(BackupReason.Taking, member + " gives the backup", started);
            case Outcome.Refused(String why) ->
                    running(BackupReason.NoMember, member + " refuses: " + why, started);
            case Outcome.Unknown(String why) ->
                    running(BackupReason.NoMember, member + ": " + why, started);
        };
    }

    private static String member(Ensemble ensemble, String name, int myid) {
        EnsembleSpec spec =
                ensemble.getSpec() == null ? EnsembleSpec.defaults() : ensemble.getSpec();
        return Labels.pod(name, myid - spec.firstMyid());
    }

    private Map<Integer, URI> roots(World world, Ensemble ensemble, String name) {
        EnsembleSpec spec =
                ensemble.getSpec() == null ? EnsembleSpec.defaults() : ensemble.getSpec();
        Map<Integer, URI> roots = new TreeMap<>();
        world.pods()
                .forEach((podName, pod) -> {
                    int ordinal = Labels.ordinal(name, "data-" + podName);
                    URI root = ordinal < 0 || !Troubles.mayRun(pod) ? null : address.of(pod);
                    if (root != null) {
                        roots.put(spec.firstMyid() + ordinal, root);
                    }
                });
        return roots;
    }

    /// {@return the last of those that may give one, so that it is the same each time}
    private static @Nullable MemberStatus giver(Map<Integer, Answer> answers) {
        return answers.values().stream()
                .flatMap(each ->
                        each instanceof Answer.Known(MemberStatus status)
                                ? Stream.of(status)
                                : Stream.empty())
                .filter(BackupReconciler::canGive)
                .max(Comparator.comparingInt(MemberStatus::myid))
                .orElse(null);
    }

    private static boolean canGive(MemberStatus status) {
        MemberStatus.Configuration configuration = status.configuration();
        int size =
                configuration == null || configuration.members() == null
                        ? 0
                        : configuration.members().size();
        return status.serving()
                && !status.draining()
                && status.outOfSyncMillis() == 0
                && (status.leads() ? size == 1 : size > 0);
    }

    private EnsembleBackupStatus complete(
            EnsembleBackupSpec spec, @Nullable Pod pod, @Nullable String started, String name) {
        String report = pod == null ? null : JobPods.lastWords(pod, BackupJob.BACKUP);
        if (report == null) {
            return ended(
                    BackupReason.ReportLost, "the pod of Job %s is gone".formatted(name), started);
        }
        try {
            JsonNode read = JSON.readTree(report);
            return new EnsembleBackupStatus(
                    COMPLETE,
                    BackupReason.Verified.name(),
                    "the backup was restored for a trial, and is good"
                            + (read.has("stayed")
                                    ? "; older ones could not be deleted: "
                                            + read.path("stayed").asText()
                                    : ""),
                    started,
                    now(),
                    spec.destination().file(BackupJob.file(name)),
                    read.path("time").asText(null),
                    read.path("zxid").asText(null),
                    read.path("ensembleId").asText(null),
                    read.path("znodes").asLong(),
                    read.path("bytes").asLong(),
                    true);
        } catch (JsonProcessingException e) {
            return ended(BackupReason.ReportLost, "the pod reports: " + report, started);
        }
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static EnsembleBackupStatus pending(BackupReason reason, String message) {
        return EnsembleBackupStatus.of(PENDING, reason.name(), message, null, null);
    }

    private static EnsembleBackupStatus running(
            BackupReason reason, String message, @Nullable String started) {
        return EnsembleBackupStatus.of(RUNNING, reason.name(), message, started, null);
    }

    private EnsembleBackupStatus ended(
            BackupReason reason, String message, @Nullable String started) {
        return EnsembleBackupStatus.of(FAILED, reason.name(), message, started, now());
    }
}
