package dev.ensemble.server.tool.s3;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.NoSuchUploadException;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/// A bucket of an S3-compatible store. Every failure is an [IOException] that names the bucket and
/// says what the store says.
///
/// Asks for nothing that only Amazon has: parts carry their MD5, which every such store checks, and
/// not the trailing checksums of later years.
public final class Bucket implements Closeable {
    /// The files of the folder of credentials; the first two must be there.
    public static final String ACCESS_KEY = "AWS_ACCESS_KEY_ID";

    public static final String SECRET_KEY = "AWS_SECRET_ACCESS_KEY";
    public static final String SESSION_TOKEN = "AWS_SESSION_TOKEN";
    public static final String TRUSTED = "ca.crt";

    /// How a store is reached.
    ///
    /// @param endpoint null: Amazon's for the region
    /// @param pathStyle the bucket is in the path of a request, not in the name of the host
    /// @param credentials the folder with the files named above
    public record Access(
            @Nullable URI endpoint, String region, boolean pathStyle, Path credentials) {}

    /// Parts must have 5 MiB at least, but for the last one, and there may be 10,000.
    private static final int PART_BYTES = 8 << 20;

    private static final int MAX_PARTS = 10_000;
    private static final int TRIES = 5;
    private static final Duration CONNECT = Duration.ofSeconds(10);

    /// Without an answer, or a further piece of it, for so long, a try is given up.
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private final S3Client client;
    private final String name;
    private final long partBytes;

    private Bucket(S3Client client, String name, long partBytes) {
        this.client = client;
        this.name = name;
        this.partBytes = partBytes;
    }

    /// {@return the bucket, which was not asked for yet}
    ///
    /// @throws IOException if the credentials cannot be read
    public static Bucket of(String name, Access access) throws IOException {
        return of(name, access, PART_BYTES);
    }

    static Bucket of(String name, Access access, long partBytes) throws IOException {
        var http =
                UrlConnectionHttpClient.builder().connectionTimeout(CONNECT).socketTimeout(SILENCE);
        TrustManager[] trusted = trusted(access.credentials().resolve(TRUSTED));
        if (trusted != null) {
            http.tlsTrustManagersProvider(() -> trusted);
        }
        S3ClientBuilder builder =
                S3Client.builder()
                        .httpClientBuilder(http)
                        .credentialsProvider(
                                StaticCredentialsProvider.create(credentials(access.credentials())))
                        .region(Region.of(access.region()))
                        .forcePathStyle(access.pathStyle())
                        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .serviceConfiguration(
                                S3Configuration.builder().chunkedEncodingEnabled(false).build())
                        .overrideConfiguration(
                                all -> all.retryStrategy(retry -> retry.maxAttempts(TRIES)));
        if (access.endpoint() != null) {
            builder.endpointOverride(access.endpoint());
        }
        return new Bucket(builder.build(), name, partBytes);
    }

    private static AwsCredentials credentials(Path folder) throws IOException {
        String access = needed(folder.resolve(ACCESS_KEY));
        String secret = needed(folder.resolve(SECRET_KEY));
        String token = text(folder.resolve(SESSION_TOKEN));
        return token == null
                ? AwsBasicCredentials.create(access, secret)
                : AwsSessionCredentials.create(access, secret, token);
    }

    private static String needed(Path file) throws IOException {
        String text = text(file);
        if (text == null) {
            throw new IOException("there are no credentials: " + file + " is missing or empty");
        }
        return text;
    }

    private static @Nullable String text(Path file) throws IOException {
        try {
            String text = Files.readString(file).strip();
            return text.isEmpty() ? null : text;
        } catch (NoSuchFileException _) {
            return null;
        }
    }

