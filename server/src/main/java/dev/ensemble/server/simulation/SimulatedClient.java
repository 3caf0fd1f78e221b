package dev.ensemble.server.simulation;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// A client with one session at a time, that knows what it was told and believes nothing else.
///
/// It writes under paths that nobody else writes to. So for each of them it knows what may be
/// there: what was acknowledged last, or anything that it has asked for since without hearing of
/// it.
final class SimulatedClient {
    private static final int[] TIMEOUTS_MILLIS = {2000, 4000, 10_000};
    private static final List<Id> IDENTITIES = List.of(Id.ANYONE);

    /// A znode that is not there.
    private static final String ABSENT = "(absent)";

    private record Asked(long number, @Nullable String path, @Nullable String becomes, Kind kind) {}

    private enum Kind {
        WRITE,
        SEQUENTIAL,
        SYNC,
        READ,
        CLOSE,
        RECONFIGURE
    }

    private final int id;
    private final Simulation world;

    /// What may be at each path of this client.
    private final Map<String, Set<String>> possible = new TreeMap<>();

    private final ArrayDeque<Asked> inFlight = new ArrayDeque<>();
    private @Nullable SimulatedProcess process;
    private long connection;
    private boolean attached;
    private long connectedAtNanos;
    private long attachedAtNanos;
    private long number;
    private @Nullable Session session;
    private int timeoutMillis;
    private byte[] password = {};
    private long attach;
    private long lastSeenZxid;
    private long valueCount;
    private long acknowledged;
    private boolean quiet;

    /// It asked for the end of its session and has not heard of it. A leader that has proposed that
    /// refuses the session, before it is committed: nobody else can have wanted it.
    private boolean mayHaveEnded;

    /// For each sync in flight what was acknowledged, to anyone, when it was asked for.
    private final Map<Long, Long> syncFloors = new TreeMap<>();

    /// For each linearizable read in flight what anybody had been told of its path when it began.
    private final Map<Long, Long> readFloors = new TreeMap<>();

    SimulatedClient(int id, Simulation world) {
        this.id = id;
        this.world = world;
        this.timeoutMillis = TIMEOUTS_MILLIS[world.chance.below(TIMEOUTS_MILLIS.length)];
    }

    void begin() {
        act();
        touch();
    }

    /// Asks for nothing more.
    void rest() {
        quiet = true;
    }

    boolean isAttached() {
        return attached;
    }

    boolean isIdle() {
        return attached && inFlight.isEmpty();
    }

    long acknowledged() {
        return acknowledged;
    }

    private void act() {
        if (process == null) {
            connect();
        } else if (attached) {
            if (!quiet) {
                ask();
            }
        } else if (since(connectedAtNanos) > 3 * Schedule.SECONDS) {
            hangUp();
        }
        world.schedule.after(1 + world.chance.around(world.plan.thinkNanos()), this::act);
    }

    private long since(long nanos) {
        return world.schedule.nowNanos() - nanos;
    }

    /// Pings, as clients do three times in each time-out, and gives up a connection that does not
    /// answer for long.
    private void touch() {
        SimulatedProcess at = process;
        Session own = session;
        if (at != null && attached && own != null) {
            at.touch(own.id());
            if (!at.isServing() && since(at.servingSinceNanos()) > 0 && world.chance.happens(0.1)) {
                hangUp();
            }
        }
        world.schedule.after(timeoutMillis * Schedule.MILLIS / 4, this::touch);
    }

    // Connections.

    private void connect() {
        SimulatedProcess candidate = world.host(1 + world.chance.below(world.size())).process();
        if (candidate == null || !candidate.isServing() || candidate.isPaused()) {
            return;
        }
        // A member that is behind what this client has seen refuses it.
        if (candidate.tree().zxid() < lastSeenZxid) {
            return;
        }
        process = candidate;
        attached = false;
        connectedAtNanos = world.schedule.nowNanos();
        connection = candidate.connect(this);
        number = 0;
        Session own = session;
        if (own == null) {
            password = world.chance.bytes(Session.PASSWORD_BYTES);
        }
        candidate.ask(
                new Input.Connect(connection, own == null ? 0 : own.id(), timeoutMillis, password));
    }

