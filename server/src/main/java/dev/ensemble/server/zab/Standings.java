package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// How the members stand, as an established leader sees them, and what follows from it: who may
/// stop, who may lead next, which configuration is possible and which is due.
///
/// Decides nothing about the log: of the leader's role alone, see [Leading].
final class Standings {
    /// An incarnation that no disk has: who is voter with it does not count until the leader has
    /// found it level, and has committed its own.
    private static final long NOT_YET = Local.UNKNOWN;

    private final Local local;
    private final Map<Integer, Learner> learners;
    private final BooleanSupplier established;
    private final long epoch;

    /// @param learners of the leader, which goes on changing them
    Standings(
            Local local, Map<Integer, Learner> learners, BooleanSupplier established, long epoch) {
        this.local = local;
        this.learners = learners;
        this.established = established;
        this.epoch = epoch;
    }

    /// {@return whether a voter's log is level with this one, or nearly}
    boolean isSynced(int id) {
        if (id == local.myid()) {
            return true;
        }
        Learner learner = learners.get(id);
        return learner != null && local.isVoter(id, learner.incarnation) && follows(learner);
    }

    private boolean follows(Learner learner) {
        return learner.stage == Learner.Stage.ACKED
                && local.now - learner.heardNanos <= local.config.timeoutNanos();
    }

    boolean isConnected(int id) {
        return id == local.myid() || learners.containsKey(id);
    }

    /// {@return how many transactions of this epoch a member has not acked}
    long lag(int id) {
        Learner learner = learners.get(id);
        if (id == local.myid() || learner == null) {
            return 0;
        }
        return Math.max(0, local.history.last() - Math.max(learner.acked, Zxid.of(epoch, 0)));
    }

    /// {@return why stopping this voter now would cost the quorum something; empty if it would not}
    List<String> reasonsNotToStop(int id) {
        var reasons = new ArrayList<String>();
        if (!established.getAsBoolean()) {
            reasons.add("no leader is established");
            return reasons;
        }
        Ensemble ensemble = local.configuration();
        if (!ensemble.voters().contains(id) || !isSynced(id)) {
            return reasons; // It costs the quorum nothing more.
        }
        if (local.isConfigurationPending()) {
            reasons.add("a configuration change is pending");
        }
        if (ensemble.voters().size() == 1) {
            reasons.add("it is the only voter");
        }
        if (ensemble.groups().decide() && !ensemble.isQuorum(other -> other != id)) {
            reasons.add("the others weigh too little to be a quorum");
        }
        for (int voter : ensemble.voters()) {
            if (voter != id && !isSynced(voter)) {
                reasons.add("voter " + voter + " is not in sync");
            }
        }
        return reasons;
    }

    /// {@return the members that follow and are no voters}
    List<Peer.Learning> learnersThatDoNotVote() {
        return learners.values().stream()
                .filter(learner -> learner.stage == Learner.Stage.ACKED)
                .filter(learner -> !local.isVoter(learner.id, learner.incarnation))
                .map(learner ->
                        new Peer.Learning(
                                learner.id,
                                learner.incarnation,
                                lag(learner.id),
                                learner.isLevel()))
                .toList();
    }

    /// {@return whom this leader can hand its office to: the voter in sync whose log is nearest to
    /// its own; null if there is none}
    ///
    /// @param among who may be chosen
    @Nullable Integer successor(Set<Integer> among) {
        return among.stream()
                .filter(id -> id != local.myid())
                .filter(id -> local.configuration().mayLead(id) && isSynced(id))
                .max(Comparator.comparingLong(this::acked).thenComparing(Comparator.naturalOrder()))
                .orElse(null);
    }

    boolean isLevel(int id) {
        Learner learner = learners.get(id);
        return id == local.myid() || (learner != null && learner.isLevel() && follows(learner));
    }

    private long acked(Integer id) {
        Learner learner = learners.get(id);
        return learner == null ? 0 : learner.acked;
    }

    // Configurations.

