package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogFormat.BatchHeader;
import dev.ensemble.server.store.LogFormat.SegmentHeader;
import dev.ensemble.server.zab.DiskOp;

import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// The log of transactions: segments of batches, each batch on disk before the next one is written.
///
/// Owned by the log thread once it is open. An operation that failed leaves the log unusable, since
/// nobody knows what a failed fsync has left on disk: a restart reads what is there.
final class TxnLog implements Closeable {
    private static final String BASE = "base";
    private static final int BUFFER_BYTES = 256 << 10;

    private final Disk disk;
    private final String folder;
    private final StoreOptions options;
    private final LongSupplier ids;
    private final List<Segment> segments = new ArrayList<>();
    private final LogMetrics metrics;
    private final Reserve reserve;

    private Disk.@Nullable File active;
    private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

    /// How far the active segment is filled with zeroes.
    private long filled;

    /// The zxid in front of the log, of which nothing is here.
    private long base;

    private long end;
    private long committed;
    private boolean broken;

    private TxnLog(
            Disk disk, String folder, StoreOptions options, LongSupplier ids, LogMetrics metrics) {
        this.disk = disk;
        this.folder = folder;
        this.options = options;
        this.ids = ids;
        this.metrics = metrics;
        this.reserve = new Reserve(disk, options);
    }

    /// Makes an empty log in a new folder.
    ///
    /// @param base zxid that it begins behind
    /// @param ids gives random numbers, for the segments
    static TxnLog create(
            Disk disk,
            String folder,
            long base,
            StoreOptions options,
            LongSupplier ids,
            LogMetrics metrics)
            throws IOException {
        disk.delete(folder);
        disk.makeFolder(folder);
        var log = new TxnLog(disk, folder, options, ids, metrics);
        storeBase(disk, folder, base);
        disk.syncFolder(Disk.ROOT);
        log.base = base;
        log.end = base;
        return log;
    }

    /// Opens a log: ends a truncation that a crash interrupted, cuts a torn tail.
    ///
    /// @param after zxid of the stored state: entries up to it are not handed over
    /// @param visitor gets the entries in order
    /// @throws DamagedException if the log is lost, corrupted or older than the state
    static TxnLog open(
            Disk disk,
            String folder,
            long after,
            LogScan.Visitor visitor,
            StoreOptions options,
            LongSupplier ids,
            LogMetrics metrics)
            throws IOException {
        var log = new TxnLog(disk, folder, options, ids, metrics);
        Truncation.finish(disk, folder);
        log.load(after, visitor);
        return log;
    }

    /// {@return the zxid that the log in `folder` began behind}
    static long base(Disk disk, String folder) throws IOException {
        var file = new TextFile(folder + "/" + BASE);
        if (!disk.exists(file.name())) {
            throw new DamagedException("the log is lost: there is no " + file.name());
        }
        return file.number(file.read(disk), BASE, 16);
    }

    static void storeBase(Disk disk, String folder, long zxid) throws IOException {
        new TextFile(folder + "/" + BASE).write(disk, Map.of(BASE, Long.toHexString(zxid)));
    }

    private void load(long after, LogScan.Visitor visitor) throws IOException {
        base = base(disk, folder);
        LogScan scan =
                LogScan.read(
                        disk,
                        folder,
                        after,
                        (zxid, payload) -> {
                            if (zxid > after) {
                                visitor.entry(zxid, payload);
                            }
                        });
        segments.addAll(scan.segments);
        committed = scan.committed;
        cut(scan.torn);
        end = segments.isEmpty() ? base : segments.getLast().last;
        long start = segments.isEmpty() ? base : segments.getFirst().previous;
        if (start > after) {
            throw new DamagedException(
                    "the log begins behind "
                            + Zxid.text(start)
                            + ", the state is of "
                            + Zxid.text(after)
                            + ": what lies between is lost");
        }
        if (end < after) {
            throw new DamagedException(
                    "the log ends at "
                            + Zxid.text(end)
                            + ", the state is of "
                            + Zxid.text(after)
                            + ": the log's end is lost");
        }
    }

