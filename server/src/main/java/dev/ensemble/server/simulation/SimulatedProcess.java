package dev.ensemble.server.simulation;

import dev.ensemble.server.member.Answer;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;
import dev.ensemble.server.zab.Effect;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;
import dev.ensemble.server.zab.Peer;
import dev.ensemble.server.zab.Recovered;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/// One life of a member, from a start to the next crash: the real [Member], and in small what
/// `node` and `net` do around it.
final class SimulatedProcess {
    private static final long TICK_NANOS = 40 * Schedule.MILLIS;
    private static final long SPACE_KNOWN_NANOS = 3 * Schedule.SECONDS;
    private static final long CHANGE_STORED_NANOS = 5 * Schedule.MILLIS;
    private static final long TOUCH_NANOS = 250 * Schedule.MILLIS;

    private final SimulatedHost host;
    private final Simulation world;
    private final Member member;

    /// Where this process's monotonic clock began: anywhere, as `System.nanoTime` may.
    private final long clockBase;

    /// The level that this process's release knows.
    private final int protocol;

    private final ArrayDeque<Input> inbox = new ArrayDeque<>();
    private final ArrayDeque<Input> held = new ArrayDeque<>();
    private final TreeMap<Long, SimulatedClient> connections = new TreeMap<>();
    private final TreeMap<Long, Long> sessionOf = new TreeMap<>();
    private final Set<Long> touched = new HashSet<>();
    private final TreeMap<Long, Tree> trees = new TreeMap<>();
    private Tree tree;
    private int place;
    private boolean dead;
    private boolean paused;
    private boolean serving;
    private long servingSinceNanos;
    private long connectionCount;
    private long fetch;
    private long lastPauseNanos = -Schedule.SECONDS * 60;
    private Peer.RoleName role = Peer.RoleName.LOOKING;
    private long configuredNanos;
    private long leadsSinceNanos;
    private boolean resting;
    private boolean everRested;

    SimulatedProcess(SimulatedHost host, Simulation world, Tree tree, Recovered recovered) {
        this.host = host;
        this.world = world;
        this.clockBase = world.chance.any() >> 2;
        this.tree = tree;
        this.protocol = world.constitution.protocol(host.myid());
        trees.put(tree.zxid(), tree);
        place = world.rules.onTree(host.myid(), tree);
        member =
                world.member(
                        host.myid(),
                        protocol,
                        recovered,
                        tree,
                        clockBase + world.schedule.nowNanos());
    }

    int myid() {
        return host.myid();
    }

    Hello hello() {
        Identity identity = member.peer().identity();
        return new Hello(
                protocol,
                identity.ensembleId(),
                identity.myid(),
                identity.incarnation(),
                identity.starts(),
                identity.state(),
                world.bootstrapRecord());
    }

    long epoch() {
        return member.peer().epoch();
    }

    boolean isDead() {
        return dead;
    }

    boolean isPaused() {
        return paused;
    }

    boolean isServing() {
        return serving && !dead;
    }

    /// {@return since when it serves without a break; meaningless if it does not}
    long servingSinceNanos() {
        return servingSinceNanos;
    }

    /// {@return when it last stood still}
    long lastPauseNanos() {
        return lastPauseNanos;
    }

    boolean leads() {
        return !dead && role == Peer.RoleName.LEADER;
    }

    Peer.RoleName role() {
        return role;
    }

    Tree tree() {
        return tree;
    }

    String describe() {
        return member.peer().role()
                + (serving ? " serving" : "")
                + " epoch "
                + member.peer().epoch()
                + " of leader "
                + member.peer().leader()
                + ", log end "
                + Long.toHexString(member.peer().history().last())
                + ", committed "
                + Long.toHexString(tree.zxid())
                + ", "
                + member.peer().identity().state();
    }

    long nowNanos() {
        return clockBase + world.schedule.nowNanos();
    }

    // What happens to it.

    void begin() {
        tick();
        world.schedule.after(TOUCH_NANOS, this::reportTouched);
    }

    private void tick() {
        if (dead) {
            return;
        }
        if (!paused) {
            step(new Input.OfPeer(new Event.Tick()));
        }
        long soonest = world.chance.between(TICK_NANOS / 4, TICK_NANOS);
        long due = member.peer().tickDueNanos() - nowNanos();
        world.schedule.after(Math.max(soonest, due), this::tick);
    }

