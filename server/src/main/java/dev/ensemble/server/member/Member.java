package dev.ensemble.server.member;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.session.Sessions;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Effect;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.History;
import dev.ensemble.server.zab.Message;
import dev.ensemble.server.zab.Peer;
import dev.ensemble.server.zab.PeerConfig;
import dev.ensemble.server.zab.Recovered;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// One member of the ensemble: a client's request goes in, and comes out applied, in the order of
/// all.
///
/// A learner sends writes to its leader. The leader prepares them against the *outlook*, the tree
/// with every outstanding proposal applied, and proposes what came of it; what commits is applied
/// to the tree on every member. The outlook is the leader's private value: losing the lead drops
/// it, nothing is served from it (`safety.md` 1).
///
/// Pure, see [Peer]. Owned by the peer thread.
public final class Member {
    private static final int COUNT_BITS = 40;

    private final Peer peer;
    private final Preparation preparation;
    private final Payload.Codec codec;
    private final Sessions sessions;
    private final MemberOptions options;
    private final Reaper reaper;
    private final LocalSessions locals;
    private final long pauseNanos;
    private final ArrayDeque<Effect> effects = new ArrayDeque<>();

    /// What local clients asked and nobody has answered, by sequence: also what is asked again
    /// after a change of leader.
    private final TreeMap<Long, Flight> inFlight = new TreeMap<>();

    /// The sessions of local connections.
    private final Map<Long, Long> attached = new HashMap<>();

    /// Syncs that the leader has answered and that wait for a commit to arrive here.
    private final ArrayDeque<AnsweredSync> answeredSyncs = new ArrayDeque<>();

    // The leader's.
    private final ArrayDeque<Applied> proposed = new ArrayDeque<>();
    private final ArrayDeque<WaitingSync> waitingSyncs = new ArrayDeque<>();
    private final Digests digests = new Digests();

    /// What was asked while the lead is being handed over. If that comes to nothing it is done
    /// then; else its origins ask the successor.
    private final ArrayDeque<Consumer<Consumer<Output>>> heldBack = new ArrayDeque<>();

    private final Changes changes;
    private @Nullable Tree outlook;

    /// What was held back is done after a hand-over that came to nothing: it is not tried again.
    private boolean holdsOffice;

    private long confirmedRound;

    private Tree tree;
    private @Nullable Tree fetched;
    private long expiredSessions;
    private boolean serving;
    private boolean readOnly;
    private long inSyncNanos;
    private long count;
    private long nowNanos;
    private long wallMillis;
    private long lastTickNanos;

    private sealed interface Flight {
        long connection();

        record OfWrite(Input.Write write) implements Flight {
            @Override
            public long connection() {
                return write.connection();
            }
        }

        record OfConnect(Input.Connect connect) implements Flight {
            @Override
            public long connection() {
                return connect.connection();
            }
        }

        /// Belongs to a session, whatever connection speaks for it.
        record OfUpgrade(Session session) implements Flight {
            @Override
            public long connection() {
                return 0;
            }
        }

        record OfSync(Input.Sync sync) implements Flight {
            @Override
            public long connection() {
                return sync.connection();
            }
        }
    }

    /// Where a request came from.
    private record Origin(int myid, long incarnation, long sequence) {
        static final Origin SELF = new Origin(0, 0, 0);
    }

    private record WaitingSync(Origin origin, long zxid, long round) {}

    private record AnsweredSync(long sequence, long zxid) {}

    /// @param tree at the recovered commit point
    /// @param history empty, with its limits
    /// @param tickNanos of sessions: they expire in steps of it
    public Member(
            PeerConfig config,
            Recovered disk,
            Tree tree,
            History history,
            Preparation preparation,
            Payload.Codec codec,
            MemberOptions options,
            long tickNanos,
            long nowNanos) {
        if (tree.zxid() > disk.committed()) {
            throw new IllegalArgumentException("the tree is ahead of what is committed");
        }
        this.peer = new Peer(config, disk, history, nowNanos);
        this.tree = tree;
        this.changes = new Changes(peer, effects::add, txn -> propose(Origin.SELF, 0, txn));
        this.preparation = preparation;
        this.codec = codec;
        this.sessions = new Sessions(tickNanos);
        this.options = options;
        this.reaper = new Reaper(options.reaping());
        this.locals =
                new LocalSessions(peer.identity().myid(), peer.identity().starts(), tickNanos);
        this.inSyncNanos = nowNanos;
        this.pauseNanos = config.pauseNanos();
        this.lastTickNanos = nowNanos;
        this.nowNanos = nowNanos;
    }