    /// {@return null if there is no such file: then those whom Java trusts are trusted}
    private static TrustManager @Nullable [] trusted(Path file) throws IOException {
        if (!Files.exists(file)) {
            return null;
        }
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (Certificate each :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry(Integer.toString(store.size()), each);
            }
            if (store.size() == 0) {
                throw new IOException(file + " holds no certificate");
            }
            var factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            return factory.getTrustManagers();
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " cannot be used: " + e.getMessage(), e);
        }
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private <T> T tell(String what, Call<T> call) throws IOException {
        try {
            return call.run();
        } catch (SdkException e) {
            throw new IOException("%s: %s: %s".formatted(this, what, says(e)), e);
        }
    }

    private static String says(SdkException e) {
        if (e instanceof AwsServiceException answer && answer.awsErrorDetails() != null) {
            return "%s (%s, HTTP %d)"
                    .formatted(
                            Objects.requireNonNullElse(
                                    answer.awsErrorDetails().errorMessage(), "no message"),
                            answer.awsErrorDetails().errorCode(),
                            answer.statusCode());
        }
        Throwable cause = e.getCause();
        return cause == null || cause.getMessage() == null || has(e, cause)
                ? String.valueOf(e.getMessage())
                : e.getMessage() + ": " + cause.getMessage();
    }

    private static boolean has(SdkException e, Throwable cause) {
        return String.valueOf(e.getMessage()).contains(String.valueOf(cause.getMessage()));
    }

    /// By a listing, whose refusals say why, unlike those of a question for one object.
    public boolean exists(String key) throws IOException {
        return tell(
                "cannot be listed",
                () ->
                        client
                                .listObjectsV2(
                                        request -> request.bucket(name).prefix(key).maxKeys(1))
                                .contents()
                                .stream()
                                .anyMatch(each -> each.key().equals(key)));
    }

    /// {@return the names of the objects in a folder, without those in folders of it}
    ///
    /// @param folder empty, or ending in a slash
    public List<String> names(String folder) throws IOException {
        return tell(
                "cannot be listed",
                () ->
                        client
                                .listObjectsV2Paginator(request ->
                                        request.bucket(name).prefix(folder).delimiter("/"))
                                .contents()
                                .stream()
                                .map(each -> each.key().substring(folder.length()))
                                .filter(each -> !each.isEmpty())
                                .toList());
    }

    /// {@return an object}
    public InputStream open(String key) throws IOException {
        return tell(
                "cannot read " + key,
                () -> client.getObject(request -> request.bucket(name).key(key)));
    }

    /// {@return the beginning of an object}
    ///
    /// @param bytes how many at most
    public InputStream open(String key, int bytes) throws IOException {
        return tell(
                "cannot read " + key,
                () ->
                        client.getObject(request ->
                                request.bucket(name).key(key).range("bytes=0-" + (bytes - 1))));
    }

    public void delete(String key) throws IOException {
        tell(
                "cannot delete " + key,
                () -> client.deleteObject(request -> request.bucket(name).key(key)));
    }

    /// Makes an object of a file, part by part; it is there as a whole or not at all. A part that
    /// is cut off is sent again.
    public void upload(Path file, String key) throws IOException {
        String upload =
                tell(
                        "cannot write " + key,
                        () ->
                                client.createMultipartUpload(request ->
                                                request.bucket(name)
                                                        .key(key)
                                                        .contentType("application/octet-stream"))
                                        .uploadId());
        try {
            List<CompletedPart> parts = sendParts(file, key, upload);
            tell("cannot write " + key, () -> complete(key, upload, parts));
        } catch (IOException e) {
            abort(key, upload, e);
            throw e;
        }
    }

    private List<CompletedPart> sendParts(Path file, String key, String upload) throws IOException {
        long size = Files.size(file);
        long each = Math.max(partBytes, Math.ceilDiv(size, MAX_PARTS));
        List<CompletedPart> parts = new ArrayList<>();
        for (long at = 0; at < size || parts.isEmpty(); at += each) {
            int number = parts.size() + 1;
            var part = new FilePart(file, at, Math.min(each, size - at));
            parts.add(
                    tell(
                            "cannot write part %d of %s".formatted(number, key),
                            () -> send(key, upload, number, part)));
        }
        return parts;
    }

    private CompletedPart send(String key, String upload, int number, FilePart part)
            throws IOException {
        String md5 = part.md5();
        String tag =
                client.uploadPart(
                                request ->
                                        request.bucket(name)
                                                .key(key)
                                                .uploadId(upload)
                                                .partNumber(number)
                                                .contentMD5(md5),
                                RequestBody.fromContentProvider(
                                        part, part.bytes(), "application/octet-stream"))
                        .eTag();
        return CompletedPart.builder().partNumber(number).eTag(tag).build();
    }

    private boolean complete(String key, String upload, List<CompletedPart> parts)
            throws IOException {
        try {
            client.completeMultipartUpload(request ->
                    request.bucket(name)
                            .key(key)
                            .uploadId(upload)
                            .multipartUpload(all -> all.parts(parts)));
        } catch (NoSuchUploadException e) {
            // Done before, and the answer was lost. Whoever needs to be sure reads it.
            if (!exists(key)) {
                throw e;
            }
        }
        return true;
    }

    /// So that no parts stay that nobody sees.
    private void abort(String key, String upload, IOException why) {
        try {
            client.abortMultipartUpload(request -> request.bucket(name).key(key).uploadId(upload));
        } catch (SdkException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        client.close();
    }

    @Override
    public String toString() {
        return "s3://" + name;
    }
}
