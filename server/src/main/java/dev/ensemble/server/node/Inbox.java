package dev.ensemble.server.node;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What waits for one thread: others add, it takes all that has gathered.
///
/// Adding never waits, so that no two threads ever wait for each other; whoever can stop its source
/// does so when it is told that there is enough.
final class Inbox<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final int enough;
    private List<T> waiting = new ArrayList<>();
    private boolean told;

    /// @param enough from how many on those who add are told so
    Inbox(int enough) {
        this.enough = enough;
    }

    /// Adds in order. {@return false if there is enough now}
    boolean add(List<? extends T> items) {
        lock.lock();
        try {
            boolean first = waiting.isEmpty();
            waiting.addAll(items);
            if (first && !items.isEmpty()) {
                arrived.signal();
            }
            boolean room = waiting.size() < enough;
            told |= !room;
            return room;
        } finally {
            lock.unlock();
        }
    }

    boolean add(T item) {
        return add(List.of(item));
    }

    /// What was taken, and whether somebody who adds had been told that there was enough.
    record Taken<T>(List<T> items, boolean wasFull) {}

    /// Takes all that has gathered; waits if that is nothing, but not for longer than `nanos`.
    Taken<T> take(long nanos) throws InterruptedException {
        long left = nanos;
        lock.lockInterruptibly();
        try {
            while (waiting.isEmpty() && left > 0) {
                left = arrived.awaitNanos(left);
            }
            List<T> taken = waiting;
            waiting = new ArrayList<>();
            boolean wasFull = told;
            told = false;
            return new Taken<>(taken, wasFull);
        } finally {
            lock.unlock();
        }
    }
}
