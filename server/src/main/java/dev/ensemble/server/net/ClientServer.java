package dev.ensemble.server.net;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.tls.Detector;
import dev.ensemble.server.tls.Tls;
import dev.ensemble.server.tree.Tree;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// Serves clients: accepts their connections and spreads them over I/O threads, each a
/// [ClientLoop].
///
/// What clients want goes out through the [Intake]; what the member says comes in through
/// [#publish]. Until the first [Output.Serving] only four-letter words are answered.
public final class ClientServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientServer.class);

    /// A connection with more than this unsent is not read until less than the other is left.
    private static final WriteBufferWaterMark UNSENT = new WriteBufferWaterMark(256 << 10, 1 << 20);

    private volatile ClientSettings settings;
    private final Schemes schemes;
    private final Intake intake;
    private final WordAnswers words;
    private final DigestLog digests = new DigestLog();
    private final MultiThreadIoEventLoopGroup threads;
    private final ServerBootstrap bootstrap;
    private final Map<EventLoop, ClientLoop> loops = new HashMap<>();
    private final List<Listeners> listening = new ArrayList<>();
    private final AtomicLong connectionIds = new AtomicLong();
    private final Map<InetAddress, Integer> perAddress = new ConcurrentHashMap<>();
    private final AtomicLong all = new AtomicLong();

    /// Of large requests in flight, of all clients.
    private final AtomicLong largeBytes = new AtomicLong();

    private final Admission admission;
    private final CompletableFuture<@Nullable Void> idle = new CompletableFuture<>();
    private volatile boolean draining;
    private volatile boolean serving;
    private volatile boolean readOnly;
    private volatile Tree published;

    /// @param tree what was committed at the start
    public ClientServer(
            ClientSettings settings, Schemes schemes, Intake intake, ServerFacts facts, Tree tree) {
        this(settings, schemes, intake, facts, tree, ByteBufAllocator.DEFAULT);
    }

    ClientServer(
            ClientSettings settings,
            Schemes schemes,
            Intake intake,
            ServerFacts facts,
            Tree tree,
            ByteBufAllocator allocator) {
        this.settings = settings;
        this.schemes = schemes;
        this.intake = intake;
        this.words = new WordAnswers(this, facts);
        this.published = tree;
        this.admission =
                new Admission(
                        settings.limits().tokens(),
                        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()),
                        () -> ThreadLocalRandom.current().nextDouble());
        this.threads =
                new MultiThreadIoEventLoopGroup(
                        settings.loops(),
                        new DefaultThreadFactory("client-io"),
                        NioIoHandler.newFactory());
        this.bootstrap = bootstrap(allocator);
        for (EventExecutor each : threads) {
            var loop = new ClientLoop(loops.size(), (EventLoop) each, this, tree);
            loops.put(loop.thread(), loop);
        }
        loops.values().forEach(ClientLoop::start);
    }

    /// Other settings from here on, for who is connected too. Only what is read each time that it
    /// is used may differ: frames and I/O threads stay as they are.
    ///
    /// @return done when every I/O thread goes by them
    public CompletionStage<?> use(ClientSettings now) {
        settings = now;
        admission.limit(now.limits().tokens());
        return onEach(loop -> loop.use(now));
    }

    /// {@return whether the I/O threads turn}
    public Pulse pulse() {
        return new Pulse(threads);
    }

    private ServerBootstrap bootstrap(ByteBufAllocator allocator) {
        var server =
                new ServerBootstrap()
                        .group(threads)
                        .channel(NioServerSocketChannel.class)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(ChannelOption.ALLOCATOR, allocator)
                        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT);
        return settings.backlog() < 0
                ? server
                : server.option(ChannelOption.SO_BACKLOG, settings.backlog());
    }

    /// Begins to accept clients.
    ///
    /// @param address port 0 for any that is free
    /// @return the address in use
    public InetSocketAddress bind(InetSocketAddress address) throws IOException {
        return bind(address, null, true);
    }

    /// Begins to accept clients.
    ///
    /// @param address port 0 for any that is free
    /// @param tls null: nobody speaks TLS here
    /// @param plain whether plaintext is spoken too
    /// @return the address in use
    public InetSocketAddress bind(InetSocketAddress address, @Nullable Tls tls, boolean plain)
            throws IOException {
        var initializer =
                new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        admit(channel, tls, plain);
                    }
                };
        var listeners = new Listeners(bootstrap.clone().childHandler(initializer), "clients");
        listeners.listen(List.of(address));
        synchronized (listening) {
            listening.add(listeners);
        }
        return listeners.first();
    }

    /// Accepts the clients of the first address that was bound at another one from now on; who is
    /// connected stays.
    ///
    /// @throws IOException if it cannot be bound; all is then as it was
    public void move(InetSocketAddress to) throws IOException {
        synchronized (listening) {
            if (!listening.isEmpty()) {
                listening.getFirst().listen(List.of(to));
            }
        }
    }

    /// {@return the port of the first address in use, 0 if there is none}
    public int port() {
        synchronized (listening) {
            return listening.isEmpty() ? 0 : listening.getFirst().first().getPort();
        }
    }

    private void admit(SocketChannel channel, @Nullable Tls tls, boolean plain) {
        InetSocketAddress remote = channel.remoteAddress();
        if (remote == null) {
            var _ = channel.close(); // Gone again before anybody looked.
            return;
        }
        InetAddress address = remote.getAddress();
        ClientSettings limits = settings;
        boolean tooMany =
                perAddress.merge(address, 1, Integer::sum) > limits.maxPerAddress()
                        && limits.maxPerAddress() > 0;
        boolean full =
                all.incrementAndGet() > limits.maxConnections() && limits.maxConnections() > 0;
        ClientLoop loop = loops.get(channel.eventLoop());
        if (loop == null) {
            throw new IllegalStateException("a channel of no thread of ours");
        }
        ChannelHandler security =
                tls == null ? null : plain ? new Detector(tls) : tls.accepting(channel.alloc());
        boolean crowded = tls != null && security == null;
        if (tooMany || full || draining || crowded) {
            closed(address);
            loop.traffic()
                    .count(
                            crowded
                                    ? ClientCounter.TLS_HANDSHAKE_EXCEEDED
                                    : ClientCounter.CONNECTION_REJECTED,
                            1);
            LOG.atDebug()
                    .addKeyValue("client", channel.remoteAddress())
                    .log(crowded ? "too many handshakes" : "too many connections");
            var _ = channel.close();
            return;
        }
        var connection =
                new ClientConnection(connectionIds.incrementAndGet(), channel, remote, loop);
        if (security != null) {
            channel.pipeline().addLast(security);
        }
        channel.pipeline().addLast(connection.frames());
    }

    void closed(InetAddress address) {
        perAddress.computeIfPresent(address, (_, count) -> count == 1 ? null : count - 1);
        if (all.decrementAndGet() == 0 && draining) {
            idle.complete(null);
        }
    }

    /// {@return whether this thread tells what concerns no connection}
    boolean isFirst(ClientLoop loop) {
        return loops.values().iterator().next().equals(loop);
    }

    ClientSettings settings() {
        return settings;
    }

    Schemes schemes() {
        return schemes;
    }

    Intake intake() {
        return intake;
    }

    boolean admits(boolean isRenewal) {
        return admission.admits(isRenewal);
    }

    AtomicLong largeBytes() {
        return largeBytes;
    }

    long publishedZxid() {
        return published.zxid();
    }

    /// Tells every I/O thread what the member wants of its clients, in order. Called by the peer
    /// thread, once a turn; [Output.OfPeer] is left out.
    public void publish(List<Output> batch) {
        for (Output output : batch) {
            switch (output) {
                case Output.Published next -> {
                    published = next.applied().tree();
                    digests.applied(published);
                }
                case Output.Replaced(Tree tree) -> published = tree;
                case Output.Serving(boolean now) -> serving = now;
                case Output.ReadOnly(boolean now) -> readOnly = now;
                default -> {}
            }
        }
        List<Output> unchanging =
                batch.stream().filter(output -> !(output instanceof Output.OfPeer)).toList();
        for (ClientLoop loop : loops.values()) {
            try {
                loop.thread().execute(() -> loop.advance(unchanging));
            } catch (RejectedExecutionException _) {
                return; // Closed: there are no clients to be told.
            }
        }
    }

    // The end.

    /// Accepts no more, closes each connection that has been silent for a moment and has nothing in
    /// flight; in the second half, each that has just been answered; and all of them at the
    /// deadline. The peer thread must still publish meanwhile.
    ///
    /// @return done when no connection is left
    public CompletableFuture<@Nullable Void> drain(long deadlineMillis) {
        draining = true;
        stopListening();
        for (ClientLoop loop : loops.values()) {
            loop.thread().execute(() -> loop.drain(deadlineMillis));
            var _ =
                    loop.thread()
                            .schedule(
                                    () -> loop.closeAll("the deadline of the drain is over"),
                                    deadlineMillis,
                                    TimeUnit.MILLISECONDS);
        }
        if (all.get() == 0) {
            idle.complete(null);
        }
        return idle;
    }

    private void stopListening() {
        synchronized (listening) {
            listening.forEach(Listeners::close);
            listening.clear();
        }
    }

    /// Closes every connection now; sessions live on.
    @Override
    public void close() {
        draining = true;
        stopListening();
        for (ClientLoop loop : loops.values()) {
            loop.thread().execute(() -> loop.closeAll("this member stops"));
        }
        threads.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    // Facts.

    /// {@return what the clients have done; any thread may ask}
    public ClientStats stats() {
        return Traffic.sum(loops.values().stream().map(ClientLoop::traffic).toList());
    }

    /// {@return each connection of a client as it is now}
    public CompletionStage<List<ConnectionFacts>> connections() {
        return onEach(ClientLoop::connectionFacts)
                .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
    }

    /// {@return when each connection is closed if nothing more is heard on it, wall clock in ms}
    CompletionStage<Map<ConnectionFacts, Long>> connectionDeadlines() {
        return onEach(ClientLoop::connectionDeadlines)
                .thenApply(maps -> {
                    var all = new LinkedHashMap<ConnectionFacts, Long>();
                    maps.forEach(all::putAll);
                    return all;
                });
    }

    /// {@return who watches what now; takes as long as there are watches}
    public CompletionStage<WatchReport> watches() {
        return onEach(ClientLoop::watchedPaths).thenApply(WatchReport::of);
    }

    /// Forgets what clients have sent and been sent, and how long that took.
    public CompletionStage<?> resetStats() {
        return onEach(ClientServer::resetTraffic);
    }

    /// Forgets the same of each connection.
    public CompletionStage<?> resetConnections() {
        return onEach(ClientServer::resetCounts);
    }

    /// {@return digests of the tree at some transactions, the oldest first}
    public List<DigestLog.Entry> digests() {
        return digests.entries();
    }

    /// {@return a number that tools may set; nothing here depends on it}
    public long traceMask() {
        return words.traceMask();
    }

    public void traceMask(long mask) {
        words.traceMask(mask);
    }

    WordAnswers words() {
        return words;
    }

    boolean isServing() {
        return serving;
    }

    /// {@return whether this member, which does not serve, answers those who read only}
    public boolean isReadOnly() {
        return readOnly;
    }

    /// {@return what is committed, as far as clients have been told}
    public Tree tree() {
        return published;
    }

    private static boolean resetTraffic(ClientLoop loop) {
        loop.traffic().reset();
        return true;
    }

    private static boolean resetCounts(ClientLoop loop) {
        loop.resetCounts();
        return true;
    }

    /// Asks each I/O thread, on that thread.
    <T> CompletionStage<List<T>> onEach(Function<ClientLoop, T> question) {
        List<CompletableFuture<T>> answers =
                loops.values().stream()
                        .map(loop ->
                                CompletableFuture.supplyAsync(
                                        () -> question.apply(loop), loop.thread()))
                        .toList();
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(_ -> answers.stream().map(CompletableFuture::join).toList());
    }
}
