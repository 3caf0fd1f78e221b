package dev.ensemble.server.tool;

import dev.ensemble.server.tool.s3.Bucket;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// Backups as objects of a bucket; the folder of one is its key up to the last slash.
///
/// An object cannot be renamed, so a backup is gathered and tried on this host, uploaded, and read
/// back whole: a store that gives back something else has no backup.
final class BackupBucket implements BackupPlace {
    /// More than a backup's header can have.
    private static final int HEADER_BYTES = 128 << 10;

    private static final int READS = 3;

    private final Bucket bucket;
    private final String key;
    private final @Nullable Path scratch;
    private @Nullable Path made;

    /// @param scratch where a backup is gathered; null: a temporary folder
    BackupBucket(Bucket bucket, String key, @Nullable Path scratch) {
        this.bucket = bucket;
        this.key = key;
        this.scratch = scratch;
    }

    private String folder() {
        return key.substring(0, key.lastIndexOf('/') + 1);
    }

    @Override
    public boolean isThere() throws IOException {
        return bucket.exists(key);
    }

    @Override
    public Path part() throws IOException {
        Path folder = scratch;
        if (folder == null) {
            folder = Files.createTempDirectory("backup.");
            made = folder;
        }
        Files.createDirectories(folder);
        return folder.resolve(key.substring(folder().length()) + ".part");
    }

    @Override
    public void keep(Path part) throws IOException {
        String is = sha256(Files.newInputStream(part));
        bucket.upload(part, key);
        String found;
        try {
            found = readBack();
        } catch (IOException e) {
            throw unkept(e);
        }
        if (!found.equals(is)) {
            throw unkept(
                    new IOException(
                            "%s gives back something else than was uploaded: SHA-256 %s instead of %s"
                                    .formatted(this, found, is)));
        }
    }

    /// A connection that ends early says nothing about what is kept.
    private String readBack() throws IOException {
        for (int tries = 1; ; tries++) {
            try {
                return sha256(open());
            } catch (IOException e) {
                if (tries == READS) {
                    throw e;
                }
            }
        }
    }

    private IOException unkept(IOException why) {
        try {
            bucket.delete(key);
        } catch (IOException e) {
            return new IOException(
                    "%s; and it could not be deleted again: %s"
                            .formatted(why.getMessage(), e.getMessage()),
                    why);
        }
        return why;
    }

    private static String sha256(InputStream from) throws IOException {
        try (var hashed = new DigestInputStream(from, MessageDigest.getInstance("SHA-256"))) {
            hashed.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(hashed.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override
    public InputStream open() throws IOException {
        return bucket.open(key);
    }

    @Override
    public List<String> names() throws IOException {
        return bucket.names(folder()).stream().filter(each -> each.endsWith(SUFFIX)).toList();
    }

    @Override
    public InputStream beginning(String name) throws IOException {
        return bucket.open(folder() + name, HEADER_BYTES);
    }

    @Override
    public void delete(String name) throws IOException {
        bucket.delete(folder() + name);
    }

    @Override
    public void close() throws IOException {
        bucket.close();
        if (made != null) {
            Files.deleteIfExists(made);
        }
    }

    @Override
    public String toString() {
        return bucket + "/" + key;
    }
}
