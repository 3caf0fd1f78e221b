package dev.ensemble.server.tool;

import dev.ensemble.server.tool.s3.Bucket;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What commands that read or write a backup know of where it is: a path, or `s3://BUCKET/KEY` with
/// these options.
final class PlaceOptions {
    private static final Pattern S3 = Pattern.compile("s3://([a-z0-9][a-z0-9.-]{1,62})/(.+)");
    private static final Pattern KEY = Pattern.compile("[^/\\p{Cntrl}]+(/[^/\\p{Cntrl}]+)*");

    @Option(
            names = "--s3-endpoint",
            paramLabel = "URL",
            description =
                    "The store of s3://BUCKET/KEY, as http://HOST:PORT or https://HOST; that of"
                            + " Amazon for the region if not given.")
    private @Nullable URI endpoint;

    @Option(
            names = "--s3-region",
            paramLabel = "REGION",
            defaultValue = "us-east-1",
            description = "Its region, ${DEFAULT-VALUE} by default.")
    private String region = "us-east-1";

    @Option(
            names = "--s3-path-style",
            paramLabel = "true|false",
            arity = "1",
            description =
                    "Whether the bucket is in the path of a request, or else in the name of the"
                            + " host; true by default with --s3-endpoint, and false without.")
    private @Nullable Boolean pathStyle;

    @Option(
            names = "--s3-credentials",
            paramLabel = "DIR",
            description =
                    "A folder with the files AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and if"
                            + " need be AWS_SESSION_TOKEN and ca.crt (whom to trust, in place of"
                            + " those whom Java trusts).")
    private @Nullable Path credentials;

    /// {@return the place}
    ///
    /// @param place as it was given
    /// @param scratch where files may go that are not to stay; null: anywhere
    /// @throws IllegalArgumentException if the place or an option is not valid; it says which
    /// @throws IOException if the credentials cannot be read
    BackupPlace place(String place, @Nullable Path scratch) throws IOException {
        if (!place.startsWith("s3:")) {
            return new BackupFolder(Path.of(place));
        }
        Matcher named = S3.matcher(place);
        if (!named.matches() || !KEY.matcher(named.group(2)).matches()) {
            throw new IllegalArgumentException(
                    "'%s' names no object: it must be s3://BUCKET/KEY".formatted(place));
        }
        if (endpoint != null
                && (!String.valueOf(endpoint.getScheme()).matches("https?")
                        || endpoint.getHost() == null)) {
            throw new IllegalArgumentException(
                    "--s3-endpoint '%s': it must be http://HOST:PORT or https://HOST"
                            .formatted(endpoint));
        }
        if (credentials == null) {
            throw new IllegalArgumentException(
                    "%s needs --s3-credentials DIR, a folder with the files %s and %s"
                            .formatted(place, Bucket.ACCESS_KEY, Bucket.SECRET_KEY));
        }
        var access =
                new Bucket.Access(
                        endpoint,
                        region,
                        pathStyle == null ? endpoint != null : pathStyle,
                        credentials);
        return new BackupBucket(Bucket.of(named.group(1), access), named.group(2), scratch);
    }
}
