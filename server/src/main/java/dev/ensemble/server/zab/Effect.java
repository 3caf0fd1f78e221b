package dev.ensemble.server.zab;

import dev.ensemble.server.model.Payload;

/// What a peer wants done. Effects are performed in order, and none of them waits.
public sealed interface Effect {
    /// Dropped if there is no link: whatever is lost with a link is made good when the next one is
    /// up.
    record Send(int to, long epoch, Message message) implements Effect {}

    /// @param ticket grows by one; confirmed by [Event.Persisted]
    record Disk(long ticket, DiskOp op) implements Effect {}

    /// The next committed transaction, each exactly once and without gaps, from the log or the
    /// network.
    record Deliver(long zxid, Payload payload) implements Effect {}

    /// Fetch the leader's state as of `zxid` on a second connection; what was fetched before is
    /// forgotten.
    record Fetch(int leader, long epoch, long zxid) implements Effect {}

    /// Read the next entries of the own log behind `after` from disk, for a learner: answered by
    /// [Event.LogRead].
    record ReadLog(int learner, long epoch, long after) implements Effect {}

    /// The fetched state replaces the tree; the next delivery is behind `zxid`.
    record Replace(long zxid) implements Effect {}

    /// Close the link: its other end must not be talked to.
    record Disconnect(int peer, String reason) implements Effect {}

    /// The peer is in another role or phase; see [Peer#role()] and its other accessors.
    record RoleChanged() implements Effect {}

    /// This member's log holds all that the leader's initial history holds and clients may be
    /// served.
    ///
    /// @param bySnapshot what happened between is not known in detail
    record InSync(boolean bySnapshot) implements Effect {}

    /// A quorum has answered a heartbeat of at least this round.
    record Confirmed(long round) implements Effect {}

    /// The hand-over that was asked for did not come about; this member leads on.
    record HandOverFailed(int successor) implements Effect {}

    /// A message for the upper half, of the current epoch, from this member's leader or one of its
    /// learners.
    ///
    /// @param incarnation of the sender
    record Relayed(int from, long incarnation, Message message) implements Effect {}

    /// Something that a person should know; the loop logs it once.
    record Warn(String text) implements Effect {}

    /// What this disk holds is not what a majority holds: on record on disk, then the process must
    /// stop. The next start begins anew with another incarnation (`safety.md` 9).
    record Disown(String reason) implements Effect {}

    /// Our own state is wrong: the process must stop, a restart is safe, going on is not.
    record Halt(String reason) implements Effect {}
}