    void take(Event event) {
        take(new Input.OfPeer(event));
    }

    void take(Input input) {
        if (dead) {
            return;
        }
        if (paused) {
            inbox.add(input);
        } else {
            checkKnown(input);
            step(input);
        }
    }

    /// What this process's release does not know must not come to it.
    private void checkKnown(Input input) {
        Ensemble found =
                switch (input) {
                    case Input.OfPeer(
                                    Event.Received(
                                            int _,
                                            long _,
                                            long _,
                                            Message.Proposal(
                                                    long _,
                                                    Payload(
                                                            var _,
                                                            Txn.Configure(var is),
                                                            var _)))) ->
                            is;
                    case Input.Fetched(long _, Tree snapshot) -> snapshot.ensemble();
                    default -> null;
                };
        world.rules.isTrue(
                found == null
                        || (found.level() <= protocol
                                && (!found.groups().decide()
                                        || protocol >= Ensemble.LEVEL_OF_GROUPS)),
                "member %d knows level %d and gets %s",
                myid(),
                protocol,
                found);
    }

    /// Stands still, as under SIGSTOP: what arrives waits.
    void pause() {
        paused = true;
    }

    /// Goes on: takes all that has arrived before it looks at the clock.
    void resume() {
        if (dead || !paused) {
            return;
        }
        paused = false;
        lastPauseNanos = world.schedule.nowNanos();
        while (!inbox.isEmpty() && !dead && !paused) {
            step(inbox.remove());
        }
        if (!dead && !paused) {
            step(new Input.OfPeer(new Event.Tick()));
        }
    }

    void die() {
        dead = true;
        serving = false;
        for (SimulatedClient client : List.copyOf(connections.values())) {
            client.onClosed(this);
        }
        connections.clear();
    }

    private void step(Input input) {
        world.trace.add(myid(), "<-", input);
        world.coverage.count(Coverage.Of.EVENTS);
        try {
            member.step(
                    input, nowNanos(), world.wallMillis() + host.wallSkewMillis(), this::perform);
        } catch (Violation violation) {
            throw violation;
        } catch (RuntimeException failure) {
            throw new Violation("member " + myid() + " fails on " + input, failure);
        }
        observe();
    }

    private void observe() {
        observeRest();
        Peer.RoleName now = dead ? Peer.RoleName.LOOKING : member.peer().role();
        if (now != role) {
            role = now;
            world.trace.add(myid(), "is", now + " in epoch " + member.peer().epoch());
            if (now == Peer.RoleName.LEADER) {
                leadsSinceNanos = world.schedule.nowNanos();
                world.rules.onEstablished(myid(), member.peer().epoch());
            }
        }
    }

    private void observeRest() {
        boolean rests = !dead && member.peer().isResting();
        if (rests != resting) {
            resting = rests;
            if (rests) {
                world.coverage.count(Coverage.Of.MEMBERS_RESTED);
            }
        }
        if (everRested && serving) {
            everRested = false;
            world.coverage.count(Coverage.Of.RESTED_MEMBERS_BACK);
        }
        everRested |= rests;
    }

    // What it wants done.

    private void perform(Output output) {
        if (dead) {
            return;
        }
        world.trace.add(myid(), "->", output);
        switch (output) {
            case Output.OfPeer(Effect effect) -> perform(effect);
            case Output.Published published -> publish(published);
            case Output.Replaced(Tree next) -> replace(next);
            case Output.ConnectRefused(long connection) -> {
                SimulatedClient client = connections.remove(connection);
                if (client != null) {
                    client.onRefused(this);
                }
            }
            case Output.Synced(long connection, long number) -> {
                SimulatedClient client = connections.get(connection);
                if (client != null) {
                    client.onSynced(this, number);
                }
            }
            case Output.Close(long connection, String _) -> close(connection);
            case Output.Serving(boolean next) -> serve(next);
            case Output.LocallyAttached _, Output.LocallyClosed _, Output.ReadOnly _ ->
                    throw new IllegalStateException("not asked for: " + output);
            case Output.Answered(long ticket, Answer answer) -> answered(ticket, answer);
        }
    }

