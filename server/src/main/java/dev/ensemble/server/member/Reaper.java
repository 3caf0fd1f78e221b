package dev.ensemble.server.member;

import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Finds the containers and TTL nodes whose time has come: what the leader alone does
/// (`client-protocol` section 17).
///
/// A check looks at all of them, some at each tick, so that a million of them never keep the leader
/// from its heartbeats. Whether one may go is looked up when it goes: a child that came meanwhile
/// keeps it.
final class Reaper {
    private static final int LOOKS_PER_TICK = 1000;

    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final long NANOS_PER_MINUTE = 60_000 * NANOS_PER_MILLI;

    /// What was not removed in time is not made up for later.
    private static final long LONGEST_LAG_NANOS = 100 * NANOS_PER_MILLI;

    private final Reaping reaping;
    private final long intervalNanos;
    private @Nullable Iterator<String> check;
    private long checkedNanos;
    private long nextNanos;

    Reaper(Reaping reaping) {
        this.reaping = reaping;
        this.intervalNanos = NANOS_PER_MINUTE / reaping.perMinute();
    }

    /// This member leads from now on: the first check is after a whole interval.
    void start(long nowNanos) {
        check = null;
        checkedNanos = nowNanos;
        nextNanos = nowNanos;
    }

    /// @param outlook asked anew after each removal
    /// @param remove takes the path of a znode that has no children
    void tick(long nowNanos, long wallMillis, Supplier<Tree> outlook, Consumer<String> remove) {
        Iterator<String> paths = check;
        if (paths == null) {
            if (nowNanos - checkedNanos < reaping.checkMillis() * NANOS_PER_MILLI) {
                return;
            }
            checkedNanos = nowNanos;
            paths = outlook.get().removable();
        }
        if (nowNanos - nextNanos > LONGEST_LAG_NANOS) {
            nextNanos = nowNanos - Math.min(LONGEST_LAG_NANOS, intervalNanos);
        }
        int looks = 0;
        while (paths.hasNext() && looks++ < LOOKS_PER_TICK && nextNanos - nowNanos <= 0) {
            String path = paths.next();
            if (outlook.get().isSpent(path, wallMillis, reaping.neverUsedMillis())) {
                remove.accept(path);
                nextNanos += intervalNanos;
            }
        }
        check = paths.hasNext() ? paths : null;
    }
}
