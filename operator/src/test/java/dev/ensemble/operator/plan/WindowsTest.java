package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.EnsembleSpec.MaintenanceWindow;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Instant;
import java.util.List;

/// When windows are open. The first of January 2026 was a Thursday.
final class WindowsTest {
    @ParameterizedTest(name = "{0} for {1} in {2} at {3}: {4}")
    @CsvSource(
            delimiter = '|',
            value = {
                "0 2 * * *       | 1h  | UTC           | 2026-01-01T02:00:00Z | true",
                "0 2 * * *       | 1h  | UTC           | 2026-01-01T02:59:59Z | true",
                "0 2 * * *       | 1h  | UTC           | 2026-01-01T03:00:00Z | false",
                "0 2 * * *       | 1h  | UTC           | 2026-01-01T01:59:59Z | false",
                "0 2 * * *       | 1h  | Europe/Berlin | 2026-01-01T01:30:00Z | true",
                "0 2 * * *       | 1h  | Europe/Berlin | 2026-07-01T00:30:00Z | true",
                "30 23 * * *     | 2h  | UTC           | 2026-01-02T01:29:00Z | true",
                "0 2 * * 6,7     | 1h  | UTC           | 2026-01-04T02:10:00Z | true",
                "0 2 * * 0       | 1h  | UTC           | 2026-01-04T02:10:00Z | true",
                "0 2 * * 1-5     | 1h  | UTC           | 2026-01-04T02:10:00Z | false",
                "*/20 * * * *    | 5m  | UTC           | 2026-01-01T10:44:00Z | true",
                "*/20 * * * *    | 5m  | UTC           | 2026-01-01T10:45:00Z | false",
                "5/20 * * * *    | 1m  | UTC           | 2026-01-01T10:45:30Z | true",
                "0 0 13 * 5      | 24h | UTC           | 2026-01-02T12:00:00Z | true",
                "0 0 13 * 5      | 24h | UTC           | 2026-01-13T12:00:00Z | true",
                "0 0 13 * 5      | 24h | UTC           | 2026-01-14T12:00:00Z | false",
                "0 0 1-7/2 2 *   | 24h | UTC           | 2026-02-03T12:00:00Z | true",
                "0 0 1-7/2 2 *   | 24h | UTC           | 2026-02-04T12:00:00Z | false",
            })
    void opens(String cron, String duration, String tz, String at, boolean open) {
        var window = new MaintenanceWindow(cron, duration, tz);
        assertNull(Windows.problem(window));
        assertEquals(open, Windows.closed(List.of(window), Instant.parse(at)) == null);
    }

    @Test
    void withoutAWindowAnyTimeIsFine() {
        Instant now = Instant.parse("2026-01-01T00:00:00Z");
        assertNull(Windows.closed(null, now));
        assertNull(Windows.closed(List.of(), now));
    }

    @Test
    void whyItIsClosedNamesTheWindows() {
        String closed =
                Windows.closed(
                        List.of(new MaintenanceWindow("0 2 * * *", "1h", "Europe/Berlin")),
                        Instant.parse("2026-01-01T12:00:00Z"));
        assertEquals("a maintenance window to open (0 2 * * * Europe/Berlin)", closed);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "60 2 * * *   | 1h  | UTC    | '60' is no minute; valid: 0 to 59",
                "0 24 * * *   | 1h  | UTC    | no hour",
                "0 0 0 * *    | 1h  | UTC    | no day of the month",
                "0 0 * 13 *   | 1h  | UTC    | no month",
                "0 0 * * 8    | 1h  | UTC    | no day of the week",
                "5-1 0 * * *  | 1h  | UTC    | no minute",
                "*/0 0 * * *  | 1h  | UTC    | no minute",
                "1-2-3 * * * * | 1h | UTC    | no minute",
                ", * * * *    | 1h  | UTC    | no minute",
                "0 0 * *      | 1h  | UTC    | five fields",
                "0 0 * * *    | 25h | UTC    | at most 24h",
                "0 0 * * *    | 1h  | Mars/X | a time zone such as",
            })
    void whatIsWrongIsSaid(String cron, String duration, String tz, String says) {
        String problem = Windows.problem(new MaintenanceWindow(cron, duration, tz));
        assertNotNull(problem);
        assertTrue(problem.contains(says), problem);
    }
}
