package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.util.concurrent.DefaultEventExecutorGroup;

import org.junit.jupiter.api.Test;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What `/livez` says of I/O threads.
final class PulseTest {
    @Test
    void aThreadThatStandsStillIsNoticedUntilItTurnsAgain() throws Exception {
        var threads = new DefaultEventExecutorGroup(3);
        try {
            var pulse = new Pulse(threads);
            pulse.ask(1000);
            awaitTurns(threads);
            assertEquals(0, pulse.quietNanos(5000));

            var standing = new CountDownLatch(1);
            var goOn = new CountDownLatch(1);
            threads.next()
                    .execute(() -> {
                        standing.countDown();
                        awaitQuietly(goOn);
                    });
            standing.await();
            pulse.ask(6000);
            pulse.ask(7000); // Asked once only: it counts from when it was asked first.
            assertEquals(94_000, pulse.quietNanos(100_000));

            goOn.countDown();
            awaitTurns(threads);
            assertEquals(0, pulse.quietNanos(100_000));
        } finally {
            threads.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    private static void awaitTurns(DefaultEventExecutorGroup threads) throws Exception {
        for (var thread : threads) {
            thread.submit(() -> {}).get();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