    private void answered(long ticket, Answer answer) {
        boolean transfer = (ticket & 1) == 0;
        switch (answer) {
            case Answer.Refused(String reason, long _) -> {
                boolean late = reason.contains("in time");
                world.coverage.count(
                        !transfer
                                ? Coverage.Of.MEMBERSHIP_REFUSED
                                : late
                                        ? Coverage.Of.HAND_OVERS_FAILED
                                        : Coverage.Of.HAND_OVERS_REFUSED);
            }
            case Answer.NotLeader _ -> {
                if (!transfer) {
                    world.coverage.count(Coverage.Of.LEADERS_THAT_GAVE_UP);
                }
            }
            case Answer.Transferred _, Answer.Changed _ -> {}
        }
    }

    private void perform(Effect effect) {
        switch (effect) {
            case Effect.Send(int to, long epoch, Message message) -> {
                // First, so that a member that dies of it has said it, or has not.
                if (world.faults.diesAt(this, message)) {
                    return;
                }
                world.rules.onSend(this, to, epoch, message);
                world.network.send(this, to, epoch, message);
            }
            case Effect.Disk(long ticket, var op) -> {
                // What a leader writes is new: what it sends may be what a learner has missed.
                if (op instanceof DiskOp.Append append) {
                    checkGrowth(append.payload().txn());
                }
                host.disk().ask(ticket, op);
            }
            case Effect.Fetch(int leader, long epoch, long zxid) -> fetch(leader, epoch, zxid);
            case Effect.ReadLog(int learner, long at, long after) ->
                    world.schedule.after(
                            world.chance.around(5 * Schedule.MILLIS),
                            () -> {
                                var read = host.disk().readBehind(after);
                                world.coverage.count(
                                        read.isEmpty()
                                                ? Coverage.Of.LOGS_TOO_SHORT
                                                : Coverage.Of.LOG_READS);
                                take(new Event.LogRead(learner, at, after, read));
                            });
            case Effect.Disconnect(int peer, String _) -> world.network.disconnect(this, peer);
            case Effect.Disown(String reason) ->
                    throw new Violation("member " + myid() + " gives up: " + reason);
            case Effect.Halt(String reason) ->
                    throw new Violation("member " + myid() + " stops: " + reason);
            case Effect.RoleChanged _, Effect.Warn _ -> {}
            case Effect.Deliver _,
                    Effect.Replace _,
                    Effect.InSync _,
                    Effect.Confirmed _,
                    Effect.HandOverFailed _,
                    Effect.Relayed _ ->
                    throw new Violation("member " + myid() + " lets out " + effect);
        }
    }

    /// Once no quorum has space, and a leader has had the time to learn of it, nothing new comes
    /// onto the disks that makes data grow (`safety.md` 13). Seen to fail with a leader that
    /// proposes what it should refuse.
    private void checkGrowth(Txn txn) {
        long then = world.schedule.nowNanos() - SPACE_KNOWN_NANOS;
        List<Ensemble> inForce = world.rules.inForce();
        if (!leads()
                || leadsSinceNanos > then
                || lastPauseNanos > then
                || configuredNanos > then
                || inForce.size() > 1) {
            return;
        }
        Set<Integer> roomy = new HashSet<>(inForce.getFirst().voters());
        roomy.removeIf(id -> world.host(id).disk().fullSinceNanos() <= then);
        boolean grows = txn instanceof Txn.Create;
        world.rules.isTrue(
                !grows || Constitution.isQuorum(inForce.getFirst(), roomy),
                "member %d proposes %s though no quorum has space",
                myid(),
                txn);
    }

    /// The second connection, that carries a snapshot.
    private void fetch(int from, long epoch, long zxid) {
        long number = ++fetch;
        SimulatedProcess leader = world.host(from).process();
        world.schedule.after(
                world.chance.around(30 * Schedule.MILLIS),
                () -> {
                    if (dead || number != fetch) {
                        return;
                    }
                    Tree found = leader == null || leader.dead ? null : leader.snapshot(zxid);
                    boolean broken = world.faults.breaksSnapshot();
                    if (found == null || broken || !world.network.reaches(myid(), from)) {
                        world.coverage.count(Coverage.Of.SNAPSHOTS_FAILED);
                        take(new Event.SnapshotFailed(epoch, zxid, "the connection broke"));
                    } else {
                        host.disk().fetched(zxid, found);
                        take(new Input.Fetched(zxid, found));
                        take(new Event.SnapshotFetched(epoch, zxid));
                    }
                });
    }

