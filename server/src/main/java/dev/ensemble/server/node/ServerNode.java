package dev.ensemble.server.node;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.auth.SuperDigests;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.Audit;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.LinkCodec;
import dev.ensemble.server.net.Links;
import dev.ensemble.server.net.Pulse;
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
import dev.ensemble.server.zab.Hello;

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
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/// One member, running: wires all parts, once, and takes them apart again.
///
/// Start reading at [#start].
public final class ServerNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerNode.class);

    private static final long FLUSH_BYTES = 64 << 20;
    private static final int FLUSH_SECONDS = 60;

    private final Config config;
    private final @Nullable Rescue rescue;
    private final LongSupplier wallMillis;
    private final Observed observed;
    private final CompletableFuture<ExitCode> ended = new CompletableFuture<>();

    /// What must be closed, the newest first.
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final ChangeRequests changes = new ChangeRequests();
    private PeerTls peerTls = PeerTls.NONE;
    private final Leaving leaving;
    private final List<FileWatch.Watched> watched = new ArrayList<>();
    private final @Nullable Audit audit;
    private Ports ports = new Ports(0, 0, 0, 0, 0);

    /// Which ports were taken at the start; 0 for none.
    public record Ports(int client, int secureClient, int peer, int admin, int metrics) {}

    private ServerNode(Config config, @Nullable Rescue rescue, LongSupplier wallMillis) {
        this.config = config;
        this.rescue = rescue;
        this.wallMillis = wallMillis;
        this.observed = new Observed(config, System::nanoTime);
        this.leaving = new Leaving(observed);
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
        var core = new Core(config, rescue != null, recovered);
        core.checkEnsemble();

        long now = System.nanoTime();
        var started = Observed.Start.of(now - openingNanos, recovered.log().size());
        var superDigests = new SuperDigests(superDigest());
        Config.SuperUser files = config.auth().superUser();
        SuperUserFiles superUser =
                files == null ? null : SuperUserFiles.of(files, config.auth(), superDigests);
        var schemes = schemes(superDigests);
        var codec = new TxnCodec();
        var inbox = new Inbox<Input>(PeerLoop.INBOX);
        var promises = new Promises();
        var flushing = new Flushing(store, FLUSH_BYTES, FLUSH_SECONDS, now, this::fatal);
        var fetching = new Fetching(store, inbox);
        var replaying = new Replaying(store, inbox, config.storage().snapshotSizeFactor());
        parts.push(replaying);
        Member member = core.member(schemes, codec, now);
        Hello hello = core.hello(recoveryId(store));
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
                new ClientServer(
                        LiveParts.ofClients(config, audit), schemes, loop, facts, recovered.tree());
        leaving.serving(served);
        parts.push(served);
        var listening = new Listening(config, committed, served, links);
        var neighbours = new Neighbours(config, links, peerTls);
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
                        (leader, epoch, zxid) ->
                                neighbours.fetch(loop.hello(), leader, epoch, zxid),
                        known ->
                                learned(
                                        known,
                                        neighbours,
                                        listening,
                                        links == null ? null : rehearsal),
                        reason -> distrust(store, reason),
                        this::fatal));
        parts.push(loop::stop);
        parts.push(fetching::stop);
        upkeep.start();
        parts.push(upkeep);
        leaving.started(loop);
        watch(new LiveParts(store, served, replaying, upkeep, audit), superUser);
        changes.started(loop::ask);
        neighbours.dial(committed);
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
            HttpServer server =
                    MetricsServer.start(wanted, config.admin().idleTimeoutMillis(), metrics);
            parts.push(server);
            return server.port();
        } catch (IOException e) {
            throw new StartFailure(
                    ExitCode.UNEXPECTED_ERROR, "the metrics port cannot be opened: " + e, e);
        }
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

    private static String recoveryId(Store store) throws StartFailure {
        try {
            return store.recoveryId();
        } catch (IOException e) {
            throw new StartFailure(ExitCode.DATA_DIR_INACCESSIBLE, String.valueOf(e), e);
        }
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

    private void watch(LiveParts live, @Nullable SuperUserFiles superUser) {
        watched.addFirst(new Reloading(observed, live));
        if (superUser != null) {
            watched.add(superUser);
        }
        var watch = new FileWatch(watched);
        parts.push(watch);
        watch.start();
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

    private void learned(
            Facts known, Neighbours neighbours, Listening listening, @Nullable Runnable rehearsal) {
        Facts before = observed.facts();
        observed.learn(known);
        if (known.everInSync() && (before == null || !before.everInSync()) && rehearsal != null) {
            Thread.ofPlatform().daemon().name("rehearsal").start(rehearsal);
        }
        if (before == null || !before.configuration().equals(known.configuration())) {
            neighbours.dial(known.configuration());
            Thread.ofVirtual().name("ports").start(() -> listening.follow(known.configuration()));
        }
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

    /// Takes this member out of service without a failed request.
    ///
    /// @return done when no client is left
    public CompletionStage<?> drain() {
        return leaving.drain();
    }

    /// Stops: clients are read no more, answered and closed, then the rest ends. Takes about a
    /// second at most.
    @Override
    public synchronized void close() {
        tellAudit("serverStop", "invoked");
        leaving.now();
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
