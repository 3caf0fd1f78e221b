package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.S3Bucket;

import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// How the pod of a Job reaches where backups are kept: a volume claim, or the credentials for a
/// bucket, which it gets as files and never in its arguments or environment.
///
/// @param volume what the pod needs
/// @param mount where the pod has it
/// @param root what a file's name is behind
/// @param options for the server's commands
record BackupStorage(Volume volume, VolumeMount mount, String root, List<String> options) {
    private static final String CLAIM = "/backup";
    private static final String CREDENTIALS = "/credentials";
    private static final int READABLE_BY_GROUP = 0440;

    /// One of the two is given, as the definition of the resources says.
    static BackupStorage of(@Nullable String claim, @Nullable S3Bucket bucket) {
        return bucket == null ? of(claim) : of(bucket);
    }

    private static BackupStorage of(@Nullable String claim) {
        return new BackupStorage(
                new VolumeBuilder()
                        .withName("backups")
                        .withNewPersistentVolumeClaim()
                        .withClaimName(claim)
                        .endPersistentVolumeClaim()
                        .build(),
                new VolumeMountBuilder().withName("backups").withMountPath(CLAIM).build(),
                CLAIM,
                List.of());
    }

    private static BackupStorage of(S3Bucket bucket) {
        List<String> options = new ArrayList<>(List.of("--s3-region", bucket.region()));
        if (bucket.endpoint() != null) {
            options.addAll(List.of("--s3-endpoint", bucket.endpoint()));
        }
        if (bucket.pathStyle() != null) {
            options.addAll(List.of("--s3-path-style", bucket.pathStyle().toString()));
        }
        options.addAll(List.of("--s3-credentials", CREDENTIALS));
        return new BackupStorage(
                new VolumeBuilder()
                        .withName("credentials")
                        .withNewSecret()
                        .withSecretName(bucket.secretName())
                        .withDefaultMode(READABLE_BY_GROUP)
                        .endSecret()
                        .build(),
                new VolumeMountBuilder()
                        .withName("credentials")
                        .withMountPath(CREDENTIALS)
                        .withReadOnly(true)
                        .build(),
                "s3://" + bucket.bucket(),
                options);
    }

    /// {@return where a file is, in the words of the server's commands}
    String place(String file) {
        return root + "/" + file;
    }
}
