package dev.ensemble.server.model;

import java.util.List;

/// What applying a transaction gave: what the reply is made of.
public sealed interface Result {
    record Created(String path, Stat stat) implements Result {}

    record Deleted() implements Result {}

    /// Of setData, setACL and reconfig.
    record Changed(Stat stat) implements Result {}

    record Checked() implements Result {}

    record Parts(List<Result> parts) implements Result {}

    record Failed(Code code) implements Result {}

    /// A multi that failed, see [Txn.RefusedMulti].
    record FailedParts(List<Code> codes) implements Result {}

    /// Of createSession and of an attach.
    record Attached(Session session) implements Result {}

    record SessionClosed(long session) implements Result {}

    record Configured(Ensemble ensemble, Stat stat) implements Result {}
}
