package dev.ensemble.server.simulation;

import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.MemberOptions;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.History;
import dev.ensemble.server.zab.PeerConfig;
import dev.ensemble.server.zab.Recovered;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// One run of one ensemble, from one seed: it forms, serves clients under faults, and in the end,
/// when the faults stop, must come together again.
///
/// [#run] throws a [Violation] as soon as a rule does not hold.
public final class Simulation {
    private static final long MILLIS = Schedule.MILLIS;

    /// How long an ensemble without faults may take to come together.
    private static final long HEAL_NANOS = 25 * Schedule.SECONDS;

    /// A wall clock to begin with; nothing depends on it.
    private static final long WALL_MILLIS = 1_800_000_000_000L;

    private static final String RECORD = "simulated";

    /// How many members a seed has if nobody says: small ensembles find most, in the least time.
    private static final List<Integer> SIZES = List.of(3, 3, 5, 3, 5, 1, 3, 5);

    private static final AclRules ANYBODY =
            new AclRules() {
                @Override
                public boolean permits(List<Acl> acl, int perm, List<Id> identities) {
                    return true;
                }

                @Override
                public boolean isValid(Id id) {
                    return true;
                }

                @Override
                public boolean authenticates(Id identity) {
                    return false;
                }
            };

    /// Payloads travel as objects, so that the rules can tell one from another.
    private static final Payload.Codec AS_OBJECTS =
            new Payload.Codec() {
                private static final byte[] NOTHING = new byte[100];

                @Override
                public Payload encode(Header header, Txn txn) {
                    return new Payload(header, txn, NOTHING);
                }

                @Override
                public Payload decode(byte[] bytes) {
                    throw new IllegalArgumentException("payloads travel as objects here");
                }
            };

    final long seed;
    final Sabotage sabotage;
    final Schedule schedule = new Schedule();
    final Chance chance;
    final Plan plan;
    final Coverage coverage = new Coverage();
    final Trace trace;
    final Rules rules;
    final SimulatedNetwork network;
    final Faults faults;
    final Constitution constitution;
    private final Ensemble declared;
    private final List<SimulatedHost> hosts = new ArrayList<>();
    private final List<SimulatedClient> clients = new ArrayList<>();
    private long acknowledgedZxid;

    /// The change of each path that a client was told of last.
    private final Map<String, Long> told = new HashMap<>();

    /// What clients do that read linearizably; from a chance of its own, so that the other seeds
    /// stay what they were.
    final Chance readers;

    private final boolean linearizable;

    /// @param members 0: as the seed has it
    /// @param live gets each event as text, if there is one
    public Simulation(long seed, int members, Sabotage sabotage, @Nullable Consumer<String> live) {
        this.seed = seed;
        this.sabotage = sabotage;
        chance = new Chance(seed);
        plan = Plan.of(members != 0 ? members : SIZES.get((int) Math.floorMod(seed, 8L)), chance);
        trace = new Trace(schedule, live);
        readers = new Chance(seed * 31 + 40);
        linearizable = readers.happens(0.4);
        constitution = new Constitution(seed, plan.members());
        declared = constitution.declared();
        rules = new Rules(declared, coverage);
        for (int myid : declared.members().keySet()) {
            var disk =
                    new SimulatedDisk(
                            myid,
                            plan.diskNanos(),
                            newIdentity(myid),
                            schedule,
                            chance,
                            rules,
                            coverage,
                            sabotage);
            rules.watch(myid, disk);
            hosts.add(new SimulatedHost(myid, disk));
        }
        network =
                new SimulatedNetwork(
                        hosts, plan.latencyNanos(), schedule, chance, trace, coverage, sabotage);
        network.reconnectAfter(plan.reconnectNanos());
        network.mislead(plan.misleading());
        faults = new Faults(this);
    }

    /// Runs it all.
    ///
    /// @throws Violation if a rule does not hold: with the seed, the rule and what happened last
    public Coverage run() {
        trace.add(0, "plan", plan);
        trace.add(0, "members", declared.text().replace('\n', ' '));
        try {
            for (SimulatedHost host : hosts) {
                schedule.after(chance.around(200 * MILLIS), () -> start(host));
                flushSometimes(host);
            }
            for (int id = 1; id <= plan.clients(); id++) {
                var client = new SimulatedClient(id, this);
                clients.add(client);
                schedule.after(chance.around(500 * MILLIS), client::begin);
            }
            faults.begin();
            until(plan.durationNanos());
            heal();
        } catch (Violation violation) {
            throw new Violation(
                    "seed "
                            + seed
                            + " with "
                            + plan.members()
                            + " members, at "
                            + schedule.nowNanos() / MILLIS
                            + " ms: "
                            + violation.getMessage()
                            + "\n"
                            + trace.tail()
                            + "Violated: "
                            + violation.getMessage()
                            + "\nReplay: ./ensemble simulate --seeds 1 --from "
                            + seed
                            + " --members "
                            + plan.members()
                            + (sabotage == Sabotage.NONE ? "" : " --mutation " + sabotage.label())
                            + " --trace",
                    violation.getCause());
        }
        return coverage;
    }