    private void hangUp() {
        SimulatedProcess at = process;
        if (at != null) {
            long gone = connection;
            leave();
            at.hangUp(gone);
        }
    }

    /// The connection is gone: what was in flight may happen still, or never.
    private void leave() {
        process = null;
        attached = false;
        syncFloors.clear();
        readFloors.clear();
        while (!inFlight.isEmpty()) {
            Asked asked = inFlight.remove();
            world.coverage.count(Coverage.Of.UNKNOWN_OUTCOMES);
            mayHaveEnded |= asked.kind == Kind.CLOSE;
            String path = asked.path;
            if (path != null && asked.becomes != null) {
                may(path).add(asked.becomes);
            }
        }
    }

    private Set<String> may(String path) {
        return possible.computeIfAbsent(path, _ -> new HashSet<>(Set.of(ABSENT)));
    }

    void onClosed(SimulatedProcess from) {
        if (from == process) {
            leave();
        }
    }

    void onRefused(SimulatedProcess from) {
        if (from != process) {
            return;
        }
        Session own = session;
        world.rules.isTrue(
                own != null && (mayHaveEnded || !world.rules.lives(own.id())),
                "client %d is refused its session, which lives: %s",
                id,
                own);
        session = null;
        leave();
    }

    void onAttached(SimulatedProcess from, Session given, long zxid) {
        if (from != process || attached) {
            return;
        }
        Session own = session;
        world.rules.isTrue(
                own == null || own.id() == given.id(),
                "client %d asked for session %s and got %s",
                id,
                own,
                given);
        world.rules.isTrue(
                given.attach() == zxid && given.owner() == from.myid(),
                "client %d got session %s from member %d by %x",
                id,
                given,
                from.myid(),
                zxid);
        session = given;
        attach = zxid;
        attached = true;
        mayHaveEnded = false;
        attachedAtNanos = world.schedule.nowNanos();
        saw(zxid);
        from.touch(given.id());
    }

    private void saw(long zxid) {
        world.rules.isTrue(
                zxid >= lastSeenZxid, "client %d is shown %x after %x", id, zxid, lastSeenZxid);
        lastSeenZxid = zxid;
    }

    /// The leader closed a session: not this one, if it has been heard from all the time.
    void onSessionClosed(SimulatedProcess closer, long closed, Applied applied) {
        Session own = session;
        SimulatedProcess at = process;
        if (own == null || own.id() != closed) {
            return;
        }
        boolean expired = applied.header().origin() == 0;
        if (expired && at != null && attached && at.isServing() && !at.isPaused()) {
            long lease = timeoutMillis * Schedule.MILLIS;
            boolean kept =
                    since(at.servingSinceNanos()) > lease
                            && since(attachedAtNanos) > lease
                            // A leader that stood still charges nobody for it; a learner is
                            // charged.
                            && (since(at.lastPauseNanos()) > lease || at == closer);
            world.rules.isTrue(
                    !kept,
                    "session %x of client %d expires at %x and its member has heard from it all"
                            + " the time",
                    closed,
                    id,
                    applied.zxid());
        }
    }

    // Requests.

    private void ask() {
        if (inFlight.size() >= 4) {
            return;
        }
        if (world.isLinearizable() && world.readers.happens(0.2)) {
            readLinearizably();
            return;
        }
        int choice = world.chance.below(100);
        if (choice < 8) {
            sync();
        } else if (choice < 20) {
            read();
        } else if (choice < 21) {
            write(new Request.CloseSession(), null, null, Kind.CLOSE);
        } else if (choice < 23) {
            hangUp();
        } else if (choice < 33) {
            sequential();
        } else {
            change("/c" + id + "-" + world.chance.below(6), choice);
        }
    }

    void reconfigure(String members) {
        write(new Request.Reconfig(null, null, members, -1), null, null, Kind.RECONFIGURE);
    }

