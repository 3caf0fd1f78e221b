package dev.ensemble.server.zab;

import java.util.List;

/// What can happen to a peer. Events of one link come in order: up, what was received, down.
public sealed interface Event {
    /// A link is up and both have said hello. Replaces an older one to the same member, whose end
    /// has been told.
    record LinkUp(int from, Hello hello) implements Event {}

    record LinkDown(int from) implements Event {}

    /// @param incarnation of the sender
    /// @param epoch the leadership that the message belongs to; 0 for elections
    record Received(int from, long incarnation, long epoch, Message message) implements Event {}

    /// Everything with a ticket up to this one is on disk, in order.
    record Persisted(long ticket) implements Event {}

    /// A snapshot of the leader of `epoch` has arrived and is on disk beside the data in force, not
    /// yet installed.
    record SnapshotFetched(long epoch, long zxid) implements Event {}

    record SnapshotFailed(long epoch, long zxid, String reason) implements Event {}

    /// Answer to [Effect.ReadLog].
    ///
    /// @param entries contiguous, the first right behind `after`; none if the log does not reach
    ///   back so far or a snapshot is the better way
    record LogRead(int learner, long epoch, long after, List<History.Entry> entries)
            implements Event {}

    /// A member has seen a later start of this incarnation than this one, or another process with
    /// as many starts: the disk went back in time (`safety.md` 9).
    record Outdated(int from, long laterStart) implements Event {}

    /// The disk has less space left than it should (`safety.md` 13), or enough again.
    record Space(boolean full) implements Event {}

    /// Time has passed. At least every half heartbeat.
    record Tick() implements Event {}
}
