package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Voter;
import dev.ensemble.operator.plan.Step.How;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Decides which member restarts next, if any: broken ones first, then followers, the leader last;
/// each only when the leader says that it may stop.
final class RollPlan {
    /// Who should lead next: one that will not be restarted soon, and has most of the log.
    static final Comparator<Member> BEST_SUCCESSOR =
            Comparator.comparing((Member each) -> !each.current())
                    .thenComparingLong(RollPlan::lag)
                    .thenComparingInt(Member::myid);

    private RollPlan() {}

    /// One that never started or crashes again and again serves nobody: ending it is safe even
    /// without a quorum, and is how a bad image is repaired. So is one that has no vote and is not
    /// ready.
    ///
    /// @return null if there is none such that is outdated
    static @Nullable Step repair(Observed seen) {
        Step chosen = survivor(seen);
        if (chosen != null) {
            return chosen;
        }
        if (!mayRestart(seen)) {
            return null;
        }
        for (Member member : outdated(seen)) {
            Pod pod = Objects.requireNonNull(member.pod());
            if (pod.stuck() && !pod.ready()) {
                return restart(member, How.DELETE, "it does not run, and the spec has changed");
            }
            if (seen.leader() != null && !seen.voters().contains(member) && !pod.ready()) {
                return restart(member, How.DELETE, "it has no vote, and the spec has changed");
            }
        }
        return null;
    }

    /// The member that a person chose to go on alone is told so first; the others, which lose what
    /// they hold by it, only when it leads. Without a leader it serves nobody, so its end costs
    /// nothing.
    private static @Nullable Step survivor(Observed seen) {
        if (seen.wish().survivor() == 0 || seen.leader() != null || !seen.controllerCurrent()) {
            return null;
        }
        return outdated(seen).stream()
                .filter(each -> each.myid() == seen.wish().survivor())
                .findFirst()
                .map(each -> restart(each, How.DELETE, "a person approved that it goes on alone"))
                .orElse(null);
    }

    private static List<Member> outdated(Observed seen) {
        return seen.expected().stream().filter(Member::outdated).toList();
    }

    private static boolean mayRestart(Observed seen) {
        return seen.controllerCurrent() && (!seen.wish().manual() || seen.wish().approved());
    }

    /// {@return null if no member is outdated}
    static @Nullable Step next(Observed seen) {
        List<Member> outdated = outdated(seen);
        if (outdated.isEmpty()) {
            return null;
        }
        if (seen.wish().manual() && !seen.wish().approved()) {
            return new Step.Wait(
                    "a person to approve that %s restart (spec.update.strategy is Manual): annotate the Ensemble with %s=%s"
                            .formatted(
                                    Plan.names(outdated),
                                    "ensemble.dev/approved",
                                    seen.revision()));
        }
        if (!seen.controllerCurrent()) {
            return new Step.Wait("the StatefulSet controller to see the new template");
        }
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return new Step.Wait(Plan.why(seen.leadership()));
        }
        Step broken = nextBroken(seen, outdated);
        return broken != null ? broken : nextHealthy(seen, outdated, leader);
    }

    /// A voter that the leader counts as out costs the quorum nothing more. While kubelet still
    /// calls it ready the budget is asked all the same, since it counts readiness.
    private static @Nullable Step nextBroken(Observed seen, List<Member> outdated) {
        List<Member> out = seen.voters().stream().filter(each -> !each.synced()).toList();
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
        List<String> waiting = Plan.notWell(seen);
        return new Step.Wait(
                waiting.isEmpty() ? List.of(Plan.names(out) + " to be in sync") : waiting);
    }

    private static Step nextHealthy(Observed seen, List<Member> outdated, Leadership.Known leader) {
        List<String> waiting = Plan.notWell(seen);
        if (!waiting.isEmpty()) {
            return new Step.Wait(waiting);
        }
        String closed = seen.wish().closed();
        if (closed != null) {
            return new Step.Wait(closed);
        }
        for (Member member : seen.voters()) {
            Pod pod = Objects.requireNonNull(member.pod());
            if (pod.readySeconds() < seen.wish().minReadySeconds()) {
                return new Step.Wait(
                        "%s to be ready for %d s"
                                .formatted(member.name(), seen.wish().minReadySeconds()));
            }
        }
        if (!leader.confirmed()) {
            return new Step.Wait("a majority of the voters to confirm the leader");
        }
        Member next =
                outdated.stream()
                        .min(
                                Comparator.comparing((Member each) -> each.myid() == leader.myid())
                                        .thenComparingLong(each -> -lag(each))
                                        .thenComparingInt(Member::myid))
                        .orElseThrow();
        Voter voter = next.voter();
        boolean alone = leader.configured() == 1;
        if (voter != null && !voter.safeToStop() && !alone) {
            return new Step.Wait(
                    "the leader to say that %s may stop%s"
                            .formatted(
                                    next.name(),
                                    voter.reasons().isEmpty()
                                            ? ""
                                            : ": " + String.join(", ", voter.reasons())));
        }
        boolean leads = next.myid() == leader.myid();
        if (leads && !alone && seen.wish().handOver()) {
            Optional<Member> successor =
                    seen.voters().stream()
                            .filter(each ->
                                    each.myid() != next.myid() && each.synced() && each.current())
                            .min(BEST_SUCCESSOR);
            if (successor.isPresent()) {
                return new Step.HandOver(
                        leader.myid(),
                        successor.get().myid(),
                        "the spec has changed, and the leader is the last to restart");
            }
        }
        return restart(
                next,
                How.EVICT,
                alone
                        ? "the spec has changed; it is the only member, so clients wait meanwhile"
                        : leads
                                ? "the spec has changed; it leads, so it is the last"
                                : "the spec has changed");
    }

    private static long lag(Member member) {
        Long lag = member.voter() == null ? null : member.voter().lag();
        return lag == null ? 0 : lag;
    }

    private static Step restart(Member member, How how, String why) {
        Pod pod = Objects.requireNonNull(member.pod());
        return new Step.Restart(member.myid(), member.name(), pod.uid(), how, why);
    }
}
