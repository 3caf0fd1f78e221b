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

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The Job that makes the first member's volume of a backup, before there is any member.
///
/// Not a part of the members' pods: one that comes back with a lost disk must learn from the
/// others, and never begin with an old backup again.
public final class RestoreJob {
    /// On the Job's pods: the name of the Job.
    public static final String LABEL = "ensemble.dev/restore";

    /// The container whose last words say why it failed.
    public static final String RESTORE = "restore";

    private static final int RETRIES = 2;
    private static final long DEADLINE_SECONDS = 3600;
    private static final String SOURCE = "/backup";

    private RestoreJob() {}

    /// {@return the claim, as the StatefulSet would make it}
    public static PersistentVolumeClaim claim(Wanted wanted) {
        return new PersistentVolumeClaimBuilder(Members.claim(wanted))
                .editMetadata()
                .withName(Labels.claim(wanted.name(), 0))
                .withNamespace(wanted.namespace())
                .endMetadata()
                .build();
    }

    /// {@return the Job, which goes with the Ensemble}
    ///
    /// @throws InvalidSpec if the ensemble's resources or tolerations are not what a pod can have
    public static Job of(Wanted wanted, EnsembleSpec.FromBackup source) throws InvalidSpec {
        String name = wanted.name() + "-restore";
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("app.kubernetes.io/name", "ensemble-restore");
        labels.put("app.kubernetes.io/instance", wanted.name());
        labels.put("app.kubernetes.io/managed-by", Labels.MANAGER);
        labels.put(LABEL, name);
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
                                                List.of(
                                                        "restore",
                                                        SOURCE + "/" + source.file(),
                                                        "--config",
                                                        "/etc/ensemble/" + Config.FILE,
                                                        "--myid",
                                                        Integer.toString(
                                                                wanted.spec().firstMyid())),
                                                List.of(
                                                        mount("data", "/var/lib/ensemble"),
                                                        mount("config", "/etc/ensemble"),
                                                        mount("source", SOURCE),
                                                        mount("tmp", "/tmp"))))
                                .addNewVolume()
                                .withName("data")
                                .withNewPersistentVolumeClaim()
                                .withClaimName(Labels.claim(wanted.name(), 0))
                                .endPersistentVolumeClaim()
                                .endVolume()
                                .addNewVolume()
                                .withName("config")
                                .withNewConfigMap()
                                .withName(Labels.config(wanted.name()))
                                .endConfigMap()
                                .endVolume()
                                .addNewVolume()
                                .withName("source")
                                .withNewPersistentVolumeClaim()
                                .withClaimName(source.claim())
                                .endPersistentVolumeClaim()
                                .endVolume()
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

    private static VolumeMount mount(String name, String path) {
        return new VolumeMountBuilder().withName(name).withMountPath(path).build();
    }
}
