package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

final class TrafficTest {
    private static final ClientStats NOTHING = Traffic.sum(List.of());

    @Test
    void nothingIsZero() {
        assertEquals(0, NOTHING.received());
        assertEquals(0, NOTHING.maxLatencyMillis());
        assertEquals(0.0, NOTHING.avgLatencyMillis());
        assertEquals(0.0, NOTHING.p99LatencyMillis());
        assertEquals(new ClientStats.ResponseSizes(-1, -1, -1), NOTHING.responses());
        assertEquals(NOTHING, Traffic.sum(List.of(new Traffic(), new Traffic())));
    }

    @Test
    void threadsAddUp() {
        var one = new Traffic();
        var other = new Traffic();
        one.received();
        one.outstanding(3);
        one.outstanding(-1);
        other.received();
        other.sent();
        other.connections(2);
        other.watches(5);
        one.answered(2_000_000, true);
        other.answered(7_000_000, false);
        ClientStats sum = Traffic.sum(List.of(one, other));
        assertEquals(2, sum.received());
        assertEquals(1, sum.sent());
        assertEquals(2, sum.outstanding());
        assertEquals(2, sum.connections());
        assertEquals(5, sum.watches());
        assertEquals(2, sum.minLatencyMillis());
        assertEquals(4.5, sum.avgLatencyMillis());
        assertEquals(7, sum.maxLatencyMillis());
        assertEquals(2000, sum.reading(ClientSummary.UPDATELATENCY).max());
        assertEquals(7000, sum.reading(ClientSummary.READLATENCY).sum());
    }

    @Test
    void aResetKeepsWhatIsThere() {
        var traffic = new Traffic();
        traffic.received();
        traffic.sent();
        traffic.answered(5_000_000, true);
        traffic.responded(7);
        traffic.count(ClientCounter.AUTH_FAILED_COUNT, 1);
        traffic.connections(1);
        traffic.outstanding(1);
        traffic.watches(1);
        traffic.reset();
        ClientStats left =
                new ClientStats(
                        0,
                        0,
                        1,
                        1,
                        1,
                        NOTHING.responses(),
                        NOTHING.counters(),
                        NOTHING.summaries());
        assertEquals(left, Traffic.sum(List.of(traffic)));
    }

    @Test
    void aPercentileIsAtMostAQuarterTooHigh() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            var traffic = new Traffic();
            long[] micros = new long[1 + random.nextInt(3000)];
            for (int i = 0; i < micros.length; i++) {
                micros[i] = random.nextLong(1L << (1 + random.nextInt(30)));
                traffic.answered(micros[i] * 1000, i % 2 == 0);
            }
            Arrays.sort(micros);
            double exact = micros[(int) Math.ceil(micros.length * 0.99) - 1] / 1000.0;
            double told = Traffic.sum(List.of(traffic)).p99LatencyMillis();
            assertTrue(told >= exact && told <= exact * 1.25 + 0.001, exact + " but told " + told);
        }
    }
}