    /// {@return whether a quorum of that configuration follows, so that it could commit}
    boolean hasQuorum(Ensemble next) {
        return next.isQuorum(id -> {
            if (id == local.myid()) {
                return next.isVoter(id, local.identity.incarnation());
            }
            Learner learner = learners.get(id);
            return learner != null && next.isVoter(id, learner.incarnation) && follows(learner);
        });
    }

    /// {@return that configuration with the disks of its members: who voted with one keeps it, who
    /// joins the voters and is level comes with its own}
    ///
    /// Any other voter gets one that nobody has. It is a learner until it is level, and joins then
    /// by [#wanted].
    Ensemble withDisks(Ensemble next) {
        Ensemble result = next;
        for (Ensemble.Member member : next.members().values()) {
            result = result.withIncarnation(member.myid(), diskOf(member));
        }
        return result;
    }

    private long diskOf(Ensemble.Member member) {
        Ensemble.Member before = local.configuration().members().get(member.myid());
        if (before != null && before.role() == Ensemble.Role.PARTICIPANT) {
            return before.incarnation();
        }
        Learner learner = learners.get(member.myid());
        if (learner == null) {
            boolean votes = member.role() == Ensemble.Role.PARTICIPANT;
            return votes ? NOT_YET : before == null ? 0 : before.incarnation();
        }
        boolean counts = member.role() == Ensemble.Role.OBSERVER || learner.isLevel();
        return counts ? learner.incarnation : NOT_YET;
    }

    /// {@return the configuration that should be proposed now, or null}
    ///
    /// The first leader commits what the ensemble formed with. Later, a voter whose disk was lost
    /// has come back with another and is level: the new one is committed, with a quorum that leaves
    /// it out, since the old one does not count it (`safety.md` 7). And once all members know a
    /// higher level, it is that one's.
    @Nullable Ensemble wanted() {
        if (!established.getAsBoolean() || local.isConfigurationPending()) {
            return null;
        }
        Ensemble ensemble = local.configuration();
        if (ensemble.version() == 0) {
            return founding(ensemble);
        }
        for (Learner learner : learners.values()) {
            if (learner.isLevel()
                    && !local.isVoter(learner.id, learner.incarnation)
                    && ensemble.voters().contains(learner.id)) {
                return ensemble.withIncarnation(learner.id, learner.incarnation);
            }
        }
        // A member whose disk was not known when the ensemble formed (`bootstrap=majority`).
        for (Learner learner : learners.values()) {
            Ensemble.Member member = ensemble.members().get(learner.id);
            if (member != null
                    && member.incarnation() == 0
                    && learner.stage == Learner.Stage.ACKED) {
                return ensemble.withIncarnation(learner.id, learner.incarnation);
            }
        }
        int known = level(ensemble.members().keySet());
        return known > ensemble.level() ? ensemble.atLevel(known) : null;
    }

    /// {@return the highest level that all of them know, and whoever else follows; the first one
    /// while any of them is not there to say}
    private int level(Set<Integer> members) {
        var all = new HashSet<>(members);
        all.addAll(learners.keySet());
        int level = local.config.protocol();
        for (int member : all) {
            if (member != local.myid()) {
                Hello hello = local.links.get(member);
                level = Math.min(level, hello == null ? Ensemble.FIRST_LEVEL : hello.protocol());
            }
        }
        return level;
    }

    private Ensemble founding(Ensemble formed) {
        Ensemble ensemble =
                formed.at(0)
                        .named(local.identity.ensembleId())
                        .withIncarnation(local.myid(), local.identity.incarnation());
        for (Learner learner : learners.values()) {
            Ensemble.Member member = ensemble.members().get(learner.id);
            if (member != null && member.incarnation() == 0) {
                ensemble = ensemble.withIncarnation(learner.id, learner.incarnation);
            }
        }
        // Who shares a record with groups in it knows them. An observer need not have been seen.
        int least = ensemble.groups().decide() ? Ensemble.LEVEL_OF_GROUPS : Ensemble.FIRST_LEVEL;
        return ensemble.atLevel(Math.max(least, level(ensemble.voters())));
    }
}
