package dev.ensemble.server.node;

import dev.ensemble.server.member.Answer;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.Intake;
import dev.ensemble.server.net.Links;
import dev.ensemble.server.net.SnapshotFetch;
import dev.ensemble.server.store.LogWriter;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;
import dev.ensemble.server.zab.Effect;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/// The peer thread: hands a member what happened, and does what it decides.
///
/// Each turn takes all that has arrived, so the cost of a wake-up, of a hand-over to the log and of
/// a flush of each link is shared by more requests the more there are. What arrived is stepped
/// before the tick, so that a heartbeat that is already here is never missed. Nothing on this
/// thread waits for a disk or a socket, unless the log's queue of many thousand orders is full.
final class PeerLoop implements Intake, Links.Receiver, LogWriter.Listener {
    /// What a turn needs of the rest.
    ///
    /// @param links null for a server alone
    /// @param clients takes what concerns clients, once a turn
    /// @param fetch makes a fetch from a leader; null if its address is not known
    /// @param facts takes what is known, now and then
    /// @param distrust has the next start begin anew
    /// @param fatal told why the process must stop
    record Outlets(
            @Nullable Links links,
            LogWriter log,
            Consumer<List<Output>> clients,
            Fetcher fetch,
            Consumer<Facts> facts,
            Consumer<String> distrust,
            Consumer<Throwable> fatal) {}

    /// Knows where leaders are.
    interface Fetcher {
        @Nullable SnapshotFetch of(int leader, long epoch, long zxid);
    }

    /// Our own state is wrong.
    static final class Halted extends RuntimeException {
        private static final long serialVersionUID = 1;

        Halted(String reason) {
            super(reason);
        }
    }

    private record Storing(long ticket, Identity identity) {}

    private static final Logger LOG = LoggerFactory.getLogger(PeerLoop.class);
    static final int INBOX = 16 << 10;

    /// How often the member looks at the clock, where there is more to wait for than heartbeats.
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

    /// How often at least, however long heartbeats are: sessions end in time.
    private static final long CALM_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(125);

    private static final long FACTS_NANOS = TimeUnit.MILLISECONDS.toNanos(150);
    private static final long WARNED_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final int WARNINGS = 50;

    private final Inbox<Input> inbox;
    private final Member member;
    private final Promises promises;
    private final Fetching fetching;
    private final Flushing flushing;
    private final Replaying replaying;
    private final LongSupplier wallClock;
    private final Thread thread = Thread.ofPlatform().name("peer").unstarted(this::run);

    private final Queue<CompletableFuture<@Nullable SortedMap<Long, List<Long>>>>
            askedForDeadlines = new ConcurrentLinkedQueue<>();
    private final AtomicLong tickets = new AtomicLong();
    private final Map<Long, CompletableFuture<Answer>> asked = new ConcurrentHashMap<>();

    private volatile Hello hello;
    private volatile boolean stopping;
    private @Nullable Outlets outlets;

    // Of the thread.
    private final ArrayDeque<Storing> identities = new ArrayDeque<>();
    private final ArrayDeque<Output.Answered> unstored = new ArrayDeque<>();

    /// What the core warned of, with when it did so last: told again once it has been quiet for a
    /// while.
    private final LinkedHashMap<String, Long> warned = new LinkedHashMap<>();

    private final Statistics statistics;
    private List<Output> forClients = new ArrayList<>();
    private @Nullable String shownRole;
    private long lookingSinceNanos;
    private long leaderSinceNanos;
    private long inSyncNanos;
    private boolean everInSync;
    private long factsNanos;
    private long tickedNanos;
    private long nowNanos;

    /// @param hello what to say to other members, as of the start
    /// @param wallClock in ms since 1970
    PeerLoop(
            Inbox<Input> inbox,
            Member member,
            Hello hello,
            Promises promises,
            Fetching fetching,
            Flushing flushing,
            Replaying replaying,
            LongSupplier wallClock,
            long nowNanos) {
        this.inbox = inbox;
        this.member = member;
        this.hello = hello;
        this.promises = promises;
        this.fetching = fetching;
        this.flushing = flushing;
        this.replaying = replaying;
        this.wallClock = wallClock;
        this.nowNanos = nowNanos;
        this.tickedNanos = nowNanos - TICK_NANOS; // The first is due at once.
        this.inSyncNanos = nowNanos;
        this.lookingSinceNanos = nowNanos;
        this.statistics = new Statistics(nowNanos);
    }

