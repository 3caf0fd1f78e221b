package dev.ensemble.server.net;

import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.timeout.IdleStateHandler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The links to the other members: one connection for each pair, kept up for as long as both live.
///
/// `server/docs/peer-protocol.md` says what is checked in a hello and which of two connections is
/// the link. All of it is owned by one thread, the link thread, but for what the peer thread uses:
/// [#send], [#flush], [#noticed], [#disconnect].
public final class Links implements AutoCloseable {
    /// Where a member listens for others.
    ///
    /// @param others where else it may be, on other networks
    public record Address(String host, int port, List<Address> others) {
        public Address {
            others = List.copyOf(others);
        }

        public Address(String host, int port) {
            this(host, port, List.of());
        }

        /// {@return all of them, this one in front}
        List<Address> all() {
            var all = new ArrayList<Address>(List.of(this));
            all.addAll(others);
            return all;
        }
    }

    /// How long things may take; see `server/docs/peer-protocol.md`.
    public record Timing(
            int helloMillis,
            int aliveMillis,
            int silentMillis,
            int dialMillis,
            int redialMillis,
            int maxRedialMillis) {
        public static final Timing DEFAULT = new Timing(2000, 1000, 5000, 1000, 20, 500);
    }

    /// @param maxPendingBytes what may wait for one member's socket
    public record Options(
            InetSocketAddress bind, int maxFrameBytes, int maxPendingBytes, Timing timing) {
        private static final int MIN_PENDING_BYTES = 64 << 20;

        /// {@return the options that follow from the largest request of a client}
        public static Options of(InetSocketAddress bind, int juteMaxBuffer) {
            long frame = Math.min(4L * juteMaxBuffer + (64 << 10), 1 << 28);
            long pending = Math.max(4 * frame, MIN_PENDING_BYTES);
            return new Options(bind, (int) frame, (int) pending, Timing.DEFAULT);
        }
    }

    /// Where events go. Called on the link thread.
    public interface Receiver {
        /// Takes events, in order.
        ///
        /// @return false if no more should come before [Links#resume]; these were taken all the
        ///   same
        boolean take(List<Event> events);

        /// Links do not work any more: our own fault.
        void failed(Throwable cause);
    }

    /// Whoever has snapshots to give. Called on the link thread; must not wait.
    public interface SnapshotServer {
        /// Takes over a connection on which a learner asked for a snapshot.
        void serve(Channel channel, int myid, long epoch, PeerProto.Fetch fetch);
    }

    /// Why a member is not linked.
    ///
    /// @param laterStart of the same incarnation, which was seen before; 0 for none
    record Refusal(String reason, long laterStart) {
        Refusal(String reason) {
            this(reason, 0);
        }
    }

    /// One start of a member.
    ///
    /// @param number counted on its disk
    /// @param process at random; 0 if it was not said
    record Start(long number, long process) {
        /// {@return whether this start is not the other one, and does not come after it}
        ///
        /// A disk that went back by one start counts the same number again.
        boolean isBehind(Start other) {
            return number < other.number
                    || (number == other.number
                            && process != 0
                            && other.process != 0
                            && process != other.process);
        }
    }

    private record Outbound(int to, int generation, long epoch, Message message) {}

    private static final Logger LOG = LoggerFactory.getLogger(Links.class);
    private static final int MAX_ID = dev.ensemble.server.model.Ensemble.MAX_MYID;
    private static final int LOWEST_PROTOCOL = 1;

    /// As many times what a hello may take, a hello behind a TLS handshake may.
    private static final int HANDSHAKE_TIMES = 3;

    /// Connections that have not said who they are; more are closed at once.
    private static final int MAX_STRANGERS = 256;

    private final Options options;
    private final LinkCodec codec;
    private final Supplier<Hello> self;
    private final Receiver receiver;
    private final SnapshotServer snapshots;
    private final PeerTls tls;
    private final MultiThreadIoEventLoopGroup group;
    private final EventLoop loop;
    private final Listeners listeners;
    private final Map<Integer, String> warnings = new ConcurrentSkipListMap<>();

