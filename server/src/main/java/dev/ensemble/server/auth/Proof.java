package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import java.util.List;

/// What an auth packet of a client comes to.
public sealed interface Proof {
    /// These identities are the client's from now on, besides those that it has.
    record Proved(List<Id> ids) implements Proof {
        public Proved {
            ids = List.copyOf(ids);
        }
    }

    /// Nothing is proved: the client asks for linearizable reads on this connection.
    record Linearizable() implements Proof {}

    /// It is told so, and loses its connection.
    record Refused() implements Proof {}

    /// It loses its connection without a word, since it has come to the wrong place.
    record Misled(String reason) implements Proof {}
}