    private void change(String path, int choice) {
        String value = "v" + valueCount++;
        byte[] data = value.getBytes(StandardCharsets.UTF_8);
        String latest = latest(path);
        if (latest.equals(ABSENT)) {
            var create = new Request.Create(Request.CreateOp.CREATE, path, data, Acl.OPEN, 0, 0);
            write(create, path, value, Kind.WRITE);
        } else if (choice < 45) {
            write(new Request.Delete(path, -1), path, ABSENT, Kind.WRITE);
        } else if (choice < 55) {
            var both =
                    new Request.Multi(
                            List.of(
                                    new Request.Delete(path, -1),
                                    new Request.Create(
                                            Request.CreateOp.CREATE, path, data, Acl.OPEN, 0, 0)));
            write(both, path, value, Kind.WRITE);
        } else {
            write(new Request.SetData(path, data, -1), path, value, Kind.WRITE);
        }
    }

    private String latest(String path) {
        for (var each = inFlight.descendingIterator(); each.hasNext(); ) {
            Asked asked = each.next();
            if (path.equals(asked.path) && asked.becomes != null) {
                return asked.becomes;
            }
        }
        return possible.getOrDefault(path, Set.of(ABSENT)).stream().min(String::compareTo).get();
    }

    private void sequential() {
        int flags = world.chance.happens(0.5) ? 3 : 2;
        var create =
                new Request.Create(
                        Request.CreateOp.CREATE2,
                        "/s" + id + "-",
                        new byte[] {1},
                        Acl.OPEN,
                        flags,
                        0);
        write(create, null, null, Kind.SEQUENTIAL);
    }

    private void write(
            Request.Write request, @Nullable String path, @Nullable String becomes, Kind kind) {
        SimulatedProcess at = process;
        Session own = session;
        if (at == null || own == null) {
            return;
        }
        inFlight.add(new Asked(++number, path, becomes, kind));
        at.touch(own.id());
        at.ask(new Input.Write(connection, number, own.id(), attach, request, IDENTITIES));
    }

    private void sync() {
        SimulatedProcess at = process;
        if (at != null) {
            inFlight.add(new Asked(++number, null, null, Kind.SYNC));
            syncFloors.put(number, world.acknowledgedZxid());
            at.ask(new Input.Sync(connection, number));
        }
    }

    /// Reads any path, behind a round of the quorum as the connection asks for it.
    private void readLinearizably() {
        SimulatedProcess at = process;
        if (at == null) {
            return;
        }
        String path = world.anyPath();
        inFlight.add(new Asked(++number, path, null, Kind.READ));
        syncFloors.put(number, world.acknowledgedZxid());
        readFloors.put(number, world.lastTold(path));
        boolean alone = inFlight.size() == 1;
        if (world.sabotage == Sabotage.READS_WITHOUT_A_ROUND && alone && at.isServing()) {
            onSynced(at, number);
        } else {
            at.ask(new Input.Sync(connection, number));
        }
    }

    /// What was there before the read began is there, or something later (linearizability of
    /// reads), and what one such read has shown, later ones show too.
    private void checkRead(SimulatedProcess from, Asked asked, long floor) {
        String path = Objects.requireNonNull(asked.path);
        Tree tree = from.tree();
        Stat stat = tree.stat(path);
        long shown = stat == null ? tree.zxid() : stat.mzxid();
        world.coverage.count(Coverage.Of.LINEARIZABLE_READS);
        world.rules.isTrue(
                shown >= floor,
                "client %d reads %s of %x at %s from member %d, and somebody had been told of %x"
                        + " before",
                id,
                stat == null ? ABSENT : "what is",
                shown,
                path,
                from.myid(),
                floor);
        world.shown(tree.zxid());
        if (stat != null) {
            world.told(path, stat.mzxid());
        }
    }

    /// Reads behind this session's own writes, so only when none is in flight.
    private void read() {
        SimulatedProcess at = process;
        if (at == null || !at.isServing() || !inFlight.isEmpty()) {
            return;
        }
        world.coverage.count(Coverage.Of.READS);
        saw(at.tree().zxid());
        check(at.tree());
    }

    /// Checks that a tree which must hold all of this client's acknowledged writes does.
    void check(Tree tree) {
        for (var each : possible.entrySet()) {
            byte[] data = tree.data(each.getKey());
            boolean there = tree.stat(each.getKey()) != null;
            String found =
                    there ? data == null ? "" : new String(data, StandardCharsets.UTF_8) : ABSENT;
            world.rules.isTrue(
                    each.getValue().contains(found),
                    "client %d finds %s at %s in the tree of %x, where only %s may be (B9)",
                    id,
                    found,
                    each.getKey(),
                    tree.zxid(),
                    each.getValue());
        }
    }

