package dev.ensemble.server.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// When sessions end.
class SessionsTest {
    private static final long MILLI = 1_000_000;
    private static final long TICK = 100 * MILLI;

    @Test
    @DisplayName("never before the time-out, at most a tick after it")
    void expiresWithinOneTick() {
        for (long seed = 0; seed < 1000; seed++) {
            var random = new SplittableRandom(seed);
            var sessions = new Sessions(TICK);
            long now = random.nextLong(1_000_000 * MILLI);
            int timeout = random.nextInt(1, 5000);
            sessions.start(7, timeout, now);
            long step = random.nextLong(1, 20) * MILLI;
            long end = now;
            while (sessions.expire(end).isEmpty()) {
                end += step;
            }
            long lived = end - now;
            assertTrue(lived >= timeout * MILLI, "seed " + seed + " lived " + lived);
            assertTrue(lived <= timeout * MILLI + TICK + step, "seed " + seed + " lived " + lived);
        }
    }

    @Test
    @DisplayName("b18: what has ended is not revived by being heard from")
    void doesNotRevive() {
        var sessions = new Sessions(TICK);
        sessions.start(7, 200, 0);
        assertEquals(List.of(7L), sessions.expire(1000 * MILLI));
        sessions.touch(7, 1000 * MILLI);
        assertEquals(List.of(), sessions.expire(100_000 * MILLI));
        assertEquals(0, sessions.size());
    }

    @Test
    @DisplayName("being heard from renews the time-out in full")
    void touchRenews() {
        var sessions = new Sessions(TICK);
        sessions.start(7, 200, 0);
        for (long at = 0; at < 10_000 * MILLI; at += 150 * MILLI) {
            assertEquals(List.of(), sessions.expire(at));
            sessions.touch(7, at);
        }
    }

    @Test
    @DisplayName("time in which the leader stood still is charged to nobody (safety 12)")
    void pausesAreNotCharged() {
        var sessions = new Sessions(TICK);
        sessions.start(7, 1000, 0);
        sessions.paused(5000 * MILLI);
        assertEquals(List.of(), sessions.expire(5900 * MILLI));
        assertEquals(List.of(7L), sessions.expire(6200 * MILLI));
    }

    @Test
    @DisplayName("agrees with a table of deadlines, for 200 seeds")
    void agreesWithTable() {
        for (long seed = 0; seed < 200; seed++) {
            var random = new SplittableRandom(seed);
            var sessions = new Sessions(TICK);
            Map<Long, Long> deadlines = new HashMap<>();
            Map<Long, Integer> timeouts = new HashMap<>();
            long now = 0;
            for (int step = 0; step < 500; step++) {
                now += random.nextLong(60 * MILLI);
                long id = random.nextLong(1, 20);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        int timeout = timeouts.computeIfAbsent(id, _ -> random.nextInt(50, 800));
                        sessions.start(id, timeout, now);
                        deadlines.put(id, now + timeout * MILLI);
                    }
                    case 1 -> {
                        sessions.remove(id);
                        deadlines.remove(id);
                    }
                    default -> {
                        sessions.touch(id, now);
                        long at = now;
                        deadlines.computeIfPresent(
                                id, (key, _) -> at + timeouts.getOrDefault(key, 0) * MILLI);
                    }
                }
                for (long gone : sessions.expire(now)) {
                    Long deadline = deadlines.remove(gone);
                    assertTrue(deadline != null && deadline <= now, "seed " + seed);
                }
                long at = now;
                assertTrue(
                        deadlines.values().stream().allMatch(d -> d + TICK >= at),
                        "seed " + seed + ": one lives too long");
            }
        }
    }
}
