package dev.ensemble.server.session;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.SortedMap;
import java.util.TreeMap;

/// When each session ends if nobody hears from it. Only the leader asks; a new one starts every
/// time-out in full.
///
/// Sessions expire in buckets of a tick, as in ZooKeeper (`ExpiryQueue`): a silent one lives
/// between its time-out and a tick more, never less. Owned by the peer thread.
public final class Sessions {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private static final class Lease {
        long timeoutNanos;
        long bucket = Long.MIN_VALUE;
    }

    private final long tickNanos;
    private final Map<Long, Lease> leases = new HashMap<>();
    private final TreeMap<Long, SequencedSet<Long>> buckets = new TreeMap<>();

    /// How long this process stood still: time that no session is charged for.
    private long pausedNanos;

    /// @param tickNanos the size of a bucket
    public Sessions(long tickNanos) {
        if (tickNanos <= 0) {
            throw new IllegalArgumentException("tick of " + tickNanos + " ns");
        }
        this.tickNanos = tickNanos;
    }

    /// Starts the time-out of a session in full, whether it was known or not.
    public void start(long session, int timeoutMillis, long nowNanos) {
        Lease lease = leases.computeIfAbsent(session, _ -> new Lease());
        lease.timeoutNanos = timeoutMillis * NANOS_PER_MILLI;
        leave(session, lease);
        lease.bucket = Long.MIN_VALUE;
        move(session, lease, nowNanos);
    }

    /// The session was heard from. One that is not known stays unknown: what has ended is not
    /// revived.
    public void touch(long session, long nowNanos) {
        Lease lease = leases.get(session);
        if (lease != null) {
            move(session, lease, nowNanos);
        }
    }

    private void move(long session, Lease lease, long nowNanos) {
        long bucket = Math.floorDiv(nowNanos - pausedNanos + lease.timeoutNanos, tickNanos) + 1;
        // Never back: a report that was delayed does not shorten a lease.
        if (bucket <= lease.bucket) {
            return;
        }
        leave(session, lease);
        lease.bucket = bucket;
        buckets.computeIfAbsent(bucket, _ -> new LinkedHashSet<>()).add(session);
    }

    private void leave(long session, Lease lease) {
        SequencedSet<Long> bucket = buckets.get(lease.bucket);
        if (bucket != null && bucket.remove(session) && bucket.isEmpty()) {
            buckets.remove(lease.bucket);
        }
    }

    public void remove(long session) {
        Lease lease = leases.remove(session);
        if (lease != null) {
            leave(session, lease);
        }
    }

    /// {@return the sessions whose time is up, which are forgotten with this}
    public List<Long> expire(long nowNanos) {
        var expired = new ArrayList<Long>();
        long now = nowNanos - pausedNanos;
        while (!buckets.isEmpty() && buckets.firstKey() * tickNanos <= now) {
            for (long session : buckets.pollFirstEntry().getValue()) {
                leases.remove(session);
                expired.add(session);
            }
        }
        return expired;
    }

    /// This process stood still: nobody could be heard meanwhile, so nobody is blamed.
    public void paused(long nanos) {
        pausedNanos += nanos;
    }

    public void clear() {
        leases.clear();
        buckets.clear();
        pausedNanos = 0;
    }

    /// {@return the sessions by when they end if they stay silent, on the clock of those who ask}
    public SortedMap<Long, List<Long>> deadlines() {
        var all = new TreeMap<Long, List<Long>>();
        buckets.forEach(
                (bucket, ids) -> all.put(bucket * tickNanos + pausedNanos, List.copyOf(ids)));
        return all;
    }

    public int size() {
        return leases.size();
    }
}
