package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.ensemble.operator.api.EnsembleStatus.Metrics;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FiguresTest {
    private static Metrics at(String time, long znodes, long p99) {
        return new Metrics(znodes, 3, 3, 0, p99, "2026-01-01T00:" + time + "Z");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "99, 99", "100, 100", "12345, 12000", "12999, 13000"})
    void twoDigits(long value, long shown) {
        assertEquals(shown, Figures.twoDigits(value));
    }

    @Test
    void withinAMinuteNothingChanges() {
        Metrics before = at("00:00", 100, 1);
        assertSame(before, Figures.next(before, at("00:59", 900, 1)));
        assertEquals(900, Figures.next(before, at("01:00", 900, 1)).znodes());
    }

    @Test
    void lessThanATenthIsNoNews() {
        Metrics before = at("00:00", 100, 1);
        assertSame(before, Figures.next(before, at("09:00", 109, 1)));
    }

    @Test
    void aMillisecondMoreIsNoNewsEither() {
        Metrics before = at("00:00", 100, 1);
        assertSame(before, Figures.next(before, at("09:00", 100, 3)));
        assertEquals(9, Figures.next(before, at("09:00", 100, 9)).p99Millis());
    }
}