    // Answers.

    void onSynced(SimulatedProcess from, long answered) {
        if (from != process) {
            return;
        }
        Asked asked = next(answered);
        Long floor = syncFloors.remove(asked.number);
        Long told = readFloors.remove(asked.number);
        if (told != null) {
            checkRead(from, asked, told);
        } else {
            world.coverage.count(Coverage.Of.SYNCS);
        }
        world.rules.isTrue(
                floor != null && from.tree().zxid() >= floor,
                "client %d synced at member %d, which has %x, and %x was acknowledged before (C26)",
                id,
                from.myid(),
                from.tree().zxid(),
                floor);
    }

    void onReply(SimulatedProcess from, long answered, Applied applied) {
        if (from != process) {
            return;
        }
        Asked asked = next(answered);
        world.acknowledged(applied.zxid());
        saw(applied.zxid());
        acknowledged++;
        switch (applied.result()) {
            case Result.Failed(Code code) -> failed(asked, code, applied);
            case Result.FailedParts _ -> failed(asked, Code.NO_NODE, applied);
            case Result.SessionClosed _ -> {
                session = null;
                leave();
            }
            default -> done(asked, applied);
        }
    }

    /// Takes what was answered out of what is in flight. Writes are answered in their order. A sync
    /// may be answered behind a later write, which then waits for it at the connection.
    private Asked next(long answered) {
        for (var each = inFlight.iterator(); each.hasNext(); ) {
            Asked asked = each.next();
            if (asked.number == answered) {
                each.remove();
                return asked;
            }
            if (asked.kind != Kind.SYNC && asked.kind != Kind.READ) {
                break;
            }
        }
        throw new Violation(
                "client " + id + " gets answer " + answered + " and waits for " + inFlight);
    }

    private void done(Asked asked, Applied applied) {
        String path = asked.path;
        String becomes = asked.becomes;
        if (path != null && becomes != null) {
            possible.put(path, new HashSet<>(Set.of(becomes)));
            world.told(path, applied.zxid());
            byte[] data = applied.tree().data(path);
            boolean there = applied.tree().stat(path) != null;
            world.rules.isTrue(
                    becomes.equals(ABSENT)
                            ? !there
                            : data != null
                                    && becomes.equals(new String(data, StandardCharsets.UTF_8)),
                    "client %d wrote %s to %s by %x, which is not there then",
                    id,
                    becomes,
                    path,
                    applied.zxid());
        }
        if (asked.kind == Kind.SEQUENTIAL && applied.result() instanceof Result.Created created) {
            // Its number is the parent's, so the name is free and known only now.
            world.rules.isTrue(
                    applied.tree().stat(created.path()) != null,
                    "client %d created %s by %x, which is not there then",
                    id,
                    created.path(),
                    applied.zxid());
            if (created.stat().ephemeralOwner() == 0) {
                possible.put(created.path(), new HashSet<>(Set.of("\u0001")));
            }
        }
    }

    private void failed(Asked asked, Code code, Applied applied) {
        boolean gone = code == Code.SESSION_EXPIRED || code == Code.SESSION_MOVED;
        String path = asked.path;
        if (!gone && path != null) {
            // What was unknown is known now, as the tree has it.
            byte[] data = applied.tree().data(path);
            String found =
                    applied.tree().stat(path) == null
                            ? ABSENT
                            : new String(data == null ? new byte[0] : data, StandardCharsets.UTF_8);
            world.rules.isTrue(
                    may(path).contains(found),
                    "client %d is answered %s for %s by %x, where %s is and only %s may be",
                    id,
                    code,
                    path,
                    applied.zxid(),
                    found,
                    may(path));
            possible.put(path, new HashSet<>(Set.of(found)));
        }
    }

    /// {@return what was acknowledged to this client and must be in the end}
    List<String> paths() {
        return new ArrayList<>(possible.keySet());
    }
}
