package dev.ensemble.server.member;

import dev.ensemble.server.model.Session;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Effect;

/// What a member wants done, in order.
public sealed interface Output {
    /// Something of replication: links and disk. Never [Effect.Deliver], [Effect.Replace],
    /// [Effect.Relayed], [Effect.Confirmed], [Effect.HandOverFailed] or [Effect.InSync], which the
    /// member itself takes.
    record OfPeer(Effect effect) implements Output {}

    /// A transaction is committed and applied. Every I/O thread gets it: watches first, then its
    /// tree, then the reply.
    ///
    /// @param connection of this member that asked, or 0; for an attach
    ///   ([dev.ensemble.server.model.Result.Attached]) the connection that has the session from
    ///   here on
    /// @param number of its request
    record Published(Applied applied, long connection, long number) implements Output {}

    /// A whole other tree is in force, after SNAP. What happened between is not known, so all
    /// connections were closed.
    record Replaced(Tree tree) implements Output {}

    /// The session does not exist, or the password is wrong: the answer with zeroes, then close.
    record ConnectRefused(long connection) implements Output {}

    /// The connection has a session that only this member knows.
    record LocallyAttached(long connection, Session session) implements Output {}

    /// The session, which only this member knew, has ended, as its connection asked.
    record LocallyClosed(long connection, long number) implements Output {}

    /// Everything that was committed when the sync arrived at the leader has been published here.
    record Synced(long connection, long number) implements Output {}

    /// Of [Input.Transfer] or [Input.ChangeMembers].
    record Answered(long ticket, Answer answer) implements Output {}

    /// @param reason for the log
    record Close(long connection, String reason) implements Output {}

    /// Whether this member may read from its clients and answer them. While it may not, their
    /// requests wait.
    record Serving(boolean serving) implements Output {}

    /// Whether this member, which does not serve, answers those clients that read only. All
    /// connections from before end.
    record ReadOnly(boolean readOnly) implements Output {}
}
