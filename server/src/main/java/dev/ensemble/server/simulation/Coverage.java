package dev.ensemble.server.simulation;

import java.util.EnumMap;
import java.util.Map;

/// How often what matters came up. A run that never met a situation says nothing about it.
public final class Coverage {
    /// What is counted.
    public enum Of {
        ESTABLISHED_LEADERS,
        DUELING_CANDIDATES,
        MISLEADING_VOTES,
        HAND_OVERS,
        HAND_OVERS_REFUSED,
        HAND_OVERS_FAILED,
        MEMBERS_REMOVED,
        MEMBERS_ADDED,
        MEMBERS_DEMOTED,
        MEMBERS_PROMOTED,
        MEMBERSHIP_REFUSED,
        LEADERS_THAT_GAVE_UP,
        LEADERS_THAT_DO_NOT_VOTE,
        QUORUMS_BY_GROUPS,
        QUORUM_RULES_CHANGED,
        MEMBERS_UPGRADED,
        LEVELS_RAISED,
        LEADER_CRASHES,
        CRASHES,
        CRASHES_OF_ALL,
        CRASHES_AT_A_POINT,
        FORMATIONS_WITH_CRASHES,
        POWER_LOSSES,
        TORN_TAILS,
        DISKS_LOST,
        INCARNATION_CHANGES,
        PAUSES,
        PARTITIONS,
        ONE_WAY_PARTITIONS,
        LINKS_CUT,
        SLOW_LINKS,
        SLOW_DISKS,
        CLOCK_JUMPS,
        DISKS_FULL,
        MEMBERS_RESTED,
        RESTED_MEMBERS_BACK,
        GROWTH_REFUSED,
        DIFFS,
        LOG_READS,
        LOGS_TOO_SHORT,
        TRUNCATIONS,
        SNAPSHOTS_ASKED,
        SNAPSHOTS_INSTALLED,
        SNAPSHOTS_FAILED,
        FLUSHES,
        UNCOMMITTED_AT_RECOVERY,
        COMMITTED,
        ACKNOWLEDGED,
        REFUSED,
        RESUBMITTED_REQUESTS,
        UNKNOWN_OUTCOMES,
        SESSIONS_CREATED,
        SESSIONS_MOVED,
        SESSIONS_EXPIRED,
        SESSIONS_CLOSED,
        SYNCS,
        READS,
        LINEARIZABLE_READS,
        EVENTS
    }

    private final Map<Of, Long> counts = new EnumMap<>(Of.class);

    void count(Of what) {
        counts.merge(what, 1L, Long::sum);
    }

    void count(Of what, long times) {
        counts.merge(what, times, Long::sum);
    }

    /// Adds what another run met.
    public void add(Coverage other) {
        other.counts.forEach((what, times) -> counts.merge(what, times, Long::sum));
    }

    public long of(Of what) {
        return counts.getOrDefault(what, 0L);
    }

    /// {@return one line for each situation}
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (Of what : Of.values()) {
            String name = what.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
            text.append(String.format("%-26s %,14d%n", name, of(what)));
        }
        return text.toString();
    }
}
