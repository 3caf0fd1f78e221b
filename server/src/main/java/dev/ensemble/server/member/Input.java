package dev.ensemble.server.member;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Event;

import java.util.List;

/// What can happen to a member. `connection` is a number that the client side gives each
/// connection, never used twice by one process; `number` counts the requests of a connection.
public sealed interface Input {
    /// Something of replication.
    record OfPeer(Event event) implements Input {}

    /// The state that [Event.SnapshotFetched] speaks of, loaded. Comes right before it.
    record Fetched(long zxid, Tree tree) implements Input {}

    /// A client's handshake, checked as far as the connection's own thread can.
    ///
    /// @param session 0 for a new one
    /// @param timeoutMillis negotiated
    /// @param password for a new session 16 random bytes, else what the client showed
    record Connect(long connection, long session, int timeoutMillis, byte[] password)
            implements Input {}

    /// A write of an attached connection.
    ///
    /// @param attach as [Output.Published] of the attach gave it
    record Write(
            long connection,
            long number,
            long session,
            long attach,
            Request.Write request,
            List<Id> identities)
            implements Input {}

    record Sync(long connection, long number) implements Input {}

    /// The connection is gone; its session lives on.
    record Disconnected(long connection) implements Input {}

    /// A person or the operator wants another leader.
    ///
    /// @param ticket comes back with [Output.Answered]
    /// @param to who shall lead; 0: any other voter
    /// @param version of the configuration that was seen; -1: any
    record Transfer(long ticket, int to, long version) implements Input {}

    /// A person or the operator wants other members. Who leaves goes first.
    record ChangeMembers(
            long ticket, List<Ensemble.Member> joining, List<Integer> leaving, long version)
            implements Input {}

    /// These sessions were heard from since the last time.
    record Touched(long[] sessions) implements Input {}
}
