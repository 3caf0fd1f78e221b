package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What a member knew of itself at one moment: what status, words and metrics tell.
///
/// Immutable. The peer thread makes one every now and then and whenever its role changes; any
/// thread may read the newest.
///
/// @param nanos monotonic time of the moment
/// @param inSyncNanos when the member was last in sync, equal to `nanos` if it is now; its start if
///   it never was
/// @param everInSync since its start
/// @param voters and `learners`: empty unless this member leads
/// @param reasonsNotToStop null if no leader has said
/// @param outstanding requests of local clients under way
/// @param warnings what the member's core wants a person to know, of the last minutes
/// @param resting it takes nothing in, since its disk is full and the others can do without it
/// @param cramped it leads, and refuses what makes data grow, since no quorum has space
/// @param leaderSinceNanos when this member began to lead; 0 if it does not
record Facts(
        long nanos,
        long inSyncNanos,
        boolean everInSync,
        Peer.RoleName role,
        int leader,
        long currentEpoch,
        long acceptedEpoch,
        boolean serving,
        long committed,
        long logged,
        long synced,
        Identity identity,
        Ensemble configuration,
        boolean configurationPending,
        List<Peer.Standing> voters,
        List<Peer.Learning> learners,
        @Nullable List<String> reasonsNotToStop,
        int outstanding,
        Tree tree,
        List<String> warnings,
        boolean resting,
        boolean cramped,
        long leaderSinceNanos,
        Counts counts) {

    /// What has happened since the start.
    ///
    /// @param looking how often this member began to look for a leader
    /// @param snapshots promised to learners
    /// @param diffs learners that were synchronised without one
    /// @param expiredSessions ended by this member as the leader, since nobody heard from them
    record Counts(
            long looking,
            long commits,
            long proposals,
            long snapshots,
            long diffs,
            long proposalsReceived,
            long commitsReceived,
            long expiredSessions,
            int lastProposalBytes,
            int minProposalBytes,
            int maxProposalBytes) {}

    boolean isLeader() {
        return role == Peer.RoleName.LEADER;
    }

    boolean isInSync() {
        return inSyncNanos == nanos;
    }
}
