package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;

/// What a peer is told at its start.
///
/// @param declared the members of the configuration file, with incarnation 0; counts until a
///   configuration is committed
/// @param bootstrapRecord hash of what the file declares, see [Hello]
/// @param heartbeatNanos how often a leader speaks
/// @param timeoutNanos of silence until a leader or a follower is given up
/// @param joinNanos how long discovery and synchronisation may take (`initLimit`)
/// @param electionWaitNanos how long a member waits for a better vote than a quorum's, if not all
///   that it reaches have voted
/// @param protocol what its [Hello] says: the highest level that this build knows
public record PeerConfig(
        int myid,
        Ensemble declared,
        Bootstrap bootstrap,
        String bootstrapRecord,
        long heartbeatNanos,
        long timeoutNanos,
        long joinNanos,
        long electionWaitNanos,
        int protocol) {
    /// How an ensemble comes into being (`safety.md` 7).
    public enum Bootstrap {
        /// Once every declared voter has been seen blank, with the same record.
        UNANIMOUS,
        /// As ZooKeeper does it: any majority, blank or not.
        MAJORITY,
        /// It exists already: never forms another.
        BOOTSTRAPPED
    }

    /// {@return how long after the last tick a tick tells that this process stood still}
    ///
    /// Ticks are due after five quarters of a heartbeat at the latest ([Peer#tickDueNanos]); half a
    /// heartbeat more is a pause. It is less than the shortest time-out, so that no pause that goes
    /// unnoticed can make a member give up another.
    public long pauseNanos() {
        return heartbeatNanos * 7 / 4;
    }

    public PeerConfig {
        if (heartbeatNanos <= 0 || timeoutNanos < 2 * heartbeatNanos) {
            throw new IllegalArgumentException(
                    "time-out of "
                            + timeoutNanos
                            + " ns is not at least two heartbeats of "
                            + heartbeatNanos);
        }
    }
}