    private void until(long nanos) {
        while (schedule.next(nanos)) {}
    }

    // Members.

    private Identity newIdentity(int myid) {
        return new Identity(Identity.State.BLANK, "", myid, chance.any() | 1, 0, Map.of());
    }

    /// {@return who a member is whose disk was lost}
    Identity blankIdentity(int myid, Identity lost) {
        return sabotage == Sabotage.INCARNATION_KEPT ? lost : newIdentity(myid);
    }

    /// Starts a process on a host, as recovery does it (`safety.md` 1 and 10).
    void start(SimulatedHost host) {
        if (host.process() != null) {
            return;
        }
        SimulatedDisk disk = host.disk();
        Identity was = disk.identity();
        var identity =
                new Identity(
                        was.state(),
                        was.ensembleId(),
                        was.myid(),
                        was.incarnation(),
                        was.starts() + 1,
                        was.voters());
        SimulatedDisk.State state = disk.state();
        long committed = disk.knownCommitted();
        Tree tree = state.tree();
        var log = new ArrayList<History.Entry>();
        for (SimulatedDisk.Entry entry : disk.behindState()) {
            log.add(new History.Entry(entry.zxid(), entry.payload()));
            if (entry.zxid() <= committed) {
                Payload payload = entry.payload();
                tree = tree.apply(entry.zxid(), payload.header(), payload.txn()).tree();
            }
        }
        if (disk.durableEnd() > committed) {
            coverage.count(Coverage.Of.UNCOMMITTED_AT_RECOVERY);
        }
        var recovered =
                new Recovered(
                        identity,
                        disk.acceptedEpoch(),
                        disk.recoveredCurrentEpoch(),
                        state.zxid(),
                        state.tree().ensemble(),
                        log,
                        committed);
        trace.add(
                host.myid(),
                "start",
                identity
                        + ", state "
                        + Long.toHexString(state.zxid())
                        + ", committed "
                        + Long.toHexString(committed)
                        + ", log end "
                        + Long.toHexString(disk.durableEnd())
                        + ", epochs "
                        + disk.acceptedEpoch()
                        + "/"
                        + disk.currentEpoch());
        var process = new SimulatedProcess(host, this, tree, recovered);
        host.run(process);
        disk.open(
                identity,
                ticket -> {
                    if (!faults.diesAfterBatch(process)) {
                        process.take(new Event.Persisted(ticket));
                    }
                });
        process.begin();
        if (disk.isFull()) {
            process.take(new Event.Space(true));
        }
        network.started(host.myid());
    }

    /// {@return the member that runs on what recovery found}
    Member member(int myid, int protocol, Recovered recovered, Tree tree, long nowNanos) {
        return new Member(
                new PeerConfig(
                        myid,
                        declared,
                        PeerConfig.Bootstrap.UNANIMOUS,
                        RECORD,
                        100 * MILLIS,
                        400 * MILLIS,
                        8000 * MILLIS,
                        10 * MILLIS,
                        protocol),
                recovered,
                tree,
                new History(recovered.base(), plan.keepEntries(), 1 << 20),
                new Preparation(ANYBODY, new Preparation.Options(true, true, false, 1)),
                AS_OBJECTS,
                MemberOptions.DEFAULT,
                500 * MILLIS,
                nowNanos);
    }

    String bootstrapRecord() {
        return RECORD;
    }

    private void flushSometimes(SimulatedHost host) {
        schedule.after(
                chance.around(plan.flushNanos()),
                () -> {
                    SimulatedProcess process = host.process();
                    if (process != null && !process.isPaused()) {
                        process.flush();
                    }
                    flushSometimes(host);
                });
    }

    List<SimulatedHost> hosts() {
        return hosts;
    }

    /// {@return all members, as the files declare them}
    List<Ensemble.Member> declared() {
        return List.copyOf(declared.members().values());
    }

    SimulatedHost host(int myid) {
        return hosts.get(myid - 1);
    }

