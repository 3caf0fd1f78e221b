package dev.ensemble.server.net;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.WatchEvent;
import dev.ensemble.server.session.Watches;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Tree;

import io.netty.channel.EventLoop;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// One I/O thread: its connections, their watches, and the version of the tree that it answers
/// from.
///
/// It is told of every transaction and moves through them one by one: first the watches fire, then
/// its tree is the next version, then the write is answered and the reads behind it run. So an
/// event is on its way before anything can be read that shows the change, and a read between two
/// writes of one pipeline sees the first and not the second. What a turn wants of the peer thread
/// goes there as one batch, and each connection is flushed once a turn.
///
/// A read that comes when another thread may have shown more waits until this one has caught up:
/// what one client was told, any other can read. A linearizable read waits for a round of the
/// quorum besides; all that come in one turn share one.
///
/// Everything here but the constructor and [#traffic] runs on its thread.
final class ClientLoop {
    private static final Logger LOG = LoggerFactory.getLogger(ClientLoop.class);

    /// Bytes of requests in flight, of all connections.
    private static final int MAX_IN_FLIGHT_BYTES = 64 << 20;

    /// How long a client may be silent in a drain before it is taken to have nothing on its way.
    private static final long DRAIN_SILENT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final EventLoop thread;
    private final ClientServer server;
    private ClientSettings settings;
    private final Schemes schemes;
    private final Intake intake;
    private final Traffic traffic = new Traffic();

    private final Map<Long, ClientConnection> connections = new HashMap<>();
    private final Map<Long, ClientConnection> sessions = new HashMap<>();
    private final Watches<ClientConnection> watches = new Watches<>();
    private final WatchedReads reads;
    private Tree tree;
    private boolean serving;
    private boolean readOnly;
    private long notServingSinceNanos;
    private boolean draining;
    private boolean drainLate;

    // What the turn gathers.
    private List<Input> inputs = new ArrayList<>();
    private List<ClientConnection> dirty = new ArrayList<>();
    private boolean turnWillEnd;

    private List<ClientConnection> touched = new ArrayList<>();
    private final List<ClientConnection> waitingToConnect = new ArrayList<>();

    /// By the zxid that this thread must come to before their next read is answered.
    private final TreeMap<Long, Set<ClientConnection>> waitingToRead = new TreeMap<>();

    /// What stands for this thread in the rounds that it asks for; no connection has that number.
    private final long roundAsker;

    private long askedRound;
    private long confirmedRound;

    /// The round asked for last is on its way at the end of this turn.
    private boolean roundIsOpen;

    private final TreeMap<Long, Set<ClientConnection>> waitingForRound = new TreeMap<>();

    private final Set<ClientConnection> waitingForRoom = new LinkedHashSet<>();
    private int firedByEvent;
    private int requestsInFlight;
    private long bytesInFlight;

    private long nowNanos;
    private long tickNanos;
    private final long clockOffsetMillis;

    /// @param index of this thread
    ClientLoop(int index, EventLoop thread, ClientServer server, Tree tree) {
        this.roundAsker = -1L - index;
        this.thread = thread;
        this.server = server;
        this.settings = server.settings();
        this.schemes = server.schemes();
        this.intake = server.intake();
        this.tree = tree;
        this.reads = new WatchedReads(schemes, watches);
        this.nowNanos = System.nanoTime();
        this.tickNanos = nowNanos;
        this.notServingSinceNanos = nowNanos;
        this.clockOffsetMillis =
                System.currentTimeMillis() - TimeUnit.NANOSECONDS.toMillis(nowNanos);
    }

    void start() {
        long millis = tickMillis();
        var _ = thread.scheduleAtFixedRate(this::tick, millis, millis, TimeUnit.MILLISECONDS);
    }

    /// Sessions are reported at least this often (`safety.md` 15).
    private long tickMillis() {
        return Math.max(settings.tickMillis() / 2, 1);
    }

    /// Other settings from here on. Who waits for room may have it now.
    boolean use(ClientSettings now) {
        settings = now;
        endTurnLater();
        return true;
    }

    EventLoop thread() {
        return thread;
    }

    /// Any thread may read it.
    Traffic traffic() {
        return traffic;
    }

    ClientSettings settings() {
        return settings;
    }

    Schemes schemes() {
        return schemes;
    }

    Tree tree() {
        return tree;
    }

    /// {@return the zxid that the furthest thread may have shown}
    long newestZxid() {
        return server.publishedZxid();
    }

    /// {@return whether no other thread can have shown more than this one}
    boolean isCurrent() {
        return tree.zxid() >= newestZxid();
    }

    boolean isServing() {
        return serving;
    }

    /// {@return whether this member, which does not serve, answers those who read only}
    boolean isReadOnly() {
        return readOnly;
    }

