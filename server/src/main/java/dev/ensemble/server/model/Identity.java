package dev.ensemble.server.model;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// Who a member is, as its disk says (`safety.md` 7 and 9).
///
/// @param ensembleId empty until the member is a [State#MEMBER], or as the configuration file
///   declares it
/// @param incarnation random, never 0: a disk that was lost comes back as another
/// @param starts how often a process has started on this disk, this time included
/// @param voters FORMING: the incarnation of each declared voter, as seen when the record was
///   written
public record Identity(
        State state,
        String ensembleId,
        int myid,
        long incarnation,
        long starts,
        Map<Integer, Long> voters) {
    public enum State {
        /// Holds nothing and never voted.
        BLANK,
        /// Saw every declared voter blank or forming, with the same bootstrap record; may vote, has
        /// promised nothing.
        FORMING,
        /// Has promised an epoch; belongs to an ensemble.
        MEMBER
    }

    public Identity {
        // Sorted: the order of Map.copyOf differs from process to process, and one seed must replay
        // a run.
        voters = Collections.unmodifiableMap(new TreeMap<>(voters));
        if (incarnation == 0) {
            throw new IllegalArgumentException("incarnation is 0");
        }
    }

    /// {@return this one, in another state}
    public Identity in(State next, String ensemble, Map<Integer, Long> seen) {
        return new Identity(next, ensemble, myid, incarnation, starts, seen);
    }
}