    /// Starts the thread.
    void start(Outlets wired) {
        outlets = wired;
        thread.start();
    }

    /// Ends the thread after a last turn, and waits for it.
    void stop() throws InterruptedException {
        stopping = true;
        inbox.add(new Input.OfPeer(new Event.Tick()));
        thread.join();
    }

    /// {@return what is committed, once the thread has ended}
    Tree lastTree() {
        if (thread.isAlive()) {
            throw new IllegalStateException("the peer thread still runs");
        }
        return member.tree();
    }

    /// What this member says to others. Any thread.
    Hello hello() {
        return hello;
    }

    Statistics statistics() {
        return statistics;
    }

    /// {@return when each session ends if nobody hears from it, monotonic; null if this member does
    /// not lead} Any thread may ask; it is answered at the end of a turn.
    CompletionStage<@Nullable SortedMap<Long, List<Long>>> sessionDeadlines() {
        var answer = new CompletableFuture<@Nullable SortedMap<Long, List<Long>>>();
        askedForDeadlines.add(answer);
        return answer;
    }

    // What arrives, on other threads.

    @Override
    public void submit(List<Input> batch) {
        inbox.add(batch);
    }

    @Override
    public boolean take(List<Event> events) {
        List<Input> inputs = new ArrayList<>(events.size());
        events.forEach(event -> inputs.add(new Input.OfPeer(event)));
        return inbox.add(inputs);
    }

    /// Asks the member for a change. Any thread.
    ///
    /// @param input made with the ticket that its answer carries
    CompletionStage<Answer> ask(LongFunction<Input> input) {
        long ticket = tickets.incrementAndGet();
        var answer = new CompletableFuture<Answer>();
        asked.put(ticket, answer);
        inbox.add(input.apply(ticket));
        return answer;
    }

    @Override
    public void persisted(long ticket) {
        inbox.add(new Input.OfPeer(new Event.Persisted(ticket)));
    }

    @Override
    public void failed(Throwable cause) {
        wired().fatal().accept(cause);
    }

    private Outlets wired() {
        if (outlets == null) {
            throw new IllegalStateException("not started");
        }
        return outlets;
    }

    // Turns.

