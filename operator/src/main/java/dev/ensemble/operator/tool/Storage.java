package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.S3Bucket;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

/// Options for where backups are kept: a volume claim or a bucket, as the resources have them.
final class Storage {
    private static final String REGION = "us-east-1";

    @Option(names = "--claim", paramLabel = "CLAIM", description = "A PersistentVolumeClaim.")
    private @Nullable String claim;

    @Option(names = "--bucket", paramLabel = "BUCKET", description = "Or a bucket, which exists.")
    private @Nullable String bucket;

    @Option(
            names = "--secret",
            paramLabel = "SECRET",
            description = "With --bucket: the Secret with the key for it.")
    private @Nullable String secret;

    @Option(
            names = "--endpoint",
            paramLabel = "URL",
            description = "With --bucket: the store; Amazon's if left out.")
    private @Nullable String endpoint;

    @Option(
            names = "--region",
            paramLabel = "REGION",
            description = "With --bucket: its region. Default: " + REGION)
    private @Nullable String region;

    @Option(
            names = "--path-style",
            paramLabel = "true|false",
            arity = "1",
            description =
                    "With --bucket: whether it is in the path of a request, or in the name of the"
                            + " host. Default: true with --endpoint.")
    private @Nullable Boolean pathStyle;

    /// {@return where a backup goes}
    ///
    /// @param path folder in the claim
    /// @param prefix folder in the bucket
    /// @throws Refusal if the options do not fit together
    EnsembleBackupSpec.Destination destination(@Nullable String path, @Nullable String prefix) {
        if (claim != null) {
            refuse(prefix, "--prefix", "--bucket");
        }
        if (bucket != null) {
            refuse(path, "--path", "--claim");
        }
        S3Bucket s3 = s3(prefix);
        return new EnsembleBackupSpec.Destination(
                claim == null
                        ? null
                        : new EnsembleBackupSpec.Claim(claim, path == null ? "" : path),
                s3);
    }

    /// {@return the backup of that name in it}
    ///
    /// @throws Refusal if the options do not fit together
    EnsembleSpec.FromBackup file(String file) {
        S3Bucket s3 = s3(null);
        return new EnsembleSpec.FromBackup(claim, s3, file);
    }

    /// {@return the backup that an EnsembleBackup has made}
    ///
    /// @throws Refusal if it has made none, or other options say where one is
    EnsembleSpec.FromBackup of(EnsembleBackup backup) {
        refuseAll();
        EnsembleBackupStatus status = backup.getStatus();
        if (backup.getSpec() == null
                || status == null
                || status.file() == null
                || !"Complete".equals(status.phase())) {
            throw new Refusal(
                    "EnsembleBackup %s is %s: only one that is Complete can be restored"
                            .formatted(
                                    backup.getMetadata().getName(),
                                    status == null || status.phase() == null
                                            ? "not begun"
                                            : status.phase()));
        }
        EnsembleBackupSpec.Destination from = backup.getSpec().destination();
        S3Bucket s3 = from.s3();
        return new EnsembleSpec.FromBackup(
                from.claim() == null ? null : from.claim().name(),
                s3 == null
                        ? null
                        : new S3Bucket(
                                s3.bucket(),
                                null,
                                s3.endpoint(),
                                s3.region(),
                                s3.pathStyle(),
                                s3.secretName()),
                status.file());
    }

    /// @throws Refusal if there is any of them
    void refuseAll() {
        refuse(claim, "--claim", "--file");
        refuse(bucket, "--bucket", "--file");
        refuseBucketOptions();
    }

    private @Nullable S3Bucket s3(@Nullable String prefix) {
        if ((claim == null) == (bucket == null)) {
            throw new Refusal("name either --claim or --bucket");
        }
        if (bucket == null) {
            refuseBucketOptions();
            return null;
        }
        if (secret == null) {
            throw new Refusal("--bucket %s needs --secret, with the key for it".formatted(bucket));
        }
        return new S3Bucket(
                bucket, prefix, endpoint, region == null ? REGION : region, pathStyle, secret);
    }

    private void refuseBucketOptions() {
        refuse(secret, "--secret", "--bucket");
        refuse(endpoint, "--endpoint", "--bucket");
        refuse(region, "--region", "--bucket");
        refuse(pathStyle, "--path-style", "--bucket");
    }

    private static void refuse(@Nullable Object value, String option, String companion) {
        if (value != null) {
            throw new Refusal(
                    "%s '%s' has no meaning without %s".formatted(option, value, companion));
        }
    }
}