    /// Removes what the last write before a crash left behind, so that it can never be taken for
    /// more than that.
    private void cut(@Nullable String torn) throws IOException {
        if (!segments.isEmpty() && segments.getLast().end == LogFormat.SEGMENT_HEADER_BYTES) {
            // Not a single batch: nobody was told of it, and the next entry may want another name
            // for it.
            disk.delete(folder + "/" + segments.removeLast().name);
            disk.syncFolder(folder);
        }
        if (torn != null) {
            disk.delete(folder + "/" + torn);
            disk.syncFolder(folder);
        }
        if (!segments.isEmpty()) {
            openActive();
        }
    }

    private void openActive() throws IOException {
        Segment last = segments.getLast();
        active = disk.open(folder + "/" + last.name);
        filled = active.size();
        if (Zeroes.fill(active, last.end, filled)) {
            active.force();
        }
    }

    /// {@return the zxid of the last entry, or what the log begins behind}
    long end() {
        return end;
    }

    /// {@return the highest zxid known to be committed, as the log says; 0 if it says nothing}
    long committed() {
        return committed;
    }

    /// {@return how many segments there are}
    int segmentCount() {
        return segments.size();
    }

    /// Writes these entries as one batch. They are on disk when this returns.
    ///
    /// @throws IllegalStateException if they do not follow the log's end
    void append(List<DiskOp.Append> entries) throws IOException {
        int length = 0;
        long last = end;
        long known = committed;
        for (DiskOp.Append entry : entries) {
            if (!Zxid.follows(last, entry.zxid())) {
                throw new IllegalStateException(
                        Zxid.text(entry.zxid()) + " does not follow " + Zxid.text(last));
            }
            last = entry.zxid();
            known = Math.max(known, entry.committed());
            length = Math.addExact(length, entryBytes(entry));
        }
        begin();
        int bytes = LogFormat.batchBytes(length);
        Segment segment = segments.isEmpty() ? null : segments.getLast();
        if (segment == null
                || active == null
                || segment.end + bytes > options.segmentBytes()
                || (segment.end + bytes > filled && reserve.isNeeded(folder, bytes))) {
            roll(entries, length, known);
        } else {
            put(
                    new BatchHeader(segment.id, segment.end, segment.end, end, known, 0, length, 0),
                    entries);
            write(active, segment.end, segment.end + bytes);
            segment.end += bytes;
            segment.last = last;
        }
        end = last;
        committed = known;
        broken = false;
    }

    /// {@return how many bytes the entry takes in a batch}
    static int entryBytes(DiskOp.Append entry) {
        return Math.addExact(LogFormat.ENTRY_HEADER_BYTES, entry.payload().bytes().length);
    }

    private void begin() {
        if (broken) {
            throw new IllegalStateException("the log has failed before; only a restart helps");
        }
        broken = true; // Until the operation has ended well.
    }

    private void roll(List<DiskOp.Append> entries, int length, long known) throws IOException {
        closeActive();
        var segment =
                new Segment(
                        Segment.name(entries.getFirst().zxid()),
                        ids.getAsLong(),
                        end,
                        entries.getLast().zxid(),
                        LogFormat.SEGMENT_HEADER_BYTES + LogFormat.batchBytes(length));
        int start = LogFormat.SEGMENT_HEADER_BYTES;
        ensureBuffer(start + LogFormat.batchBytes(length));
        new SegmentHeader(segment.id, end).put(buffer);
        put(new BatchHeader(segment.id, start, 0, end, known, 0, length, 0), entries);
        String name = folder + "/" + segment.name;
        active = reserve.take(folder, name, segment.end) ? disk.open(name) : disk.create(name);
        filled = active.size();
        write(active, 0, segment.end);
        // Only now can a crash no longer lose the file's name.
        disk.syncFolder(folder);
        segments.add(segment);
    }

    /// Puts a batch behind what is in the buffer; count and checksum of the header are filled in.
    private void put(BatchHeader header, List<DiskOp.Append> entries) {
        int start = buffer.position();
        ensureBuffer(start + LogFormat.batchBytes(header.length()));
        int body = start + LogFormat.BATCH_HEADER_BYTES;
        buffer.position(body);
        entries.forEach(each -> LogFormat.putEntry(buffer, each.zxid(), each.payload().bytes()));
        finish(header, start, entries.size());
    }

