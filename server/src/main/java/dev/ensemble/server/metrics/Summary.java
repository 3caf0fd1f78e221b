package dev.ensemble.server.metrics;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// How many values there were, and how large. One thread at a time adds, any may read: an addition
/// costs no more than a few plain stores.
///
/// Values are kept by size, four sizes for each power of two: a quantile is at most a quarter too
/// high.
public final class Summary {
    private static final int SUB_BUCKETS = 4;
    private static final int BUCKETS = 64 * SUB_BUCKETS;

    private final AtomicLong count = new AtomicLong();
    private final AtomicLong sum = new AtomicLong();
    private final AtomicLong min = new AtomicLong(Long.MAX_VALUE);
    private final AtomicLong max = new AtomicLong();
    private final AtomicLongArray buckets = new AtomicLongArray(BUCKETS);

    /// @param value below 0 counts as 0
    public void add(long value) {
        long size = Math.max(value, 0);
        if (size < min.getPlain()) {
            min.setOpaque(size);
        }
        if (size > max.getPlain()) {
            max.setOpaque(size);
        }
        sum.setOpaque(sum.getPlain() + size);
        int bucket = bucket(size);
        buckets.setOpaque(bucket, buckets.getPlain(bucket) + 1);
        count.setOpaque(count.getPlain() + 1);
    }

    /// Forgets all values. By the thread that adds.
    public void reset() {
        count.setOpaque(0);
        sum.setOpaque(0);
        min.setOpaque(Long.MAX_VALUE);
        max.setOpaque(0);
        for (int i = 0; i < BUCKETS; i++) {
            buckets.setOpaque(i, 0);
        }
    }

    /// {@return what was added; what is being added meanwhile may be there in part}
    public Reading read() {
        long values = count.getOpaque();
        if (values == 0) {
            return Reading.NOTHING;
        }
        long[] counts = new long[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = buckets.getOpaque(i);
        }
        return new Reading(
                values,
                sum.getOpaque(),
                min.getOpaque(),
                max.getOpaque(),
                new Reading.Buckets(counts));
    }

    private static int bucket(long value) {
        if (value < SUB_BUCKETS) {
            return (int) value;
        }
        int power = 63 - Long.numberOfLeadingZeros(value);
        return power * SUB_BUCKETS + (int) ((value >> (power - 2)) & (SUB_BUCKETS - 1));
    }

    /// {@return the lowest value of the next bucket}
    static long ceiling(int bucket) {
        int next = bucket + 1;
        if (next <= SUB_BUCKETS) {
            return next;
        }
        int power = next / SUB_BUCKETS;
        return (1L << power) + (long) (next % SUB_BUCKETS) * (1L << (power - 2));
    }
}
