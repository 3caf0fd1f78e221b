package dev.ensemble.server.store;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/// A backup: one version of the tree, all that is committed up to its zxid and nothing behind it,
/// as one file (`server/docs/storage.md`, "Backups").
///
/// Whoever reads one gets the whole of what was written or a [DamagedException]: every chunk has a
/// checksum, the file a last one, and the tree that is read must have the zxid and the digest that
/// the header says.
public final class BackupFile {
    /// What a file says about itself before its content.
    ///
    /// @param ensembleId whose state it is
    /// @param zxid the last transaction in it
    /// @param timeMillis when it was taken, by the clock of the member that it was taken from
    /// @param digest of the tree
    /// @param digestVersion how that is made, see [Tree#DIGEST_VERSION]
    /// @param level of the ensemble: a build that knows less must not read it
    /// @param member myid of the member that it was taken from
    public record Header(
            String ensembleId,
            long zxid,
            long timeMillis,
            long digest,
            int digestVersion,
            int level,
            int znodes,
            int sessions,
            int member) {
        /// {@return the header of this version of the tree}
        public static Header of(Tree tree, int member, long timeMillis) {
            return new Header(
                    tree.ensemble().id(),
                    tree.zxid(),
                    timeMillis,
                    tree.digest(),
                    Tree.DIGEST_VERSION,
                    tree.ensemble().level(),
                    tree.znodeCount(),
                    tree.sessionCount(),
                    member);
        }

        byte[] bytes() {
            Map<String, String> values = new LinkedHashMap<>();
            values.put("ensemble", ensembleId);
            values.put("zxid", Long.toHexString(zxid));
            values.put("time", Long.toString(timeMillis));
            values.put("digest", Long.toHexString(digest));
            values.put("digestVersion", Integer.toString(digestVersion));
            values.put("level", Integer.toString(level));
            values.put("znodes", Integer.toString(znodes));
            values.put("sessions", Integer.toString(sessions));
            values.put("member", Integer.toString(member));
            return TextFile.bytes(VERSION, values);
        }

        static Header parse(byte[] text) throws IOException {
            Map<String, String> values =
                    FILE.parse(VERSION, new String(text, StandardCharsets.UTF_8));
            return new Header(
                    FILE.text(values, "ensemble"),
                    FILE.number(values, "zxid", 16),
                    FILE.number(values, "time", 10),
                    FILE.number(values, "digest", 16),
                    (int) FILE.number(values, "digestVersion", 10),
                    (int) FILE.number(values, "level", 10),
                    (int) FILE.number(values, "znodes", 10),
                    (int) FILE.number(values, "sessions", 10),
                    (int) FILE.number(values, "member", 10));
        }
    }

    /// What was read, and is as it was written.
    public record Content(Header header, Tree tree) {}

    private static final TextFile FILE = new TextFile("backup");
    private static final byte[] MAGIC = "ENSBCKUP".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int MAX_HEADER_BYTES = 64 << 10;
    private static final int CHUNK_BYTES = 1 << 20;

    /// A znode may be as large as `jute.maxbuffer` lets it, and ends a chunk.
    private static final int MAX_CHUNK_BYTES = 512 << 20;

    private BackupFile() {}

