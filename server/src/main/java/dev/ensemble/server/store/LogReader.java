package dev.ensemble.server.store;

import dev.ensemble.server.store.LogFormat.BatchHeader;
import dev.ensemble.server.store.LogFormat.SegmentHeader;

import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// Reads the log from some transaction on, piece by piece, beside the log thread that appends to it
/// and deletes from it: what a learner lacks and memory no longer holds.
///
/// What it cannot read it says is not there, and never that something is damaged: the end may just
/// be in the making. For one thread.
public final class LogReader implements Closeable {
    private final Disk disk;
    private final String folder;
    private final TxnCodec codec = new TxnCodec();

    private Disk.@Nullable File file;
    private String name = "";
    private long id;
    private long offset;

    /// The zxid in front of the batch at `offset`.
    private long last;

    LogReader(Disk disk, String folder) {
        this.disk = disk;
        this.folder = folder;
    }

    /// {@return how many bytes of log there are behind `after`, about; -1 if it is not all there}
    public long bytesBehind(long after) throws IOException {
        long bytes = 0;
        boolean reachesBack = false;
        List<String> names = segments();
        for (int i = names.size() - 1; i >= 0 && !reachesBack; i--) {
            try (Disk.File each = disk.open(folder + "/" + names.get(i))) {
                SegmentHeader header = header(each);
                if (header == null) {
                    return -1;
                }
                bytes += each.size();
                reachesBack = header.previous() <= after;
            }
        }
        return reachesBack ? bytes : -1;
    }

    /// {@return the zxid of the entry that was read last; what it stands in front of if there is
    /// none}
    public long last() {
        return last;
    }

    private List<String> segments() throws IOException {
        return disk.list(folder).stream().filter(Segment::isName).toList();
    }

    private static @Nullable SegmentHeader header(Disk.File from) throws IOException {
        return SegmentHeader.parse(read(from, 0, LogFormat.SEGMENT_HEADER_BYTES));
    }

    /// {@return entries behind `after`, contiguous, the first right behind it; none if the log does
    /// not reach back so far, or not yet behind it}
    ///
    /// @param bytes about so many
    public List<LogEntry> read(long after, int bytes) throws IOException {
        if (file == null || last > after) {
            seek(after);
        }
        var entries = new ArrayList<LogEntry>();
        long[] size = {0};
        while (file != null && size[0] < bytes && batch(after, entries, size)) {}
        return entries;
    }

    /// Goes to the segment that holds what follows `after`.
    private void seek(long after) throws IOException {
        close();
        String found = null;
        for (String each : segments()) {
            try (Disk.File candidate = disk.open(folder + "/" + each)) {
                SegmentHeader header = header(candidate);
                if (header == null || header.previous() > after) {
                    break;
                }
                found = each;
            }
        }
        if (found != null) {
            enter(found);
        }
    }

    private boolean enter(String segment) throws IOException {
        close();
        Disk.File opened = disk.open(folder + "/" + segment);
        SegmentHeader header = header(opened);
        if (header == null) {
            opened.close();
            return false;
        }
        file = opened;
        name = segment;
        id = header.id();
        last = header.previous();
        offset = LogFormat.SEGMENT_HEADER_BYTES;
        return true;
    }

    /// Takes the next batch, or goes to the next segment. {@return whether it did}
    private boolean batch(long after, List<LogEntry> entries, long[] size) throws IOException {
        Disk.File from = java.util.Objects.requireNonNull(file);
        BatchHeader header =
                BatchHeader.parse(read(from, offset, LogFormat.BATCH_HEADER_BYTES), 0, offset);
        if (header == null || header.segment() != id || header.previous() != last) {
            return nextSegment();
        }
        ByteBuffer body = read(from, offset + LogFormat.BATCH_HEADER_BYTES, header.length());
        if (body.limit() < header.length()
                || LogFormat.checksum(body, 0, header.length()) != header.bodyChecksum()) {
            return false;
        }
        long[] end = {last};
        boolean good =
                LogFormat.entries(
                        body,
                        header.count(),
                        (payload, zxid) -> {
                            if (zxid > after) {
                                entries.add(new LogEntry(zxid, codec.decode(payload)));
                                size[0] += payload.length;
                            }
                            end[0] = zxid;
                        });
        if (!good) {
            return false;
        }
        last = end[0];
        offset = header.end();
        return true;
    }

    private boolean nextSegment() throws IOException {
        for (String each : segments()) {
            if (each.compareTo(name) > 0) {
                long was = last;
                return enter(each) && last == was;
            }
        }
        return false;
    }

    private static ByteBuffer read(Disk.File from, long position, int length) throws IOException {
        long there = Math.clamp(from.size() - position, 0, Math.max(length, 0));
        var buffer = ByteBuffer.allocate((int) there);
        from.read(position, buffer);
        return buffer.flip();
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
