package dev.ensemble.server.store;

import java.util.concurrent.atomic.AtomicLong;

/// What the log has done since the process began. The log thread counts, any thread may read.
public final class LogMetrics {
    private final AtomicLong syncs = new AtomicLong();
    private final AtomicLong syncNanos = new AtomicLong();
    private final AtomicLong maxSyncNanos = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong entries = new AtomicLong();
    private final AtomicLong maxBatchEntries = new AtomicLong();

    /// @param written bytes of the batch
    /// @param nanos that write and sync took
    void synced(long written, long nanos) {
        syncs.incrementAndGet();
        syncNanos.addAndGet(nanos);
        maxSyncNanos.accumulateAndGet(nanos, Math::max);
        bytes.addAndGet(written);
    }

    void appended(int count) {
        entries.addAndGet(count);
        maxBatchEntries.accumulateAndGet(count, Math::max);
    }

    /// {@return how many batches were written and synced}
    public long syncs() {
        return syncs.get();
    }

    /// {@return how long writing and syncing took in all}
    public long syncNanos() {
        return syncNanos.get();
    }

    /// {@return the longest time of one batch}
    public long maxSyncNanos() {
        return maxSyncNanos.get();
    }

    /// {@return bytes of all batches}
    public long bytes() {
        return bytes.get();
    }

    /// {@return transactions appended}
    public long entries() {
        return entries.get();
    }

    /// {@return transactions of the largest batch}
    public long maxBatchEntries() {
        return maxBatchEntries.get();
    }
}
