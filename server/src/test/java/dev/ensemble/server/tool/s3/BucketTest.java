package dev.ensemble.server.tool.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/// Objects go to a store and come back whole, or it is said why not.
@Timeout(120)
final class BucketTest {
    private static final long PART = 5 << 20;
    private static final int MANY = 1_000_000;

    @TempDir private Path folder = Path.of("");

    @SuppressWarnings("NullAway.Init") // Before each test.
    private S3Server store;

    @SuppressWarnings("NullAway.Init")
    private Bucket bucket;

    private final byte[] content = new byte[11_000_000];
    private Path file = Path.of("");

    @BeforeEach
    void start() throws Exception {
        store = new S3Server();
        bucket = store.bucket(S3Server.credentials(folder), PART);
        new Random(1).nextBytes(content);
        file = Files.write(folder.resolve("content"), content);
    }

    @AfterEach
    void stop() throws Exception {
        bucket.close();
        store.stop();
    }

    private byte[] read(String key) throws IOException {
        try (InputStream in = bucket.open(key)) {
            return in.readAllBytes();
        }
    }

    @Test
    void manyPartsAreOneObject() throws IOException {
        assertFalse(bucket.exists("a/b"));
        bucket.upload(file, "a/b");
        assertTrue(bucket.exists("a/b"));
        assertFalse(bucket.exists("a"), "the beginning of a key is no key");
        assertArrayEquals(content, read("a/b"));
        try (InputStream in = bucket.open("a/b", 100)) {
            assertEquals(100, in.readAllBytes().length);
        }
        bucket.upload(Files.write(folder.resolve("small"), new byte[] {1}), "a/c");
        bucket.upload(file, "a/d/e");
        bucket.upload(file, "a-b");
        assertEquals(List.of("b", "c"), bucket.names("a/").stream().sorted().toList());
        assertEquals(List.of("a-b"), bucket.names(""));
        bucket.delete("a/b");
        assertEquals(List.of("c"), bucket.names("a/"));
    }

    @Test
    void aPartThatIsCutOffIsSentAgain() throws IOException {
        store.relay().cut(2, PART / 2);
        bucket.upload(file, "a/b");
        assertEquals(0, store.relay().cutsLeft(), "both were cut");
        assertArrayEquals(content, read("a/b"));
    }

    @Test
    void aStoreThatCannotBeReachedLeavesNoObject() throws IOException {
        store.relay().cut(MANY, PART / 2);
        IOException failure = assertThrows(IOException.class, () -> bucket.upload(file, "a/b"));
        assertTrue(
                String.valueOf(failure.getMessage())
                        .startsWith("s3://vault: cannot write part 1 of a/b: "),
                failure::toString);
        store.relay().cut(0, 0);
        assertFalse(bucket.exists("a/b"));
        assertFalse(store.hasUnfinishedUploads(), "nobody would see its parts");
    }

    @Test
    void aPartThatArrivesAsAnotherOneIsRefused() throws IOException {
        store.relay().flipUploads(MANY);
        IOException failure = assertThrows(IOException.class, () -> bucket.upload(file, "a/b"));
        assertTrue(
                String.valueOf(failure.getMessage()).contains("cannot write part 1 of a/b"),
                failure::toString);
        store.relay().flipUploads(0);
        assertFalse(bucket.exists("a/b"));
    }

    private IOException refusal(String name, Path credentials) throws IOException {
        var access = new Bucket.Access(store.endpoint(), "us-east-1", true, credentials);
        try (Bucket other = Bucket.of(name, access)) {
            return assertThrows(IOException.class, () -> other.exists("a/b"));
        }
    }

    private static void says(String text, IOException failure) {
        assertTrue(String.valueOf(failure.getMessage()).contains(text), failure::toString);
        assertFalse(String.valueOf(failure.getMessage()).contains(S3Server.KEY));
    }

    @Test
    void whatTheStoreRefusesIsSaidInItsWords() throws IOException {
        says("NoSuchBucket", refusal("nothing-here", folder));
        Files.writeString(folder.resolve(Bucket.SECRET_KEY), "wrong");
        says("s3://vault: cannot be listed: ", refusal(S3Server.BUCKET, folder));
        says("SignatureDoesNotMatch", refusal(S3Server.BUCKET, folder));
        Files.writeString(folder.resolve(Bucket.ACCESS_KEY), "nobody");
        says("InvalidAccessKeyId", refusal(S3Server.BUCKET, folder));
    }

    @Test
    void credentialsThatAreMissingAreNamed() throws IOException {
        Files.delete(folder.resolve(Bucket.SECRET_KEY));
        var access = new Bucket.Access(store.endpoint(), "us-east-1", true, folder);
        IOException failure =
                assertThrows(IOException.class, () -> Bucket.of(S3Server.BUCKET, access));
        says("AWS_SECRET_ACCESS_KEY is missing or empty", failure);
        Files.writeString(folder.resolve(Bucket.SECRET_KEY), "x");
        Files.writeString(folder.resolve(Bucket.TRUSTED), "no certificate");
        failure = assertThrows(IOException.class, () -> Bucket.of(S3Server.BUCKET, access));
        says("ca.crt", failure);
    }
}
