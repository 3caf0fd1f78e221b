package dev.ensemble.server.simulation;

/// Lies that the world around the members can be made to tell. Each breaks a promise that the
/// protocol rests on, so the rules must notice: it shows that they can fail.
public enum Sabotage {
    NONE,
    /// The disk confirms what a crash still loses.
    CONFIRMS_BEFORE_DURABLE,
    /// The disk writes the epochs before what was asked for earlier (ZOOKEEPER-4643).
    EPOCHS_OVERTAKE,
    /// Recovery cuts one entry too many off a whole log.
    RECOVERY_CUTS_TOO_MUCH,
    /// The log is cut by one entry more than was asked for (ZOOKEEPER-1154).
    TRUNCATES_TOO_MUCH,
    /// Recovery takes all of the log for committed.
    COMMIT_POINT_TOO_HIGH,
    /// Recovery forgets the newest promise.
    PROMISE_FORGOTTEN,
    /// Acks of an epoch that is over arrive as ones of the epoch at hand.
    EPOCH_FORGED,
    /// The network swaps messages of one link.
    MESSAGES_SWAPPED,
    /// The network drops single messages of a link that stays up.
    MESSAGES_LOST,
    /// A snapshot is older than it says.
    SNAPSHOT_TOO_OLD,
    /// One member says that it holds something else than the others.
    TREE_DIFFERS,
    /// A lost disk comes back empty under its old name.
    INCARNATION_KEPT
}