    /// Takes one input; emits what must be done, in order.
    ///
    /// @param nowNanos monotonic time
    /// @param wallMillis wall clock, only for the times that clients see
    public void step(Input input, long nowNanos, long wallMillis, Consumer<Output> out) {
        this.nowNanos = nowNanos;
        this.wallMillis = wallMillis;
        switch (input) {
            case Input.OfPeer(Event event) -> {
                if (event instanceof Event.Tick) {
                    noticeGap();
                }
                peer.step(event, nowNanos, effects::add);
                perform(out);
                if (event instanceof Event.Tick) {
                    tick(out);
                }
            }
            case Input.Fetched(long zxid, Tree snapshot) -> {
                if (snapshot.zxid() != zxid) {
                    throw new IllegalArgumentException("a snapshot of another zxid");
                }
                fetched = snapshot;
                peer.fetched(snapshot.ensemble());
            }
            case Input.Connect connect -> submit(new Flight.OfConnect(connect), out);
            case Input.Write write -> {
                upgrade(write, out);
                submit(new Flight.OfWrite(write), out);
            }
            case Input.Sync sync -> submit(new Flight.OfSync(sync), out);
            case Input.Disconnected(long connection) -> {
                attached.remove(connection);
                inFlight.values().removeIf(flight -> flight.connection() == connection);
            }
            case Input.Touched(long[] touched) -> touch(touched);
            case Input.Transfer asked -> changes.transfer(asked, out);
            case Input.ChangeMembers asked -> changes.change(asked, out);
        }
        perform(out);
    }

    private void perform(Consumer<Output> out) {
        for (Effect effect = effects.poll(); effect != null; effect = effects.poll()) {
            switch (effect) {
                case Effect.Deliver(long zxid, Payload payload) -> deliver(zxid, payload, out);
                case Effect.Replace(long zxid) -> replace(zxid, out);
                case Effect.Relayed(int from, long incarnation, Message message) ->
                        relayed(from, incarnation, message, out);
                case Effect.Confirmed(long round) -> {
                    confirmedRound = Math.max(confirmedRound, round);
                    answerSyncs(out);
                }
                case Effect.InSync _ -> inSync(out);
                case Effect.HandOverFailed(int successor) -> handOverFailed(successor, out);
                case Effect.RoleChanged _ -> {
                    roleChanged(out);
                    out.accept(new Output.OfPeer(effect));
                }
                case Effect.Send _,
                        Effect.Disk _,
                        Effect.Fetch _,
                        Effect.ReadLog _,
                        Effect.Disconnect _,
                        Effect.Warn _,
                        Effect.Disown _,
                        Effect.Halt _ ->
                        out.accept(new Output.OfPeer(effect));
            }
        }
    }

    // What commits.

    private void deliver(long zxid, Payload payload, Consumer<Output> out) {
        Applied applied = proposed.peekFirst();
        if (applied != null && applied.zxid() == zxid) {
            proposed.removeFirst();
        } else {
            applied = tree.apply(zxid, payload.header(), payload.txn());
        }
        tree = applied.tree();
        publish(applied, out);
        if (applied.result() instanceof Result.Configured(Ensemble ensemble, var _)) {
            changes.committed(ensemble, out);
        }
        if (Digests.isDue(zxid)) {
            reportDigest(zxid);
        }
        if (!waitingSyncs.isEmpty()) {
            answerSyncs(out);
        }
        while (!answeredSyncs.isEmpty() && answeredSyncs.peekFirst().zxid() <= zxid) {
            synced(answeredSyncs.removeFirst().sequence(), out);
        }
    }

