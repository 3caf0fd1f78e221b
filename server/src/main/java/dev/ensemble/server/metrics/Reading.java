package dev.ensemble.server.metrics;

/// What a [Summary] held at one moment.
///
/// @param min 0 if there was nothing, like the others
/// @param buckets how many values there were of each size, see [Summary]
public record Reading(long count, long sum, long min, long max, Buckets buckets) {
    /// Counts by size. Compared by nobody, so it is no part of what a reading is.
    public record Buckets(long[] counts) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Buckets;
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    public static final Reading NOTHING = new Reading(0, 0, 0, 0, new Buckets(new long[0]));

    public double average() {
        return count == 0 ? 0 : (double) sum / count;
    }

    /// {@return the value that this share of all does not exceed, at most a quarter too high; 0 if
    /// there was nothing}
    public long quantile(double share) {
        long left = (long) Math.ceil(count * share);
        long[] counts = buckets.counts();
        for (int i = 0; i < counts.length && count > 0; i++) {
            left -= counts[i];
            if (left <= 0) {
                return Math.min(Summary.ceiling(i), max);
            }
        }
        return max;
    }

    /// {@return this and the other as one}
    public Reading plus(Reading other) {
        if (count == 0) {
            return other;
        }
        if (other.count == 0) {
            return this;
        }
        long[] all = buckets.counts().clone();
        for (int i = 0; i < all.length; i++) {
            all[i] += other.buckets.counts()[i];
        }
        return new Reading(
                count + other.count,
                sum + other.sum,
                Math.min(min, other.min),
                Math.max(max, other.max),
                new Buckets(all));
    }
}
