package dev.ensemble.server.differential;

import java.util.List;

/// What one of a program's clients does next. Clients take turns: one is done when all its answers
/// are here, so that the order of everything is the program's.
sealed interface Step {
    /// {@return which client}
    int client();

    /// Begins a session; the connection it had is dropped, and the session of it left alone.
    ///
    /// @param readOnlyByte whether the request has the byte that clients send since 3.4
    record Connect(int client, int timeoutMillis, boolean readOnlyByte) implements Step {}

    /// Connects anew to the session it has.
    ///
    /// @param takeover whether the old connection is still open then
    /// @param behind sent right behind the handshake
    record Reconnect(int client, boolean takeover, int timeoutMillis, List<Op> behind)
            implements Step {}

    /// Drops its connection, and tries the session with a wrong password.
    record Guess(int client) implements Step {}

    /// Drops its connection.
    record Drop(int client) implements Step {}

    /// Sends all of these at once.
    record Burst(int client, List<Op> ops) implements Step {}
}
