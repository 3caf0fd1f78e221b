package dev.ensemble.server.simulation;

import java.util.PriorityQueue;

/// What happens when. Things of the same instant happen in the order in which they were planned.
final class Schedule {
    static final long MILLIS = 1_000_000;
    static final long SECONDS = 1000 * MILLIS;

    private record Planned(long atNanos, long number, Runnable action)
            implements Comparable<Planned> {
        @Override
        public int compareTo(Planned other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Planned> planned = new PriorityQueue<>();
    private long nowNanos;
    private long count;

    long nowNanos() {
        return nowNanos;
    }

    void after(long delayNanos, Runnable action) {
        at(nowNanos + delayNanos, action);
    }

    void at(long atNanos, Runnable action) {
        planned.add(new Planned(Math.max(atNanos, nowNanos), count++, action));
    }

    /// Lets the next thing happen.
    ///
    /// @return false if nothing is planned up to `untilNanos`, which it is then
    boolean next(long untilNanos) {
        Planned first = planned.peek();
        if (first == null || first.atNanos > untilNanos) {
            nowNanos = Math.max(nowNanos, untilNanos);
            return false;
        }
        planned.remove();
        nowNanos = first.atNanos;
        first.action.run();
        return true;
    }

    long happened() {
        return count - planned.size();
    }
}
