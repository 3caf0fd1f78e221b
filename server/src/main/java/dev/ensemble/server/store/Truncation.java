package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogFormat.BatchHeader;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A cut of the log's end, written down as a whole before it begins, so that a crash in the middle
/// of it only means that it is done again.
///
/// A cut inside a batch rewrites what stays of the batch, which has long been acked: that is in the
/// record too.
///
/// @param segment name of the last segment that stays; empty if none does
/// @param offset where in it the last batch begins that keeps anything
/// @param batch that batch, as it is to be
/// @param last zxid of the last entry that stays; if none does, what the log begins behind from now
///   on
record Truncation(String segment, long offset, byte[] batch, long last) {
    private static final String FILE = "truncation";
    private static final String TEMPORARY = FILE + ".tmp";
    private static final int MAGIC = 0x454e5354; // ENST
    private static final int FIXED_BYTES = 4 + 8 + 8 + 4 + 4 + 4;

    /// {@return how many entries stay of the last batch}
    private int count() {
        BatchHeader header = BatchHeader.parse(ByteBuffer.wrap(batch), 0, offset);
        return header == null ? 0 : header.count();
    }

    /// {@return where the segment that stays ends}
    long end() {
        return offset + batch.length;
    }

    /// Works out the cut behind `zxid`, which is not in front of the log.
    static Truncation of(Disk disk, String folder, List<Segment> segments, long zxid)
            throws IOException {
        for (Segment segment : segments.reversed()) {
            if (segment.previous < zxid) {
                Truncation cut;
                try (Disk.File file = disk.open(folder + "/" + segment.name)) {
                    cut = of(file, segment.name, zxid);
                }
                // Between two epochs there are zxids that no entry has: then the entry before
                // counts.
                return cut.count() > 0 ? cut : of(disk, folder, segments, cut.last());
            }
        }
        return new Truncation("", 0, new byte[0], zxid);
    }

    private static Truncation of(Disk.File file, String segment, long zxid) throws IOException {
        @Nullable BatchHeader keeps = null;
        @Nullable BatchHeader next = header(file, LogFormat.SEGMENT_HEADER_BYTES);
        while (next != null && next.previous() < zxid) {
            keeps = next;
            next = header(file, next.end());
        }
        if (keeps == null) {
            throw new DamagedException("the segment " + segment + " has no batch");
        }
        return of(file, segment, keeps, zxid);
    }

    private static Truncation of(Disk.File file, String segment, BatchHeader header, long zxid)
            throws IOException {
        var body = ByteBuffer.allocate(header.length());
        file.read(header.offset() + LogFormat.BATCH_HEADER_BYTES, body);
        var kept = ByteBuffer.allocate(LogFormat.batchBytes(header.length()));
        kept.position(LogFormat.BATCH_HEADER_BYTES);
        int[] count = {0};
        long[] last = {header.previous()};
        LogFormat.entries(
                body.flip(),
                header.count(),
                (payload, each) -> {
                    if (each <= zxid) {
                        LogFormat.putEntry(kept, each, payload);
                        count[0]++;
                        last[0] = each;
                    }
                });
        int length = kept.position() - LogFormat.BATCH_HEADER_BYTES;
        int checksum = LogFormat.checksum(kept, LogFormat.BATCH_HEADER_BYTES, length);
        kept.position(0);
        new BatchHeader(
                        header.segment(),
                        header.offset(),
                        header.synced(),
                        header.previous(),
                        header.committed(),
                        count[0],
                        length,
                        checksum)
                .put(kept);
        byte[] batch = new byte[LogFormat.batchBytes(length)];
        kept.get(0, batch);
        return new Truncation(segment, header.offset(), batch, last[0]);
    }

    private static @Nullable BatchHeader header(Disk.File file, long offset) throws IOException {
        var buffer = ByteBuffer.allocate(LogFormat.BATCH_HEADER_BYTES);
        file.read(offset, buffer);
        return BatchHeader.parse(buffer.flip(), 0, offset);
    }

    /// Writes the record; from here on the cut happens.
    void store(Disk disk, String folder) throws IOException {
        byte[] name = segment.getBytes(StandardCharsets.US_ASCII);
        var record = ByteBuffer.allocate(FIXED_BYTES + name.length + batch.length);
        record.putInt(MAGIC).putLong(offset).putLong(last).putInt(name.length);
        record.putInt(batch.length).put(name).put(batch);
        record.putInt(LogFormat.checksum(record, 0, record.position()));
        try (Disk.File file = disk.create(folder + "/" + TEMPORARY)) {
            file.write(0, record.flip());
            file.force();
        }
        disk.rename(folder + "/" + TEMPORARY, folder + "/" + FILE);
        disk.syncFolder(folder);
    }

    /// Does what a stored record says, if there is one, and removes it.
    static void finish(Disk disk, String folder) throws IOException {
        disk.delete(folder + "/" + TEMPORARY);
        if (disk.exists(folder + "/" + FILE)) {
            read(disk, folder).perform(disk, folder);
            disk.delete(folder + "/" + FILE);
            // Before anything is appended: this must never be done a second time over new entries.
            disk.syncFolder(folder);
        }
    }

    /// {@return whether a cut is not finished yet}
    static boolean isPending(Disk disk, String folder) throws IOException {
        return disk.exists(folder + "/" + FILE);
    }

    private static Truncation read(Disk disk, String folder) throws IOException {
        var record = ByteBuffer.wrap(disk.read(folder + "/" + FILE));
        int body = record.limit() - 4;
        if (record.limit() < FIXED_BYTES
                || record.getInt(body) != LogFormat.checksum(record, 0, body)
                || record.getInt() != MAGIC) {
            throw new DamagedException("the log is corrupted: " + folder + "/" + FILE);
        }
        long offset = record.getLong();
        long last = record.getLong();
        byte[] name = new byte[record.getInt()];
        byte[] batch = new byte[record.getInt()];
        record.get(name).get(batch);
        return new Truncation(new String(name, StandardCharsets.US_ASCII), offset, batch, last);
    }

    private void perform(Disk disk, String folder) throws IOException {
        for (String name : disk.list(folder)) {
            if (Segment.isName(name) && name.compareTo(segment) > 0) {
                disk.delete(folder + "/" + name);
            }
        }
        disk.syncFolder(folder);
        if (segment.isEmpty()) {
            TxnLog.storeBase(disk, folder, last);
            return;
        }
        try (Disk.File file = disk.open(folder + "/" + segment)) {
            long size = file.size();
            file.write(offset, ByteBuffer.wrap(batch));
            Zeroes.fill(file, end(), size);
            file.force();
        }
    }

    @Override
    public String toString() {
        return "cut behind " + Zxid.text(last) + (segment.isEmpty() ? "" : " in " + segment);
    }
}
