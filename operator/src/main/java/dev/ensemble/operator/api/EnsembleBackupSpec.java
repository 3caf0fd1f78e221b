package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

import org.jspecify.annotations.Nullable;

/// What is to be backed up, and where to.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("What is to be backed up, and where to. Cannot be changed afterwards.")
@ValidationRule(
        value = "self == oldSelf",
        message = "the spec of an EnsembleBackup cannot be changed: make another one")
public record EnsembleBackupSpec(
        @JsonPropertyDescription("Name of the Ensemble, in the same namespace.")
                @Required
                @Size(min = 1, max = 45)
                String ensemble,
        @JsonPropertyDescription("Where the backup goes.") @Required Destination destination,
        @JsonPropertyDescription(
                        "What is kept, once this backup was verified, of the backups of the same"
                                + " ensemble in the same folder. All if left out.")
                @Nullable Retention retention) {
    /// A folder in a volume or bucket: names without a dot in front, and slashes between them.
    static final String FOLDER = "^([A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?$";

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription(
            "What is kept of the backups of the same ensemble in the same folder. The newest always"
                    + " is.")
    public record Retention(
            @JsonPropertyDescription("The newest so many.") @Min(1) @Max(1000)
                    @Nullable Integer count,
            @JsonPropertyDescription("Those that are not older than so many days.")
                    @Min(1)
                    @Max(3650)
                    @Nullable Integer days) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("Where a backup goes.")
    @ValidationRule(
            value = "has(self.claim) != has(self.s3)",
            message = "spec.destination must have either claim or s3")
    public record Destination(
            @JsonPropertyDescription("A volume claim of this namespace.") @Nullable Claim claim,
            @JsonPropertyDescription("A bucket of an S3-compatible store.") @Nullable S3Bucket s3) {
        /// {@return where a file of this folder is, in the volume or bucket}
        public String file(String name) {
            return s3 != null ? s3.file(name) : claim != null ? claim.file(name) : name;
        }

        /// {@return a folder of this one}
        public Destination within(String folder) {
            return new Destination(
                    claim == null ? null : claim.within(folder),
                    s3 == null ? null : s3.within(folder));
        }
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("A folder of a volume claim.")
    public record Claim(
            @JsonPropertyDescription("Name of the PersistentVolumeClaim. It must exist.")
                    @Required
                    @Size(min = 1, max = 253)
                    @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                    String name,
            @JsonPropertyDescription(
                            "Folder in the volume; made if it is missing. The volume itself if left"
                                    + " out.")
                    @Default("")
                    @Size(max = 200)
                    @Pattern(FOLDER)
                    String path) {
        @SuppressWarnings("NullAway")
        public Claim {
            path = path == null ? "" : path;
        }

        /// {@return where a file of this folder is in the volume}
        public String file(String name) {
            return path.isEmpty() ? name : path + "/" + name;
        }

        private Claim within(String folder) {
            return new Claim(name, file(folder));
        }
    }
}
