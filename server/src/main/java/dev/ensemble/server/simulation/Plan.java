package dev.ensemble.server.simulation;

import java.util.EnumMap;
import java.util.Map;

/// What one seed makes of a run: how many members, how fast a network, which faults and how often.
///
/// Every run leaves out some faults and exaggerates others, since what is never alone hides what it
/// would show alone.
///
/// @param faultNanos mean time between faults
/// @param weights how likely each fault is beside the others
/// @param deathAtPoint probability to crash just where a message that matters is sent, or a batch
///   is on disk
/// @param thinkNanos mean time between requests of one client
/// @param flushNanos mean time between flushes of a member's state
/// @param misleading probability that a vote says what its sender did not: an election is only a
///   hint
record Plan(
        int members,
        int clients,
        long durationNanos,
        long latencyNanos,
        long diskNanos,
        long reconnectNanos,
        long faultNanos,
        Map<Fault, Integer> weights,
        double deathAtPoint,
        long thinkNanos,
        long flushNanos,
        int keepEntries,
        boolean faultsInFormation,
        double misleading) {
    private static final long MILLIS = Schedule.MILLIS;

    static Plan of(int members, Chance chance) {
        var weights = new EnumMap<Fault, Integer>(Fault.class);
        for (Fault fault : Fault.values()) {
            weights.put(fault, chance.happens(0.4) ? 0 : 1 + chance.below(10));
        }
        return new Plan(
                members,
                2 + chance.below(4),
                chance.between(12, 30) * Schedule.SECONDS,
                chance.pick(java.util.List.of(MILLIS / 10, MILLIS, 4 * MILLIS)),
                chance.pick(java.util.List.of(MILLIS / 5, 2 * MILLIS, 10 * MILLIS)),
                chance.pick(java.util.List.of(5 * MILLIS, 50 * MILLIS, 300 * MILLIS)),
                chance.pick(java.util.List.of(300 * MILLIS, 1000 * MILLIS, 3000 * MILLIS)),
                weights,
                chance.happens(0.5) ? 0 : chance.pick(java.util.List.of(0.001, 0.01, 0.05)),
                chance.pick(java.util.List.of(20 * MILLIS, 60 * MILLIS, 200 * MILLIS)),
                chance.pick(java.util.List.of(500 * MILLIS, 3000 * MILLIS)),
                chance.pick(java.util.List.of(3, 20, 1000)),
                chance.happens(0.4),
                chance.happens(0.8) ? 0 : 0.1);
    }
}