    /// Writes a version of the tree.
    ///
    /// @param member myid of the member whose it is
    /// @return the header
    public static Header write(Tree tree, int member, long timeMillis, OutputStream to)
            throws IOException {
        Header header = Header.of(tree, member, timeMillis);
        var hashed = new DigestOutputStream(to, sha256());
        var out = new DataOutputStream(hashed);
        byte[] text = header.bytes();
        out.write(MAGIC);
        out.writeInt(text.length);
        out.write(text);
        try (var chunks = new ChunkWriter(out)) {
            tree.diff(null, chunks::add);
            chunks.finish();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        out.writeInt(0);
        out.flush();
        to.write(hashed.getMessageDigest().digest());
        to.flush();
        return header;
    }

    private static final class ChunkWriter implements AutoCloseable {
        private final DataOutputStream out;
        private final ByteArrayOutputStream chunk =
                new ByteArrayOutputStream(CHUNK_BYTES + (64 << 10));
        private final DataOutputStream entries = new DataOutputStream(chunk);
        private final Deflater deflater = new Deflater(Deflater.BEST_SPEED);

        ChunkWriter(DataOutputStream out) {
            this.out = out;
        }

        void add(StateChange change) {
            try {
                byte[] key = StateCodec.key(change);
                byte[] value = StateCodec.value(change);
                if (value == null) {
                    throw new IllegalArgumentException("a whole state removes nothing: " + change);
                }
                entries.writeInt(key.length);
                entries.writeInt(value.length);
                entries.write(key);
                entries.write(value);
                if (chunk.size() >= CHUNK_BYTES) {
                    finish();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void finish() throws IOException {
            if (chunk.size() == 0) {
                return;
            }
            byte[] raw = chunk.toByteArray();
            chunk.reset();
            deflater.reset();
            deflater.setInput(raw);
            deflater.finish();
            var packed = new ByteArrayOutputStream(raw.length / 2 + 64);
            byte[] piece = new byte[64 << 10];
            while (!deflater.finished()) {
                packed.write(piece, 0, deflater.deflate(piece));
            }
            byte[] bytes = packed.toByteArray();
            out.writeInt(raw.length);
            out.writeInt(bytes.length);
            out.writeInt(crc(bytes));
            out.write(bytes);
        }

        @Override
        public void close() {
            deflater.end();
        }
    }

    /// Reads the header alone; what follows it is not looked at.
    ///
    /// @throws DamagedException if this is no backup, or its header is not as it was written
    public static Header header(InputStream from) throws IOException {
        try {
            return header(new DataInputStream(from));
        } catch (EOFException e) {
            throw new DamagedException("the backup ends within its header", e);
        }
    }

    private static Header header(DataInputStream in) throws IOException {
        byte[] magic = in.readNBytes(MAGIC.length);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new DamagedException("this is no backup of an ensemble");
        }
        int length = in.readInt();
        if (length < 0 || length > MAX_HEADER_BYTES) {
            throw new DamagedException("the backup's header has a length of " + length);
        }
        return Header.parse(in.readNBytes(length));
    }

    /// Reads a backup to its end.
    ///
    /// @param key of the tree that is made
    /// @throws DamagedException if it is not as it was written
    /// @throws StoreException if a later release wrote it
    public static Content read(InputStream from, HashKey key) throws IOException {
        var hashed = new DigestInputStream(from, sha256());
        var in = new DataInputStream(hashed);
        try {
            Header header = header(in);
            knownLevel(header);
            var loader = new Tree.Loader(key);
            for (int length = in.readInt(); length != 0; length = in.readInt()) {
                load(chunk(in, length), loader);
            }
            byte[] computed = hashed.getMessageDigest().digest();
            byte[] written = in.readNBytes(computed.length);
            if (!Arrays.equals(computed, written)) {
                throw new DamagedException(
                        "the backup does not fit its checksum: it says "
                                + HexFormat.of().formatHex(written)
                                + ", and is "
                                + HexFormat.of().formatHex(computed));
            }
            if (in.read() >= 0) {
                throw new DamagedException("there is something behind the backup's end");
            }
            Tree tree = loader.finish();
            check(header, tree);
            return new Content(header, tree);
        } catch (EOFException e) {
            throw new DamagedException("the backup ends early", e);
        }
    }

    private static void knownLevel(Header header) throws StoreException {
        try {
            Ensemble.knownLevel(header.level());
        } catch (IllegalArgumentException e) {
            throw new StoreException("the backup cannot be read: " + e.getMessage());
        }
    }

    /// What was read must be what was written: the version of the tree that the header tells of.
    static void check(Header header, Tree tree) throws IOException {
        if (tree.zxid() != header.zxid() || !tree.ensemble().id().equals(header.ensembleId())) {
            throw new DamagedException(
                    "the backup's header tells of "
                            + Zxid.text(header.zxid())
                            + " of ensemble "
                            + header.ensembleId()
                            + ", it holds "
                            + Zxid.text(tree.zxid())
                            + " of "
                            + tree.ensemble().id());
        }
        // Made in another way, digests cannot be compared; the checksums have spoken for the
        // content.
        if (header.digestVersion() == Tree.DIGEST_VERSION && tree.digest() != header.digest()) {
            throw new DamagedException(
                    "what the backup holds has the digest "
                            + Long.toHexString(tree.digest())
                            + ", its header says "
                            + Long.toHexString(header.digest()));
        }
    }

    private static byte[] chunk(DataInputStream in, int length) throws IOException {
        int packedLength = in.readInt();
        int checksum = in.readInt();
        // Deflated bytes are never much longer than what they were made of.
        if (length < 0
                || length > MAX_CHUNK_BYTES
                || packedLength < 0
                || packedLength > length + (length >> 8) + 1024) {
            throw new DamagedException(
                    "a chunk of the backup has the lengths " + length + " and " + packedLength);
        }
        byte[] packed = in.readNBytes(packedLength);
        if (packed.length != packedLength) {
            throw new EOFException();
        }
        if (crc(packed) != checksum) {
            throw new DamagedException("a chunk of the backup does not fit its checksum");
        }
        var inflater = new Inflater();
        try {
            byte[] raw = new byte[length];
            inflater.setInput(packed);
            int at = 0;
            while (at < length) {
                int more = inflater.inflate(raw, at, length - at);
                if (more == 0) {
                    throw new DamagedException("a chunk of the backup is shorter than it says");
                }
                at += more;
            }
            return raw;
        } catch (DataFormatException e) {
            throw new DamagedException("a chunk of the backup cannot be unpacked", e);
        } finally {
            inflater.end();
        }
    }

    private static void load(byte[] chunk, Tree.Loader loader) throws IOException {
        var in = new DataInputStream(new ByteArrayInputStream(chunk));
        while (in.available() > 0) {
            int keyLength = in.readInt();
            int valueLength = in.readInt();
            if (keyLength < 0
                    || valueLength < 0
                    || (long) keyLength + valueLength > in.available()) {
                throw new DamagedException("an entry of the backup is longer than its chunk");
            }
            byte[] key = in.readNBytes(keyLength);
            byte[] value = in.readNBytes(valueLength);
            try {
                loader.accept(StateCodec.change(key, value));
            } catch (IllegalArgumentException e) {
                // Its checksum is good: this is what was written, by a release that knew more.
                throw new StoreException(
                        "the backup cannot be read: "
                                + e.getMessage()
                                + ". A newer release may have written it");
            }
        }
    }

    private static int crc(byte[] bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