    private void reportDigest(long zxid) {
        if (peer.nextZxid() != 0) {
            judge(peer.identity().myid(), zxid, tree.digest());
        } else if (peer.isInSync()) {
            sendToLeader(digest(zxid, tree.digest(), false));
        }
    }

    private static Message digest(long zxid, long digest, boolean wrong) {
        return new Message.TreeDigest(zxid, digest, wrong, Tree.DIGEST_VERSION);
    }

    /// Members hold the same, or a quorum says who does not (`safety.md` 9).
    private void judge(int member, long zxid, long digest) {
        Digests.Verdict verdict = digests.report(member, zxid, digest, peer.configuration());
        if (verdict.undecided()) {
            effects.add(
                    new Effect.Warn(
                            "the voters hold different data at "
                                    + Zxid.text(zxid)
                                    + ", and no majority holds the same: a person has to look"));
        }
        for (int wrong : verdict.wrong()) {
            if (wrong == peer.identity().myid()) {
                disown(zxid);
            } else {
                effects.add(
                        new Effect.Warn(
                                "member "
                                        + wrong
                                        + " holds other data than a majority at "
                                        + Zxid.text(zxid)));
                peer.send(wrong, digest(zxid, verdict.believed(), true), effects::add);
            }
        }
    }

    /// Not one that has a voter's name, and another incarnation.
    private boolean isJudged(int member, long incarnation) {
        return peer.configuration().isVoter(member, incarnation)
                || !peer.configuration().voters().contains(member);
    }

    private void disown(long zxid) {
        peer.disown(
                "the data of this member differs from that of a majority at " + Zxid.text(zxid),
                effects::add);
    }

    private void publish(Applied applied, Consumer<Output> out) {
        Header header = applied.header();
        Flight flight = isOwn(header) ? inFlight.remove(header.sequence()) : null;
        long connection = 0;
        long number = 0;
        if (applied.result() instanceof Result.Attached(Session session)
                && locals.has(session.id())) {
            connection = locals.remove(session.id());
        }
        switch (flight) {
            case Flight.OfWrite(Input.Write write) -> {
                connection = write.connection();
                number = write.number();
            }
            case Flight.OfConnect(Input.Connect connect) -> {
                connection = connect.connection();
                if (applied.result() instanceof Result.Attached(Session session)) {
                    attached.put(connection, session.id());
                }
            }
            case Flight.OfSync _ -> throw new IllegalStateException("a sync was proposed");
            case Flight.OfUpgrade _ -> {}
            case null -> {}
        }
        out.accept(new Output.Published(applied, connection, number));
    }

    private boolean isOwn(Header header) {
        return header.origin() == peer.identity().myid()
                && header.incarnation() == peer.identity().incarnation();
    }

    private void replace(long zxid, Consumer<Output> out) {
        if (fetched == null || fetched.zxid() != zxid) {
            throw new IllegalStateException("installed a snapshot that was not fetched");
        }
        tree = fetched;
        fetched = null;
        // Whether they happened is not known, and watches may have missed what did: these clients
        // connect anew.
        inFlight.clear();
        attached.clear();
        answeredSyncs.clear();
        locals.settle(tree);
        out.accept(new Output.Replaced(tree));
    }

    // Roles.

    private void roleChanged(Consumer<Output> out) {
        if (peer.nextZxid() == 0) {
            outlook = null;
            proposed.clear();
            waitingSyncs.clear();
            heldBack.clear();
            sessions.clear();
            changes.lostOffice(out);
            digests.clear();
        }
        if (!peer.isInSync()) {
            answeredSyncs.clear();
            serve(false, out);
        }
        if (peer.isResting()) {
            for (long connection : attached.keySet()) {
                out.accept(new Output.Close(connection, "the disk of this member is full"));
            }
        }
    }

    /// What came earlier goes first, also when the hand-over is over and its end not yet taken in.
    private boolean mustWait() {
        return peer.isHandingOver() || !heldBack.isEmpty();
    }

