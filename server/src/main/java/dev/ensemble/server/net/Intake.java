package dev.ensemble.server.net;

import dev.ensemble.server.member.Input;

import java.util.List;

/// Where the client side hands over what its clients want. A port: the peer thread's inbox
/// implements it.
public interface Intake {
    /// Takes what one I/O thread gathered in one turn, in order. Never waits; the client side
    /// bounds what is under way.
    void submit(List<Input> batch);
}
