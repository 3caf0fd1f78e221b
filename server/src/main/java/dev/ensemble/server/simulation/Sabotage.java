package dev.ensemble.server.simulation;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Mutations: lies that the world around the members can be made to tell. Each breaks a promise
/// that the protocol rests on, so the rules must notice: it shows that they can fail. To the others
/// a member with such a disk or such messages is one whose code leaves out the step that the lie is
/// about.
///
/// `ensemble simulate --mutation all` looks for a seed that notices each.
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
    INCARNATION_KEPT,
    /// A leader says that something is committed before a quorum has it.
    COMMITS_TOO_EARLY,
    /// A member acks what it does not have.
    ACKS_TOO_MUCH,
    /// A member's log seems older than it is: whoever lacks what is in it may lead.
    HISTORY_UNDERSTATED,
    /// A member takes more of its log for committed than is, and tells others so.
    COMMITTED_OVERSTATED,
    /// A learner asks again for what the leader has done.
    ASKS_TWICE,
    /// A member of the release before says that it knows what this one knows.
    LEVEL_OVERSTATED,
    /// A member answers linearizable reads from what it has, and asks nobody.
    READS_WITHOUT_A_ROUND;

    /// {@return all of them: what can be broken}
    public static List<Sabotage> all() {
        return Arrays.stream(values()).filter(each -> each != NONE).toList();
    }

    /// {@return its name on a command line}
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
