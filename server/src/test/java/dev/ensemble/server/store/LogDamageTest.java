package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// A log that is not as it was written: what is cut is the last batch at most, and everything else
/// is told as corruption.
final class LogDamageTest {
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 4096, 16, new StoreOptions.Tail(1, 0, 0), 0);

    private final TxnCodec codec = new TxnCodec();
    private final Random ids = new Random(11);

    private SimDisk disk = new SimDisk();

    private static List<Long> zxids(long... counters) {
        var zxids = new ArrayList<Long>();
        for (long counter : counters) {
            zxids.add(Zxid.of(1, counter));
        }
        return zxids;
    }

    private List<DiskOp.Append> batch(int dataBytes, long... counters) {
        var batch = new ArrayList<DiskOp.Append>();
        for (long zxid : zxids(counters)) {
            var payload =
                    codec.encode(
                            new Header(0, 1, 1, zxid, 0),
                            new Txn.SetData("/a", new byte[dataBytes], 1));
            batch.add(new DiskOp.Append(zxid, payload, Zxid.NONE));
        }
        return batch;
    }

    private TxnLog create() throws IOException {
        return TxnLog.create(disk, "log.1", Zxid.NONE, SMALL, ids::nextLong, new LogMetrics());
    }

    private List<Long> read(SimDisk from) throws IOException {
        var found = new ArrayList<Long>();
        TxnLog.open(
                        from,
                        "log.1",
                        Zxid.NONE,
                        (zxid, _) -> found.add(zxid),
                        SMALL,
                        ids::nextLong,
                        new LogMetrics())
                .close();
        return found;
    }

    private SimDisk copy() {
        return disk.after(SimDisk.Loss.KEPT, new Random(1));
    }

    /// Three batches in one segment, or two segments with two each: any bit of any byte, one at a
    /// time.
    @Test
    void everyBitCounts() throws IOException {
        try (TxnLog log = create()) {
            log.append(batch(10, 1, 2));
            log.append(batch(10, 3));
            log.append(batch(10, 4, 5));
        }
        flipEveryBit(zxids(1, 2, 3, 4, 5), zxids(1, 2, 3));
        disk = new SimDisk();
        try (TxnLog log = create()) {
            log.append(batch(900, 1, 2));
            log.append(batch(900, 3));
            log.append(batch(900, 4, 5));
            log.append(batch(900, 6));
            assertEquals(2, log.segmentCount());
        }
        flipEveryBit(zxids(1, 2, 3, 4, 5, 6), zxids(1, 2, 3, 4, 5));
    }

    private void flipEveryBit(List<Long> all, List<Long> withoutLastBatch) throws IOException {
        int corrupted = 0;
        int cut = 0;
        int harmless = 0;
        var random = new Random(3);
        for (String name : disk.list("log.1")) {
            int size = disk.read("log.1/" + name).length;
            for (int at = 0; at < size; at++) {
                SimDisk flipped = copy();
                flipped.flip("log.1/" + name, at, random.nextInt(8));
                try {
                    List<Long> found = read(flipped);
                    if (found.equals(all)) {
                        harmless++;
                    } else {
                        assertEquals(withoutLastBatch, found, name + " byte " + at);
                        cut++;
                    }
                    // What was cut is gone for good: nobody finds it at the next start.
                    assertEquals(found, read(flipped));
                } catch (DamagedException _) {
                    corrupted++;
                }
            }
        }
        assertTrue(corrupted > 200, "corrupted " + corrupted);
        assertTrue(cut > 60, "cut " + cut);
        assertTrue(harmless > 30, "harmless " + harmless);
    }

    @Test
    void lostSegmentIsTold() throws IOException {
        try (TxnLog log = create()) {
            for (long i = 1; i <= 8; i++) {
                log.append(batch(900, i));
            }
            assertEquals(3, log.segmentCount());
        }
        List<String> segments = disk.list("log.1").stream().filter(Segment::isName).toList();
        for (String lost : segments.subList(0, 2)) {
            SimDisk without = copy();
            without.delete("log.1/" + lost);
            assertThrows(DamagedException.class, () -> read(without));
        }
        SimDisk swapped = copy();
        swapped.rename("log.1/" + segments.get(0), "log.1/" + segments.get(1));
        assertThrows(DamagedException.class, () -> read(swapped));
        SimDisk baseless = copy();
        baseless.delete("log.1/base");
        assertThrows(DamagedException.class, () -> read(baseless));
    }

    /// Bytes of an earlier life of the same file, exactly where they were, are not believed.
    @Test
    void oldBytesAreNotBelieved() throws IOException {
        try (TxnLog log = create()) {
            log.append(batch(10, 1));
            log.append(batch(10, 2));
        }
        String name = "log.1/" + Segment.name(Zxid.of(1, 1));
        byte[] old = disk.read(name);
        disk = new SimDisk();
        try (TxnLog log = create()) {
            log.append(batch(10, 1));
        }
        int end =
                LogFormat.SEGMENT_HEADER_BYTES
                        + LogFormat.batchBytes(TxnLog.entryBytes(batch(10, 1).getFirst()));
        try (Disk.File file = disk.open(name)) {
            file.write(end, ByteBuffer.wrap(old, end, old.length - end));
            file.force();
        }
        assertEquals(zxids(1), read(disk));
    }

    @Test
    void truncationLeavesNothingBehind() throws IOException {
        try (TxnLog log = create()) {
            log.append(batch(900, 1, 2, 3));
            log.append(batch(900, 4, 5));
            log.append(batch(900, 6));
            log.append(batch(900, 7, 8));
            log.truncate(Zxid.of(1, 2));
            assertEquals(Zxid.of(1, 2), log.end());
            log.append(batch(10, 3));
        }
        assertEquals(zxids(1, 2, 3), read(copy()));
        var segments = disk.list("log.1").stream().filter(Segment::isName).toList();
        assertEquals(1, segments.size());
        byte[] content = disk.read("log.1/" + segments.getFirst());
        int magic = 0;
        for (int i = 0; i + 4 <= content.length; i += 4) {
            magic += ByteBuffer.wrap(content).getInt(i) == LogFormat.BATCH_MAGIC ? 1 : 0;
        }
        assertEquals(2, magic, "batches that are left anywhere in the file");
    }

    @Test
    void truncationToNothingAndBetweenEpochs() throws IOException {
        try (TxnLog log = create()) {
            log.append(batch(10, 1, 2));
            var next =
                    new DiskOp.Append(
                            Zxid.of(3, 1), batch(10, 1).getFirst().payload(), Zxid.of(1, 1));
            log.append(List.of(next));
            log.truncate(Zxid.of(2, 0));
            assertEquals(Zxid.of(1, 2), log.end());
            log.append(List.of(next));
            assertThrows(IllegalStateException.class, () -> log.truncate(Zxid.NONE));
        }
        disk = new SimDisk();
        try (TxnLog log = create()) {
            log.append(batch(10, 1, 2));
            log.truncate(Zxid.NONE);
            assertEquals(Zxid.NONE, log.end());
            assertEquals(0, log.segmentCount());
            log.append(batch(10, 1));
        }
        assertEquals(zxids(1), read(disk));
    }

    @Test
    void gapsAreRefused() throws IOException {
        try (TxnLog log = create()) {
            log.append(batch(10, 1));
            assertThrows(IllegalStateException.class, () -> log.append(batch(10, 3)));
            log.append(batch(10, 2));
        }
        assertEquals(zxids(1, 2), read(disk));
    }
}
