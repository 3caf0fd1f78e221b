package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogFormat.BatchHeader;
import dev.ensemble.server.store.LogFormat.SegmentHeader;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// Reads a log and tells a torn tail from corruption. Changes nothing.
///
/// A batch is written only when the one before it is on disk. So damage in front of a good header
/// is corruption, and damage that no later good header covers is what the last write left behind:
/// nobody was told that it is on disk (`safety.md` 8).
final class LogScan {
    /// What the reader of a log gets to see.
    interface Visitor {
        /// @param payload the transaction's bytes
        void entry(long zxid, byte[] payload) throws IOException;

        /// Called in front of the batch's entries.
        default void batch(String segment, BatchHeader header) {}
    }

    private static final int CHUNK_BYTES = 64 << 10;

    private final Disk disk;
    private final String folder;
    private final Visitor visitor;

    /// The good segments, in order.
    final List<Segment> segments = new ArrayList<>();

    /// The last file if not even its header was written; null if there is no such file.
    @Nullable String torn;

    /// The highest zxid known to be committed, as the batches say.
    long committed;

    private LogScan(Disk disk, String folder, Visitor visitor) {
        this.disk = disk;
        this.folder = folder;
        this.visitor = visitor;
    }

    /// Reads the log in `folder`.
    ///
    /// @param after entries up to this zxid are not needed; segments that hold nothing else are not
    ///   read
    /// @throws DamagedException if the log is not as it once was on disk
    static LogScan read(Disk disk, String folder, long after, Visitor visitor) throws IOException {
        var scan = new LogScan(disk, folder, visitor);
        scan.run(after);
        return scan;
    }

    private void run(long after) throws IOException {
        List<String> names = disk.list(folder).stream().filter(Segment::isName).toList();
        for (int i = 0; i < names.size(); i++) {
            boolean last = i == names.size() - 1;
            @Nullable SegmentHeader next = last ? null : header(names.get(i + 1));
            try (Disk.File file = disk.open(folder + "/" + names.get(i))) {
                if (next != null && next.previous() <= after) {
                    skip(names.get(i), file, next);
                } else {
                    segment(names.get(i), file, last, next);
                }
            }
        }
    }

    private @Nullable SegmentHeader header(String name) throws IOException {
        try (Disk.File file = disk.open(folder + "/" + name)) {
            return SegmentHeader.parse(read(file, 0, LogFormat.SEGMENT_HEADER_BYTES));
        }
    }

    private void skip(String name, Disk.File file, SegmentHeader next) throws IOException {
        SegmentHeader header = SegmentHeader.parse(read(file, 0, LogFormat.SEGMENT_HEADER_BYTES));
        // Nothing of it is needed, whatever became of it.
        long previous = header == null ? Zxid.NONE : header.previous();
        long id = header == null ? 0 : header.id();
        segments.add(new Segment(name, id, previous, next.previous(), file.size()));
    }

    private void segment(String name, Disk.File file, boolean last, @Nullable SegmentHeader next)
            throws IOException {
        SegmentHeader header = SegmentHeader.parse(read(file, 0, LogFormat.SEGMENT_HEADER_BYTES));
        if (header == null) {
            if (!last || isCovered(file, 0, null)) {
                throw damaged(name, 0, "has no good header");
            }
            torn = name;
            return;
        }
        if (!segments.isEmpty() && segments.getLast().last != header.previous()) {
            throw damaged(
                    name,
                    0,
                    "follows "
                            + Zxid.text(header.previous())
                            + ", but the segment before it ends at "
                            + Zxid.text(segments.getLast().last));
        }
        var segment =
                new Segment(
                        name,
                        header.id(),
                        header.previous(),
                        header.previous(),
                        LogFormat.SEGMENT_HEADER_BYTES);
        while (batch(segment, file)) {}
        // A next one without a header is the torn last file, or it is found to be damaged in its
        // turn.
        boolean whole =
                next == null
                        ? !isCovered(file, segment.end, header)
                        : next.previous() == segment.last;
        if (!whole) {
            throw damaged(name, segment.end, "was on disk once and is no longer good");
        }
        segments.add(segment);
    }

    /// Takes the batch at the segment's end. {@return whether there is a good one}
    private boolean batch(Segment segment, Disk.File file) throws IOException {
        BatchHeader header =
                BatchHeader.parse(
                        read(file, segment.end, LogFormat.BATCH_HEADER_BYTES), 0, segment.end);
        if (header == null
                || header.segment() != segment.id
                || header.length() < 0
                || header.end() > file.size()) {
            return false;
        }
        ByteBuffer body = read(file, segment.end + LogFormat.BATCH_HEADER_BYTES, header.length());
        if (body.limit() < header.length()
                || LogFormat.checksum(body, 0, header.length()) != header.bodyChecksum()) {
            return false;
        }
        var entries = new ArrayList<byte[]>();
        var zxids = new ArrayList<Long>();
        boolean fits =
                LogFormat.entries(
                        body,
                        header.count(),
                        (payload, zxid) -> {
                            entries.add(payload);
                            zxids.add(zxid);
                        });
        if (!fits || header.previous() != segment.last) {
            throw damaged(segment.name, segment.end, "holds a batch that does not belong there");
        }
        visitor.batch(segment.name, header);
        for (int i = 0; i < entries.size(); i++) {
            long zxid = zxids.get(i);
            if (!Zxid.follows(segment.last, zxid)) {
                throw damaged(
                        segment.name,
                        segment.end,
                        "has " + Zxid.text(zxid) + " behind " + Zxid.text(segment.last));
            }
            visitor.entry(zxid, entries.get(i));
            segment.last = zxid;
        }
        committed = Math.max(committed, header.committed());
        segment.end = header.end();
        return true;
    }

    /// {@return whether a good header behind `offset` says that the byte at `offset` was on disk}
    ///
    /// @param segment whose batches count; null for any
    private static boolean isCovered(Disk.File file, long offset, @Nullable SegmentHeader segment)
            throws IOException {
        long size = file.size();
        for (long start = offset; start < size; start += CHUNK_BYTES) {
            // Each chunk reaches into the next one, so that no header is cut in two.
            ByteBuffer chunk = read(file, start, CHUNK_BYTES + LogFormat.BATCH_HEADER_BYTES);
            for (int at = 0; at < CHUNK_BYTES && at < chunk.limit(); at += LogFormat.ALIGNMENT) {
                BatchHeader header = BatchHeader.parse(chunk, at, start + at);
                if (header != null
                        && header.synced() > offset
                        && (segment == null || segment.id() == header.segment())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static ByteBuffer read(Disk.File file, long position, int length) throws IOException {
        long there = Math.clamp(file.size() - position, 0, length);
        var buffer = ByteBuffer.allocate((int) there);
        file.read(position, buffer);
        return buffer.flip();
    }

    private DamagedException damaged(String name, long offset, String what) {
        return new DamagedException(
                "the log is corrupted: " + folder + "/" + name + " at byte " + offset + " " + what);
    }
}