    int size() {
        return hosts.size();
    }

    long wallMillis() {
        return WALL_MILLIS + schedule.nowNanos() / MILLIS;
    }

    // Clients.

    /// Some client asks for these members.
    void reconfigure(String members) {
        clients.stream()
                .filter(SimulatedClient::isAttached)
                .findAny()
                .ifPresent(client -> client.reconfigure(members));
    }

    /// {@return the highest zxid whose reply any client has got, or that a linearizable read has
    /// shown}
    long acknowledgedZxid() {
        return acknowledgedZxid;
    }

    /// {@return whether clients read linearizably, some of the time}
    boolean isLinearizable() {
        return linearizable;
    }

    /// A client was told that its write is done, or shown by a linearizable read what is there.
    void told(String path, long zxid) {
        told.merge(path, zxid, Math::max);
    }

    /// {@return the latest change of `path` of which any client has been told}
    long lastTold(String path) {
        return told.getOrDefault(path, 0L);
    }

    /// {@return a path that some client writes to}
    String anyPath() {
        return "/c" + (1 + readers.below(plan.clients())) + "-" + readers.below(6);
    }

    /// What is committed up to there has been shown to somebody who reads linearizably.
    void shown(long zxid) {
        acknowledgedZxid = Math.max(acknowledgedZxid, zxid);
    }

    void acknowledged(long zxid) {
        acknowledgedZxid = Math.max(acknowledgedZxid, zxid);
        coverage.count(Coverage.Of.ACKNOWLEDGED);
    }

    void onSessionClosed(SimulatedProcess closer, long session, Applied applied) {
        if (rules.lastCommitted() == applied.zxid()) {
            clients.forEach(client -> client.onSessionClosed(closer, session, applied));
        }
    }

    // The end.

    /// Stops the faults, and waits until all is well.
    private void heal() {
        trace.add(0, "heal", "no more faults");
        faults.stop();
        long deadline = schedule.nowNanos() + HEAL_NANOS;
        long[] before = clients.stream().mapToLong(SimulatedClient::acknowledged).toArray();
        waitFor(deadline, this::isWhole, "the ensemble is not whole");
        long written = rules.lastCommitted();
        waitFor(
                deadline,
                () -> rules.lastCommitted() > written && everyoneWas(before),
                "a client gets nothing done");
        clients.forEach(SimulatedClient::rest);
        waitFor(deadline, this::isLevel, "members differ");
        for (SimulatedHost host : hosts) {
            SimulatedProcess process = host.process();
            if (process != null) {
                clients.forEach(client -> client.check(process.tree()));
            }
        }
    }

    private interface Condition {
        boolean holds();
    }

    private void waitFor(long deadline, Condition condition, String otherwise) {
        while (!condition.holds()) {
            long next = Math.min(deadline, schedule.nowNanos() + 50 * MILLIS);
            until(next);
            rules.isTrue(
                    schedule.nowNanos() < deadline,
                    "%d s after the faults stopped %s: %s",
                    HEAL_NANOS / Schedule.SECONDS,
                    otherwise,
                    describe());
        }
    }

    /// {@return whether there is one leader, all members serve, and the voters vote with the disks
    /// that they have}
    private boolean isWhole() {
        int leaders = 0;
        for (SimulatedHost host : hosts) {
            SimulatedProcess process = host.process();
            boolean votes = declared.voters().contains(host.myid());
            if (process == null || !process.isServing() || votes != rules.isVoter(host.myid())) {
                return false;
            }
            leaders += process.leads() && declared.mayLead(host.myid()) ? 1 : 0;
        }
        return leaders == 1 && rules.formed() && constitution.isRestored(rules.ensemble());
    }

    private boolean everyoneWas(long[] before) {
        for (int i = 0; i < before.length; i++) {
            if (clients.get(i).acknowledged() <= before[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean isLevel() {
        return isWhole()
                && clients.stream().allMatch(SimulatedClient::isIdle)
                && hosts.stream()
                        .map(SimulatedHost::process)
                        .allMatch(p -> p != null && p.tree().zxid() == rules.lastCommitted());
    }

    private String describe() {
        var text = new StringBuilder();
        for (SimulatedHost host : hosts) {
            SimulatedProcess process = host.process();
            text.append(host.myid()).append(' ');
            text.append(process == null ? "down" : process.describe()).append("; ");
        }
        return text.append("committed ")
                .append(Long.toHexString(rules.lastCommitted()))
                .append(", ")
                .append(rules.ensemble())
                .toString();
    }
}
