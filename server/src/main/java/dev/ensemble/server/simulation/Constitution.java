package dev.ensemble.server.simulation;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.zab.Hello;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/// Who belongs to a simulated ensemble, and what makes a quorum there: most seeds have voters only,
/// and the majority decides; some have an observer, some groups and weights.
///
/// From a chance of its own, so that the other seeds stay what they were.
final class Constitution {
    private static final List<Integer> WEIGHTS = List.of(0, 1, 1, 1, 2, 3);

    private final Chance chance;
    private final Ensemble declared;

    private final boolean mixed;

    /// Whose release is the one before, at first.
    private final Set<Integer> older = new HashSet<>();

    Constitution(long seed, int voters) {
        chance = new Chance(seed * 31 + 7);
        boolean observed = chance.happens(0.2);
        boolean grouped = voters > 1 && chance.happens(0.2);
        var all = new ArrayList<Ensemble.Member>();
        for (int myid = 1; myid <= voters; myid++) {
            all.add(member(myid, Ensemble.Role.PARTICIPANT));
        }
        if (observed) {
            all.add(member(voters + 1, Ensemble.Role.OBSERVER));
        }
        Ensemble plain = Ensemble.declared("", all);
        declared = grouped ? plain.with(groups(plain)) : plain;
        mixed = !grouped && chance.happens(0.2);
        if (mixed) {
            all.stream()
                    .filter(_ -> chance.happens(0.5))
                    .forEach(member -> older.add(member.myid()));
        }
    }

    private static Ensemble.Member member(int myid, Ensemble.Role role) {
        return new Ensemble.Member(myid, "m" + myid, 2888, 3888, role, null, 0);
    }

    Ensemble declared() {
        return declared;
    }

    /// {@return the level that a member's release knows}
    int protocol(int myid) {
        return older.contains(myid) ? Ensemble.FIRST_LEVEL : Hello.PROTOCOL;
    }

    /// {@return whether that member was of the release before; from its next start on it is not}
    boolean upgrade(int myid) {
        return older.remove(myid);
    }

    /// {@return whether some members were of the release before, so that groups must wait}
    boolean isMixed() {
        return mixed;
    }

    /// {@return whether clients ask for other members and groups}
    boolean isAskedFor() {
        return mixed || declared.groups().decide();
    }

    /// {@return any groups and weights with which there is a quorum}
    private Groups groups(Ensemble of) {
        var groups = new TreeMap<Integer, Integer>();
        var weights = new TreeMap<Integer, Integer>();
        int count = 1 + chance.below(3);
        for (int myid : of.members().keySet()) {
            groups.put(myid, 1 + chance.below(count));
            int weight = chance.pick(WEIGHTS);
            if (weight != 1) {
                weights.put(myid, weight);
            }
        }
        var drawn = new Groups(groups, weights);
        return isQuorum(of.with(drawn), of.voters()) ? drawn : groups(of);
    }

    /// {@return another configuration, as a client asks for it: all members, with their groups}
    String other() {
        var members = new TreeMap<Integer, Ensemble.Member>();
        while (members.values().stream().noneMatch(Constitution::votes)) {
            members.clear();
            for (Ensemble.Member member : declared.members().values()) {
                if (!chance.happens(0.15)) {
                    boolean votes = votes(member) ^ chance.happens(0.15);
                    members.put(
                            member.myid(),
                            member(
                                    member.myid(),
                                    votes ? Ensemble.Role.PARTICIPANT : Ensemble.Role.OBSERVER));
                }
            }
        }
        var plain = Ensemble.declared("", members.values());
        return (chance.happens(0.2) ? plain : plain.with(groups(plain))).text();
    }

    private static boolean votes(Ensemble.Member member) {
        return member.role() == Ensemble.Role.PARTICIPANT;
    }

    /// {@return whether these voters are a quorum; said here again, since [Ensemble#isQuorum] is
    /// under test}
    static boolean isQuorum(Ensemble ensemble, Set<Integer> some) {
        var all = new TreeMap<Integer, Integer>();
        var held = new TreeMap<Integer, Integer>();
        boolean grouped = ensemble.groups().decide();
        for (Ensemble.Member member : ensemble.members().values()) {
            if (votes(member)) {
                int id = member.myid();
                int group = grouped ? ensemble.groups().groups().getOrDefault(id, 0) : 0;
                int weight = grouped ? ensemble.groups().weights().getOrDefault(id, 1) : 1;
                all.merge(group, weight, Integer::sum);
                held.merge(group, some.contains(id) ? weight : 0, Integer::sum);
            }
        }
        all.values().removeIf(weight -> weight == 0);
        long won =
                all.entrySet().stream()
                        .filter(each -> 2 * held.getOrDefault(each.getKey(), 0) > each.getValue())
                        .count();
        return 2 * won > all.size();
    }

    /// {@return whether what is committed is what the files declare, at the highest level, whatever
    /// the disks are}
    boolean isRestored(Ensemble present) {
        return present.level() == Hello.PROTOCOL
                && present.groups().equals(declared.groups())
                && present.members().keySet().equals(declared.members().keySet())
                && present.voters().equals(declared.voters());
    }
}
