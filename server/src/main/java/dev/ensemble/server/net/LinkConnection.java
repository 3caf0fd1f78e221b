package dev.ensemble.server.net;

import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.timeout.IdleStateEvent;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/// One connection to another member: its hello, then its frames. [Links] decides which connection
/// is the link.
///
/// Owned by the link thread.
final class LinkConnection extends SimpleChannelInboundHandler<Frame> {
    private enum Phase {
        HELLO,
        /// Both hellos are checked; the larger id has not said yet that this is the link.
        WAITING,
        UP,
        CLOSED
    }

    private final Links links;
    private final Channel channel;
    private final FrameDecoder decoder;
    private final Outgoing outgoing;

    /// Whom this member dialed; 0 if the other side did.
    private final int dialed;

    private Phase phase = Phase.HELLO;
    private @Nullable Hello hello;
    private Links.Start start = new Links.Start(0, 0);
    private boolean opened;

    /// Why this came to nothing has been told.
    private boolean told;

    private long lastLink;
    private long link;

    LinkConnection(Links links, Channel channel, FrameDecoder decoder, int dialed) {
        super(Frame.class);
        this.links = links;
        this.channel = channel;
        this.decoder = decoder;
        this.outgoing = new Outgoing(channel);
        this.dialed = dialed;
        channel.closeFuture().addListener(_ -> ended());
    }

    Channel channel() {
        return channel;
    }

    int dialed() {
        return dialed;
    }

    /// {@return what the other side said, once it has}
    Hello hello() {
        if (hello == null) {
            throw new IllegalStateException("no hello yet");
        }
        return hello;
    }

    /// {@return which start of the other side this is}
    Links.Start start() {
        return start;
    }

    boolean isUp() {
        return phase == Phase.UP;
    }

    /// {@return the last link between the two that the other side knew of when it said hello}
    long lastLink() {
        return lastLink;
    }

    /// {@return the number of this link}
    long link() {
        return link;
    }

    /// This connection is the link from here on.
    ///
    /// @param number as the larger id gave it
    void up(long number) {
        phase = Phase.UP;
        link = number;
        decoder.trust(links.maxFrameBytes());
    }

    /// Sends one frame, ahead of which nothing may be waiting in the [#buffer()].
    void send(Frame frame) {
        var _ = channel.writeAndFlush(frame, channel.voidPromise());
    }

    /// {@return where the next frame of this turn is to be written, whole}
    ByteBuf buffer() {
        return outgoing.buffer();
    }

    /// Sends what was written in this turn.
    void flush() {
        outgoing.flush();
    }

    /// The channel is closed.
    void ended() {
        if (opened && phase == Phase.HELLO && !told && session() != null) {
            handshakeFailed(
                    new SSLException(
                            "the other side closed the connection; it may not accept our"
                                    + " certificate, or speak plaintext"));
        }
        phase = Phase.CLOSED;
        links.closed(this);
    }

    /// At once: TLS would first say good-bye, and wait for a member that may be frozen.
    void close() {
        phase = Phase.CLOSED;
        told = true;
        ChannelHandlerContext tls = channel.pipeline().context(SslHandler.class);
        var _ = tls == null ? channel.close() : tls.close();
    }

    /// {@return null if nothing is encrypted}
    @Nullable SSLSession session() {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        return tls == null ? null : tls.engine().getSession();
    }

    /// {@return the address of the other end}
    String host() {
        return channel.remoteAddress() instanceof InetSocketAddress remote
                ? remote.getHostString()
                : "unknown";
    }

