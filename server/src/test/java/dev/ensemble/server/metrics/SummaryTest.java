package dev.ensemble.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;

final class SummaryTest {
    @Test
    void nothingIsZero() {
        Reading nothing = new Summary().read();
        assertEquals(Reading.NOTHING, nothing);
        assertEquals(0, nothing.average());
        assertEquals(0, nothing.quantile(0.99));
    }

    @Test
    void valuesAddUp() {
        var summary = new Summary();
        for (long value : new long[] {5, 1, -3, 6}) {
            summary.add(value);
        }
        Reading reading = summary.read();
        assertEquals(4, reading.count());
        assertEquals(12, reading.sum());
        assertEquals(0, reading.min());
        assertEquals(6, reading.max());
        assertEquals(3, reading.average());
        summary.reset();
        assertEquals(Reading.NOTHING, summary.read());
    }

    @Test
    void aQuantileIsAtMostAQuarterTooHighAndNeverAboveTheMaximum() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            var one = new Summary();
            var other = new Summary();
            long[] values = new long[1 + random.nextInt(2000)];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextLong(1L << (1 + random.nextInt(62)));
                (random.nextBoolean() ? one : other).add(values[i]);
            }
            Arrays.sort(values);
            Reading both = one.read().plus(other.read());
            assertEquals(values.length, both.count());
            assertEquals(values[0], both.min());
            for (double share : new double[] {0.5, 0.95, 0.999, 1}) {
                long exact = values[(int) Math.ceil(values.length * share) - 1];
                long told = both.quantile(share);
                assertTrue(told >= exact, told + " is below " + exact);
                assertTrue(told <= exact * 1.25 + 1, told + " is far above " + exact);
                assertTrue(told <= both.max(), told + " is above all");
            }
        }
    }
}
