package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Said;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Observed.Voter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/// Makes what was observed, from three healthy members on: member 1 leads, all are up to date.
final class Scene {
    private final Map<Integer, Member> members = new TreeMap<>();
    private boolean manual;
    private boolean bootstrapped = true;
    private boolean controllerCurrent = true;
    private Leadership leadership;

    private Scene(int replicas) {
        for (int myid = 1; myid <= replicas; myid++) {
            members.put(myid, healthy(myid));
        }
        leadership = leads(1, replicas, replicas);
    }

    static Scene of(int replicas) {
        return new Scene(replicas);
    }

    private static Member healthy(int myid) {
        return new Member(
                myid,
                "e-" + (myid - 1),
                new Pod("uid-" + myid, false, true, 1000, false, true, 0, "node", null),
                new Voter(true, 0L, true, List.of()),
                new Said("follower", true, "1", "hash", "0x1", List.of()),
                null);
    }

    private static Leadership leads(int myid, int configured, int synced) {
        int needed = configured / 2 + 1;
        return new Leadership.Known(
                myid, 1, configured, needed, synced, synced - needed, false, "id");
    }

    Scene leader(int myid) {
        leadership = leads(myid, members.size(), members.size());
        return this;
    }

    Scene noLeader() {
        leadership = new Leadership.None("too few run");
        members.replaceAll((_, each) -> voter(each, null));
        return this;
    }

    Scene unknownLeader() {
        leadership = new Leadership.Unknown("nobody answers");
        members.replaceAll((_, each) -> voter(each, null));
        return this;
    }

    Scene manual() {
        manual = true;
        return this;
    }

    Scene notBootstrapped() {
        bootstrapped = false;
        return this;
    }

    Scene staleController() {
        controllerCurrent = false;
        return this;
    }

    Scene outdated(int... myids) {
        for (int myid : myids) {
            pod(
                    myid,
                    p ->
                            new Pod(
                                    p.uid(),
                                    p.terminating(),
                                    p.ready(),
                                    p.readySeconds(),
                                    p.stuck(),
                                    false,
                                    p.restarts(),
                                    p.node(),
                                    p.trouble()));
        }
        return this;
    }

    Scene missing(int myid) {
        members.computeIfPresent(
                myid, (_, m) -> new Member(m.myid(), m.name(), null, m.voter(), null, "no pod"));
        return out(myid);
    }

    Scene terminating(int myid) {
        return pod(
                myid,
                p -> new Pod(p.uid(), true, p.ready(), 1000, false, p.current(), 0, "node", null));
    }

    Scene notReady(int myid) {
        return pod(
                myid,
                p ->
                        new Pod(
                                p.uid(),
                                p.terminating(),
                                false,
                                1000,
                                p.stuck(),
                                p.current(),
                                0,
                                "node",
                                null));
    }

    Scene stuck(int myid) {
        return pod(
                myid,
                p ->
                        new Pod(
                                p.uid(),
                                false,
                                false,
                                1000,
                                true,
                                p.current(),
                                3,
                                "node",
                                new Trouble(Reason.CrashLooping, "it crashes")));
    }

    Scene readyFor(int myid, long seconds) {
        return pod(
                myid,
                p ->
                        new Pod(
                                p.uid(),
                                false,
                                p.ready(),
                                seconds,
                                false,
                                p.current(),
                                0,
                                "node",
                                null));
    }

    Scene out(int myid) {
        members.computeIfPresent(
                myid, (_, m) -> voter(m, new Voter(false, null, true, List.of("out of sync"))));
        int synced = (int) members.values().stream().filter(Member::synced).count();
        if (leadership instanceof Leadership.Known known) {
            leadership = leads(known.myid(), members.size(), synced);
        }
        // The leader lets no synced voter stop while one is out.
        members.replaceAll((_, m) ->
                m.synced() ? voter(m, new Voter(true, 0L, false, List.of("a voter is out"))) : m);
        return this;
    }

    Scene unsafe(int myid, String why) {
        members.computeIfPresent(
                myid, (_, m) -> voter(m, new Voter(true, 0L, false, List.of(why))));
        return this;
    }

    Scene blank(int myid) {
        members.computeIfPresent(
                myid,
                (_, m) ->
                        new Member(
                                m.myid(),
                                m.name(),
                                m.pod(),
                                m.voter(),
                                new Said("looking", false, "1", "hash", "0x1", List.of()),
                                null));
        return this;
    }

    private Scene pod(int myid, UnaryOperator<Pod> change) {
        members.computeIfPresent(
                myid,
                (_, m) ->
                        new Member(
                                m.myid(),
                                m.name(),
                                m.pod() == null ? null : change.apply(m.pod()),
                                m.voter(),
                                m.said(),
                                m.silence()));
        return this;
    }

    private static Member voter(Member m, @org.jspecify.annotations.Nullable Voter voter) {
        return new Member(m.myid(), m.name(), m.pod(), voter, m.said(), m.silence());
    }

    Observed observed() {
        return new Observed(
                members.size(),
                manual,
                bootstrapped,
                10,
                600,
                "revision",
                "image:1",
                "hash",
                controllerCurrent,
                leadership,
                new ArrayList<>(members.values()));
    }
}
