package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.zab.DiskOp;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/// Does what a member wants done on its disk, in order; appends that stand side by side share one
/// fsync.
///
/// Owned by the log thread.
final class DiskWork implements Closeable {
    /// Something to do.
    sealed interface Job {}

    record Ordered(long ticket, DiskOp op) implements Job {}

    /// The state on disk was found to hold everything up to `zxid`.
    record Stored(long zxid) implements Job {}

    /// Makes what is missing of the reserve.
    record Refill() implements Job {}

    private final Disk disk;
    private final StoreOptions options;
    private final LongSupplier ids;
    private final StateStore states;
    private final LogMetrics metrics;
    private final List<DiskOp.Append> batch = new ArrayList<>();

    /// From where on learners need the log.
    private final Map<Integer, Long> kept = new ConcurrentHashMap<>();

    private volatile Current current;
    private TxnLog log;
    private long batchBytes;
    private long batchTicket;
    private volatile long synced;
    private volatile boolean low;
    private volatile StoreOptions.Tail tail;
    private volatile boolean reserved;

    DiskWork(
            Disk disk,
            StoreOptions options,
            LongSupplier ids,
            StateStore states,
            LogMetrics metrics,
            Current current,
            TxnLog log) {
        this.disk = disk;
        this.options = options;
        this.ids = ids;
        this.states = states;
        this.metrics = metrics;
        this.current = current;
        this.log = log;
        this.synced = log.end();
        this.tail = options.tail();
    }

    /// {@return the zxid up to which the log is on disk; any thread may ask}
    long synced() {
        return synced;
    }

    /// There is little space, or enough again: then no more of the log stays than is needed. Any
    /// thread.
    void low(boolean now) {
        low = now;
    }

    /// What stays of the log from here on. Any thread.
    void tail(StoreOptions.Tail now) {
        tail = now;
    }

    /// See [Store#keep].
    void keep(int learner, long zxid) {
        kept.put(learner, zxid);
    }

    void letGo(int learner) {
        kept.remove(learner);
    }

    private long needed() {
        return kept.values().stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE);
    }

    /// {@return the folder of the log in force; any thread}
    String logFolder() {
        return current.logFolder();
    }

    /// {@return whether all of the reserve was there when it was last looked at; any thread}
    boolean isReserved() {
        return reserved;
    }

    /// Does these jobs.
    ///
    /// @param persisted gets a ticket when everything up to it is on disk
    /// @throws IOException if the disk failed: nothing may be done on it after that
    void perform(List<? extends Job> jobs, LongConsumer persisted) throws IOException {
        for (Job job : jobs) {
            switch (job) {
                case Ordered(long ticket, DiskOp.Append append) -> {
                    int bytes = TxnLog.entryBytes(append);
                    if (batchBytes + bytes > options.batchBytes()) {
                        writeBatch(persisted);
                    }
                    batch.add(append);
                    batchBytes += bytes;
                    batchTicket = ticket;
                }
                case Ordered(long ticket, DiskOp op) -> {
                    writeBatch(persisted);
                    perform(op);
                    persisted.accept(ticket);
                }
                case Stored(long zxid) -> {
                    writeBatch(persisted);
                    log.deleteUpTo(
                            low ? zxid : Math.min(zxid, needed()),
                            low ? StoreOptions.Tail.NONE : tail);
                }
                case Refill _ -> {
                    writeBatch(persisted);
                    log.fillReserve();
                    reserved = log.isReserveFull();
                }
            }
        }
        writeBatch(persisted);
    }

    private void writeBatch(LongConsumer persisted) throws IOException {
        if (batch.isEmpty()) {
            return;
        }
        log.append(batch);
        metrics.appended(batch.size());
        synced = log.end();
        batch.clear();
        batchBytes = 0;
        persisted.accept(batchTicket);
    }

    private void perform(DiskOp op) throws IOException {
        if (!(op instanceof DiskOp.Epochs)) {
            log.makeRoom(); // Epochs have their bytes since the start.
        }
        switch (op) {
            case DiskOp.Append _ -> throw new AssertionError("appends are gathered");
            case DiskOp.Truncate(long zxid) -> truncate(zxid);
            case DiskOp.Epochs(long accepted, long epoch) ->
                    EpochsFile.write(disk, new Epochs(accepted, epoch));
            case DiskOp.StoreIdentity(var identity) -> IdentityFile.write(disk, identity);
            case DiskOp.Install(long zxid) -> install(zxid);
        }
    }

    private void truncate(long zxid) throws IOException {
        if (zxid < states.zxid()) {
            throw new IllegalStateException(
                    "truncation to "
                            + Zxid.text(zxid)
                            + " below the stored state, which is of "
                            + Zxid.text(states.zxid())
                            + ": something is damaged");
        }
        synced = Math.min(synced, zxid);
        log.truncate(zxid);
    }

    private void install(long zxid) throws IOException {
        Current next = new Current(states.fetched(zxid), current.log() + 1);
        TxnLog empty = TxnLog.create(disk, next.logFolder(), zxid, options, ids, metrics);
        next.write(disk);
        // In force. What follows only tidies up, and a crash leaves it to the next start.
        log.close();
        disk.delete(current.logFolder());
        log = empty;
        current = next;
        synced = zxid;
        states.install(zxid);
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
