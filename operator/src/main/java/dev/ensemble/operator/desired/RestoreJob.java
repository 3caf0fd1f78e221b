package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.PodTemplate;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The Job that makes a member's volume of a backup, while there is no member.
///
/// Not a part of the members' pods: one that comes back with a lost disk must learn from the
/// others, and never begin with an old backup again.
public final class RestoreJob {
    /// On the Job's pods: the name of the Job.
    public static final String LABEL = "ensemble.dev/restore";

    /// The container whose last words say why it failed.
    public static final String RESTORE = "restore";

    private static final int RETRIES = 2;
    private static final int HASH_LENGTH = 8;
    private static final long DEADLINE_SECONDS = 3600;

    private RestoreJob() {}

    /// {@return a member's claim, as the StatefulSet would make it}
    public static PersistentVolumeClaim claim(Wanted wanted, int ordinal) {
        return new PersistentVolumeClaimBuilder(Members.claim(wanted))
                .editMetadata()
                .withName(Labels.claim(wanted.name(), ordinal))
                .withNamespace(wanted.namespace())
                .endMetadata()
                .build();
    }

    /// {@return the Job for the first member, which goes with the Ensemble}
    ///
    /// @throws InvalidSpec if the ensemble's resources or tolerations are not what a pod can have
    public static Job of(Wanted wanted, EnsembleSpec.FromBackup source) throws InvalidSpec {
        return of(wanted, source, 0, wanted.name() + "-restore", List.of());
    }

    /// {@return the Job that puts a backup in the place of what a member's volume holds}
    ///
    /// @param ordinal of the member
    /// @param recovery id of the recovery, by which each volume does it once
    /// @param afterEpoch the data is put behind this epoch
    /// @throws InvalidSpec if the ensemble's resources or tolerations are not what a pod can have
    public static Job inPlace(
            Wanted wanted,
            EnsembleSpec.FromBackup source,
            int ordinal,
            String recovery,
            long afterEpoch)
            throws InvalidSpec {
        return of(
                wanted,
                source,
                ordinal,
                inPlace(wanted.name(), recovery),
                List.of("--recovery", recovery, "--after-epoch", Long.toString(afterEpoch)));
    }

    /// {@return the name of that Job}
    public static String inPlace(String ensemble, String recovery) {
        return ensemble + "-restore-" + ZooCfg.sha256(recovery).substring(0, HASH_LENGTH);
    }

    private static Job of(
            Wanted wanted,
            EnsembleSpec.FromBackup source,
            int ordinal,
            String name,
            List<String> more)
            throws InvalidSpec {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("app.kubernetes.io/name", "ensemble-restore");
        labels.put("app.kubernetes.io/instance", wanted.name());
        labels.put("app.kubernetes.io/managed-by", Labels.MANAGER);
        labels.put(LABEL, name);
        BackupStorage storage = BackupStorage.of(source.claim(), source.s3());
        PodTemplate extra = wanted.spec().podTemplate();
        PodTemplate.@Nullable PodSpec pod = extra == null ? null : extra.spec();
        return new JobBuilder()
                .withMetadata(wanted.meta(name))
                .withNewSpec()
                .withBackoffLimit(RETRIES)
                .withActiveDeadlineSeconds(DEADLINE_SECONDS)
                .withNewTemplate()
                .withNewMetadata()
                .withLabels(labels)
                .endMetadata()
                .withSpec(
                        BackupJob.podSpec(wanted, pod)
                                .withContainers(
                                        BackupJob.container(
                                                wanted,
                                                RESTORE,
                                                arguments(wanted, source, ordinal, storage, more),
                                                List.of(
                                                        mount("data", "/var/lib/ensemble"),
                                                        mount("config", "/etc/ensemble"),
                                                        storage.mount(),
                                                        mount("tmp", "/tmp"))))
                                .addNewVolume()
                                .withName("data")
                                .withNewPersistentVolumeClaim()
                                .withClaimName(Labels.claim(wanted.name(), ordinal))
                                .endPersistentVolumeClaim()
                                .endVolume()
                                .addNewVolume()
                                .withName("config")
                                .withNewConfigMap()
                                .withName(Labels.config(wanted.name()))
                                .endConfigMap()
                                .endVolume()
                                .addToVolumes(storage.volume())
                                .addNewVolume()
                                .withName("tmp")
                                .withNewEmptyDir()
                                .endEmptyDir()
                                .endVolume()
                                .build())
                .endTemplate()
                .endSpec()
                .build();
    }

    private static List<String> arguments(
            Wanted wanted,
            EnsembleSpec.FromBackup source,
            int ordinal,
            BackupStorage storage,
            List<String> more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "restore",
                                storage.place(source.file()),
                                "--config",
                                "/etc/ensemble/" + Config.FILE,
                                "--myid",
                                Integer.toString(wanted.spec().firstMyid() + ordinal)));
        arguments.addAll(storage.options());
        arguments.addAll(more);
        return arguments;
    }

    private static VolumeMount mount(String name, String path) {
        return new VolumeMountBuilder().withName(name).withMountPath(path).build();
    }
}