    // Of the link thread.
    private final Map<Integer, Dial> dials = new HashMap<>();
    private final Map<Integer, LinkConnection> links = new HashMap<>();
    private final Set<LinkConnection> connections = new HashSet<>();
    private final Map<Long, Start> latestStarts = new HashMap<>();
    private final Map<Integer, Long> lastLinks = new HashMap<>();
    private final int[] generation = new int[MAX_ID + 1];
    private List<Event> received = new ArrayList<>();
    private boolean reading = true;

    /// Begins somewhere that no other process of this member began.
    private long linkNumber = System.nanoTime() | 1;

    /// Tells this process from another one with the same disk, or a copy of it.
    private final long process = new SecureRandom().nextLong() | 1;

    private boolean closing;
    private @Nullable String lastStranger;

    // Of the peer thread.
    private final int[] noticed = new int[MAX_ID + 1];
    private final FrameBytes frame;
    private List<Outbound> outbox = new ArrayList<>();

    /// Listens; dials nobody before [#setPeers].
    ///
    /// @param self what to say in a hello now; called on the link thread
    /// @throws IOException if the port cannot be bound
    public Links(
            Options options,
            LinkCodec codec,
            Supplier<Hello> self,
            Receiver receiver,
            SnapshotServer snapshots)
            throws IOException {
        this(options, codec, self, receiver, snapshots, PeerTls.NONE);
    }

    /// Listens; dials nobody before [#setPeers].
    ///
    /// @param self what to say in a hello now; called on the link thread
    /// @param tls what is spoken with whom
    /// @throws IOException if the port cannot be bound
    public Links(
            Options options,
            LinkCodec codec,
            Supplier<Hello> self,
            Receiver receiver,
            SnapshotServer snapshots,
            PeerTls tls)
            throws IOException {
        this.options = options;
        this.codec = codec;
        this.frame = new FrameBytes(codec);
        this.self = self;
        this.receiver = receiver;
        this.snapshots = snapshots;
        this.tls = tls;
        this.group =
                new MultiThreadIoEventLoopGroup(
                        1,
                        Thread.ofPlatform().name("links-", 0).daemon().factory(),
                        NioIoHandler.newFactory());
        this.loop = group.next();
        this.listeners = new Listeners(accepting(), "members");
        try {
            listeners.listen(List.of(options.bind()));
        } catch (IOException e) {
            var _ = group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw e;
        }
    }

    private ServerBootstrap accepting() {
        return new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                .childHandler(initializer(0));
    }

    /// Listens at these addresses and at no other; links stay. Any thread but the link thread.
    ///
    /// @throws IOException if one cannot be bound; all is then as it was
    public void listen(List<InetSocketAddress> addresses) throws IOException {
        listeners.listen(addresses);
    }

    /// {@return the port that members may dial}
    public int port() {
        return listeners.first().getPort();
    }

    /// {@return what is wrong with links at the moment, by myid, for the status}
    public Map<Integer, String> warnings() {
        return warnings;
    }

    // The peer thread.

    /// Keeps links to these members; those to others stay up while they last. Any thread.
    public void setPeers(Map<Integer, Address> addresses) {
        Map<Integer, Address> wanted = Map.copyOf(addresses);
        loop.execute(() -> dialThese(wanted));
    }

    /// Sends with the next [#flush]; dropped if the link that the peer thread knows of is gone by
    /// then. Peer thread.
    public void send(int to, long epoch, Message message) {
        outbox.add(new Outbound(to, noticed[to], epoch, message));
    }

    /// Hands over what was sent since the last time. Peer thread.
    public void flush() {
        if (!outbox.isEmpty()) {
            List<Outbound> batch = outbox;
            outbox = new ArrayList<>();
            loop.execute(() -> write(batch));
        }
    }

    /// The peer thread has come to this event: what it sends from now on is for the links that it
    /// knows of. Peer thread.
    public void noticed(Event event) {
        if (event instanceof Event.LinkUp(int from, Hello _)) {
            noticed[from]++;
        }
    }

    /// Closes the link that the peer thread knows of. Peer thread.
    public void disconnect(int peer, String reason) {
        int known = noticed[peer];
        flush();
        loop.execute(() -> {
            LinkConnection link = links.get(peer);
            if (link != null && generation[peer] == known) {
                log(peer, "link closed: " + reason);
                link.close();
            }
        });
    }