    private void run() {
        Outlets out = wired();
        try {
            while (!stopping) {
                turn(out);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            out.fatal().accept(e);
        }
    }

    private void turn(Outlets out) throws InterruptedException {
        Inbox.Taken<Input> taken = inbox.take(tickDueNanos() - System.nanoTime());
        if (taken.wasFull() && out.links() != null) {
            out.links().resume();
        }
        nowNanos = System.nanoTime();
        long wallMillis = wallClock.getAsLong();
        for (Input input : taken.items()) {
            step(input, wallMillis, out);
        }
        // What arrives brings the tick along: a follower that hears its leader wakes for nothing
        // else.
        if (nowNanos - tickedNanos >= TICK_NANOS) {
            tickedNanos = nowNanos;
            step(new Input.OfPeer(new Event.Tick()), wallMillis, out);
        }
        endTurn(out);
    }

    private long tickDueNanos() {
        long due = Math.min(member.peer().tickDueNanos(), tickedNanos + CALM_TICK_NANOS);
        return Math.max(due, tickedNanos + TICK_NANOS);
    }

    private void step(Input input, long wallMillis, Outlets out) throws InterruptedException {
        if (input instanceof Input.OfPeer(Event event)) {
            notice(event, out);
        }
        LOG.atTrace().log("{}", input);
        List<Output> outputs = new ArrayList<>();
        member.step(input, nowNanos, wallMillis, outputs::add);
        for (Output output : outputs) {
            perform(output, out);
        }
    }

    private void notice(Event event, Outlets out) {
        if (out.links() != null) {
            out.links().noticed(event);
        }
        switch (event) {
            case Event.LinkDown(int from) -> {
                promises.forget(from);
                replaying.end(from);
            }
            case Event.Received received -> statistics.received(received.message());
            case Event.Persisted(long ticket) -> {
                while (!identities.isEmpty() && identities.peekFirst().ticket() <= ticket) {
                    hello = as(identities.removeFirst().identity());
                }
            }
            default -> {}
        }
    }

    private Hello as(Identity identity) {
        return new Hello(
                hello.protocol(),
                hello.idIn(identity.ensembleId()),
                identity.myid(),
                identity.incarnation(),
                identity.starts(),
                identity.state(),
                hello.bootstrapRecord());
    }

    private void endTurn(Outlets out) {
        if (out.links() != null) {
            out.links().flush();
        }
        if (!forClients.isEmpty()) {
            List<Output> batch = forClients;
            forClients = new ArrayList<>();
            out.clients().accept(batch);
        }
        while (!askedForDeadlines.isEmpty()) {
            askedForDeadlines.remove().complete(member.sessionDeadlines());
        }
        Peer peer = member.peer();
        flushing.turn(member.tree(), peer.durableZxid(), nowNanos);
        answer();
        if (nowNanos - factsNanos >= FACTS_NANOS) {
            publishFacts(out);
        }
    }

    // What the member decides.

    private void perform(Output output, Outlets out) throws InterruptedException {
        LOG.atTrace().log("{}", output);
        switch (output) {
            case Output.OfPeer(Effect effect) -> perform(effect, out);
            case Output.Published published -> {
                statistics.committed(published.applied().zxid(), nowNanos);
                forClients.add(published);
            }
            case Output.Replaced(Tree tree) -> {
                flushing.replaced(tree);
                forClients.add(output);
            }
            case Output.Serving(boolean now) -> {
                statistics.serving(now, leaderSinceNanos != 0, nowNanos);
                forClients.add(output);
            }
            case Output.ConnectRefused _,
                    Output.LocallyAttached _,
                    Output.LocallyClosed _,
                    Output.Synced _,
                    Output.Close _,
                    Output.ReadOnly _ ->
                    forClients.add(output);
            case Output.Answered answered -> {
                unstored.addLast(answered);
                answer();
            }
        }
    }

    /// Tells of a change of the configuration once it is stored (see [Flushing]): who asked for it
    /// may stop those who have gone.
    private void answer() {
        while (!unstored.isEmpty() && isStored(unstored.getFirst().answer())) {
            Output.Answered answered = unstored.removeFirst();
            CompletableFuture<Answer> waiting = asked.remove(answered.ticket());
            if (waiting != null) {
                waiting.complete(answered.answer());
            }
        }
    }

    private boolean isStored(Answer answer) {
        return !(answer instanceof Answer.Changed(Ensemble ensemble))
                || ensemble.version() <= flushing.storedZxid();
    }

    private void perform(Effect effect, Outlets out) throws InterruptedException {
        switch (effect) {
            case Effect.Send(int to, long epoch, Message message) -> {
                statistics.sent(message);
                if (message instanceof Message.Snap(long zxid)) {
                    promise(to, epoch, zxid);
                    replaying.keep(to, zxid);
                } else if (message instanceof Message.UpToDate) {
                    promises.forget(to);
                    replaying.end(to);
                }
                if (out.links() != null) {
                    out.links().send(to, epoch, message);
                }
            }
            case Effect.Disk(long ticket, DiskOp op) -> {
                if (op instanceof DiskOp.StoreIdentity(Identity identity)) {
                    identities.add(new Storing(ticket, identity));
                } else if (op instanceof DiskOp.Append append && leaderSinceNanos != 0) {
                    int bytes = append.payload().bytes().length;
                    statistics.proposed(append.zxid(), bytes, nowNanos);
                }
                out.log().submit(ticket, op);
            }
            case Effect.Fetch(int leader, long epoch, long zxid) -> fetch(leader, epoch, zxid, out);
            case Effect.ReadLog(int learner, long at, long after) ->
                    replaying.read(learner, at, after, member.tree());
            case Effect.Disconnect(int peer, String reason) -> {
                if (out.links() != null) {
                    out.links().disconnect(peer, reason);
                }
            }
            case Effect.RoleChanged _ -> roleChanged(out);
            case Effect.Warn(String text) -> warn(text);
            case Effect.Disown(String reason) -> {
                out.distrust().accept(reason);
                throw new Halted(reason);
            }
            case Effect.Halt(String reason) -> throw new Halted(reason);
            case Effect.Deliver _,
                    Effect.Replace _,
                    Effect.InSync _,
                    Effect.Confirmed _,
                    Effect.HandOverFailed _,
                    Effect.Relayed _ ->
                    throw new IllegalStateException("the member takes " + effect + " itself");
        }
    }

    /// The tree is the committed one of exactly that zxid: all that commits before this message has
    /// been applied.
    private void promise(int to, long epoch, long zxid) {
        if (member.tree().zxid() != zxid) {
            LOG.atError()
                    .addKeyValue("promised", Zxid.text(zxid))
                    .addKeyValue("tree", Zxid.text(member.tree().zxid()))
                    .log("a snapshot was promised that is not there");
            return;
        }
        statistics.promisedSnapshot();
        promises.promise(to, epoch, member.tree());
    }

    private void fetch(int leader, long epoch, long zxid, Outlets out) {
        SnapshotFetch fetch = out.fetch().of(leader, epoch, zxid);
        if (fetch == null) {
            String reason = "no address of member " + leader;
            inbox.add(new Input.OfPeer(new Event.SnapshotFailed(epoch, zxid, reason)));
        } else {
            fetching.begin(fetch, epoch, zxid);
        }
    }

    private void roleChanged(Outlets out) {
        Peer peer = member.peer();
        Peer.RoleName role = peer.role();
        String shown = role.name() + peer.leader() + peer.epoch();
        if (shown.equals(shownRole)) {
            return;
        }
        boolean wasLooking = shownRole == null || shownRole.startsWith("LOOKING");
        if (role == Peer.RoleName.LOOKING && !wasLooking) {
            lookingSinceNanos = nowNanos;
            statistics.lookingAgain();
        } else if (role != Peer.RoleName.LOOKING && wasLooking) {
            statistics.elected(nowNanos - lookingSinceNanos);
        }
        shownRole = shown;
        statistics.roleChanged(role, nowNanos);
        if (role == Peer.RoleName.LEADER) {
            leaderSinceNanos = leaderSinceNanos == 0 ? nowNanos : leaderSinceNanos;
        } else {
            leaderSinceNanos = 0;
            promises.forgetAll();
        }
        LOG.atInfo()
                .addKeyValue("role", role.name().toLowerCase(java.util.Locale.ROOT))
                .addKeyValue("leader", peer.leader())
                .addKeyValue("epoch", peer.epoch())
                .addKeyValue("logged", Zxid.text(peer.history().last()))
                .log("role changed");
        publishFacts(out);
    }

    private void warn(String text) {
        if (warned.put(text, nowNanos) == null) {
            LOG.atWarn().log(text);
        }
        if (warned.size() > WARNINGS) {
            warned.pollFirstEntry();
        }
    }

    private List<String> recentWarnings() {
        if (warned.isEmpty()) {
            return List.of();
        }
        warned.values().removeIf(then -> nowNanos - then > WARNED_NANOS);
        return List.copyOf(warned.keySet());
    }

    private void publishFacts(Outlets out) {
        factsNanos = nowNanos;
        Peer peer = member.peer();
        if (peer.isInSync()) {
            inSyncNanos = nowNanos;
            everInSync = true;
        }
        out.facts()
                .accept(
                        new Facts(
                                nowNanos,
                                inSyncNanos,
                                everInSync,
                                peer.role(),
                                peer.leader(),
                                peer.currentEpoch(),
                                peer.acceptedEpoch(),
                                member.isServing(),
                                peer.history().committed(),
                                peer.history().last(),
                                peer.durableZxid(),
                                peer.identity(),
                                peer.configuration(),
                                peer.isConfigurationPending(),
                                peer.voters(),
                                peer.learners(),
                                peer.reasonsNotToStop(),
                                member.outstanding(),
                                member.tree(),
                                recentWarnings(),
                                peer.isResting(),
                                peer.isCramped(),
                                leaderSinceNanos,
                                statistics.counts(member.expiredSessions())));
    }
}
