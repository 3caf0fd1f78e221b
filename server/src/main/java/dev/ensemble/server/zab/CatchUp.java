package dev.ensemble.server.zab;

/// How a learner's log becomes a prefix of the leader's.
sealed interface CatchUp {
    /// It is one already, up to `common`.
    record Diff(long common) implements CatchUp {}

    /// It is one once everything behind `common` is cut.
    record Trunc(long common) implements CatchUp {}

    /// As [Diff], or as [Trunc] if it is longer; but what lies behind `common` is on disk only.
    record Replay(long common, boolean cut) implements CatchUp {}

    /// The leader no longer has what lies between.
    record Snap() implements CatchUp {}
}
