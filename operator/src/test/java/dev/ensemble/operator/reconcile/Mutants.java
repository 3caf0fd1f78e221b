package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Observed.Configuration;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Learner;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Voter;
import dev.ensemble.operator.plan.Observed.Wish;
import dev.ensemble.operator.plan.Step;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.UnaryOperator;

/// Planners that get something wrong: most by believing in other facts than those that were
/// observed.
final class Mutants {
    private Mutants() {}

    static Observed allIn(Observed seen) {
        return members(
                leadership(seen, it -> it),
                each -> {
                    Pod pod = each.pod();
                    return with(
                            each,
                            pod == null || pod.terminating()
                                    ? pod
                                    : new Pod(
                                            pod.uid(),
                                            false,
                                            true,
                                            1000,
                                            false,
                                            pod.current(),
                                            0,
                                            null,
                                            null),
                            each.voter() == null ? null : new Voter(true, 0L, true, List.of()),
                            each.learner());
                });
    }

    static Observed nothingStuck(Observed seen) {
        return members(
                seen,
                each -> {
                    Pod pod = each.pod();
                    return with(
                            each,
                            pod == null
                                    ? null
                                    : new Pod(
                                            pod.uid(),
                                            pod.terminating(),
                                            pod.ready(),
                                            pod.readySeconds(),
                                            false,
                                            pod.current() || !pod.ready(),
                                            0,
                                            null,
                                            null),
                            each.voter(),
                            each.learner());
                });
    }

    static Observed level(Observed seen) {
        return members(
                seen,
                each ->
                        with(
                                each,
                                each.pod(),
                                each.voter(),
                                each.voter() == null ? new Learner(true, 0L) : null));
    }

    static Observed confirmed(Observed seen) {
        return leadership(
                seen,
                it ->
                        new Leadership.Known(
                                it.myid(),
                                it.epoch(),
                                it.configured(),
                                it.needed(),
                                it.synced(),
                                it.canLose(),
                                true,
                                it.configuration(),
                                it.ensembleId()));
    }

    static Observed settled(Observed seen) {
        return leadership(
                seen,
                it ->
                        new Leadership.Known(
                                it.myid(),
                                it.epoch(),
                                it.configured(),
                                it.needed(),
                                it.synced(),
                                it.canLose(),
                                it.confirmed(),
                                new Configuration(
                                        it.configuration().version(),
                                        false,
                                        it.configuration().voters()),
                                it.ensembleId()));
    }

    static Observed always(Observed seen) {
        Wish it = seen.wish();
        return wish(
                seen,
                new Wish(
                        it.replicas(),
                        it.firstMyid(),
                        false,
                        true,
                        null,
                        it.handOver(),
                        it.hibernate(),
                        it.volumeBytes(),
                        it.deleteVolumes(),
                        it.minReadySeconds(),
                        it.memberTimeoutSeconds()));
    }

    static Observed small(Observed seen) {
        Wish it = seen.wish();
        return wish(
                seen,
                new Wish(
                        it.replicas(),
                        it.firstMyid(),
                        it.manual(),
                        it.approved(),
                        it.closed(),
                        it.handOver(),
                        it.hibernate(),
                        0,
                        it.deleteVolumes(),
                        it.minReadySeconds(),
                        it.memberTimeoutSeconds()));
    }

    static @Nullable Step leaderFirst(Observed seen) {
        if (!(seen.leadership() instanceof Leadership.Known leader)
                || leader.synced() < leader.configured()
                || seen.wish().manual()
                || seen.wish().closed() != null
                || !seen.controllerCurrent()) {
            return null;
        }
        return seen.members().stream()
                .filter(each -> each.myid() == leader.myid())
                .filter(each -> {
                    Pod pod = each.pod();
                    return pod != null && !pod.current() && !pod.terminating();
                })
                .<Step>map(each -> restart(each, Step.How.EVICT))
                .findFirst()
                .orElse(null);
    }

    static @Nullable Step restartsCurrent(Observed seen) {
        return seen.members().stream()
                .filter(each -> {
                    Pod pod = each.pod();
                    return pod != null && pod.current() && pod.ready() && pod.readySeconds() > 60;
                })
                .<Step>map(each -> restart(each, Step.How.EVICT))
                .findFirst()
                .orElse(null);
    }

    static @Nullable Step allAtOnce(Observed seen) {
        if (!(seen.leadership() instanceof Leadership.Known leader)
                || leader.configuration().pending()) {
            return null;
        }
        int wanted = seen.wish().replicas();
        List<Integer> leaving =
                leader.configuration().voters().stream()
                        .filter(each -> each > wanted && each != leader.myid())
                        .toList();
        return leaving.size() < 3 || leader.synced() < leader.configured()
                ? null
                : new Step.ChangeVoters(
                        leader.myid(),
                        String.valueOf(leader.configuration().version()),
                        List.of(),
                        leaving);
    }

    static @Nullable Step earlyVolume(Observed seen) {
        return seen.members().stream()
                .map(Member::volume)
                .filter(each -> each != null && each.ordinal() >= seen.wish().replicas())
                .<Step>map(each -> new Step.DeleteVolume(each.claim(), each.uid()))
                .findFirst()
                .orElse(null);
    }

    private static Step restart(Member each, Step.How how) {
        Pod pod = java.util.Objects.requireNonNull(each.pod());
        return new Step.Restart(each.myid(), each.name(), pod.uid(), how, "a mutant");
    }

    private static Member with(
            Member each, @Nullable Pod pod, @Nullable Voter voter, @Nullable Learner learner) {
        return new Member(
                each.myid(),
                each.name(),
                pod,
                voter,
                learner,
                each.said(),
                each.silence(),
                each.volume());
    }

    private static Observed members(Observed seen, UnaryOperator<Member> change) {
        return with(
                seen, seen.wish(), seen.leadership(), seen.members().stream().map(change).toList());
    }

    private static Observed leadership(Observed seen, UnaryOperator<Leadership.Known> change) {
        return with(
                seen,
                seen.wish(),
                seen.leadership() instanceof Leadership.Known known
                        ? change.apply(known)
                        : seen.leadership(),
                seen.members());
    }

    private static Observed wish(Observed seen, Wish wish) {
        return with(seen, wish, seen.leadership(), seen.members());
    }

    private static Observed with(
            Observed seen, Wish wish, Leadership leadership, List<Member> members) {
        return new Observed(
                wish,
                seen.bootstrapped(),
                seen.size(),
                seen.revision(),
                seen.targetImage(),
                seen.targetConfigHash(),
                seen.controllerCurrent(),
                seen.template(),
                leadership,
                seen.tls(),
                members,
                seen.spare());
    }
}
