package dev.ensemble.server.node;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.auth.SuperDigests;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.MemberOptions;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.Audit;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.ClientSettings;
import dev.ensemble.server.net.LinkCodec;
import dev.ensemble.server.net.Links;
import dev.ensemble.server.net.Pulse;
import dev.ensemble.server.net.SnapshotFetch;
import dev.ensemble.server.net.SnapshotSender;
import dev.ensemble.server.store.LogWriter;
import dev.ensemble.server.store.Recovered;
import dev.ensemble.server.store.Rescue;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.store.TxnCodec;
import dev.ensemble.server.tls.ClientAuth;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.tls.Tls;
import dev.ensemble.server.tls.TlsFailure;
import dev.ensemble.server.tls.TlsSettings;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.History;
import dev.ensemble.server.zab.PeerConfig;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/// One member, running: wires all parts, once, and takes them apart again.
///
/// Start reading at [#start].
public final class ServerNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerNode.class);

    private static final long ELECTION_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /// What a learner may lag without a snapshot.
    private static final int HISTORY_ENTRIES = 100_000;

    private static final long HISTORY_BYTES = 32 << 20;
    private static final long FLUSH_BYTES = 64 << 20;
    private static final int FLUSH_SECONDS = 60;

    /// How long a drained member goes on, so that load balancers and clients have noticed.
    private static final int DRAIN_SERVES_MILLIS = 5000;

    private static final int DRAIN_ENDS_MILLIS = 5000;
    private static final int STOP_MILLIS = 800;

    /// How long a member without a leader waits at least before it serves readers.
    private static final int READ_ONLY_AFTER_MILLIS = 2000;

    private final Config config;
    private final @Nullable Rescue rescue;
    private final LongSupplier wallMillis;
    private final Observed observed;
    private final CompletableFuture<ExitCode> ended = new CompletableFuture<>();

    /// What must be closed, the newest first.
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final ChangeRequests changes = new ChangeRequests();
    private final List<FileWatch.Watched> watched = new ArrayList<>();
    private @Nullable ClientServer clients;
    private PeerTls peerTls = PeerTls.NONE;
    private @Nullable PeerLoop peerLoop;
    private @Nullable Listening listening;
    private @Nullable CompletableFuture<?> drained;
    private volatile Map<Integer, Links.Address> addresses = Map.of();
    private final @Nullable Audit audit;
    private Ports ports = new Ports(0, 0, 0, 0, 0);

    /// Which ports were taken at the start; 0 for none.
    public record Ports(int client, int secureClient, int peer, int admin, int metrics) {}

    private ServerNode(Config config, @Nullable Rescue rescue, LongSupplier wallMillis) {
        this.config = config;
        this.rescue = rescue;
        this.wallMillis = wallMillis;
        this.observed = new Observed(config, System::nanoTime);
        this.audit =
                config.clients().audit()
                        ? new Audit(ProcessHandle.current().info().user().orElse(""))
                        : null;
    }

    /// Starts a member. It serves clients as soon as it is in sync with a leader.
    ///
    /// @throws StartFailure if it cannot; nothing is left running
    public static ServerNode start(Config config) throws StartFailure {
        return start(config, null);
    }

    /// The same.
    ///
    /// @param rescue a recovery to carry out, once; null if there was none
    public static ServerNode start(Config config, @Nullable Rescue rescue) throws StartFailure {
        return start(config, rescue, System::currentTimeMillis);
    }

    /// The same.
    ///
    /// @param wallMillis the clock that the times of znodes come from, and by which TTLs run out;
    ///   it may jump, and nothing else depends on it
    static ServerNode start(Config config, @Nullable Rescue rescue, LongSupplier wallMillis)
            throws StartFailure {
        var node = new ServerNode(config, rescue, wallMillis);
        try {
            node.startAll();
            node.tellAudit("serverStart", "success");
            return node;
        } catch (StartFailure | RuntimeException | Error e) {
            node.tellAudit("serverStart", "failure");
            node.closeParts();
            throw e;
        }
    }

    /// {@return done with the code to exit with, if the member ends by itself}
    public CompletableFuture<ExitCode> ended() {
        return ended;
    }

    public synchronized Ports ports() {
        return ports;
    }

    private synchronized void startAll() throws StartFailure {
        config.warnings().forEach(LOG::warn);
        if (rescue != null && config.membership().declared().id().isEmpty()) {
            String text = "a recovery needs the key ensembleId in the file of every member";
            throw new StartFailure(
                    ExitCode.INVALID_INVOCATION, text, new IllegalStateException(text));
        }
        Tls clientTls = tls(config.tls().clients());
        Tls memberTls = tls(config.tls().members());
        peerTls =
                config.tls().quorum() || config.tls().quorumBoth()
                        ? new PeerTls(memberTls, config.tls().quorum(), config.tls().quorumBoth())
                        : PeerTls.NONE;
        Path folder = config.dataDir().resolve("data");
        Config.Metrics wanted = config.metrics();
        var metrics = new Metrics(observed, wanted != null && wanted.exportJvm());
        parts.push(metrics);
        Path logFolder = config.dataLogDir().resolve("data");
        var facts = new MemberFacts(observed, metrics, folder, logFolder);
        int adminPort = startAdmin(facts, metrics);
        int metricsPort = wanted == null ? 0 : startMetrics(wanted, metrics);

        long openingNanos = System.nanoTime();
        Store store = open(folder, logFolder);
        store.metrics().warnAbove(config.fsyncWarningMillis());
        Recovered recovered = store.recovered();
        LOG.atInfo().addKeyValue("myid", config.myid()).log("recovered: {}", recovered);
        recovered.warnings().forEach(LOG::warn);
        checkEnsemble(recovered);

        long now = System.nanoTime();
        var started = Observed.Start.of(now - openingNanos, recovered.log().size());
        var superDigests = new SuperDigests(superDigest());
        SuperUserFiles superUser = superUser(superDigests);
        var schemes = schemes(superDigests);
        var codec = new TxnCodec();
        var inbox = new Inbox<Input>(PeerLoop.INBOX);
        var promises = new Promises();
        var flushing = new Flushing(store, FLUSH_BYTES, FLUSH_SECONDS, now, this::fatal);
        var fetching = new Fetching(store, inbox);
        var replaying = new Replaying(store, inbox, config.storage().snapshotSizeFactor());
        parts.push(replaying);
        Member member = member(recovered, schemes, codec, now);
        Hello hello = hello(recovered, recoveryId(store));
        var loop =
                new PeerLoop(
                        inbox,
                        member,
                        hello,
                        promises,
                        fetching,
                        flushing,
                        replaying,
                        wallMillis,
                        now);

        var rehearsal = new Rehearsal(schemes, new TxnCodec());
        LogWriter log = store.startLog(loop);
        parts.push(() -> flushing.last(loop.lastTree(), log.synced()));
        Ensemble committed = member.peer().configuration();
        Links links =
                config.membership().standalone() ? null : links(loop, codec, promises, committed);
        ClientServer served =
                new ClientServer(clientSettings(config), schemes, loop, facts, recovered.tree());
        clients = served;
        parts.push(served);
        listening = new Listening(config, committed, served, links);
        Endpoint plain = Listening.ofClients(config, Listening.self(config, committed));
        Endpoint secure = config.tls().secure();
        int clientPort =
                plain == null
                        ? 0
                        : bind(served, plain, config.tls().unified() ? clientTls : null, true);
        int securePort = secure == null ? 0 : bind(served, secure, clientTls, false);

        Upkeep upkeep = upkeep(store, log, links, served, inbox, flushing);
        observed.started(
                new Observed.Parts(
                        store,
                        links,
                        served,
                        flushing,
                        loop,
                        upkeep,
                        schemes,
                        started,
                        pauses(),
                        memberTls,
                        clientTls,
                        superUser,
                        warnings(recovered)));
        loop.start(
                new PeerLoop.Outlets(
                        links,
                        log,
                        served::publish,
                        (leader, epoch, zxid) -> fetch(loop, links, leader, epoch, zxid),
                        known -> learned(known, links, rehearsal),
                        reason -> distrust(store, reason),
                        this::fatal));
        parts.push(loop::stop);
        parts.push(fetching::stop);
        upkeep.start();
        parts.push(upkeep);
        peerLoop = loop;
        watch(
                new Reloading(observed, next -> use(next, store, served, replaying, upkeep)),
                superUser);
        changes.started(loop::ask);
        dial(links, committed);
        ports =
                new Ports(
                        clientPort,
                        securePort,
                        links == null ? 0 : links.port(),
                        adminPort,
                        metricsPort);
        LOG.atInfo()
                .addKeyValue("myid", config.myid())
                .addKeyValue("version", Release.current().version())
                .addKeyValue("clientPort", clientPort)
                .addKeyValue("secureClientPort", securePort)
                .addKeyValue("peerPort", ports.peer())
                .addKeyValue("adminPort", adminPort)
                .addKeyValue("metricsPort", metricsPort)
                .log(links == null ? "started alone" : "started; links: " + linkSecurity());
    }

    private String linkSecurity() {
        Config.Tls tls = config.tls();
        if (!tls.quorum()) {
            return tls.quorumBoth() ? "plaintext, TLS is accepted" : "plaintext";
        }
        return tls.quorumBoth() ? "TLS, plaintext is accepted" : "TLS";
    }

    // Parts.

    private int startAdmin(MemberFacts facts, Metrics metrics) throws StartFailure {
        Config.Admin admin = config.admin();
        if (!admin.enabled()) {
            return 0;
        }
        try {
            Path file = admin.tokenFile();
            String token = file == null ? null : Token.write(file);
            var snapshots = new AdminSnapshot(observed);
            var commands = new Commands(observed, facts, metrics, snapshots);
            var server =
                    new AdminServer(observed, commands, token, changes, this::drain, adminTls());
            parts.push(server);
            return server.port();
        } catch (IOException e) {
            throw new StartFailure(
                    ExitCode.ADMIN_SERVER_FAILED, "the admin server cannot start: " + e, e);
        }
    }

    private int startMetrics(Config.Metrics wanted, Metrics metrics) throws StartFailure {
        try {
            var server =
                    new HttpServer(
                            "metrics-http",
                            wanted.endpoint().toSocketAddress(),
                            config.admin().idleTimeoutMillis(),
                            request -> CompletableFuture.completedStage(page(request, metrics)));
            parts.push(server);
            return server.port();
        } catch (IOException e) {
            throw new StartFailure(
                    ExitCode.UNEXPECTED_ERROR, "the metrics port cannot be opened: " + e, e);
        }
    }

    private static HttpServer.Response page(HttpServer.Request request, Metrics metrics) {
        if (!request.path().equals("/metrics")) {
            return HttpServer.Response.text(404, "nothing is here");
        }
        return request.isGet()
                ? new HttpServer.Response(
                        200, "text/plain; version=0.0.4; charset=utf-8", metrics.page())
                : HttpServer.Response.text(405, "the method must be GET");
    }

    private @Nullable PauseMonitor pauses() {
        Config.Pauses wanted = config.pauses();
        if (wanted == null) {
            return null;
        }
        var monitor = new PauseMonitor(wanted);
        monitor.start();
        parts.push(monitor::stop);
        return monitor;
    }

    private Store open(Path folder, Path logFolder) throws StartFailure {
        try {
            var random = new SecureRandom();
            var key = new HashKey(random.nextLong(), random.nextLong());
            StoreOptions options = StoreOptions.DEFAULT.with(config.storage().tail());
            Store store = Store.open(folder, logFolder, config.myid(), key, options, rescue);
            parts.push(store);
            return store;
        } catch (IOException e) {
            throw new StartFailure(
                    ExitCode.DATA_DIR_INACCESSIBLE,
                    "the data in "
                            + folder
                            + (logFolder.equals(folder) ? "" : " and " + logFolder)
                            + " cannot be used: "
                            + e.getMessage(),
                    e);
        }
    }

    private Upkeep upkeep(
            Store store,
            LogWriter log,
            @Nullable Links links,
            ClientServer served,
            Inbox<Input> inbox,
            Flushing flushing)
            throws StartFailure {
        var pulses = new ArrayList<Pulse>(List.of(served.pulse()));
        if (links != null) {
            pulses.add(links.pulse());
        }
        try {
            long lowWater = config.storage().lowWaterBytes();
            return new Upkeep(store, log, pulses, inbox, flushing, lowWater);
        } catch (IOException e) {
            throw new StartFailure(
                    ExitCode.DATA_DIR_INACCESSIBLE,
                    "the disk cannot be asked for its space: " + e,
                    e);
        }
    }

    private void checkEnsemble(Recovered recovered) throws StartFailure {
        String declared = config.membership().declared().id();
        String found = recovered.identity().ensembleId();
        if (!declared.isEmpty() && !found.isEmpty() && !declared.equals(found)) {
            String text =
                    String.format(
                            "the data belongs to ensemble %s, the file says ensembleId=%s",
                            found, declared);
            throw new StartFailure(
                    ExitCode.DATA_DIR_INACCESSIBLE, text, new IllegalStateException(text));
        }
    }

    private Member member(Recovered recovered, Schemes schemes, TxnCodec codec, long now) {
        List<History.Entry> log = new ArrayList<>(recovered.log().size());
        recovered.log().forEach(entry -> log.add(new History.Entry(entry.zxid(), entry.payload())));
        var disk =
                new dev.ensemble.server.zab.Recovered(
                        recovered.identity(),
                        recovered.acceptedEpoch(),
                        recovered.currentEpoch(),
                        recovered.base(),
                        recovered.baseEnsemble(),
                        log,
                        recovered.committed());
        var preparation =
                new Preparation(
                        schemes,
                        new Preparation.Options(
                                config.membership().reconfigEnabled(),
                                config.znodes().extendedTypes(),
                                config.znodes().enforceQuota(),
                                config.membership().fewestVoters(),
                                config.membership().severalAddresses()));
        return new Member(
                peerConfig(recovered),
                disk,
                recovered.tree(),
                new History(recovered.base(), HISTORY_ENTRIES, HISTORY_BYTES),
                preparation,
                codec,
                options(),
                TimeUnit.MILLISECONDS.toNanos(config.timing().tickMillis()),
                now);
    }

    private MemberOptions options() {
        Config.Sessions sessions = config.sessions();
        return new MemberOptions(
                config.znodes().reaping(),
                sessions.local(),
                sessions.upgradesLocal(),
                sessions.readOnlyMode(),
                TimeUnit.MILLISECONDS.toNanos(
                        Math.max(READ_ONLY_AFTER_MILLIS, config.timing().tickMillis())));
    }

    private PeerConfig peerConfig(Recovered recovered) {
        Config.Membership membership = config.membership();
        PeerConfig.Bootstrap bootstrap =
                switch (membership.bootstrap()) {
                    case UNANIMOUS -> PeerConfig.Bootstrap.UNANIMOUS;
                    case BOOTSTRAPPED -> PeerConfig.Bootstrap.BOOTSTRAPPED;
                    case MAJORITY -> PeerConfig.Bootstrap.MAJORITY;
                };
        return new PeerConfig(
                config.myid(),
                membership.declared(),
                recovered.mustRejoin() || rescue != null
                        ? PeerConfig.Bootstrap.BOOTSTRAPPED
                        : bootstrap,
                membership.bootstrapRecord(),
                TimeUnit.MILLISECONDS.toNanos(config.timing().heartbeatMillis()),
                TimeUnit.MILLISECONDS.toNanos(config.timing().heartbeatTimeoutMillis()),
                TimeUnit.MILLISECONDS.toNanos(
                        (long) config.timing().initLimitTicks() * config.timing().tickMillis()),
                ELECTION_WAIT_NANOS,
                Hello.PROTOCOL);
    }

    private static String recoveryId(Store store) throws StartFailure {
        try {
            return store.recoveryId();
        } catch (IOException e) {
            throw new StartFailure(ExitCode.DATA_DIR_INACCESSIBLE, String.valueOf(e), e);
        }
    }

    private Hello hello(Recovered recovered, String recovery) {
        String found = recovered.identity().ensembleId();
        return new Hello(
                Hello.PROTOCOL,
                Hello.idAfter(
                        found.isEmpty() ? config.membership().declared().id() : found, recovery),
                config.myid(),
                recovered.identity().incarnation(),
                recovered.identity().starts(),
                recovered.identity().state(),
                config.membership().bootstrapRecord());
    }

    /// A port that the committed configuration has and that cannot be had must not keep a member
    /// away: it can still be reached by those whom it dials.
    private Links links(PeerLoop loop, TxnCodec codec, Promises promises, Ensemble committed)
            throws StartFailure {
        List<InetSocketAddress> wanted =
                Listening.ofMembers(config, Listening.self(config, committed));
        List<InetSocketAddress> inFile = Listening.ofMembers(config, config.self());
        try {
            return links(loop, codec, promises, wanted);
        } catch (IOException e) {
            if (wanted.equals(inFile)) {
                throw new StartFailure(ExitCode.CANNOT_BIND, e.getMessage() + "", e);
            }
            LOG.error("{}; listening where the file says, on {}", e.getMessage(), inFile);
        }
        try {
            return links(loop, codec, promises, inFile);
        } catch (IOException e) {
            throw new StartFailure(ExitCode.CANNOT_BIND, e.getMessage() + "", e);
        }
    }

    private Links links(
            PeerLoop loop, TxnCodec codec, Promises promises, List<InetSocketAddress> ports)
            throws IOException {
        var links =
                new Links(
                        Links.Options.of(ports.getFirst(), config.clients().maxFrameBytes()),
                        new LinkCodec(codec),
                        loop::hello,
                        loop,
                        new SnapshotSender(loop.hello().incarnation(), promises),
                        peerTls);
        try {
            links.listen(ports);
        } catch (IOException e) {
            links.close();
            throw e;
        }
        parts.push(links);
        return links;
    }

    private Set<String> superDigest() {
        String digest = config.auth().superDigest();
        return digest == null ? Set.of() : Set.of(digest);
    }

    private @Nullable SuperUserFiles superUser(SuperDigests digests) {
        Config.Auth auth = config.auth();
        if (auth.superUser() == null) {
            return null;
        }
        var files =
                new SuperUserFiles(
                        auth.superUser(), auth.digestAlgorithm(), auth.superDigest(), digests);
        files.look();
        return files;
    }

    private Schemes schemes(SuperDigests superDigests) {
        Config.Auth auth = config.auth();
        return new Schemes(
                auth.skipAcl(),
                auth.digestEnabled() ? Digest.with(auth.digestAlgorithm(), superDigests) : null,
                auth.x509(),
                auth.sasl(),
                auth.ensembles(),
                auth.enforced());
    }

    private void watch(Reloading reloading, @Nullable SuperUserFiles superUser) {
        watched.addFirst(reloading);
        if (superUser != null) {
            watched.add(superUser);
        }
        var watch = new FileWatch(watched);
        parts.push(watch);
        watch.start();
    }

    /// Each key of [ConfigKeys#live] is in one of these.
    private void use(
            Config next, Store store, ClientServer served, Replaying replaying, Upkeep upkeep)
            throws IOException, InterruptedException {
        upkeep.lowWater(next.storage().lowWaterBytes());
        store.tail(next.storage().tail());
        store.metrics().warnAbove(next.fsyncWarningMillis());
        replaying.snapshotSizeFactor(next.storage().snapshotSizeFactor());
        try {
            served.use(clientSettings(next)).toCompletableFuture().get();
        } catch (ExecutionException | RejectedExecutionException e) {
            throw new IOException("the I/O threads do not take it: " + e, e);
        }
    }

    private ClientSettings clientSettings(Config of) {
        Config.Clients from = of.clients();
        return new ClientSettings(
                Runtime.getRuntime().availableProcessors(),
                of.timing().tickMillis(),
                of.timing().minSessionTimeoutMillis(),
                of.timing().maxSessionTimeoutMillis(),
                from.maxFrameBytes(),
                from.backlog(),
                from.maxPerAddress(),
                from.maxConnections(),
                from.handshakeTimeoutMillis(),
                from.maxOutstanding(),
                from.fourLetterWords(),
                from.limits(),
                audit,
                from.linearizableReads());
    }

    private int bind(ClientServer server, Endpoint endpoint, @Nullable Tls tls, boolean plain)
            throws StartFailure {
        try {
            return server.bind(endpoint.toSocketAddress(), tls, plain).getPort();
        } catch (IOException e) {
            throw new StartFailure(ExitCode.CANNOT_BIND, e.getMessage() + ": " + e.getCause(), e);
        }
    }

    /// The keys of members, but with a rule of its own for whoever asks.
    private @Nullable Tls adminTls() throws StartFailure {
        TlsSettings settings = config.tls().members();
        if (settings == null || config.tls().admin() == Config.Https.NONE) {
            return null;
        }
        boolean need = config.tls().adminNeedsClient();
        return tls(settings.withClientAuth(need ? ClientAuth.NEED : ClientAuth.NONE));
    }

    private @Nullable Tls tls(@Nullable TlsSettings settings) throws StartFailure {
        if (settings == null) {
            return null;
        }
        try {
            Tls tls = Tls.load(settings);
            watched.add(tls::look);
            return tls;
        } catch (TlsFailure e) {
            throw new StartFailure(ExitCode.INVALID_INVOCATION, "" + e.getMessage(), e);
        }
    }

    private List<String> warnings(Recovered recovered) {
        List<String> warnings = new ArrayList<>(config.warnings());
        warnings.addAll(recovered.warnings());
        return List.copyOf(warnings);
    }

    // What the peer thread asks and tells.

    private @Nullable SnapshotFetch fetch(
            PeerLoop loop, @Nullable Links links, int leader, long epoch, long zxid) {
        Links.Address address = addresses.get(leader);
        if (address == null || links == null) {
            return null;
        }
        return new SnapshotFetch(
                address, loop.hello(), leader, epoch, zxid, links.maxFrameBytes(), peerTls);
    }

    private void learned(Facts known, @Nullable Links links, Runnable rehearsal) {
        Facts before = observed.facts();
        observed.learn(known);
        if (known.everInSync() && (before == null || !before.everInSync()) && links != null) {
            Thread.ofPlatform().daemon().name("rehearsal").start(rehearsal);
        }
        if (before == null || !before.configuration().equals(known.configuration())) {
            dial(links, known.configuration());
            Listening ports = listening;
            if (ports != null) {
                Thread.ofVirtual().name("ports").start(() -> ports.follow(known.configuration()));
            }
        }
    }

    /// Links to everyone in the configuration, and to the seeds of the file.
    private void dial(@Nullable Links links, Ensemble configuration) {
        if (links == null) {
            return;
        }
        Map<Integer, Links.Address> wanted = new HashMap<>();
        for (Ensemble each : List.of(config.membership().declared(), configuration)) {
            each.members().forEach((id, member) -> wanted.put(id, address(member)));
        }
        wanted.remove(config.myid());
        addresses = Map.copyOf(wanted);
        links.setPeers(wanted);
    }

    private static Links.Address address(Ensemble.Member member) {
        List<Links.Address> others =
                member.more().stream()
                        .map(each -> new Links.Address(each.host(), each.port()))
                        .toList();
        return new Links.Address(member.host(), member.port(), others);
    }

    private static void distrust(Store store, String reason) {
        try {
            store.distrust(reason);
        } catch (IOException e) {
            throw new UncheckedIOException(reason, e);
        }
    }

    private void fatal(Throwable cause) {
        LOG.atError().setCause(cause).log("this process must stop");
        ended.complete(ExitCode.UNEXPECTED_ERROR);
    }

    // The end.

    /// Takes this member out of service without a failed request: not ready at once, a leader hands
    /// over, clients are served a while longer, then answered and closed.
    ///
    /// @return done when no client is left
    public synchronized CompletionStage<?> drain() {
        if (drained == null) {
            LOG.info("draining");
            observed.drain();
            CompletionStage<?> handedOver = handOver();
            drained =
                    CompletableFuture.runAsync(
                                    () -> {},
                                    CompletableFuture.delayedExecutor(
                                            DRAIN_SERVES_MILLIS, TimeUnit.MILLISECONDS))
                            .thenCombine(handedOver, (_, answer) -> answer)
                            .thenCompose(_ -> endClients(DRAIN_ENDS_MILLIS));
        }
        return drained;
    }

    /// A leader that goes by itself costs its clients nothing. If nobody can take over, the others
    /// elect when it is gone.
    private CompletionStage<?> handOver() {
        PeerLoop loop = peerLoop;
        Facts facts = observed.facts();
        if (loop == null || facts == null || !facts.isLeader()) {
            return CompletableFuture.completedStage(null);
        }
        return loop.ask(ticket -> new Input.Transfer(ticket, 0, -1))
                .thenAccept(answer -> LOG.info("handing over: {}", answer))
                .toCompletableFuture()
                .completeOnTimeout(null, STOP_MILLIS, TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<?> endClients(int millis) {
        ClientServer serving = clients;
        return serving == null ? CompletableFuture.completedFuture(null) : serving.drain(millis);
    }

    /// Stops: clients are read no more, answered and closed, then the rest ends. Takes about a
    /// second at most.
    @Override
    public synchronized void close() {
        tellAudit("serverStop", "invoked");
        observed.drain();
        try {
            handOver().toCompletableFuture().get(2L * STOP_MILLIS, TimeUnit.MILLISECONDS);
            endClients(STOP_MILLIS).get(2L * STOP_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.atWarn().log("clients are left: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        closeParts();
        ended.complete(ExitCode.NORMAL);
    }

    private void tellAudit(String operation, String result) {
        if (audit != null) {
            audit.process(operation, result);
        }
    }

    private void closeParts() {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.atWarn().setCause(e).log("a part did not end well");
            }
        }
    }
}
