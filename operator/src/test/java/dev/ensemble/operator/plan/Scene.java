package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Said;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Observed.Voter;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/// Makes what was observed, from three healthy members on: member 1 leads, all are up to date.
final class Scene {
    static final long GB = 1L << 30;

    private final Map<Integer, Member> members = new TreeMap<>();
    private int survivor;
    private boolean manual;
    private boolean approved;
    private boolean handOver;
    private boolean hibernate;
    private boolean deleteVolumes;
    private @Nullable String closed;
    private int wanted;
    private int size;
    private Set<Integer> voters = new TreeSet<>();
    private boolean pending;
    private boolean confirmed = true;
    private long template = GB;
    private long volume = GB;
    private final List<Observed.Volume> spare = new ArrayList<>();
    private boolean bootstrapped = true;
    private boolean controllerCurrent = true;
    private Leadership leadership;
    private Observed.Tls tls = Observed.Tls.OFF;

    private Scene(int replicas) {
        for (int myid = 1; myid <= replicas; myid++) {
            members.put(myid, healthy(myid));
        }
        wanted = replicas;
        size = replicas;
        voters.addAll(members.keySet());
        leadership = leads(1);
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
                null,
                new Said("follower", true, "1", "hash", "0x1", List.of()),
                null,
                new Observed.Volume(
                        "data-e-" + (myid - 1), "claim-" + myid, myid - 1, GB, GB, false, null));
    }

    private Leadership leads(int myid) {
        int configured = voters.size();
        int needed = configured / 2 + 1;
        int synced = (int) members.values().stream().filter(Member::synced).count();
        return new Leadership.Known(
                myid,
                1,
                configured,
                needed,
                synced,
                synced - needed,
                confirmed,
                new Observed.Configuration("0x1", pending, voters),
                "id");
    }

    /// The spec asks for another number.
    Scene wanting(int replicas) {
        wanted = replicas;
        return this;
    }

    /// A member without a vote.
    Scene learner(int myid, boolean level) {
        Member each = healthy(myid);
        members.put(
                myid,
                new Member(
                        myid,
                        each.name(),
                        new Pod("uid-" + myid, false, false, 5, false, true, 0, "node", null),
                        null,
                        new Observed.Learner(level, 0L),
                        new Said("learner", true, "1", "hash", "0x1", List.of()),
                        null,
                        each.volume()));
        size = Math.max(size, myid);
        voters.remove(myid);
        return again();
    }

    Scene pending() {
        pending = true;
        return again();
    }

    Scene unconfirmed() {
        confirmed = false;
        return again();
    }

    Scene handOver() {
        handOver = true;
        return this;
    }

    Scene approved() {
        approved = true;
        return this;
    }

    Scene closed() {
        closed = "a maintenance window to open";
        return this;
    }

    Scene hibernate() {
        hibernate = true;
        return this;
    }

    Scene size(int members) {
        size = members;
        return this;
    }

    Scene volumes(long wantedBytes, long templateBytes) {
        volume = wantedBytes;
        template = templateBytes;
        return this;
    }

    Scene volume(int myid, long requested, long capacity) {
        members.computeIfPresent(
                myid,
                (_, m) ->
                        new Member(
                                m.myid(),
                                m.name(),
                                m.pod(),
                                m.voter(),
                                m.learner(),
                                m.said(),
                                m.silence(),
                                new Observed.Volume(
                                        "data-" + m.name(),
                                        "claim-" + myid,
                                        myid - 1,
                                        requested,
                                        capacity,
                                        false,
                                        null)));
        return this;
    }

    Scene spare(int ordinal) {
        spare.add(
                new Observed.Volume(
                        "data-e-" + ordinal, "claim-" + ordinal, ordinal, GB, GB, false, null));
        return this;
    }

    Scene deleteVolumes() {
        deleteVolumes = true;
        return this;
    }

    private Scene again() {
        if (leadership instanceof Leadership.Known known) {
            leadership = leads(known.myid());
        }
        return this;
    }

    Scene leader(int myid) {
        leadership = leads(myid);
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
                myid,
                (_, m) ->
                        new Member(
                                m.myid(),
                                m.name(),
                                null,
                                m.voter(),
                                null,
                                null,
                                "no pod",
                                m.volume()));
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
        again();
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
                                m.learner(),
                                new Said("looking", false, "1", "hash", "0x1", List.of()),
                                null,
                                m.volume()));
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
                                m.learner(),
                                m.said(),
                                m.silence(),
                                m.volume()));
        return this;
    }

    private static Member voter(Member m, @Nullable Voter voter) {
        return new Member(
                m.myid(), m.name(), m.pod(), voter, m.learner(), m.said(), m.silence(), m.volume());
    }

    /// A person chose this member to go on alone, and it does not know that.
    Scene survivor(int myid) {
        survivor = myid;
        return this;
    }

    /// The members have come so far with TLS, and the spec wants so much.
    Scene tls(String is, String target) {
        tls =
                new Observed.Tls(
                        Objects.requireNonNull(TlsStage.parse(is)),
                        Objects.requireNonNull(TlsStage.parse(target)));
        return this;
    }

    /// A member shows a certificate to others, until then.
    Scene shows(int myid, String fingerprint, String notAfter, @Nullable String refused) {
        Member m = Objects.requireNonNull(members.get(myid));
        Said said = Objects.requireNonNull(m.said());
        members.put(
                myid,
                new Member(
                        myid,
                        m.name(),
                        m.pod(),
                        m.voter(),
                        m.learner(),
                        new Said(
                                said.role(),
                                said.formed(),
                                said.version(),
                                said.configHash(),
                                said.incarnation(),
                                said.warnings(),
                                new Observed.Shown(
                                        fingerprint, Instant.parse(notAfter), List.of(), refused),
                                null,
                                null,
                                null),
                        m.silence(),
                        m.volume()));
        return this;
    }

    /// A member has another configuration in force than the spec wants.
    Scene loaded(int myid, String hash, Observed.@Nullable File file) {
        return said(myid, hash, file, null);
    }

    /// A member looks for the superuser.
    Scene knowing(int myid, Observed.SuperUser superUser) {
        return said(myid, "hash", null, superUser);
    }

    private Scene said(
            int myid,
            String hash,
            Observed.@Nullable File file,
            Observed.@Nullable SuperUser superUser) {
        Member m = Objects.requireNonNull(members.get(myid));
        members.put(
                myid,
                new Member(
                        myid,
                        m.name(),
                        m.pod(),
                        m.voter(),
                        m.learner(),
                        new Said(
                                "follower",
                                true,
                                "1",
                                hash,
                                "0x1",
                                List.of(),
                                null,
                                null,
                                file,
                                superUser),
                        m.silence(),
                        m.volume()));
        return this;
    }

    /// A member does not answer the operator.
    Scene silent(int myid) {
        members.computeIfPresent(
                myid,
                (_, m) ->
                        new Member(
                                m.myid(),
                                m.name(),
                                m.pod(),
                                m.voter(),
                                m.learner(),
                                null,
                                "no answer",
                                m.volume()));
        return this;
    }

    Observed observed() {
        return new Observed(
                new Observed.Wish(
                        wanted,
                        1,
                        manual,
                        approved,
                        closed,
                        handOver,
                        hibernate,
                        volume,
                        deleteVolumes,
                        10,
                        600,
                        survivor),
                bootstrapped,
                size,
                "revision",
                "image:1",
                "hash",
                controllerCurrent,
                template,
                leadership,
                tls,
                new ArrayList<>(members.values()),
                spare);
    }
}
