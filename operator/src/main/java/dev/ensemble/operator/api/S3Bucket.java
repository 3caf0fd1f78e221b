package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

import org.jspecify.annotations.Nullable;

/// A bucket of an S3-compatible store, and how it is reached.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("A bucket of an S3-compatible store.")
public record S3Bucket(
        @JsonPropertyDescription("Name of the bucket. It must exist.")
                @Required
                @Size(min = 3, max = 63)
                @Pattern("^[a-z0-9][a-z0-9.-]*[a-z0-9]$")
                String bucket,
        @JsonPropertyDescription(
                        "Folder in the bucket: how the keys begin. The bucket itself if left out.")
                @Size(max = 200)
                @Pattern(EnsembleBackupSpec.FOLDER)
                @Nullable String prefix,
        @JsonPropertyDescription(
                        "The store, such as https://minio.storage.svc:9000. Amazon's for the region"
                                + " if left out.")
                @Size(max = 512)
                @Pattern("^https?://[^/?#@\\s]+/?$")
                @Nullable String endpoint,
        @JsonPropertyDescription("Its region.")
                @Default("us-east-1")
                @Size(max = 64)
                @Pattern("^[A-Za-z0-9-]+$")
                String region,
        @JsonPropertyDescription(
                        "Whether the bucket is in the path of a request, or else in the name of the"
                                + " host. If left out: true with an endpoint, false without.")
                @Nullable Boolean pathStyle,
        @JsonPropertyDescription(
                        "Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and if need be"
                                + " AWS_SESSION_TOKEN and ca.crt (whom to trust, for a store with"
                                + " an authority of its own). The key may list the bucket, and"
                                + " read, write and delete its objects.")
                @Required
                @Size(min = 1, max = 253)
                @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                String secretName) {
    /// What the Secret must have.
    public static final String ACCESS_KEY = "AWS_ACCESS_KEY_ID";

    public static final String SECRET_KEY = "AWS_SECRET_ACCESS_KEY";

    @SuppressWarnings("NullAway") // Jackson passes null for what the file leaves out.
    public S3Bucket {
        region = region == null ? "us-east-1" : region;
    }

    /// {@return the key of a file of this folder}
    public String file(String name) {
        return prefix == null || prefix.isEmpty() ? name : prefix + "/" + name;
    }

    /// {@return a folder of this one}
    S3Bucket within(String folder) {
        return new S3Bucket(bucket, file(folder), endpoint, region, pathStyle, secretName);
    }
}