    /// Events are welcome again. Any thread.
    public void resume() {
        loop.execute(() -> setReading(true));
    }

    /// Closes everything. Waits until it is done.
    @Override
    public void close() {
        if (group.isShuttingDown()) {
            return;
        }
        loop.submit(
                        () -> {
                            closing = true;
                            dials.values().forEach(Dial::stop);
                            List.copyOf(connections).forEach(LinkConnection::close);
                        })
                .awaitUninterruptibly();
        listeners.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    // What connections ask and tell. Link thread, like all below.

    LinkCodec codec() {
        return codec;
    }

    Timing timing() {
        return options.timing();
    }

    /// {@return whether the I/O thread turns}
    public Pulse pulse() {
        return new Pulse(group);
    }

    /// {@return how long a hello may take, with what there is in front of it}
    int helloMillis() {
        return tls.tls() == null
                ? timing().helloMillis()
                : HANDSHAKE_TIMES * timing().helloMillis();
    }

    /// {@return the longest frame that a member may send}
    public int maxFrameBytes() {
        return options.maxFrameBytes();
    }

    Frame hello(int to) {
        Hello mine = self.get();
        return Frame.newBuilder()
                .setIncarnation(mine.incarnation())
                .setHello(
                        LinkCodec.hello(mine, to, lastLinks.getOrDefault(to, 0L)).toBuilder()
                                .setProcess(process))
                .build();
    }

    Frame alive() {
        return Frame.newBuilder()
                .setIncarnation(self.get().incarnation())
                .setAlive(PeerProto.Alive.getDefaultInstance())
                .build();
    }

    /// {@return why a member is not welcome, null if it is}
    ///
    /// @param said what it says of itself
    /// @param dialed whom this member dialed, or 0
    /// @param fetching it wants a second connection, for a snapshot
    @Nullable Refusal refusal(PeerProto.Hello said, int dialed, boolean fetching) {
        Hello theirs = LinkCodec.hello(said);
        int to = said.getTo();
        Hello mine = self.get();
        int myid = theirs.myid();
        var start = new Start(theirs.starts(), said.getProcess());
        if (theirs.protocol() < LOWEST_PROTOCOL) {
            return new Refusal(
                    String.format(
                            "protocol %d, where %d is the lowest",
                            theirs.protocol(), LOWEST_PROTOCOL));
        }
        if (myid < 1 || myid > MAX_ID) {
            return new Refusal("myid " + myid + ", where 1 to " + MAX_ID + " are valid");
        }
        if (!mine.ensembleId().isEmpty()
                && !theirs.ensembleId().isEmpty()
                && !mine.ensembleId().equals(theirs.ensembleId())) {
            return new Refusal(
                    String.format(
                            "member %d belongs to ensemble %s, member %d to %s",
                            myid, theirs.ensembleId(), mine.myid(), mine.ensembleId()));
        }
        if (to != 0 && to != mine.myid()) {
            return new Refusal(
                    "member " + myid + " asks for member " + to + ", this is " + mine.myid());
        }
        if (dialed != 0 && dialed != myid) {
            return new Refusal("at the address of member " + dialed + " is member " + myid);
        }
        if (myid == mine.myid()) {
            return new Refusal("two members have the myid " + myid);
        }
        LinkConnection present = links.get(myid);
        if (present != null && present.hello().incarnation() != theirs.incarnation()) {
            return new Refusal(
                    fetching
                            ? "the link of member " + myid + " has another incarnation"
                            : "member "
                                    + myid
                                    + " is linked with another disk: two may share a myid");
        }
        Start latest = latestStarts.get(theirs.incarnation());
        if (latest != null && start.isBehind(latest)) {
            return new Refusal(
                    String.format(
                            "the disk of member %d went back in time: start %d after start %d",
                            myid, theirs.starts(), latest.number),
                    latest.number);
        }
        return null;
    }

    /// {@return why the certificate at the other end is not that of the member that it says it is;
    /// null if it is, or if none is asked for}
    @Nullable String identityRefusal(LinkConnection connection, int myid) {
        return tls.refusal(
                connection.session(),
                new PeerTls.Claim(
                        myid,
                        self.get().plainEnsembleId(),
                        host(myid),
                        dials.keySet().stream().map(this::host).filter(Objects::nonNull).toList()),
                connection.dialed() != 0);
    }

    private @Nullable String host(int myid) {
        Address address = address(myid);
        return address == null ? null : address.host();
    }

    /// A TLS handshake failed. A stranger may try again and again: the same reason is not logged
    /// twice in a row.
    void handshakeFailed(LinkConnection connection, Throwable cause) {
        String reason = "the TLS handshake failed: " + TlsReason.of(cause);
        if (connection.dialed() != 0) {
            // With a link, the dial was given up.
            if (!links.containsKey(connection.dialed())) {
                refused(connection.dialed(), reason);
            }
            return;
        }
        String stranger = connection.host() + " " + reason;
        if (!stranger.equals(lastStranger)) {
            lastStranger = stranger;
            LOG.atWarn()
                    .addKeyValue("host", connection.host())
                    .addKeyValue("reason", reason)
                    .log("link refused");
        }
    }

    /// Both hellos are checked. The larger id decides which connection is the link.
    void greeted(LinkConnection connection) {
        Hello theirs = connection.hello();
        if (theirs.myid() > self.get().myid()) {
            return;
        }
        LinkConnection present = links.get(theirs.myid());
        // A member dials when it has no link. If it knew of the present one, that has ended at its
        // end; if not, both were
        // opened at once.
        boolean wanted =
                present == null
                        || theirs.starts() > present.hello().starts()
                        || connection.lastLink() == present.link();
        if (!wanted) {
            connection.close();
            return;
        }
        long number = linkNumber++;
        connection.send(
                Frame.newBuilder()
                        .setIncarnation(self.get().incarnation())
                        .setAccepted(PeerProto.Accepted.newBuilder().setLink(number))
                        .build());
        up(connection, number);
    }

    /// This connection is the link from here on, as the larger id decided.
    ///
    /// @param number that it gave the link
    void up(LinkConnection connection, long number) {
        if (!connection.channel().isOpen()) {
            // It ended while it was answered, and its end has been dealt with: as a link it would
            // stay for ever, and stand in the way of every other.
            return;
        }
        Hello theirs = connection.hello();
        int myid = theirs.myid();
        LinkConnection old = links.put(myid, connection);
        if (old != null) {
            received.add(new Event.LinkDown(myid));
            old.close();
        }
        latestStarts.merge(
                theirs.incarnation(),
                connection.start(),
                (seen, now) -> now.isBehind(seen) ? seen : now);
        generation[myid]++;
        connection.up(number);
        lastLinks.put(myid, number);
        connection.reading(reading);
        warnings.remove(myid);
        LOG.atInfo().addKeyValue("peer", myid).log("link up");
        received.add(new Event.LinkUp(myid, theirs));
        deliver();
        Dial dial = dials.get(myid);
        if (dial != null) {
            dial.linked(connection.channel());
        }
    }

    void received(Event event) {
        received.add(event);
    }

    /// Hands on what has been received.
    void deliver() {
        if (received.isEmpty()) {
            return;
        }
        List<Event> batch = received;
        received = new ArrayList<>();
        if (!receiver.take(batch) && reading) {
            setReading(false);
        }
    }

    private void setReading(boolean on) {
        reading = on;
        links.values().forEach(link -> link.reading(on));
    }

    /// A connection has ended, for whatever reason.
    void closed(LinkConnection connection) {
        connections.remove(connection);
        int myid = connection.dialed();
        for (var link : links.entrySet()) {
            if (link.getValue() == connection) {
                myid = link.getKey();
            }
        }
        Dial dial = dials.get(myid);
        if (links.remove(myid, connection)) {
            LOG.atInfo().addKeyValue("peer", myid).log("link down");
            received.add(new Event.LinkDown(myid));
            deliver();
            if (dial != null) {
                dial.lost();
            }
        } else if (dial != null) {
            dial.failed(connection.channel());
        }
    }

    /// A member has seen a later start of this incarnation than this one, or one of another
    /// process.
    void outdated(int peer, long laterStart) {
        if (laterStart >= self.get().starts()) {
            received.add(new Event.Outdated(peer, laterStart));
            deliver();
        }
    }

    /// A member will not have us, or we will not have it. The same reason is not logged twice in a
    /// row.
    void refused(int peer, String reason) {
        if (!reason.equals(warnings.put(peer, reason))) {
            LOG.atWarn()
                    .addKeyValue("peer", peer)
                    .addKeyValue("reason", reason)
                    .log("link refused");
        }
    }

    /// Something on a connection cannot go on: the fault of the network, of the other side, or
    /// ours.
    void failed(LinkConnection connection, int peer, Throwable cause) {
        if (cause instanceof Error) {
            receiver.failed(cause);
        } else if (cause instanceof IOException && connection.isUp()) {
            log(peer, "link broken: " + cause.getMessage());
        } else if (!(cause instanceof IOException)) {
            String text = cause.getMessage() == null ? cause.toString() : cause.getMessage();
            LOG.atWarn().addKeyValue("peer", peer).addKeyValue("reason", text).log("bad frame");
        }
    }

    void log(int peer, String text) {
        LOG.atInfo().addKeyValue("peer", peer).log(text);
    }

    void serveSnapshot(Channel channel, int myid, long epoch, PeerProto.Fetch fetch) {
        snapshots.serve(channel, myid, epoch, fetch);
    }

    private void write(List<Outbound> batch) {
        var dirty = new HashSet<LinkConnection>();
        for (Outbound out : batch) {
            LinkConnection link = links.get(out.to());
            if (link != null && link.isUp() && generation[out.to()] == out.generation()) {
                frame.encode(self.get().incarnation(), out.epoch(), out.message());
                frame.writeTo(link.buffer());
                dirty.add(link);
            }
        }
        frame.forget();
        dirty.forEach(LinkConnection::flush);
    }

    private int strangers() {
        return connections.size() - links.size();
    }

    private WriteBufferWaterMark waterMark() {
        return new WriteBufferWaterMark(options.maxPendingBytes() / 2, options.maxPendingBytes());
    }

    private ChannelHandler initializer(int dialed) {
        return new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                if (closing || (dialed == 0 && strangers() > MAX_STRANGERS)) {
                    var _ = channel.close();
                    return;
                }
                var decoder = new FrameDecoder();
                var connection = new LinkConnection(Links.this, channel, decoder, dialed);
                connections.add(connection);
                channel.pipeline()
                        .addLast(
                                new IdleStateHandler(
                                        timing().silentMillis(),
                                        timing().aliveMillis(),
                                        0,
                                        TimeUnit.MILLISECONDS))
                        .addLast(decoder)
                        .addLast(new FrameEncoder())
                        .addLast(connection);
                if (dialed != 0) {
                    tls.dial(channel.pipeline());
                } else if (!tls.accept(channel.pipeline())) {
                    var _ = channel.close();
                }
            }
        };
    }

    private void dialThese(Map<Integer, Address> wanted) {
        int mine = self.get().myid();
        dials.entrySet()
                .removeIf(entry -> {
                    boolean gone = !wanted.containsKey(entry.getKey());
                    if (gone) {
                        entry.getValue().stop();
                    }
                    return gone;
                });
        wanted.forEach((myid, address) -> {
            if (myid != mine && !closing) {
                dials.computeIfAbsent(myid, this::dial).at(address);
            }
        });
        warnings.keySet().removeIf(myid -> myid != 0 && !wanted.containsKey(myid));
    }

    private Dial dial(int myid) {
        var bootstrap =
                new Bootstrap()
                        .group(group)
                        .channel(NioSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timing().dialMillis())
                        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark())
                        .handler(initializer(myid));
        return new Dial(myid, loop, bootstrap, timing(), () -> links.containsKey(myid));
    }

    /// {@return where this member last dialed `myid`, for a second connection; null if it has no
    /// address}
    @Nullable Address address(int myid) {
        Dial dial = dials.get(myid);
        return dial == null ? null : Objects.requireNonNull(dial.address());
    }
}
