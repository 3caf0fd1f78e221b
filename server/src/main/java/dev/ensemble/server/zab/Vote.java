package dev.ensemble.server.zab;

import java.util.Comparator;

/// Whom a member proposes as leader, and why: the newest epoch wins, then the longest log, then the
/// largest id.
///
/// @param zxid log end of the proposed leader, committed or not
record Vote(int leader, long zxid, long epoch) implements Comparable<Vote> {
    /// Nobody: the vote of a member that may not vote.
    static final Vote NONE = new Vote(0, 0, 0);

    private static final Comparator<Vote> ORDER =
            Comparator.comparingLong(Vote::epoch)
                    .thenComparingLong(Vote::zxid)
                    .thenComparingInt(Vote::leader);

    @Override
    public int compareTo(Vote other) {
        return ORDER.compare(this, other);
    }
}