    private void finish(BatchHeader header, int start, int count) {
        int body = start + LogFormat.BATCH_HEADER_BYTES;
        int padding = LogFormat.batchBytes(header.length()) - (buffer.position() - start);
        LogFormat.putZeroes(buffer, padding);
        int checksum = LogFormat.checksum(buffer, body, header.length());
        int behind = buffer.position();
        buffer.position(start);
        new BatchHeader(
                        header.segment(),
                        header.offset(),
                        header.synced(),
                        header.previous(),
                        header.committed(),
                        count,
                        header.length(),
                        checksum)
                .put(buffer);
        buffer.position(behind);
    }

    private void ensureBuffer(int bytes) {
        if (buffer.capacity() < bytes) {
            var larger = ByteBuffer.allocateDirect(Math.max(bytes, buffer.capacity() * 2));
            larger.put(buffer.flip());
            buffer = larger;
        }
    }

    /// Writes the buffer at `position`, grows the file with zeroes if it ends at `to`, and syncs
    /// it.
    private void write(Disk.File file, long position, long to) throws IOException {
        long began = System.nanoTime();
        int bytes = buffer.position();
        file.write(position, buffer.flip());
        if (to > filled) {
            long grown = (to + options.growBytes() - 1) / options.growBytes() * options.growBytes();
            filled = Math.max(to, Math.min(grown, options.segmentBytes()));
            Zeroes.write(file, to, filled);
        }
        file.force();
        if (buffer.capacity() > 2 * Math.max(BUFFER_BYTES, options.batchBytes())) {
            buffer = ByteBuffer.allocateDirect(BUFFER_BYTES); // A giant came by.
        }
        buffer.clear();
        metrics.synced(bytes, System.nanoTime() - began);
    }

    /// Removes every entry behind `zxid`. What it cuts is zeroed, and all of it on disk when this
    /// returns.
    ///
    /// @throws IllegalStateException if that would remove what is known to be committed, or what is
    ///   not here
    void truncate(long zxid) throws IOException {
        if (zxid >= end) {
            return;
        }
        if (zxid < (segments.isEmpty() ? base : segments.getFirst().previous)) {
            throw new IllegalStateException(
                    "truncation to " + Zxid.text(zxid) + " is below all that the log holds");
        }
        if (zxid < committed) {
            throw new IllegalStateException(
                    "truncation to "
                            + Zxid.text(zxid)
                            + " would remove committed transactions up to "
                            + Zxid.text(committed));
        }
        begin();
        closeActive();
        Truncation cut = Truncation.of(disk, folder, segments, zxid);
        cut.store(disk, folder);
        Truncation.finish(disk, folder);
        segments.removeIf(each -> each.name.compareTo(cut.segment()) > 0);
        if (segments.isEmpty()) {
            base = cut.last();
        } else {
            segments.getLast().last = cut.last();
            segments.getLast().end = cut.end();
            openActive();
        }
        end = cut.last();
        broken = false;
    }

    /// Makes what is missing of the reserve.
    void fillReserve() throws IOException {
        reserve.fill(folder);
    }

    /// Sees to it that small files can be written, in other folders.
    void makeRoom() throws IOException {
        reserve.makeRoom(folder);
    }

    /// {@return whether all of the reserve is there}
    boolean isReserveFull() throws IOException {
        return reserve.isFull(folder);
    }

    /// Deletes full segments that hold nothing behind `stored`, but for a tail.
    ///
    /// @param stored zxid that was read back from the state on disk (`safety.md` 2)
    void deleteUpTo(long stored, StoreOptions.Tail tail) throws IOException {
        begin();
        while (isFirstDue(stored, tail)) {
            disk.delete(folder + "/" + segments.getFirst().name);
            // One after the other: should only some of it survive a crash, the rest must still be
            // without a hole.
            disk.syncFolder(folder);
            segments.removeFirst();
        }
        broken = false;
    }

    private boolean isFirstDue(long stored, StoreOptions.Tail tail) throws IOException {
        long bytes = 0;
        int full = 0;
        while (full + 1 < segments.size() && segments.get(full + 1).previous <= stored) {
            bytes += segments.get(full).end;
            full++;
        }
        return full > tail.segments()
                && bytes > tail.bytes()
                && (tail.millis() == 0
                        || disk.ageMillis(folder + "/" + segments.getFirst().name)
                                >= tail.millis());
    }

    private void closeActive() throws IOException {
        if (active != null) {
            active.close();
            active = null;
        }
    }

    @Override
    public void close() throws IOException {
        closeActive();
    }
}
