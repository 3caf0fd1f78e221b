package dev.ensemble.server.net;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// What one I/O thread has received, sent and taken its time for. It alone counts, others may read:
/// a count costs no more than a plain store.
final class Traffic {
    /// Four buckets for each power of two of microseconds: a percentile is at most a quarter too
    /// high.
    private static final int SUB_BUCKETS = 4;

    private static final int BUCKETS = 64 * SUB_BUCKETS;

    private final AtomicLong received = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong outstanding = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong watches = new AtomicLong();
    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong totalMicros = new AtomicLong();
    private final AtomicLong minMicros = new AtomicLong(Long.MAX_VALUE);
    private final AtomicLong maxMicros = new AtomicLong();
    private final AtomicLongArray buckets = new AtomicLongArray(BUCKETS);

    void received() {
        add(received, 1);
    }

    void sent() {
        add(sent, 1);
    }

    void outstanding(int change) {
        add(outstanding, change);
    }

    void connections(int change) {
        add(connections, change);
    }

    void watches(int now) {
        watches.setOpaque(now);
    }

    void answered(long nanos) {
        long micros = nanos / 1000;
        add(answered, 1);
        add(totalMicros, micros);
        if (micros < minMicros.getPlain()) {
            minMicros.setOpaque(micros);
        }
        if (micros > maxMicros.getPlain()) {
            maxMicros.setOpaque(micros);
        }
        int bucket = bucket(micros);
        buckets.setOpaque(bucket, buckets.getPlain(bucket) + 1);
    }

    /// Forgets all but what is there at the moment.
    void reset() {
        received.setOpaque(0);
        sent.setOpaque(0);
        answered.setOpaque(0);
        totalMicros.setOpaque(0);
        minMicros.setOpaque(Long.MAX_VALUE);
        maxMicros.setOpaque(0);
        for (int i = 0; i < BUCKETS; i++) {
            buckets.setOpaque(i, 0);
        }
    }

    private static void add(AtomicLong count, long change) {
        count.setOpaque(count.getPlain() + change);
    }

    private static int bucket(long micros) {
        if (micros < SUB_BUCKETS) {
            return (int) Math.max(micros, 0);
        }
        int power = 63 - Long.numberOfLeadingZeros(micros);
        return power * SUB_BUCKETS + (int) ((micros >> (power - 2)) & (SUB_BUCKETS - 1));
    }

    /// {@return the lowest value of the next bucket}
    private static long ceiling(int bucket) {
        int next = bucket + 1;
        if (next <= SUB_BUCKETS) {
            return next;
        }
        int power = next / SUB_BUCKETS;
        return (1L << power) + (long) (next % SUB_BUCKETS) * (1L << (power - 2));
    }

    /// The traffic of all I/O threads.
    static ClientStats sum(Iterable<Traffic> loops) {
        long received = 0;
        long sent = 0;
        long outstanding = 0;
        long connections = 0;
        long watches = 0;
        long answered = 0;
        long total = 0;
        long min = Long.MAX_VALUE;
        long max = 0;
        long[] counts = new long[BUCKETS];
        for (Traffic each : loops) {
            received += each.received.getOpaque();
            sent += each.sent.getOpaque();
            outstanding += each.outstanding.getOpaque();
            connections += each.connections.getOpaque();
            watches += each.watches.getOpaque();
            answered += each.answered.getOpaque();
            total += each.totalMicros.getOpaque();
            min = Math.min(min, each.minMicros.getOpaque());
            max = Math.max(max, each.maxMicros.getOpaque());
            for (int i = 0; i < BUCKETS; i++) {
                counts[i] += each.buckets.getOpaque(i);
            }
        }
        return new ClientStats(
                received,
                sent,
                outstanding,
                (int) connections,
                (int) watches,
                answered == 0 ? 0 : min / 1000,
                answered == 0 ? 0 : total / 1000.0 / answered,
                max / 1000,
                percentileMicros(counts, 0.99) / 1000.0);
    }

    private static long percentileMicros(long[] counts, double share) {
        long all = 0;
        for (long count : counts) {
            all += count;
        }
        long left = (long) Math.ceil(all * share);
        for (int i = 0; i < counts.length && all > 0; i++) {
            left -= counts[i];
            if (left <= 0) {
                return ceiling(i);
            }
        }
        return 0;
    }
}
