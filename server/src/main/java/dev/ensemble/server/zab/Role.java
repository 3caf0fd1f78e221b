package dev.ensemble.server.zab;

/// What a peer is at the moment. Each role is a small state machine of its own; leaving one is
/// giving back another.
sealed interface Role permits Looking, Following, Leading {
    /// {@return the role to be in afterwards, most often this one}
    Role step(Event event);

    /// {@return how this role answers who asks for a vote}
    Message.Notification notification();
}
