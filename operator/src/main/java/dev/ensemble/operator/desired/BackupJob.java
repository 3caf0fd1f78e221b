package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.PodTemplate;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The Job that takes a backup: the server's own program, in the server's image.
///
/// The first container makes a secret and tells its hash, as its last words; the operator tells a
/// member to give a backup to whoever shows that secret. So neither the operator's key nor any
/// Secret is needed, and the secret never leaves the pod.
public final class BackupJob {
    /// On the Job's pods.
    public static final String LABEL = "ensemble.dev/backup";

    /// The container whose last words are the hash.
    public static final String SECRET = "secret";

    /// The container whose last words are the report.
    public static final String BACKUP = "backup";

    private static final String WORK = "/work";
    private static final String LAST_WORDS = "/dev/termination-log";
    private static final int HOURS_PER_DAY = 24;
    private static final int RETRIES = 2;
    private static final long DEADLINE_SECONDS = 3600;
    private static final String PATIENCE_SECONDS = "300";

    private BackupJob() {}

    /// {@return the name of the file in the destination's folder}
    public static String file(String backup) {
        return backup + ".ensemble";
    }

    /// {@return the Job, which goes with its EnsembleBackup}
    ///
    /// @param wanted the ensemble
    /// @throws InvalidSpec if the ensemble's resources or tolerations are not what a pod can have
    public static Job of(EnsembleBackup backup, EnsembleBackupSpec spec, Wanted wanted)
            throws InvalidSpec {
        String name = backup.getMetadata().getName();
        Map<String, String> labels = Labels.backups(wanted.name());
        labels.put("app.kubernetes.io/managed-by", Labels.MANAGER);
        labels.put(LABEL, name);
        BackupStorage storage = storage(spec);
        return new JobBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(wanted.namespace())
                .withLabels(labels)
                .addNewOwnerReference()
                .withApiVersion("ensemble.dev/v1alpha1")
                .withKind(EnsembleBackup.class.getSimpleName())
                .withName(name)
                .withUid(backup.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(false)
                .endOwnerReference()
                .endMetadata()
                .withNewSpec()
                .withBackoffLimit(RETRIES)
                .withActiveDeadlineSeconds(DEADLINE_SECONDS)
                .withNewTemplate()
                .withNewMetadata()
                .withLabels(labels)
                .endMetadata()
                .withSpec(
                        podSpec(wanted, pod(wanted))
                                .withInitContainers(
                                        container(
                                                wanted,
                                                SECRET,
                                                List.of(
                                                        "backup-secret",
                                                        WORK + "/secret",
                                                        "--report",
                                                        LAST_WORDS),
                                                List.of(mount("work", WORK))))
                                .withContainers(
                                        container(
                                                wanted,
                                                BACKUP,
                                                arguments(name, spec, wanted),
                                                List.of(
                                                        mount("work", WORK),
                                                        mount("tmp", "/tmp"),
                                                        storage.mount())))
                                .addNewVolume()
                                .withName("work")
                                .withNewEmptyDir()
                                .endEmptyDir()
                                .endVolume()
                                .addNewVolume()
                                .withName("tmp")
                                .withNewEmptyDir()
                                .endEmptyDir()
                                .endVolume()
                                .addToVolumes(storage.volume())
                                .build())
                .endTemplate()
                .endSpec()
                .build();
    }

    /// {@return a pod as Jobs of an ensemble have them, without containers and volumes}
    static PodSpecBuilder podSpec(Wanted wanted, PodTemplate.@Nullable PodSpec pod)
            throws InvalidSpec {
        return new PodSpecBuilder()
                .withRestartPolicy("Never")
                .withServiceAccountName(wanted.name())
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withImagePullSecrets(Members.pullSecrets(wanted.spec().image()))
                .withTolerations(Members.tolerations(pod))
                .withNewSecurityContext()
                .withRunAsNonRoot(true)
                .withRunAsUser(Members.NON_ROOT)
                .withRunAsGroup(Members.NON_ROOT)
                .withFsGroup(Members.NON_ROOT)
                .withFsGroupChangePolicy("OnRootMismatch")
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext();
    }

    private static PodTemplate.@Nullable PodSpec pod(Wanted wanted) {
        PodTemplate extra = wanted.spec().podTemplate();
        return extra == null ? null : extra.spec();
    }

    private static BackupStorage storage(EnsembleBackupSpec spec) {
        EnsembleBackupSpec.Claim claim = spec.destination().claim();
        return BackupStorage.of(claim == null ? null : claim.name(), spec.destination().s3());
    }

    /// All members are named: which one gives the backup is decided when the pod runs.
    private static List<String> arguments(String name, EnsembleBackupSpec spec, Wanted wanted) {
        List<String> roots = new ArrayList<>();
        ZooCfg.voters(wanted.name(), wanted.namespace(), wanted.spec().firstMyid(), wanted.size())
                .forEach(each ->
                        roots.add("http://%s:%d".formatted(each.host(), Labels.ADMIN_PORT)));
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "backup",
                                storage(spec).place(spec.destination().file(file(name))),
                                "--from",
                                String.join(",", roots),
                                "--secret-file",
                                WORK + "/secret",
                                "--patience",
                                PATIENCE_SECONDS,
                                "--scratch",
                                WORK,
                                "--report",
                                LAST_WORDS));
        arguments.addAll(storage(spec).options());
        EnsembleBackupSpec.Retention retention = spec.retention();
        if (retention != null && retention.count() != null) {
            arguments.addAll(List.of("--keep", retention.count().toString()));
        }
        if (retention != null && retention.days() != null) {
            arguments.addAll(
                    List.of("--keep-hours", Integer.toString(HOURS_PER_DAY * retention.days())));
        }
        return arguments;
    }

    static Container container(
            Wanted wanted, String name, List<String> arguments, List<VolumeMount> mounts)
            throws InvalidSpec {
        return new ContainerBuilder()
                .withName(name)
                .withImage(wanted.image())
                .withImagePullPolicy(wanted.pullPolicy())
                .withArgs(arguments)
                .withEnv(Members.options(wanted.spec().jvm()))
                // As a member: it holds the same data.
                .withResources(Members.resources(pod(wanted)))
                .withNewSecurityContext()
                .withAllowPrivilegeEscalation(false)
                .withReadOnlyRootFilesystem(true)
                .withRunAsNonRoot(true)
                .withNewCapabilities()
                .withDrop("ALL")
                .endCapabilities()
                .endSecurityContext()
                .withTerminationMessagePath(LAST_WORDS)
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withVolumeMounts(mounts)
                .build();
    }

    private static VolumeMount mount(String name, String path) {
        return new VolumeMountBuilder().withName(name).withMountPath(path).build();
    }
}