    /// Keeps what a member asked until the hand-over is over, or the member comes anew: it asks
    /// again then, and doing both would do it twice.
    private void hold(int from, Consumer<Consumer<Output>> asked) {
        long arrival = peer.arrivalOf(from);
        heldBack.addLast(later -> {
            if (peer.arrivalOf(from) == arrival) {
                asked.accept(later);
            }
        });
    }

    private void handOverFailed(int successor, Consumer<Output> out) {
        changes.handOverFailed(successor, out);
        List<Consumer<Consumer<Output>>> again = List.copyOf(heldBack);
        heldBack.clear();
        again.forEach(each -> each.accept(out));
    }

    private void serve(boolean next, Consumer<Output> out) {
        if (serving != next) {
            serving = next;
            out.accept(new Output.Serving(next));
        }
    }

    private void inSync(Consumer<Output> out) {
        if (!peer.isInSync()) {
            return; // Lost again in the same step.
        }
        if (peer.nextZxid() != 0) {
            takeOffice();
        }
        inSyncNanos = nowNanos;
        readOnly(false, out);
        serve(true, out);
        long[] local = attached.values().stream().mapToLong(Long::longValue).toArray();
        if (local.length > 0) {
            touch(local);
        }
        submitAgain(out);
    }

    private void takeOffice() {
        outlook = tree;
        proposed.clear();
        waitingSyncs.clear();
        confirmedRound = 0;
        sessions.clear();
        tree.forEachSession(
                session -> sessions.start(session.id(), session.timeoutMillis(), nowNanos));
        reaper.start(nowNanos);
        configure();
    }

    /// Asks the new leader for what the old one did not get done. What stands in this log is in the
    /// leader's initial history and commits, so it is answered then; whatever does not stand there
    /// never will.
    private void submitAgain(Consumer<Output> out) {
        var logged = new HashSet<Long>();
        for (History.Entry entry : peer.history().uncommitted()) {
            Header header = entry.payload().header();
            if (isOwn(header)) {
                logged.add(header.sequence());
            }
        }
        for (var flight : List.copyOf(inFlight.entrySet())) {
            if (!logged.contains(flight.getKey())
                    && !locally(flight.getKey(), flight.getValue(), out)) {
                dispatch(flight.getKey(), flight.getValue(), out);
            }
        }
    }

    // What local clients ask.

    private void submit(Flight flight, Consumer<Output> out) {
        long sequence = peer.identity().starts() << COUNT_BITS | ++count;
        inFlight.put(sequence, flight);
        if ((serving || readOnly) && !locally(sequence, flight, out) && serving) {
            dispatch(sequence, flight, out);
        }
    }

    // Sessions that only this member knows.

    /// {@return whether nobody else needs to be asked}
    private boolean locally(long sequence, Flight flight, Consumer<Output> out) {
        boolean done =
                switch (flight) {
                    case Flight.OfConnect(Input.Connect connect) -> connectLocally(connect, out);
                    case Flight.OfWrite(Input.Write write) -> closeLocally(write, out);
                    case Flight.OfSync _, Flight.OfUpgrade _ -> false;
                };
        if (done) {
            inFlight.remove(sequence);
        }
        return done;
    }

    private boolean connectLocally(Input.Connect c, Consumer<Output> out) {
        Session session = null;
        if (locals.has(c.session())) {
            session =
                    locals.attach(
                            c.session(), c.connection(), c.timeoutMillis(), c.password(), nowNanos);
            if (session == null) {
                out.accept(new Output.ConnectRefused(c.connection()));
                return true;
            }
        } else if (c.session() == 0 && options.localSessions()) {
            session = locals.create(c.connection(), c.timeoutMillis(), c.password(), nowNanos);
        } else if (readOnly) {
            out.accept(
                    new Output.Close(
                            c.connection(), "sessions of the ensemble need a leader to begin"));
            return true;
        }
        if (session == null) {
            return false;
        }
        attached.put(c.connection(), session.id());
        out.accept(new Output.LocallyAttached(c.connection(), session));
        return true;
    }

    private boolean closeLocally(Input.Write write, Consumer<Output> out) {
        if (!(write.request() instanceof Request.CloseSession)
                || !locals.has(write.session())
                || locals.isUpgrading(write.session())) {
            return false;
        }
        var _ = locals.remove(write.session());
        out.accept(new Output.LocallyClosed(write.connection(), write.number()));
        return true;
    }

