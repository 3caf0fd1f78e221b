package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Configuration;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Learner;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Decides on the number of members, at most two at a time, so that it stays odd.
///
/// Up: pods first, which follow without a vote until they have everything; then one transaction
/// gives them their votes. Down: one transaction takes the votes away; then the pods go. At no time
/// is there a voter without a pod, and the ensemble decides each change by a quorum of its own.
final class ScalePlan {
    private static final int AT_ONCE = 2;

    private ScalePlan() {}

    /// {@return the next step of a change that has begun, or of one that only takes away; null if
    /// there is none}
    static @Nullable Step goOn(Observed seen) {
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return null;
        }
        Set<Integer> voters = leader.configuration().voters();
        int needed = voters.stream().mapToInt(each -> ordinal(seen, each) + 1).max().orElse(0);
        if (seen.size() < needed) {
            return new Step.Resize(seen.size(), needed);
        }
        Set<Integer> leaving = new TreeSet<>(voters);
        leaving.removeAll(seen.wanted());
        if (!leaving.isEmpty()) {
            return remove(seen, leader, leaving);
        }
        List<Integer> joining = joining(seen, voters);
        if (!joining.isEmpty()) {
            return seen.size() < sizeFor(seen, joining) ? null : add(seen, leader, joining);
        }
        return seen.size() > seen.wish().replicas() ? shrink(seen, leader) : null;
    }

    /// {@return the first step of a change that adds members; null if none is to be added}
    static @Nullable Step begin(Observed seen) {
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return null;
        }
        List<Integer> joining = joining(seen, leader.configuration().voters());
        if (joining.isEmpty()) {
            return null;
        }
        Step wait = unsettled(seen, leader);
        return wait != null ? wait : new Step.Resize(seen.size(), sizeFor(seen, joining));
    }

    /// The next ones to get a vote, lowest first.
    private static List<Integer> joining(Observed seen, Set<Integer> voters) {
        List<Integer> joining =
                seen.wanted().stream().filter(each -> !voters.contains(each)).toList();
        return joining.subList(0, atOnce(voters.size(), joining.size()));
    }

    /// Two, but one where that is what makes the number of voters odd again.
    private static int atOnce(int voters, int waiting) {
        return Math.min(waiting, voters % 2 == 0 ? 1 : AT_ONCE);
    }

    private static int sizeFor(Observed seen, List<Integer> joining) {
        return ordinal(seen, joining.getLast()) + 1;
    }

    private static int ordinal(Observed seen, int myid) {
        return myid - seen.wish().firstMyid();
    }

    private static Step add(Observed seen, Leadership.Known leader, List<Integer> joining) {
        List<String> waiting = new ArrayList<>();
        for (Member member : seen.members()) {
            Learner learner = member.learner();
            if (joining.contains(member.myid()) && (learner == null || !learner.level())) {
                waiting.add(member.name() + " to be in sync as a learner" + why(member));
            }
        }
        if (!waiting.isEmpty()) {
            return new Step.Wait(waiting);
        }
        Step wait = unsettled(seen, leader);
        return wait != null ? wait : change(leader, joining, List.of());
    }

    private static String why(Member member) {
        Pod pod = member.pod();
        if (pod == null) {
            return ": its pod is not there yet";
        }
        return pod.trouble() == null ? "" : ": " + pod.trouble().message();
    }

    private static Step remove(Observed seen, Leadership.Known leader, Set<Integer> leaving) {
        // One that is out costs nothing to remove, so it goes first; then the highest.
        List<Integer> order =
                leaving.stream()
                        .sorted(
                                Comparator.comparing((Integer each) -> synced(seen, each))
                                        .thenComparing(Comparator.reverseOrder()))
                        .toList();
        Set<Integer> voters = leader.configuration().voters();
        List<Integer> batch = order.subList(0, atOnce(voters.size(), order.size()));
        List<Integer> staying = voters.stream().filter(each -> !batch.contains(each)).toList();
        long out =
                staying.stream()
                        .filter(each -> seen.wanted().contains(each) && !synced(seen, each))
                        .count();
        long in = staying.stream().filter(each -> synced(seen, each)).count();
        if (out > 0 || in < staying.size() / 2 + 1) {
            return new Step.Wait(
                    "the members that stay to be in sync, before others are removed: "
                            + String.join(", ", Plan.notWell(seen)));
        }
        if (leader.configuration().pending()) {
            return new Step.Wait("a change of the configuration to be committed");
        }
        if (!leader.confirmed()) {
            return new Step.Wait("a majority of the voters to confirm the leader");
        }
        if (!batch.contains(leader.myid())) {
            return change(leader, List.of(), batch);
        }
        return seen.members().stream()
                .filter(each -> staying.contains(each.myid()) && each.synced())
                .filter(each -> seen.wanted().contains(each.myid()))
                .min(RollPlan.BEST_SUCCESSOR)
                .<Step>map(each ->
                        new Step.HandOver(leader.myid(), each.myid(), "the leader is removed"))
                .orElseGet(() -> new Step.Wait("a member that stays and can lead"));
    }

    private static boolean synced(Observed seen, int myid) {
        return seen.members().stream().anyMatch(each -> each.myid() == myid && each.synced());
    }

    /// The pods that go have no vote: their end costs the quorum nothing.
    private static Step shrink(Observed seen, Leadership.Known leader) {
        if (leader.configuration().pending() || !leader.confirmed()) {
            return new Step.Wait("a majority of the voters to confirm the smaller configuration");
        }
        return new Step.Resize(seen.size(), seen.wish().replicas());
    }

    private static @Nullable Step unsettled(Observed seen, Leadership.Known leader) {
        List<String> waiting = Plan.notWell(seen);
        if (!waiting.isEmpty()) {
            return new Step.Wait(waiting);
        }
        if (leader.configuration().pending()) {
            return new Step.Wait("a change of the configuration to be committed");
        }
        return leader.confirmed()
                ? null
                : new Step.Wait("a majority of the voters to confirm the leader");
    }

    private static Step change(Leadership.Known leader, List<Integer> add, List<Integer> remove) {
        Configuration configuration = leader.configuration();
        return configuration.version() == null
                ? new Step.Wait("the leader to tell the version of its configuration")
                : new Step.ChangeVoters(leader.myid(), configuration.version(), add, remove);
    }
}