    private @Nullable Tree snapshot(long zxid) {
        if (world.sabotage == Sabotage.SNAPSHOT_TOO_OLD) {
            var older = trees.lowerEntry(zxid);
            return older == null ? null : older.getValue();
        }
        return trees.get(zxid);
    }

    private void publish(Output.Published published) {
        Applied applied = published.applied();
        world.rules.onPublished(myid(), place, applied);
        place++;
        tree = applied.tree();
        trees.put(tree.zxid(), tree);
        if (applied.result() instanceof Result.Failed(Code code) && code == Code.QUOTA_EXCEEDED) {
            world.coverage.count(Coverage.Of.GROWTH_REFUSED);
        }
        if (applied.txn() instanceof Txn.Configure) {
            world.schedule.after(CHANGE_STORED_NANOS, () -> flushChange(applied.zxid()));
        }
        SimulatedClient client = connections.get(published.connection());
        switch (applied.result()) {
            case Result.Attached(var session) -> {
                closeOthers(session.id(), published.connection());
                if (client != null) {
                    sessionOf.put(published.connection(), session.id());
                    client.onAttached(this, session, applied.zxid());
                }
            }
            case Result.Configured _ -> {
                configuredNanos = world.schedule.nowNanos();
                if (client != null) {
                    client.onReply(this, published.number(), applied);
                }
            }
            case Result.SessionClosed(long session) -> {
                if (client != null) {
                    client.onReply(this, published.number(), applied);
                }
                world.onSessionClosed(this, session, applied);
                closeOthers(session, 0);
            }
            default -> {
                if (client != null) {
                    client.onReply(this, published.number(), applied);
                }
            }
        }
    }

    private void closeOthers(long session, long but) {
        for (var each : List.copyOf(sessionOf.entrySet())) {
            if (each.getValue() == session && each.getKey() != but) {
                close(each.getKey());
            }
        }
    }

    private void replace(Tree next) {
        place = world.rules.onTree(myid(), next);
        tree = next;
        trees.clear();
        trees.put(next.zxid(), next);
        for (long connection : List.copyOf(connections.keySet())) {
            close(connection);
        }
    }

    private void close(long connection) {
        SimulatedClient client = connections.remove(connection);
        sessionOf.remove(connection);
        if (client != null) {
            client.onClosed(this);
            world.schedule.after(0, () -> take(new Input.Disconnected(connection)));
        }
    }

    private void serve(boolean next) {
        if (next && !serving) {
            servingSinceNanos = world.schedule.nowNanos();
        }
        serving = next;
        if (next) {
            world.schedule.after(0, this::takeHeld);
        }
    }

    private void takeHeld() {
        while (serving && !paused && !held.isEmpty()) {
            take(held.remove());
        }
    }

    /// Stores a committed version behind the log, as far as both allow.
    void flush() {
        var stored = trees.floorEntry(Math.min(tree.zxid(), host.disk().durableEnd()));
        if (!dead && stored != null) {
            host.disk().flush(stored.getKey(), stored.getValue());
        }
    }

    /// As the real one does, as soon as the log is there (`Flushing`).
    private void flushChange(long zxid) {
        if (host.disk().durableEnd() >= zxid) {
            flush();
        } else if (!dead && zxid <= tree.zxid()) {
            world.schedule.after(CHANGE_STORED_NANOS, () -> flushChange(zxid));
        }
    }

    // Clients.

    long connect(SimulatedClient client) {
        long connection = ++connectionCount;
        connections.put(connection, client);
        return connection;
    }

    /// A client's request: read from its connection only while this member serves.
    void ask(Input request) {
        if (serving) {
            take(request);
        } else {
            held.add(request);
        }
    }

    /// The client closed its connection.
    void hangUp(long connection) {
        if (connections.remove(connection) != null) {
            sessionOf.remove(connection);
            take(new Input.Disconnected(connection));
        }
    }

    void touch(long session) {
        touched.add(session);
    }

    private void reportTouched() {
        if (dead) {
            return;
        }
        if (!touched.isEmpty() && !paused) {
            long[] sessions = touched.stream().mapToLong(Long::longValue).sorted().toArray();
            touched.clear();
            take(new Input.Touched(sessions));
        }
        world.schedule.after(TOUCH_NANOS, this::reportTouched);
    }
}
