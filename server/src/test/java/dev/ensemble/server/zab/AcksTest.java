package dev.ensemble.server.zab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// What a quorum has on disk.
class AcksTest {
    private static Ensemble voters(int from, int to, long incarnation) {
        return Ensemble.declared(
                "e",
                IntStream.rangeClosed(from, to)
                        .mapToObj(id ->
                                new Ensemble.Member(
                                        id,
                                        "h" + id,
                                        2888,
                                        3888,
                                        Ensemble.Role.PARTICIPANT,
                                        null,
                                        incarnation))
                        .toList());
    }

    @Test
    @DisplayName("a majority counts, silence does not")
    void countsMajority() {
        var acks = new Acks();
        var ensemble = List.of(voters(1, 3, 7));
        acks.put(1, 7, 100);
        assertEquals(0, acks.quorumZxid(ensemble));
        acks.put(2, 7, 40);
        assertEquals(40, acks.quorumZxid(ensemble));
        acks.put(3, 7, 70);
        assertEquals(70, acks.quorumZxid(ensemble));
        acks.remove(1);
        assertEquals(40, acks.quorumZxid(ensemble));
    }

    @Test
    @DisplayName("another disk of the same member does not count (safety 7)")
    void ignoresOtherIncarnations() {
        var acks = new Acks();
        acks.put(1, 7, 100);
        acks.put(2, 8, 100);
        assertEquals(0, acks.quorumZxid(List.of(voters(1, 3, 7))));
        acks.put(3, 7, 50);
        assertEquals(50, acks.quorumZxid(List.of(voters(1, 3, 7))));
    }

    @Test
    @DisplayName("with a change pending both configurations must have it (B16, B18)")
    void needsBothConfigurations() {
        var acks = new Acks();
        acks.put(1, 7, 100);
        acks.put(2, 7, 100);
        var both = List.of(voters(1, 3, 7), voters(1, 5, 7));
        assertEquals(0, acks.quorumZxid(both));
        acks.put(5, 7, 60);
        assertEquals(60, acks.quorumZxid(both));
    }

    @Test
    @DisplayName("the clever answer is the obvious one, for 10,000 seeds")
    void agreesWithCounting() {
        for (long seed = 0; seed < 10_000; seed++) {
            var random = new SplittableRandom(seed);
            int count = random.nextInt(1, 8);
            var ensemble = voters(1, count, 7);
            if (random.nextBoolean()) {
                var groups = new HashMap<Integer, Integer>();
                var weights = new HashMap<Integer, Integer>();
                for (int id = 1; id <= count; id++) {
                    groups.put(id, random.nextInt(3));
                    weights.put(id, random.nextInt(3));
                }
                ensemble = ensemble.with(new Groups(groups, weights));
            }
            Ensemble counted = ensemble;
            var acks = new Acks();
            long[] zxids = new long[9];
            for (int id = 1; id < 9; id++) {
                if (random.nextInt(4) > 0) {
                    zxids[id] = random.nextInt(1, 20);
                    acks.put(id, 7, zxids[id]);
                }
            }
            long expected = 0;
            for (long candidate = 1; candidate < 20; candidate++) {
                long at = candidate;
                if (counted.isQuorum(id -> zxids[id] >= at)) {
                    expected = candidate;
                }
            }
            assertEquals(expected, acks.quorumZxid(List.of(ensemble)), "seed " + seed);
        }
    }
}
