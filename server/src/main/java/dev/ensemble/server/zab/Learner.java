package dev.ensemble.server.zab;

import java.util.List;

/// What a leader keeps of one member that follows it.
final class Learner {
    /// How far it has come.
    enum Stage {
        CONNECTED,
        INFORMED,
        PROMISED,
        SNAPPING,
        SYNCING,
        ACKED
    }

    final int id;
    final long incarnation;
    final long acceptedEpoch;

    /// Which of its attempts this is.
    final long attempt;

    Stage stage = Stage.CONNECTED;
    Message.AckEpoch position;
    long heardNanos;
    long pongRound;
    long acked;

    /// Which of this leader's synchronisations is its latest; 0: none yet.
    long arrival;

    /// What was committed when it had synchronised: once it has acked that, it is level. More would
    /// never be true under load, where a commit needs only the faster voters' acks.
    long committedAtSync;

    Learner(int id, long incarnation, Message.FollowerInfo info, long now) {
        this.id = id;
        this.incarnation = incarnation;
        this.acceptedEpoch = info.acceptedEpoch();
        this.attempt = info.attempt();
        this.position = new Message.AckEpoch(false, 0, 0, List.of());
        this.heardNanos = now;
    }

    boolean isInBroadcast() {
        return stage == Stage.SYNCING || stage == Stage.ACKED;
    }

    /// {@return whether its log holds what was committed when it came: from here on it keeps up, or
    /// is dropped}
    boolean isLevel() {
        return stage == Stage.ACKED && acked >= committedAtSync;
    }
}