    /// An ephemeral needs a session that everybody knows.
    private void upgrade(Input.Write write, Consumer<Output> out) {
        if (!options.upgradesSessions() || !Preparation.isEphemeral(write.request())) {
            return;
        }
        Session session = locals.beginUpgrade(write.session());
        if (session != null) {
            submit(new Flight.OfUpgrade(session), out);
        }
    }

    // Reading without a leader.

    private void readOnly(boolean next, Consumer<Output> out) {
        if (readOnly != next) {
            readOnly = next;
            out.accept(new Output.ReadOnly(next));
        }
    }

    private void dispatch(long sequence, Flight flight, Consumer<Output> out) {
        if (mustWait()) {
            heldBack.addLast(later -> {
                if (inFlight.containsKey(sequence)) {
                    dispatch(sequence, flight, later);
                }
            });
            return;
        }
        if (peer.nextZxid() != 0) {
            var self = new Origin(peer.identity().myid(), peer.identity().incarnation(), sequence);
            switch (flight) {
                case Flight.OfWrite(Input.Write w) ->
                        write(self, w.session(), w.attach(), w.request(), w.identities());
                case Flight.OfConnect(Input.Connect c) ->
                        connect(self, c.session(), c.timeoutMillis(), c.password(), out);
                case Flight.OfUpgrade(Session s) -> upgrade(self, s);
                case Flight.OfSync _ -> sync(self, out);
            }
            return;
        }
        Message message =
                switch (flight) {
                    case Flight.OfWrite(Input.Write w) ->
                            new Message.Forward(
                                    sequence, w.session(), w.attach(), w.request(), w.identities());
                    case Flight.OfConnect(Input.Connect c) ->
                            new Message.ForwardConnect(
                                    sequence, c.session(), c.timeoutMillis(), c.password(), false);
                    case Flight.OfUpgrade(Session s) ->
                            new Message.ForwardConnect(
                                    sequence, s.id(), s.timeoutMillis(), s.password(), true);
                    case Flight.OfSync _ -> new Message.SyncRequest(sequence);
                };
        sendToLeader(message);
    }

    private void sendToLeader(Message message) {
        if (peer.leader() != 0 && peer.leader() != peer.identity().myid()) {
            peer.send(peer.leader(), message, effects::add);
        }
    }

    private void touch(long[] touched) {
        for (long session : touched) {
            locals.touch(session, nowNanos);
        }
        if (mustWait()) {
            heldBack.addLast(_ -> touch(touched));
        } else if (peer.nextZxid() != 0) {
            for (long session : touched) {
                sessions.touch(session, nowNanos);
            }
        } else if (peer.isInSync()) {
            sendToLeader(new Message.Touched(touched));
        }
    }

    private void relayed(int from, long incarnation, Message message, Consumer<Output> out) {
        if (mustWait()) {
            hold(from, later -> relayed(from, incarnation, message, later));
            return;
        }
        switch (message) {
            case Message.Forward(long sequence, long session, long attach, var request, var ids) ->
                    write(new Origin(from, incarnation, sequence), session, attach, request, ids);
            case Message.ForwardConnect(
                            long sequence,
                            long session,
                            int timeout,
                            byte[] password,
                            boolean isUpgrade) -> {
                var origin = new Origin(from, incarnation, sequence);
                if (isUpgrade) {
                    upgrade(origin, new Session(session, timeout, password, from, 0));
                } else {
                    connect(origin, session, timeout, password, out);
                }
            }
            case Message.SyncRequest(long sequence) ->
                    sync(new Origin(from, incarnation, sequence), out);
            case Message.Touched(long[] touched) -> touch(touched);
            case Message.TreeDigest(long zxid, long digest, boolean wrong, int version) -> {
                if (version != Tree.DIGEST_VERSION) {
                    return; // Of a release that makes them in another way.
                }
                if (wrong && peer.nextZxid() == 0) {
                    disown(zxid); // A leader says that; to a leader, nobody does.
                } else if (!wrong && isJudged(from, incarnation)) {
                    judge(from, zxid, digest);
                }
            }
            case Message.ConnectRefused(long sequence) -> refused(sequence, out);
            case Message.SyncReply(long sequence, long zxid) -> {
                if (zxid <= tree.zxid()) {
                    synced(sequence, out);
                } else {
                    answeredSyncs.addLast(new AnsweredSync(sequence, zxid));
                }
            }
            default -> throw new IllegalStateException("relayed: " + message);
        }
    }

