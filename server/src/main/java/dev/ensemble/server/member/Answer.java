package dev.ensemble.server.member;

import dev.ensemble.server.model.Ensemble;

/// What became of a change that a person or the operator asked for (`server/docs/status.md`).
public sealed interface Answer {
    /// @param leader who leads from here on, or begins to; 0: nobody yet
    record Transferred(int leader) implements Answer {}

    /// @param ensemble committed
    record Changed(Ensemble ensemble) implements Answer {}

    /// @param version of the committed configuration
    record Refused(String reason, long version) implements Answer {}

    /// @param leader who does lead; 0: not known
    record NotLeader(String reason, int leader) implements Answer {}
}
