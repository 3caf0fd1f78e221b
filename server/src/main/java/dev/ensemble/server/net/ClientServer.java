package dev.ensemble.server.net;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.tree.Tree;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
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

    private final ClientSettings settings;
    private final Schemes schemes;
    private final Intake intake;
    private final ServerFacts facts;
    private final MultiThreadIoEventLoopGroup threads;
    private final ServerBootstrap bootstrap;
    private final Map<EventLoop, ClientLoop> loops = new HashMap<>();
    private final List<Channel> listening = new ArrayList<>();
    private final AtomicLong connectionIds = new AtomicLong();
    private final Map<InetAddress, Integer> perAddress = new ConcurrentHashMap<>();
    private final AtomicLong all = new AtomicLong();
    private final CompletableFuture<@Nullable Void> idle = new CompletableFuture<>();
    private volatile boolean draining;
    private volatile boolean serving;
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
        this.facts = facts;
        this.published = tree;
        this.threads =
                new MultiThreadIoEventLoopGroup(
                        settings.loops(),
                        new DefaultThreadFactory("client-io"),
                        NioIoHandler.newFactory());
        this.bootstrap = bootstrap(allocator);
        for (EventExecutor each : threads) {
            var loop = new ClientLoop((EventLoop) each, this, tree);
            loops.put(loop.thread(), loop);
        }
        loops.values().forEach(ClientLoop::start);
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
                        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT)
                        .childHandler(
                                new ChannelInitializer<SocketChannel>() {
                                    @Override
                                    protected void initChannel(SocketChannel channel) {
                                        admit(channel);
                                    }
                                });
        return settings.backlog() < 0
                ? server
                : server.option(ChannelOption.SO_BACKLOG, settings.backlog());
    }

    /// Begins to accept clients.
    ///
    /// @param address port 0 for any that is free
    /// @return the address in use
    public InetSocketAddress bind(InetSocketAddress address) throws IOException {
        var binding = bootstrap.bind(address).awaitUninterruptibly();
        if (!binding.isSuccess()) {
            throw new IOException("cannot listen for clients on " + address, binding.cause());
        }
        synchronized (listening) {
            listening.add(binding.channel());
        }
        return (InetSocketAddress) binding.channel().localAddress();
    }

    private void admit(SocketChannel channel) {
        InetSocketAddress remote = channel.remoteAddress();
        if (remote == null) {
            var _ = channel.close(); // Gone again before anybody looked.
            return;
        }
        InetAddress address = remote.getAddress();
        boolean tooMany =
                perAddress.merge(address, 1, Integer::sum) > settings.maxPerAddress()
                        && settings.maxPerAddress() > 0;
        boolean full =
                all.incrementAndGet() > settings.maxConnections() && settings.maxConnections() > 0;
        if (tooMany || full || draining) {
            closed(address);
            LOG.atDebug()
                    .addKeyValue("client", channel.remoteAddress())
                    .log("too many connections");
            var _ = channel.close();
            return;
        }
        ClientLoop loop = loops.get(channel.eventLoop());
        if (loop == null) {
            throw new IllegalStateException("a channel of no thread of ours");
        }
        var connection =
                new ClientConnection(connectionIds.incrementAndGet(), channel, remote, loop);
        channel.pipeline().addLast(connection.frames());
    }

    void closed(InetAddress address) {
        perAddress.computeIfPresent(address, (_, count) -> count == 1 ? null : count - 1);
        if (all.decrementAndGet() == 0 && draining) {
            idle.complete(null);
        }
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

    long publishedZxid() {
        return published.zxid();
    }

    /// Tells every I/O thread what the member wants of its clients, in order. Called by the peer
    /// thread, once a turn; [Output.OfPeer] is left out.
    public void publish(List<Output> batch) {
        for (Output output : batch) {
            switch (output) {
                case Output.Published next -> published = next.applied().tree();
                case Output.Replaced(Tree tree) -> published = tree;
                case Output.Serving(boolean now) -> serving = now;
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

    /// Accepts and reads no more, answers what was read, closes each connection that has nothing in
    /// flight, and all of them at the deadline. The peer thread must still publish meanwhile.
    ///
    /// @return done when no connection is left
    public CompletableFuture<@Nullable Void> drain(long deadlineMillis) {
        draining = true;
        stopListening();
        for (ClientLoop loop : loops.values()) {
            loop.thread().execute(loop::drain);
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
            listening.forEach(channel -> channel.close().awaitUninterruptibly());
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

    /// {@return the answer to a four-letter word}
    CompletionStage<String> answer(FourLetterWords.Word word) {
        if (!isAllowed(word)) {
            return done(FourLetterWords.notAllowed(word));
        }
        if (!serving && !word.isAlwaysAnswered()) {
            return done(FourLetterWords.NOT_SERVING);
        }
        Tree tree = published;
        return switch (word) {
            case RUOK -> done("imok");
            case ISRO -> done(serving ? "rw" : "null");
            case SRVR -> done(FourLetterWords.server(facts, stats(), tree, null));
            case STAT ->
                    lines(false)
                            .thenApply(
                                    lines -> FourLetterWords.server(facts, stats(), tree, lines));
            case MNTR -> done(FourLetterWords.monitor(facts, stats(), tree));
            case CONF -> done(facts.configuration());
            case ENVI -> done(FourLetterWords.environment(facts.environment()));
            case CONS -> lines(true).thenApply(FourLetterWords::connections);
            case DIRS -> done(FourLetterWords.directories(facts));
            case SRST -> onEach(ClientServer::resetTraffic).thenApply(_ -> "Server stats reset.\n");
            case CRST ->
                    onEach(ClientServer::resetCounts).thenApply(_ -> "Connection stats reset.\n");
        };
    }

    private boolean isAllowed(FourLetterWords.Word word) {
        return word == FourLetterWords.Word.SRVR
                || settings.fourLetterWords().contains("*")
                || settings.fourLetterWords().contains(word.toString());
    }

    private static CompletionStage<String> done(String text) {
        return CompletableFuture.completedStage(text);
    }

    private static boolean resetTraffic(ClientLoop loop) {
        loop.traffic().reset();
        return true;
    }

    private static boolean resetCounts(ClientLoop loop) {
        loop.resetCounts();
        return true;
    }

    private CompletionStage<List<String>> lines(boolean whole) {
        return onEach(loop -> loop.lines(whole))
                .thenApply(lists -> lists.stream().flatMap(List::stream).toList());
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