    private void refused(long sequence, Consumer<Output> out) {
        if (inFlight.get(sequence) instanceof Flight.OfConnect(Input.Connect connect)) {
            inFlight.remove(sequence);
            out.accept(new Output.ConnectRefused(connect.connection()));
        }
    }

    private void synced(long sequence, Consumer<Output> out) {
        if (inFlight.get(sequence) instanceof Flight.OfSync(Input.Sync sync)) {
            inFlight.remove(sequence);
            out.accept(new Output.Synced(sync.connection(), sync.number()));
        }
    }

    // The leader.

    private void write(
            Origin origin,
            long session,
            long attach,
            Request.Write request,
            List<dev.ensemble.server.model.Id> identities) {
        Tree now = outlook;
        if (now == null) {
            return; // The origin keeps it and asks the next leader.
        }
        Txn txn;
        try {
            txn =
                    request instanceof Request.Reconfig reconfig
                            ? preparation.prepareReconfig(
                                    reconfig, session, attach, identities, now, changes)
                            : preparation.prepare(
                                    request, session, attach, identities, wallMillis, now);
        } catch (RuntimeException unexpected) {
            // A bug of ours, found before anything is logged: it costs this request, not every
            // member at each replay.
            effects.add(new Effect.Warn("preparing " + request + " failed: " + unexpected));
            txn = new Txn.Refused(Code.MARSHALLING_ERROR);
        }
        if (changes.endsOffice(txn)) {
            // The leader itself would go: it hands over first, and its successor makes the change.
            if (!holdsOffice && changes.giveUpOffice(txn)) {
                hold(
                        origin.myid(),
                        later -> {
                            holdsOffice = true;
                            write(origin, session, attach, request, identities);
                            holdsOffice = false;
                        });
                return;
            }
            txn = new Txn.Refused(Code.NEW_CONFIG_NO_QUORUM);
        }
        propose(origin, session, peer.isCramped() ? Growth.refused(txn, now) : txn);
    }

    private void connect(
            Origin origin, long session, int timeoutMillis, byte[] password, Consumer<Output> out) {
        Tree now = outlook;
        if (now == null) {
            return;
        }
        if (session == 0) {
            propose(origin, 0, new Txn.CreateSession(timeoutMillis, password));
            return;
        }
        Session known = now.session(session);
        if (known != null && isEqual(known.password(), password)) {
            propose(origin, session, new Txn.AttachSession(timeoutMillis));
        } else if (origin.myid() == peer.identity().myid()) {
            refused(origin.sequence(), out);
        } else {
            peer.send(origin.myid(), new Message.ConnectRefused(origin.sequence()), effects::add);
        }
    }

    private void upgrade(Origin origin, Session session) {
        Tree now = outlook;
        if (now != null && now.session(session.id()) == null) {
            propose(
                    origin,
                    session.id(),
                    new Txn.CreateSession(session.timeoutMillis(), session.password()));
        }
    }

    /// Takes as long for any guess.
    private static boolean isEqual(byte[] password, byte[] shown) {
        int difference = password.length ^ shown.length;
        for (int i = 0; i < password.length; i++) {
            difference |= password[i] ^ shown[i < shown.length ? i : 0];
        }
        return difference == 0 && shown.length > 0;
    }

