package dev.ensemble.server.zab;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// How far a learner is that gets what it lacks from its leader's log on disk, piece by piece,
/// before it joins the broadcast.
///
/// While one piece is on its way the next one is read; it goes out once a heartbeat behind the last
/// one has been answered, so that a slow learner never has more than that in front of it.
final class Replay {
    /// Its own log must be cut behind [#after] first.
    final boolean cut;

    boolean begun;

    /// Up to here it has been sent what it lacks.
    long after;

    /// Of the heartbeat behind the last piece.
    long round;

    /// The next piece, read and not sent.
    @Nullable List<History.Entry> next;

    Replay(long common, boolean cut) {
        this.after = common;
        this.cut = cut;
    }
}
