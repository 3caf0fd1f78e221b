package dev.ensemble.server.net;

import io.netty.util.concurrent.EventExecutor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/// Whether I/O threads still turn: each is asked now and then, and answers when it comes to it.
///
/// Any thread.
public final class Pulse {
    private record Asked(EventExecutor thread, AtomicLong sinceNanos) {}

    private final List<Asked> threads = new ArrayList<>();

    Pulse(Iterable<EventExecutor> threads) {
        threads.forEach(each -> this.threads.add(new Asked(each, new AtomicLong())));
    }

    /// Asks those that have answered the last time.
    public void ask(long nowNanos) {
        long now = nowNanos == 0 ? 1 : nowNanos;
        for (Asked each : threads) {
            if (each.sinceNanos.compareAndSet(0, now)) {
                try {
                    each.thread.execute(() -> each.sinceNanos.set(0));
                } catch (RejectedExecutionException _) {
                    each.sinceNanos.set(0); // It is being shut down.
                }
            }
        }
    }

    /// {@return for how long the slowest has not answered; 0 if none is asked}
    public long quietNanos(long nowNanos) {
        long longest = 0;
        for (Asked each : threads) {
            long since = each.sinceNanos.get();
            longest = Math.max(longest, since == 0 ? 0 : nowNanos - since);
        }
        return longest;
    }
}
