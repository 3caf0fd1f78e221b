package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/// A log that is read for a learner while it is written, cut and deleted from.
final class LogReaderTest {
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, StoreOptions.Tail.NONE, 0);

    private final SimDisk disk = new SimDisk();
    private final TxnCodec codec = new TxnCodec();
    private long ticket;
    private Store store;

    @BeforeEach
    void open() throws IOException {
        store =
                Store.open(
                        disk,
                        folder -> FileEngine.open(disk, folder),
                        1,
                        HashKey.KNOWN,
                        SMALL,
                        new Random(1)::nextLong);
    }

    private void append(long from, long to) throws IOException {
        List<DiskWork.Ordered> jobs = new ArrayList<>();
        for (long counter = from; counter <= to; counter++) {
            var payload =
                    codec.encode(
                            new Header(0, 1, 1, counter, 1),
                            new Txn.SetData("/a", new byte[(int) (counter % 90)], 1));
            jobs.add(
                    new DiskWork.Ordered(
                            ++ticket, new DiskOp.Append(Zxid.of(1, counter), payload, 0)));
        }
        store.work().perform(jobs, _ -> {});
    }

    private static List<Long> counters(List<LogEntry> entries) {
        return entries.stream().map(each -> Zxid.counter(each.zxid())).toList();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void readsFromAnyPlaceInPieces() throws IOException {
        append(1, 300);
        assertTrue(disk.list("log.1").size() > 5, "several segments");
        for (long after : new long[] {0, 1, 77, 150, 299}) {
            long from = after == 0 ? Zxid.NONE : Zxid.of(1, after);
            var all = new ArrayList<Long>();
            try (LogReader reader = store.reader()) {
                List<LogEntry> piece = reader.read(from, 1000);
                while (!piece.isEmpty()) {
                    all.addAll(counters(piece));
                    assertEquals(piece.getLast().zxid(), reader.last());
                    piece = reader.read(reader.last(), 1000);
                }
            }
            assertEquals(range(after + 1, 300), all);
        }
    }

    @Test
    void goesOnWhereTheLogGrows() throws IOException {
        append(1, 10);
        try (LogReader reader = store.reader()) {
            assertEquals(range(5, 10), counters(reader.read(Zxid.of(1, 4), 1 << 20)));
            assertEquals(List.of(), reader.read(Zxid.of(1, 10), 1 << 20));
            append(11, 200);
            assertEquals(range(11, 200), counters(reader.read(Zxid.of(1, 10), 1 << 20)));
        }
    }

    @Test
    void saysWhatIsNoLongerThere() throws IOException {
        append(1, 300);
        try (LogReader reader = store.reader()) {
            assertTrue(reader.bytesBehind(Zxid.of(1, 20)) > 10_000);
            store.work().perform(List.of(new DiskWork.Stored(Zxid.of(1, 200))), _ -> {});
            assertEquals(-1, reader.bytesBehind(Zxid.of(1, 20)));
            assertEquals(List.of(), reader.read(Zxid.of(1, 20), 1000));
            assertTrue(reader.bytesBehind(Zxid.of(1, 250)) > 0);
            assertEquals(251, counters(reader.read(Zxid.of(1, 250), 1)).getFirst());
        }
    }

    /// What a learner was promised stays, however far the state is, until it needs it no more.
    @Test
    void whatALearnerNeedsIsKept() throws IOException {
        append(1, 300);
        store.keep(7, Zxid.of(1, 20));
        store.keep(8, Zxid.of(1, 250));
        store.work().perform(List.of(new DiskWork.Stored(Zxid.of(1, 290))), _ -> {});
        try (LogReader reader = store.reader()) {
            assertEquals(21, counters(reader.read(Zxid.of(1, 20), 1)).getFirst());
        }
        store.letGo(7);
        store.work().perform(List.of(new DiskWork.Stored(Zxid.of(1, 290))), _ -> {});
        try (LogReader reader = store.reader()) {
            assertEquals(List.of(), reader.read(Zxid.of(1, 20), 1));
            assertEquals(251, counters(reader.read(Zxid.of(1, 250), 1)).getFirst());
        }
    }

    /// The end may just be in the making: a reader stops in front of it and never complains.
    @Test
    void stopsInFrontOfATornEnd() throws IOException {
        append(1, 3);
        append(4, 6);
        String segment = Segment.name(Zxid.of(1, 1));
        int end = disk.read("log.1/" + segment).length;
        byte[] bytes = disk.read("log.1/" + segment);
        while (bytes[end - 1] == 0) {
            end--;
        }
        disk.flip("log.1/" + segment, end - 1, 0);
        try (LogReader reader = store.reader()) {
            assertEquals(range(1, 3), counters(reader.read(Zxid.NONE, 1 << 20)));
        }
    }
}