    /// {@return whether reads are answered}
    boolean isAnswering() {
        return serving || readOnly;
    }

    boolean isDraining() {
        return draining;
    }

    /// {@return whether a client of which nothing has been heard since then, and which has been
    /// answered, is taken to have nothing on its way}
    boolean isSilent(long sinceNanos) {
        return nowNanos - sinceNanos >= DRAIN_SILENT_NANOS;
    }

    /// {@return whether a drain should come to its end}
    boolean isDrainLate() {
        return drainLate;
    }

    /// {@return the time of this turn}
    long nowNanos() {
        return nowNanos;
    }

    long readClock() {
        nowNanos = System.nanoTime();
        return nowNanos;
    }

    long wallMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nowNanos) + clockOffsetMillis;
    }

    // Connections.

    void opened(ClientConnection connection) {
        connections.put(connection.id(), connection);
        traffic.connections(1);
        dirty(connection);
    }

    void closing(ClientConnection connection, String reason) {
        LOG.atDebug()
                .addKeyValue("client", connection.remote())
                .addKeyValue("session", () -> "0x" + Long.toHexString(connection.session()))
                .addKeyValue("reason", reason)
                .log("closing a client's connection");
    }

    void closed(ClientConnection connection) {
        if (connections.remove(connection.id()) == null) {
            return;
        }
        sessions.remove(connection.session(), connection);
        watches.removeAll(connection);
        waitingForRoom.remove(connection);
        traffic.connections(-1);
        traffic.count(ClientCounter.CONNECTION_DROP_COUNT, 1);
        server.closed(connection.address());
        if (connection.isKnown()) {
            submit(new Input.Disconnected(connection.id()));
        }
    }

    /// It waits until this thread has caught up with what the client has seen.
    void waitToConnect(ClientConnection connection) {
        waitingToConnect.add(connection);
    }

    boolean allows(FourLetterWords.Word word) {
        return server.words().isAllowed(word);
    }

    void answer(FourLetterWords.Word word, long argument, ClientConnection connection) {
        server.words()
                .answer(word, argument, connection.isSecure())
                .whenCompleteAsync(
                        (text, failure) -> {
                            if (failure == null) {
                                connection.tell(text);
                            } else {
                                connection.close("no answer to " + word + ": " + failure);
                            }
                        },
                        thread);
    }

    /// Its next read waits until this thread has come to `zxid`.
    void waitToRead(ClientConnection connection, long zxid) {
        waitingToRead.computeIfAbsent(zxid, _ -> new LinkedHashSet<>()).add(connection);
    }

    /// Asks for a round of the quorum that begins after this turn, for reads that came in it.
    ///
    /// @return a number: see [#isConfirmed]
    long awaitRound(ClientConnection connection) {
        if (!roundIsOpen) {
            roundIsOpen = true;
            submit(new Input.Sync(roundAsker, ++askedRound));
        }
        waitingForRound.computeIfAbsent(askedRound, _ -> new LinkedHashSet<>()).add(connection);
        return askedRound;
    }

    /// {@return whether that round, or one that began after it, is over, and this thread shows all
    /// that was committed before}
    boolean isConfirmed(long round) {
        return round <= confirmedRound;
    }

    private void confirmed(long round) {
        confirmedRound = Math.max(confirmedRound, round);
        while (!waitingForRound.isEmpty() && waitingForRound.firstKey() <= confirmedRound) {
            waitingForRound
                    .pollFirstEntry()
                    .getValue()
                    .forEach(each -> safely(each, ClientConnection::resume));
        }
    }

    /// Before the next transaction, which may be a write from behind such a read.
    private void resumeReads() {
        while (!waitingToRead.isEmpty() && waitingToRead.firstKey() <= tree.zxid()) {
            waitingToRead
                    .pollFirstEntry()
                    .getValue()
                    .forEach(each -> safely(each, ClientConnection::resume));
        }
    }

    // Turns.

    void submit(Input input) {
        inputs.add(input);
        endTurnLater();
    }

    /// At the end of the turn this connection is flushed, and reads or does not.
    void dirty(ClientConnection connection) {
        if (connection.markDirty()) {
            dirty.add(connection);
            endTurnLater();
        }
    }

    private void endTurnLater() {
        if (!turnWillEnd) {
            turnWillEnd = true;
            thread.execute(this::endTurn);
        }
    }

    private void endTurn() {
        turnWillEnd = false;
        roundIsOpen = false;
        traffic.watches(watches.reportedCount());
        if (!inputs.isEmpty()) {
            List<Input> batch = inputs;
            inputs = new ArrayList<>();
            intake.submit(batch);
        }
        List<ClientConnection> settled = dirty;
        dirty = new ArrayList<>();
        for (ClientConnection each : settled) {
            safely(each, ClientConnection::settle);
        }
        if (!waitingForRoom.isEmpty() && !isFull()) {
            List<ClientConnection> waiting = List.copyOf(waitingForRoom);
            waitingForRoom.clear();
            waiting.forEach(this::dirty);
        }
    }

    /// An error of ours costs the one connection that met it.
    private static void safely(ClientConnection connection, Consumer<ClientConnection> step) {
        try {
            step.accept(connection);
        } catch (RuntimeException e) {
            LOG.atError()
                    .addKeyValue("client", connection.remote())
                    .setCause(e)
                    .log("closing a client's connection after an error of ours");
            connection.close("an error of this server");
        }
    }

    // Load.

    /// {@return whether connections with a request in flight must not be read}
    boolean isFull() {
        return requestsInFlight >= settings.maxOutstanding()
                || bytesInFlight >= MAX_IN_FLIGHT_BYTES;
    }

    void occupied(int bytes) {
        requestsInFlight++;
        bytesInFlight += bytes;
        traffic.outstanding(1);
    }

    void released(int requests, int bytes) {
        requestsInFlight -= requests;
        bytesInFlight -= bytes;
        traffic.outstanding(-requests);
    }

    /// {@return whether a client may connect now}
    boolean admits(boolean isRenewal) {
        return server.admits(isRenewal);
    }

    /// {@return whether a request of this size is not too much beside all others in flight}
    boolean mayHold(int bytes) {
        return !isLarge(bytes)
                || server.largeBytes().get() + bytes <= settings.limits().largeRequestsBytes();
    }

    void hold(int bytes) {
        if (isLarge(bytes)) {
            server.largeBytes().addAndGet(bytes);
        }
    }

    void letGo(int bytes) {
        if (isLarge(bytes)) {
            server.largeBytes().addAndGet(-bytes);
        }
    }

    private boolean isLarge(int bytes) {
        int limit = settings.limits().largeRequestBytes();
        return limit >= 0 && bytes > limit;
    }

    void waitForRoom(ClientConnection connection) {
        waitingForRoom.add(connection);
    }

    // What the member says.

    /// Moves through what the peer thread published, one after the other.
    void advance(List<Output> batch) {
        readClock();
        for (Output output : batch) {
            try {
                take(output);
            } catch (RuntimeException e) {
                // Ours, and what was missed is not known: these clients connect anew, to a tree
                // that is whole.
                LOG.atError().setCause(e).log("an error of ours costs this thread its clients");
                closeAll("an error of this server");
                if (output instanceof Output.Published published) {
                    tree = published.applied().tree();
                }
            }
        }
        waitingToConnect.removeIf(ClientConnection::connectAgain);
        resumeReads();
    }

    private void take(Output output) {
        switch (output) {
            case Output.Published published -> published(published);
            case Output.Replaced(Tree other) -> {
                closeAll("what happened meanwhile is not known");
                tree = other;
            }
            case Output.ConnectRefused(long id) -> {
                ClientConnection connection = connections.get(id);
                if (connection != null) {
                    connection.refused();
                }
            }
            case Output.LocallyAttached(long id, var session) -> attached(session, id);
            case Output.LocallyClosed(long id, long number) -> {
                ClientConnection connection = connections.get(id);
                if (connection != null) {
                    connection.ended(number);
                }
            }
            case Output.Synced(long id, long number) -> {
                if (id == roundAsker) {
                    confirmed(number);
                }
                ClientConnection connection = connections.get(id);
                if (connection != null) {
                    connection.synced(number);
                }
            }
            case Output.Close(long id, String reason) -> {
                ClientConnection connection = connections.get(id);
                if (connection != null) {
                    connection.close(reason);
                }
            }
            case Output.Serving(boolean now) -> serve(now);
            case Output.ReadOnly(boolean now) -> {
                readOnly = now;
                closeAll(now ? "this member only reads from here on" : "a leader is there again");
            }
            case Output.OfPeer _, Output.Answered _ ->
                    throw new IllegalArgumentException("not for clients: " + output);
        }
    }

    private void published(Output.Published published) {
        resumeReads();
        Applied applied = published.applied();
        for (WatchEvent event : applied.events()) {
            fire(applied.zxid(), event);
        }
        tree = applied.tree();
        ClientConnection connection = connections.get(published.connection());
        switch (applied.result()) {
            case Result.Attached(var session) -> attached(session, published.connection());
            case Result.SessionClosed(long session) -> {
                Audit audit = settings().audit();
                if (audit != null && server.isFirst(this)) {
                    audit.ended(session, applied.events());
                }
                closeOther(session, published.connection());
                written(connection, published);
            }
            default -> written(connection, published);
        }
    }

    private void attached(Session session, long id) {
        closeOther(session.id(), id);
        ClientConnection connection = connections.get(id);
        if (connection != null && connection.attached(session)) {
            sessions.put(session.id(), connection);
        }
    }

    private void written(@Nullable ClientConnection connection, Output.Published published) {
        if (connection != null) {
            safely(connection, c -> c.written(published.number(), published.applied()));
        }
    }

    private void fire(long zxid, WatchEvent event) {
        firedByEvent = 0;
        watches.fire(
                event,
                (connection, acl) -> schemes.permits(acl, Acl.READ, connection.identities()),
                connection -> {
                    firedByEvent++;
                    connection.tell(zxid, event.type(), event.path());
                });
        if (firedByEvent > 0) {
            traffic.measured(
                    switch (event.type()) {
                        case NODE_CREATED -> ClientSummary.NODE_CREATED_WATCH_COUNT;
                        case NODE_DELETED -> ClientSummary.NODE_DELETED_WATCH_COUNT;
                        case NODE_DATA_CHANGED -> ClientSummary.NODE_CHANGED_WATCH_COUNT;
                        case NODE_CHILDREN_CHANGED -> ClientSummary.NODE_CHILDREN_WATCH_COUNT;
                    },
                    firedByEvent);
        }
    }

    /// A session has one connection at most; one that has ended has none.
    private void closeOther(long session, long connection) {
        ClientConnection current = sessions.get(session);
        if (current != null && current.id() != connection) {
            sessions.remove(session);
            current.close("the session is another connection's, or over");
        }
    }

    private void serve(boolean now) {
        serving = now;
        notServingSinceNanos = nowNanos;
        if (now) {
            for (ClientConnection each : List.copyOf(connections.values())) {
                safely(each, ClientConnection::servedAgain);
            }
        }
    }

    /// {@return the answer, from this thread's tree; a watch that the read asks for is set}
    Reply read(ClientConnection connection, Request.Read read, List<Id> identities) {
        return reads.answer(connection, read, tree, identities);
    }

    // Time.

    void touched(ClientConnection connection) {
        touched.add(connection);
    }

    private void tick() {
        long before = tickNanos;
        tickNanos = readClock();
        long late = tickNanos - before - 2 * TimeUnit.MILLISECONDS.toNanos(tickMillis());
        if (late > 0) {
            connections.values().forEach(connection -> connection.forgive(late));
            notServingSinceNanos += late;
        }
        reportTouched();
        for (ClientConnection connection : List.copyOf(connections.values())) {
            connection.tick(tickNanos, notServingSinceNanos);
        }
    }

    private void reportTouched() {
        if (touched.isEmpty()) {
            return;
        }
        List<ClientConnection> heard = touched;
        touched = new ArrayList<>();
        submit(new Input.Touched(heard.stream().mapToLong(ClientConnection::takeTouch).toArray()));
    }

    // The end.

    /// @param deadlineMillis when the rest will be closed
    void drain(long deadlineMillis) {
        draining = true;
        reportTouched();
        lookWhoIsSilent();
        long step = DRAIN_SILENT_NANOS / 2;
        var _ = thread.scheduleAtFixedRate(this::lookWhoIsSilent, step, step, TimeUnit.NANOSECONDS);
        Runnable late = () -> drainLate = true;
        var _ = thread.schedule(late, deadlineMillis / 2, TimeUnit.MILLISECONDS);
    }

    private void lookWhoIsSilent() {
        readClock();
        List.copyOf(connections.values()).forEach(ClientConnection::drain);
    }

    void closeAll(String reason) {
        for (ClientConnection connection : List.copyOf(connections.values())) {
            connection.close(reason);
        }
    }

    // Facts.

    List<ConnectionFacts> connectionFacts() {
        return connections.values().stream().map(ClientConnection::facts).toList();
    }

    /// {@return who watches what, children apart, by session}
    Map<Long, List<String>> watchedPaths() {
        var all = new HashMap<Long, List<String>>();
        watches.forEachOfNode((connection, path) ->
                all.computeIfAbsent(connection.session(), _ -> new ArrayList<>()).add(path));
        return all;
    }

    /// {@return when each connection is closed if nothing more is heard on it, wall clock in ms}
    Map<ConnectionFacts, Long> connectionDeadlines() {
        readClock();
        long step = tickMillis(); // They are looked at so often.
        var all = new LinkedHashMap<ConnectionFacts, Long>();
        for (ClientConnection each : connections.values()) {
            long left = TimeUnit.NANOSECONDS.toMillis(each.deadlineNanos() - nowNanos);
            all.put(each.facts(), Math.ceilDiv(wallMillis() + left, step) * step);
        }
        return all;
    }

    void resetCounts() {
        connections.values().forEach(ClientConnection::resetCounts);
    }
}
