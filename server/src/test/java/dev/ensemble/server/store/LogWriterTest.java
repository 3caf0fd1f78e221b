package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

@Timeout(60)
final class LogWriterTest {
    private final SimDisk disk = new SimDisk();
    private final TxnCodec codec = new TxnCodec();

    /// Tickets as they are confirmed, and whatever went wrong.
    private final BlockingQueue<Object> told = new LinkedBlockingQueue<>();

    private final LogWriter.Listener listener =
            new LogWriter.Listener() {
                @Override
                public void persisted(long ticket) {
                    told.add(ticket);
                }

                @Override
                public void failed(Throwable cause) {
                    told.add(cause);
                }
            };

    private Store open(StoreOptions options) throws IOException {
        return Store.open(
                disk,
                folder -> FileEngine.open(disk, folder),
                1,
                HashKey.KNOWN,
                options,
                new Random(1)::nextLong);
    }

    private DiskOp append(long counter) {
        long zxid = Zxid.of(1, counter);
        return new DiskOp.Append(
                zxid,
                codec.encode(new Header(0, 1, 1, 1, 1), new Txn.SetData("/a", new byte[90], 1)),
                Zxid.NONE);
    }

    @Test
    void confirmsInOrder() throws Exception {
        try (Store store = open(StoreOptions.DEFAULT)) {
            LogWriter log = store.startLog(listener);
            log.submit(1, new DiskOp.Epochs(1, 0));
            log.submit(2, append(1));
            log.submit(3, append(2));
            log.submit(4, new DiskOp.Truncate(Zxid.of(1, 1)));
            log.submit(5, append(2));
            log.submit(6, new DiskOp.Epochs(1, 1));
        }
        var confirmed = new ArrayList<Object>(told);
        assertEquals(6L, confirmed.getLast());
        assertEquals(confirmed.stream().sorted().toList(), confirmed);
        try (Store store = open(StoreOptions.DEFAULT)) {
            assertEquals(Zxid.of(1, 2), store.recovered().logEnd());
            assertEquals(1, store.recovered().currentEpoch());
        }
    }

    /// What gathers while the disk is busy shares one sync, as far as a batch may grow.
    @Test
    void gathersWhatWaits() throws Exception {
        var inFirst = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var gate =
                new LogWriter.Listener() {
                    @Override
                    public void persisted(long ticket) {
                        told.add(ticket);
                        inFirst.countDown();
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }

                    @Override
                    public void failed(Throwable cause) {
                        told.add(cause);
                    }
                };
        int each = TxnLog.entryBytes((DiskOp.Append) append(1));
        try (Store store =
                open(
                        new StoreOptions(
                                1 << 20,
                                4096,
                                40 * each,
                                1000,
                                new StoreOptions.Tail(1, 0, 0),
                                0))) {
            LogWriter log = store.startLog(gate);
            log.submit(0, new DiskOp.Epochs(1, 1));
            inFirst.await();
            long minute = TimeUnit.MINUTES.toNanos(1);
            assertTrue(log.busyNanos(System.nanoTime() + minute) >= minute, "liveness sees that");
            for (long i = 1; i <= 100; i++) {
                log.submit(i, append(i));
            }
            go.countDown();
            log.close();
            assertEquals(List.of(0L, 40L, 80L, 100L), new ArrayList<>(told));
            assertEquals(3, store.metrics().syncMicros().count());
            assertEquals(100, store.metrics().batchEntries().sum());
            assertEquals(40, store.metrics().batchEntries().max());
            assertEquals(Zxid.of(1, 100), log.synced());
        }
    }

    /// A failed write or sync is told once; nothing is confirmed or tried after it, and nobody
    /// waits for the thread for ever.
    @Test
    void failureIsTheEnd() throws Exception {
        for (int failing = 0; failing < 12; failing++) {
            told.clear();
            var failed = new SimDisk();
            long operations;
            var small = new StoreOptions(4096, 512, 1, 2, new StoreOptions.Tail(1, 0, 0), 0);
            try (Store store =
                    Store.open(
                            failed,
                            folder -> FileEngine.open(failed, folder),
                            1,
                            HashKey.KNOWN,
                            small,
                            new Random(1)::nextLong)) {
                failed.failAfter(failing);
                LogWriter log = store.startLog(listener);
                for (long i = 1; i <= 100; i++) {
                    log.submit(i, append(i));
                }
                log.close();
                operations = failed.operations();
                log.submit(101, append(101));
            }
            var all = new ArrayList<Object>(told);
            assertTrue(all.getLast() instanceof IOException, all.toString());
            assertEquals(1, all.stream().filter(Throwable.class::isInstance).count());
            assertTrue(all.size() <= failing + 1);
            assertEquals(operations, failed.operations(), "the disk is left alone afterwards");
        }
    }

    @Test
    void orderThatMakesNoSenseIsTheEnd() throws Exception {
        try (Store store = open(StoreOptions.DEFAULT)) {
            LogWriter log = store.startLog(listener);
            log.submit(1, append(1));
            log.submit(2, append(3));
        }
        var all = new ArrayList<Object>(told);
        assertTrue(all.getLast() instanceof IllegalStateException, all.toString());
    }
}
