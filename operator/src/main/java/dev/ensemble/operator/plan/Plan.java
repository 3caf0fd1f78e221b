package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Decides what to do next. One thing at a time, in this order: the record of the formation,
/// volumes (so that a full disk heals before anything that needs health), what is broken and
/// outdated, a change of the members that has begun, restarts, a step of TLS, a change of the
/// members that has not begun, volumes that nobody uses.
///
/// It keeps no state. What was done before shows in what is observed now, so a member that does not
/// come back stops everything by itself, and a crash between any two steps costs nothing.
public final class Plan {
    private Plan() {}

    /// {@return the one thing to do now}
    public static Step next(Observed seen) {
        if (!seen.bootstrapped() && formed(seen)) {
            return new Step.MarkBootstrapped();
        }
        Step step = VolumePlan.grow(seen);
        if (step == null && seen.wish().hibernate()) {
            return asleep(seen);
        }
        if (step == null) {
            step = RollPlan.repair(seen);
        }
        if (step == null && seen.bootstrapped()) {
            step = ScalePlan.goOn(seen);
        }
        if (step == null) {
            step = RollPlan.next(seen);
        }
        if (step == null && seen.bootstrapped()) {
            step = TlsPlan.next(seen);
        }
        if (step == null && seen.bootstrapped()) {
            step = ScalePlan.begin(seen);
        }
        if (step == null && seen.bootstrapped()) {
            step = VolumePlan.delete(seen);
        }
        if (step == null) {
            List<String> waiting = notWell(seen);
            step = waiting.isEmpty() ? loose(seen) : new Step.Wait(waiting);
        }
        return step == null ? new Step.Nothing() : step;
    }

    /// What is under way and holds up nothing else.
    private static @Nullable Step loose(Observed seen) {
        List<String> waiting = new ArrayList<>();
        for (Step each : Arrays.asList(ReloadPlan.next(seen), VolumePlan.await(seen))) {
            if (each instanceof Step.Wait(List<String> reasons)) {
                waiting.addAll(reasons);
            }
        }
        return waiting.isEmpty() ? null : new Step.Wait(waiting);
    }

    private static Step asleep(Observed seen) {
        List<String> ending =
                seen.members().stream()
                        .filter(each -> each.pod() != null)
                        .map(each -> each.name() + " to end")
                        .toList();
        return ending.isEmpty() ? new Step.Nothing() : new Step.Wait(ending);
    }

    /// Every voter is in sync and says that it is a member: the record may be closed. The voters
    /// are whom the leader names: should they be others than the file said, a change of the members
    /// makes that good.
    private static boolean formed(Observed seen) {
        Leadership.Known leader = seen.leader();
        return leader != null
                && leader.ensembleId() != null
                && leader.configured() == seen.voters().size()
                && seen.voters().stream()
                        .allMatch(each ->
                                each.synced() && each.said() != null && each.said().formed());
    }

    /// {@return what is not as it should be for every voter, in words for people}
    static List<String> notWell(Observed seen) {
        List<String> waiting = new ArrayList<>();
        for (Member member : seen.voters()) {
            String unwell = unwell(member);
            if (unwell != null) {
                waiting.add(unwell);
            }
        }
        if (waiting.isEmpty() && seen.leader() == null) {
            waiting.add(why(seen.leadership()));
        }
        if (waiting.isEmpty()) {
            for (Member member : seen.voters()) {
                if (!member.synced()) {
                    waiting.add(member.name() + " to be in sync");
                }
            }
        }
        return waiting;
    }

    private static @Nullable String unwell(Member member) {
        Pod pod = member.pod();
        if (pod == null) {
            return member.name() + " to be created";
        }
        if (pod.trouble() != null) {
            return member.name() + ": " + pod.trouble().message();
        }
        if (pod.terminating()) {
            return member.name() + " to end";
        }
        return pod.ready() ? null : member.name() + " to be ready";
    }

    static String why(Leadership leadership) {
        return switch (leadership) {
            case Leadership.Known known -> "the leader " + known.myid();
            case Leadership.None none -> "a leader: " + none.why();
            case Leadership.Unknown unknown -> "news of the leader: " + unknown.why();
        };
    }

    static String names(List<Member> members) {
        return String.join(", ", members.stream().map(Member::name).toList());
    }
}
