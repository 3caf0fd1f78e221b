package dev.ensemble.e2e.harness;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Waiting for what a cluster does in its own time.
///
/// A condition says what it misses, so that a wait that ends without success tells what it waited
/// for, and what it saw on the way.
public final class Await {
    private static final Executor LATER =
            CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS);
    private static final int REMEMBERED = 30;

    private Await() {}

    /// Waits until nothing is missing.
    ///
    /// @param missing what is missing now, empty once nothing is; looked at five times a second
    /// @return how long it took
    /// @throws AssertionError if something is still missing after that time
    public static Duration until(String what, Duration atMost, Supplier<String> missing) {
        long began = System.nanoTime();
        List<String> seen = new ArrayList<>();
        while (true) {
            String now = look(missing);
            Duration passed = Duration.ofNanos(System.nanoTime() - began);
            if (now.isEmpty()) {
                return passed;
            }
            if (seen.isEmpty() || !seen.getLast().endsWith(now)) {
                seen.add("after %d ms: %s".formatted(passed.toMillis(), now));
            }
            if (passed.compareTo(atMost) > 0) {
                int skipped = Math.max(0, seen.size() - REMEMBERED);
                throw new AssertionError(
                        "%s: not within %s. Missing%s%n%s"
                                .formatted(
                                        what,
                                        atMost,
                                        skipped == 0
                                                ? ""
                                                : " (first %d left out)".formatted(skipped),
                                        String.join(
                                                System.lineSeparator(),
                                                seen.subList(skipped, seen.size()))));
            }
            CompletableFuture.runAsync(() -> {}, LATER).join();
        }
    }

    /// Lets time pass, to measure what happens in it.
    public static void pass(Duration time) {
        CompletableFuture.runAsync(
                        () -> {},
                        CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS))
                .join();
    }

    /// An API server that cannot be asked now, or an object that is not there, is something missing
    /// like everything else.
    private static String look(Supplier<String> missing) {
        try {
            return missing.get();
        } catch (RuntimeException e) {
            return "%s: %s".formatted(e.getClass().getSimpleName(), e.getMessage());
        }
    }
}
