package dev.ensemble.server.tool.bench;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogWriter;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.store.TxnCodec;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/// Measures a disk as a member uses it: syncs of the log, and differences of the tree flushed to
/// the state.
///
/// Works in folders of its own and deletes them.
public final class StoreLoad {
    private static final List<Integer> BATCHES = List.of(1, 8, 64, 512);
    private static final int IN_LOG_AT_ONCE = 4096;
    private static final long EPOCH = 1;
    private static final HashKey KEY = new HashKey(1, 2);

    private final Path folder;
    private final int znodes;
    private final int size;
    private final long nanosEach;
    private final TxnCodec codec = new TxnCodec();

    /// @param folder on the disk to measure
    /// @param znodes of the tree that is stored
    /// @param size bytes of data of each
    /// @param millisEach for how long each size of batch is written to the log
    public StoreLoad(Path folder, int znodes, int size, long millisEach) {
        this.folder = folder;
        this.znodes = znodes;
        this.size = size;
        this.nanosEach = millisEach * 1_000_000;
    }

    /// {@return figures by name}
    public Map<String, Object> run() throws IOException, InterruptedException {
        var figures = new LinkedHashMap<String, Object>();
        StoreOptions ahead = StoreOptions.DEFAULT;
        var growing =
                new StoreOptions(
                        ahead.segmentBytes(),
                        64,
                        ahead.batchBytes(),
                        ahead.queueOps(),
                        ahead.tail(),
                        ahead.reserveSegments());
        figures.put("logPreallocated", log(ahead));
        figures.put("logGrowing", log(growing));
        figures.put("state", state());
        return figures;
    }

    private Map<String, Object> log(StoreOptions options) throws IOException, InterruptedException {
        var figures = new LinkedHashMap<String, Object>();
        for (int batch : BATCHES) {
            try (var member = new Written(folder, options)) {
                long count = 0;
                long began = System.nanoTime();
                long nanos;
                do {
                    for (int i = 0; i < batch; i++) {
                        member.append(codec.encode(header(), setData(0)));
                    }
                    member.awaitDisk();
                    count += batch;
                    nanos = System.nanoTime() - began;
                } while (nanos < nanosEach);
                var of = new LinkedHashMap<String, Object>();
                of.put("transactionsPerSecond", Math.round(count * 1e9 / nanos));
                of.put("microsPerSync", Math.round(nanos / 1e3 / count * batch));
                figures.put("batchesOf" + batch, of);
            }
        }
        return figures;
    }

    private Map<String, Object> state() throws IOException, InterruptedException {
        var figures = new LinkedHashMap<String, Object>();
        figures.put("znodes", znodes);
        Tree tree = Tree.initial(KEY);
        try (var member = new Written(folder, StoreOptions.DEFAULT)) {
            for (int i = 0; i < znodes; i++) {
                var create = new Txn.Create(path(i), new byte[size], Acl.OPEN, 0);
                tree = member.apply(tree, codec.encode(header(), create));
            }
            member.awaitDisk();
            figures.put("flushOfAll", flush(member, tree, znodes));
            for (int percent : List.of(1, 10)) {
                int changed = Math.max(1, znodes / 100 * percent);
                for (int i = 0; i < changed; i++) {
                    // Spread over the tree, as the changes of clients are.
                    int which = (int) ((long) i * znodes / changed);
                    tree = member.apply(tree, codec.encode(header(), setData(which)));
                }
                member.awaitDisk();
                figures.put("flushOf" + percent + "Percent", flush(member, tree, changed));
            }
            long began = System.nanoTime();
            long cpu = cpuNanos();
            member.reopen();
            var load = new LinkedHashMap<String, Object>();
            load.put("millis", (System.nanoTime() - began) / 1_000_000);
            load.put("cpuMillis", (cpuNanos() - cpu) / 1_000_000);
            figures.put("load", load);
            if (member.loaded().digest() != tree.digest()) {
                throw new IOException("what was loaded differs from what was stored");
            }
        }
        return figures;
    }

    private static Map<String, Object> flush(Written member, Tree tree, int changed)
            throws IOException, InterruptedException {
        long began = System.nanoTime();
        long cpu = cpuNanos();
        member.flush(tree);
        long nanos = System.nanoTime() - began;
        var of = new LinkedHashMap<String, Object>();
        of.put("millis", nanos / 1_000_000);
        of.put("cpuMillis", (cpuNanos() - cpu) / 1_000_000);
        of.put("microsPerZnode", Math.round(nanos / 10.0 / changed) / 100.0);
        return of;
    }

    /// {@return what this process has used, compiling and RocksDB's threads included}
    private static long cpuNanos() throws IOException {
        long pid = ProcessHandle.current().pid();
        return CpuTime.nanos(List.of(pid)).getOrDefault(pid, 0L);
    }

    private static Header header() {
        return new Header(1, 1, 1, 1, 1);
    }

    private Txn setData(int znode) {
        return new Txn.SetData(path(znode), new byte[size], 1);
    }

    /// A thousand in each folder.
    private static String path(int znode) {
        return znode % 1000 == 0 ? "/" + znode / 1000 : "/" + znode / 1000 + "/" + znode % 1000;
    }

    /// A member's folder, with one who writes.
    private static final class Written implements AutoCloseable, LogWriter.Listener {
        private final Path folder;
        private final StoreOptions options;
        private final Semaphore room = new Semaphore(IN_LOG_AT_ONCE);
        private Store store;
        private LogWriter log;
        private long zxid = Zxid.of(EPOCH, 0);
        private long ticket;
        private long told;
        private volatile @Nullable Throwable failure;

        Written(Path parent, StoreOptions options) throws IOException, InterruptedException {
            this.folder = Files.createTempDirectory(parent, "bench");
            this.options = options;
            this.store = Store.open(folder, 1, KEY, options);
            this.log = store.startLog(this);
            order(new DiskOp.Epochs(EPOCH, EPOCH));
            awaitDisk();
        }

        private void order(DiskOp op) throws InterruptedException, IOException {
            room.acquire();
            check();
            log.submit(++ticket, op);
        }

        void append(Payload payload) throws InterruptedException, IOException {
            long before = zxid++;
            order(new DiskOp.Append(zxid, payload, before));
        }

        Tree apply(Tree tree, Payload payload) throws InterruptedException, IOException {
            append(payload);
            return tree.apply(zxid, payload.header(), payload.txn()).tree();
        }

        void awaitDisk() throws InterruptedException, IOException {
            room.acquire(IN_LOG_AT_ONCE);
            room.release(IN_LOG_AT_ONCE);
            check();
        }

        void flush(Tree tree) throws IOException, InterruptedException {
            store.flush(tree);
        }

        void reopen() throws IOException {
            store.close();
            store = Store.open(folder, 1, KEY, options);
            log = store.startLog(this);
        }

        Tree loaded() {
            return store.recovered().tree();
        }

        private void check() throws IOException {
            Throwable cause = failure;
            if (cause != null) {
                throw new IOException("the log failed: " + cause, cause);
            }
        }

        @Override
        public void persisted(long upTo) {
            room.release((int) (upTo - told));
            told = upTo;
        }

        @Override
        public void failed(Throwable cause) {
            failure = cause;
            room.release(IN_LOG_AT_ONCE);
        }

        @Override
        public void close() throws IOException {
            store.close();
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
