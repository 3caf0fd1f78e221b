package dev.ensemble.server.tool.s3;

import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/// S3Proxy, on this JVM and in memory: a store that checks signatures, digests and parts as S3
/// does. Behind a [Relay], which is what a client reaches.
public final class S3Server {
    public static final String BUCKET = "vault";
    static final String ID = "of-the-test";
    static final String KEY = "a-secret-of-the-test";

    private final BlobStore kept = new TransientNio2BlobStore();
    private final S3Proxy proxy;
    private final Relay relay;

    /// Starts one that has the bucket.
    public S3Server() throws Exception {
        kept.createContainer(BUCKET);
        proxy =
                S3Proxy.builder()
                        .blobStore(kept)
                        .endpoint(URI.create("http://127.0.0.1:0"))
                        .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ID, KEY)
                        .build();
        proxy.start();
        relay = new Relay(proxy.getPort());
    }

    /// {@return what happens between the client and the store}
    public Relay relay() {
        return relay;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + relay.port());
    }

    /// {@return a folder with the right credentials}
    public static Path credentials(Path folder) throws IOException {
        Files.writeString(folder.resolve(Bucket.ACCESS_KEY), ID + "\n");
        Files.writeString(folder.resolve(Bucket.SECRET_KEY), KEY);
        return folder;
    }

    /// {@return the bucket, with parts of so many bytes}
    Bucket bucket(Path credentials, long partBytes) throws IOException {
        return Bucket.of(
                BUCKET, new Bucket.Access(endpoint(), "us-east-1", true, credentials), partBytes);
    }

    /// {@return whether parts were left that belong to no object}
    boolean hasUnfinishedUploads() {
        return !kept.listMultipartUploads(BUCKET).isEmpty();
    }

    public void stop() throws Exception {
        relay.close();
        proxy.stop();
        kept.close();
    }
}
