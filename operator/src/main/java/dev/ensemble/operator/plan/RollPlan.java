package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Voter;
import dev.ensemble.operator.plan.Step.How;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Decides which member restarts next, if any: broken ones first, then followers, the leader last;
/// each only when the leader says that it may stop. It keeps no state: what it did before shows in
/// what is observed now, so a member that does not come back stops everything by itself.
public final class RollPlan {
    private RollPlan() {}

    /// {@return the one thing to do now}
    public static Step next(Observed seen) {
        if (!seen.bootstrapped() && formed(seen)) {
            return new Step.MarkBootstrapped();
        }
        List<Member> outdated = seen.members().stream().filter(Member::outdated).toList();
        if (outdated.isEmpty()) {
            List<String> waiting = notWell(seen);
            return waiting.isEmpty() ? new Step.Nothing() : new Step.Wait(waiting);
        }
        if (seen.manual()) {
            return new Step.Wait(
                    "a person to delete the pods "
                            + names(outdated)
                            + " (spec.update.strategy is Manual)");
        }
        if (!seen.controllerCurrent()) {
            return new Step.Wait("the StatefulSet controller to see the new template");
        }
        // One that never started or crashes again and again serves nobody: ending it is safe even
        // without a quorum, and is how a bad image is repaired.
        for (Member member : outdated) {
            Pod pod = Objects.requireNonNull(member.pod());
            if (pod.stuck() && !pod.ready()) {
                return restart(member, How.DELETE, "it does not run, and the spec has changed");
            }
        }
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return new Step.Wait(why(seen.leadership()));
        }
        Step broken = nextBroken(seen, outdated);
        return broken != null ? broken : nextHealthy(seen, outdated, leader);
    }

    /// A voter that the leader counts as out costs the quorum nothing more. While kubelet still
    /// calls it ready the budget is asked all the same, since it counts readiness.
    private static @Nullable Step nextBroken(Observed seen, List<Member> outdated) {
        List<Member> out = seen.members().stream().filter(each -> !each.synced()).toList();
        if (out.isEmpty()) {
            return null;
        }
        for (Member member : outdated) {
            if (!member.synced()) {
                return restart(
                        member,
                        member.ready() ? How.EVICT : How.DELETE,
                        "it is out of sync, and the spec has changed");
            }
        }
        List<String> waiting = notWell(seen);
        return new Step.Wait(waiting.isEmpty() ? List.of(names(out) + " to be in sync") : waiting);
    }

    private static Step nextHealthy(Observed seen, List<Member> outdated, Leadership.Known leader) {
        List<String> waiting = notWell(seen);
        if (!waiting.isEmpty()) {
            return new Step.Wait(waiting);
        }
        for (Member member : seen.members()) {
            Pod pod = Objects.requireNonNull(member.pod());
            if (pod.readySeconds() < seen.minReadySeconds()) {
                return new Step.Wait(
                        "%s to be ready for %d s".formatted(member.name(), seen.minReadySeconds()));
            }
        }
        Member next =
                outdated.stream()
                        .min(
                                Comparator.comparing((Member each) -> each.myid() == leader.myid())
                                        .thenComparingLong(each -> -lag(each))
                                        .thenComparingInt(Member::myid))
                        .orElseThrow();
        Voter voter = Objects.requireNonNull(next.voter());
        boolean alone = seen.replicas() == 1 && leader.configured() == 1;
        if (!voter.safeToStop() && !alone) {
            return new Step.Wait(
                    "the leader to say that %s may stop%s"
                            .formatted(
                                    next.name(),
                                    voter.reasons().isEmpty()
                                            ? ""
                                            : ": " + String.join(", ", voter.reasons())));
        }
        return restart(
                next,
                How.EVICT,
                alone
                        ? "the spec has changed; it is the only member, so clients wait meanwhile"
                        : next.myid() == leader.myid()
                                ? "the spec has changed; it leads, so it is the last"
                                : "the spec has changed");
    }

    private static long lag(Member member) {
        Long lag = member.voter() == null ? null : member.voter().lag();
        return lag == null ? 0 : lag;
    }

    /// {@return what is not as it should be for every member, in words for people}
    static List<String> notWell(Observed seen) {
        List<String> waiting = new ArrayList<>();
        for (Member member : seen.members()) {
            Pod pod = member.pod();
            if (pod == null) {
                waiting.add(member.name() + " to be created");
            } else if (pod.trouble() != null) {
                waiting.add(member.name() + ": " + pod.trouble().message());
            } else if (pod.terminating()) {
                waiting.add(member.name() + " to end");
            } else if (!pod.ready()) {
                waiting.add(member.name() + " to be ready");
            }
        }
        if (waiting.isEmpty() && seen.leader() == null) {
            waiting.add(why(seen.leadership()));
        }
        if (waiting.isEmpty()) {
            for (Member member : seen.members()) {
                if (!member.synced()) {
                    waiting.add(member.name() + " to be in sync");
                }
            }
        }
        return waiting;
    }

    private static String why(Leadership leadership) {
        return switch (leadership) {
            case Leadership.Known known -> "the leader " + known.myid();
            case Leadership.None none -> "a leader: " + none.why();
            case Leadership.Unknown unknown -> "news of the leader: " + unknown.why();
        };
    }

    /// Every voter is in sync and says that it is a member: the record may be closed.
    private static boolean formed(Observed seen) {
        Leadership.Known leader = seen.leader();
        return leader != null
                && leader.ensembleId() != null
                && leader.configured() == seen.replicas()
                && seen.members().stream()
                        .allMatch(each ->
                                each.synced() && each.said() != null && each.said().formed());
    }

    private static Step restart(Member member, How how, String why) {
        Pod pod = Objects.requireNonNull(member.pod());
        return new Step.Restart(member.myid(), member.name(), pod.uid(), how, why);
    }

    private static String names(List<Member> members) {
        return String.join(", ", members.stream().map(Member::name).toList());
    }
}
