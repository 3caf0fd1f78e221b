package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.EnsembleStatus.Metrics;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;

/// Figures for the status: two digits, at most once a minute, and only when one has changed by a
/// tenth. An ensemble at work must not write to the API server all the time.
public final class Figures {
    private static final Duration PACE = Duration.ofMinutes(1);
    private static final double TENTH = 0.1;

    /// From 1 ms to 2 ms is a tenth and more, and no news.
    private static final long P99_STEP_MILLIS = 5;

    private Figures() {}

    /// {@return what the status should say}
    ///
    /// @param before what it says
    public static Metrics next(@Nullable Metrics before, Metrics now) {
        Metrics coarse =
                new Metrics(
                        twoDigits(now.znodes()),
                        twoDigits(now.connections()),
                        twoDigits(now.sessions()),
                        twoDigits(now.writesPerSecond()),
                        twoDigits(now.p99Millis()),
                        now.at());
        if (before == null) {
            return coarse;
        }
        boolean early = Instant.parse(now.at()).isBefore(Instant.parse(before.at()).plus(PACE));
        boolean changed =
                differs(before.znodes(), coarse.znodes())
                        || differs(before.connections(), coarse.connections())
                        || differs(before.sessions(), coarse.sessions())
                        || differs(before.writesPerSecond(), coarse.writesPerSecond())
                        || (Math.abs(before.p99Millis() - coarse.p99Millis()) >= P99_STEP_MILLIS
                                && differs(before.p99Millis(), coarse.p99Millis()));
        return early || !changed ? before : coarse;
    }

    private static boolean differs(long before, long now) {
        return Math.abs(now - before) > TENTH * Math.max(before, now);
    }

    /// {@return 12345 as 12000}
    static long twoDigits(long value) {
        long unit = 1;
        while (value / unit >= 100) {
            unit *= 10;
        }
        return (value + unit / 2) / unit * unit;
    }
}