    void reading(boolean on) {
        channel.config().setAutoRead(on);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        opened = true;
        var _ =
                channel.eventLoop()
                        .schedule(this::helloIsLate, links.helloMillis(), TimeUnit.MILLISECONDS);
        if (dialed != 0) {
            sayHello(dialed);
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, Frame frame) {
        switch (phase) {
            case HELLO -> first(frame);
            case WAITING -> {
                switch (frame.getBodyCase()) {
                    case ACCEPTED -> links.up(this, frame.getAccepted().getLink());
                    case REFUSED -> refusedBy(frame.getRefused());
                    default -> throw unexpected(frame);
                }
            }
            case UP -> message(frame);
            case CLOSED -> {}
        }
    }

    private void first(Frame frame) {
        switch (frame.getBodyCase()) {
            case HELLO -> helloArrived(frame.getHello());
            case FETCH -> {
                if (dialed != 0) {
                    throw unexpected(frame);
                }
                fetch(frame);
            }
            case REFUSED -> refusedBy(frame.getRefused());
            default -> throw unexpected(frame);
        }
    }

    private void helloArrived(PeerProto.Hello said) {
        Hello theirs = LinkCodec.hello(said);
        Links.Refusal refusal = refusal(said, theirs, false);
        if (refusal != null) {
            refuse(theirs.myid(), refusal);
            return;
        }
        hello = theirs;
        start = new Links.Start(theirs.starts(), said.getProcess());
        lastLink = said.getLastLink();
        phase = Phase.WAITING;
        if (dialed == 0) {
            sayHello(theirs.myid());
        }
        links.greeted(this);
    }

    private void fetch(Frame frame) {
        PeerProto.Fetch fetch = frame.getFetch();
        Hello theirs = LinkCodec.hello(fetch.getHello());
        Links.Refusal refusal = refusal(fetch.getHello(), theirs, true);
        if (refusal != null) {
            refuse(theirs.myid(), refusal);
            return;
        }
        phase = Phase.CLOSED; // As a link: the sender of snapshots has the channel from here on.
        links.serveSnapshot(channel, theirs.myid(), frame.getEpoch(), fetch);
    }

    private Links.@Nullable Refusal refusal(PeerProto.Hello said, Hello theirs, boolean fetching) {
        Links.Refusal refusal = links.refusal(said, dialed, fetching);
        if (refusal != null && refusal.laterStart() == 0) {
            return refusal;
        }
        // Who only pretends to be that member is not told of its starts.
        String stranger = links.identityRefusal(this, theirs.myid());
        return stranger == null ? refusal : new Links.Refusal(stranger);
    }

    private void message(Frame frame) {
        if (frame.getIncarnation() != hello().incarnation()) {
            throw new IllegalArgumentException("a frame of another incarnation than the link's");
        }
        Message message = links.codec().decode(frame);
        if (message != null) {
            long epoch = LinkCodec.epoch(frame.getEpoch());
            links.received(
                    new Event.Received(hello().myid(), frame.getIncarnation(), epoch, message));
        } else if (!frame.hasAlive()) {
            throw unexpected(frame);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        links.deliver();
        context.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (phase == Phase.UP && !channel.isWritable()) {
            links.log(hello().myid(), "it reads too slowly: its link is closed, it may catch up");
            close();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake
                && !handshake.isSuccess()
                && phase != Phase.CLOSED) {
            handshakeFailed(handshake.cause());
            close();
            return;
        }
        if (phase != Phase.UP || !(event instanceof IdleStateEvent idle)) {
            return;
        }
        switch (idle.state()) {
            case READER_IDLE -> {
                if (!channel.config().isAutoRead()) {
                    return; // It is this member that does not listen.
                }
                links.log(hello().myid(), "it has been silent for too long: its link is closed");
                close();
            }
            case WRITER_IDLE -> {
                var _ = channel.writeAndFlush(links.alive());
            }
            case ALL_IDLE -> {}
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable thrown) {
        if (phase == Phase.CLOSED) {
            return;
        }
        Throwable cause =
                thrown instanceof DecoderException && thrown.getCause() instanceof SSLException tls
                        ? tls
                        : thrown;
        if (cause instanceof SSLException && phase == Phase.HELLO) {
            // With TLS 1.3, who dials hears only behind its own handshake that it is refused.
            handshakeFailed(cause);
        } else {
            links.failed(this, hello == null ? dialed : hello.myid(), cause);
        }
        close();
    }

    private void handshakeFailed(Throwable cause) {
        told = true;
        links.handshakeFailed(this, cause);
    }

    private void helloIsLate() {
        if (phase == Phase.HELLO || phase == Phase.WAITING) {
            close();
        }
    }

    private void sayHello(int to) {
        var _ = channel.writeAndFlush(links.hello(to));
    }

    private void refuse(int myid, Links.Refusal refusal) {
        links.refused(dialed == 0 ? myid : dialed, refusal.reason());
        phase = Phase.CLOSED;
        Frame frame =
                Frame.newBuilder()
                        .setRefused(
                                PeerProto.Refused.newBuilder()
                                        .setReason(refusal.reason())
                                        .setLaterStart(refusal.laterStart()))
                        .build();
        var _ = channel.writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE);
    }

    private void refusedBy(PeerProto.Refused refused) {
        int peer = dialed == 0 && hello != null ? hello.myid() : dialed;
        links.refused(peer, "it refused the link: " + refused.getReason());
        if (refused.getLaterStart() != 0
                && peer != 0
                && links.identityRefusal(this, peer) == null) {
            links.outdated(peer, refused.getLaterStart());
        }
        close();
    }

    private static IllegalArgumentException unexpected(Frame frame) {
        return new IllegalArgumentException("an unexpected " + frame.getBodyCase());
    }
}
