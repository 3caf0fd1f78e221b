package dev.ensemble.server.store;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// What the log has done since the process began. The log thread counts, any thread may read.
public final class LogMetrics {
    private static final Logger LOG = LoggerFactory.getLogger(LogMetrics.class);

    private final Summary syncMicros = new Summary();
    private final Summary batchEntries = new Summary();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong slowSyncs = new AtomicLong();
    private volatile int warningMillis = Integer.MAX_VALUE;

    /// @param written bytes of the batch
    /// @param nanos that write and sync took
    void synced(long written, long nanos) {
        syncMicros.add(nanos / 1000);
        bytes.addAndGet(written);
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
        if (millis > warningMillis) {
            slowSyncs.incrementAndGet();
            LOG.warn("a sync of the log took {} ms, which every write waits for", millis);
        }
    }

    /// From here on a sync that takes longer is counted, and worth a warning.
    public void warnAbove(int millis) {
        warningMillis = millis;
    }

    /// {@return how many syncs took longer than that}
    public long slowSyncs() {
        return slowSyncs.get();
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
