package dev.ensemble.server.zab;

import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Request;

import java.util.List;
import java.util.Map;

/// What members send each other. Each travels with the epoch of the leadership that it belongs to
/// and the sender's incarnation; a message of another epoch or role is dropped (`safety.md` 3).
///
/// The table of who may send what to whom, in which role, is `server/docs/peer-protocol.md`.
public sealed interface Message {
    /// What a member is at the moment, as it tells others.
    enum State {
        LOOKING,
        FOLLOWING,
        /// Elected, not established: no quorum has acked NEWLEADER.
        PREPARING,
        LEADING
    }

    /// A vote, or from a member in office its leader. Epoch 0: elections are outside of any.
    ///
    /// @param leader the proposed or actual leader; 0 for none (a blank member proposes nobody)
    /// @param zxid log end of the proposed leader
    /// @param peerEpoch current epoch of the proposed leader; of a member in office the epoch of
    ///   its leadership
    /// @param round election round of the sender
    /// @param identity state of the sender's disk, which changes while a link is up
    /// @param seen FORMING: the incarnations that the sender's record holds
    /// @param committed up to where the sender knows its log to be committed
    record Notification(
            State state,
            int leader,
            long zxid,
            long peerEpoch,
            long round,
            Identity.State identity,
            Map<Integer, Long> seen,
            long committed)
            implements Message {}

    /// Learner to leader: here I am, this is what I have promised.
    ///
    /// @param attempt counts these messages of the learner, from 1 on; 0: its release does not
    record FollowerInfo(long acceptedEpoch, long attempt) implements Message {}

    /// Leader to learner: the new epoch (of the envelope), and the ensemble that the learner joins.
    ///
    /// @param attempt of the [FollowerInfo] that this answers: one link may hold an earlier one, of
    ///   the same epoch, that the learner has given up since, and what the leader says to that is
    ///   about a log that has changed
    record LeaderInfo(String ensembleId, long attempt) implements Message {}

    /// Learner to leader: the promise, on disk. What the log holds, so that the leader can find
    /// where both agree.
    ///
    /// @param promised false if this epoch had been promised before: the learner may synchronise,
    ///   but does not count
    /// @param lastZxid log end
    /// @param epochEnds the last zxid of each epoch in the log, ascending, at most
    ///   [#MAX_EPOCH_ENDS] of the newest; the lowest may be that of the stored state in front of
    ///   the log
    record AckEpoch(boolean promised, long currentEpoch, long lastZxid, List<Long> epochEnds)
            implements Message {
        public static final int MAX_EPOCH_ENDS = 128;
    }

    /// What follows continues at the learner's log end.
    record Diff() implements Message {}

    /// Cut the log behind `zxid`, then as [Diff].
    record Trunc(long zxid) implements Message {}

    /// Fetch the state as of `zxid` (committed) on a second connection, install it, send [AckEpoch]
    /// again.
    record Snap(long zxid) implements Message {}

    record Proposal(long zxid, Payload payload) implements Message {}

    /// Everything up to `zxid` is committed.
    record Commit(long zxid) implements Message {}

    /// The initial history of this epoch ends here, at `zxid`.
    record NewLeader(long zxid) implements Message {}

    /// All of it is on disk, and the current epoch too.
    record AckNewLeader() implements Message {}

    /// A quorum has acked NEWLEADER; everything up to `committed` is.
    record UpToDate(long committed) implements Message {}

    /// Everything up to `zxid` is on disk.
    record Ack(long zxid) implements Message {}

    /// Heartbeat, from the leader.
    ///
    /// @param round grows; the answer confirms the leadership for everything that arrived before it
    ///   was sent
    /// @param safeToStop whether the receiver may stop without costing the quorum anything
    /// @param reasons why it may not
    /// @param rest the receiver's disk is full and nobody needs it: it takes nothing in until it is
    ///   told otherwise, and then sends [AckEpoch] again
    record Ping(long round, long committed, boolean safeToStop, List<String> reasons, boolean rest)
            implements Message {}

    /// @param full the sender's disk is
    record Pong(long round, boolean full) implements Message {}

    /// From a leader that leaves office: everything it proposed is committed and on the successor's
    /// disk.
    record HandOver(int successor) implements Message {}

    /// Leader to a member that it will not have: why. The receiver tells its log and status.
    record Rejected(String reason) implements Message {}

    // What the members' upper half says, carried and fenced like the rest.

    /// Learner to leader: a client's write.
    ///
    /// @param attach the attach number of the session that the connection knows
    record Forward(
            long sequence, long session, long attach, Request.Write request, List<Id> identities)
            implements Message {}

    /// Learner to leader: a client wants a session, or its session on this member.
    ///
    /// @param session 0 for a new one
    /// @param password random for a new one, else what the client showed
    record ForwardConnect(
            long sequence, long session, int timeoutMillis, byte[] password, boolean isUpgrade)
            implements Message {}

    /// The session does not exist or the password is wrong.
    record ConnectRefused(long sequence) implements Message {}

    record SyncRequest(long sequence) implements Message {}

    /// Confirmed by a quorum; the learner answers once it has applied `zxid`.
    record SyncReply(long sequence, long zxid) implements Message {}

    /// Learner to leader: the digest of its tree as of `zxid`.
    ///
    /// @param wrong leader to learner: a quorum has this one, and the learner does not
    /// @param version how the digest was made; others are not compared
    record TreeDigest(long zxid, long digest, boolean wrong, int version) implements Message {}

    /// Learner to leader: these sessions were heard from since the last report.
    record Touched(long[] sessions) implements Message {}
}
