package dev.ensemble.server.store;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;

import java.util.concurrent.atomic.AtomicLong;

/// What the log has done since the process began. The log thread counts, any thread may read.
public final class LogMetrics {
    private final Summary syncMicros = new Summary();
    private final Summary batchEntries = new Summary();
    private final AtomicLong bytes = new AtomicLong();

    /// @param written bytes of the batch
    /// @param nanos that write and sync took
    void synced(long written, long nanos) {
        syncMicros.add(nanos / 1000);
        bytes.addAndGet(written);
    }

    void appended(int count) {
        batchEntries.add(count);
    }

    /// {@return how long it took to write and sync each batch, in microseconds}
    public Reading syncMicros() {
        return syncMicros.read();
    }

    /// {@return how many transactions each batch had}
    public Reading batchEntries() {
        return batchEntries.read();
    }

    /// {@return bytes of all batches}
    public long bytes() {
        return bytes.get();
    }
}