    /// {@return the zxid of the proposal; 0 if none can be made now}
    private long propose(Origin origin, long session, Txn txn) {
        long zxid = peer.nextZxid();
        Tree now = outlook;
        if (zxid == 0 || now == null) {
            return 0;
        }
        Header header =
                new Header(
                        session,
                        origin.myid(),
                        origin.incarnation(),
                        origin.sequence(),
                        wallMillis);
        Txn accepted = txn;
        Applied applied;
        try {
            applied = now.apply(zxid, header, txn);
        } catch (RuntimeException unexpected) {
            effects.add(new Effect.Warn("applying " + txn + " failed: " + unexpected));
            accepted = new Txn.Refused(Code.MARSHALLING_ERROR);
            applied = now.apply(zxid, header, accepted);
        }
        outlook = applied.tree();
        proposed.addLast(applied);
        lease(applied.result());
        peer.propose(codec.encode(header, accepted), effects::add);
        return zxid;
    }

    private void lease(Result result) {
        switch (result) {
            case Result.Attached(Session session) ->
                    sessions.start(session.id(), session.timeoutMillis(), nowNanos);
            case Result.SessionClosed(long session) -> sessions.remove(session);
            default -> {}
        }
    }

    private void sync(Origin origin, Consumer<Output> out) {
        if (outlook == null) {
            return;
        }
        long round = peer.wantConfirmation(effects::add);
        waitingSyncs.addLast(new WaitingSync(origin, peer.history().last(), round));
        answerSyncs(out);
    }

    private void answerSyncs(Consumer<Output> out) {
        while (!waitingSyncs.isEmpty()) {
            WaitingSync first = waitingSyncs.peekFirst();
            if (first.round() > confirmedRound || first.zxid() > tree.zxid()) {
                return;
            }
            waitingSyncs.removeFirst();
            if (first.origin().myid() == peer.identity().myid()) {
                synced(first.origin().sequence(), out);
            } else {
                peer.send(
                        first.origin().myid(),
                        new Message.SyncReply(first.origin().sequence(), first.zxid()),
                        effects::add);
            }
        }
    }

    private void configure() {
        Ensemble wanted = peer.wantedConfiguration();
        if (wanted != null) {
            propose(Origin.SELF, 0, new Txn.Configure(wanted));
        }
    }

    // Time.

    private void noticeGap() {
        long gap = nowNanos - lastTickNanos;
        if (gap > pauseNanos) {
            sessions.paused(gap);
            locals.paused(gap);
            inSyncNanos += gap;
        }
        lastTickNanos = nowNanos;
    }

    private void tick(Consumer<Output> out) {
        for (long connection : locals.expire(nowNanos)) {
            out.accept(new Output.Close(connection, "its session is over"));
        }
        if (peer.isInSync()) {
            inSyncNanos = nowNanos;
        } else if (options.readOnlyMode()
                && nowNanos - inSyncNanos > options.readOnlyAfterNanos()) {
            readOnly(true, out);
        }
        Tree now = outlook;
        if (now == null || peer.nextZxid() == 0) {
            return;
        }
        configure();
        if (peer.shouldHandOver()) {
            peer.handOver(0, peer.configuration().voters(), effects::add);
        }
        for (long session : new ArrayList<>(sessions.expire(nowNanos))) {
            Tree latest = outlook;
            if (latest != null && latest.session(session) != null) {
                expiredSessions++;
                propose(Origin.SELF, session, new Txn.CloseSession(latest.ephemerals(session)));
            }
        }
        reaper.tick(
                nowNanos,
                wallMillis,
                () -> Objects.requireNonNull(outlook),
                path -> propose(Origin.SELF, 0, new Txn.Delete(path)));
    }

    // Facts.

    /// {@return the replication of this member, to be asked only}
    public Peer peer() {
        return peer;
    }

    /// {@return what is committed here}
    public Tree tree() {
        return tree;
    }

    public boolean isServing() {
        return serving;
    }

    /// {@return how many sessions this member has ended as the leader, since nobody heard from
    /// them}
    public long expiredSessions() {
        return expiredSessions;
    }

    /// {@return sessions by the monotonic time at which they end unless they are heard from; null
    /// unless this member leads}
    public @Nullable SortedMap<Long, List<Long>> sessionDeadlines() {
        return peer.nextZxid() == 0 ? null : sessions.deadlines();
    }

    /// {@return how many requests of local clients are unanswered}
    public int outstanding() {
        return inFlight.size();
    }
}
