package dev.ensemble.server.tool.bench;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.Handshake;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// One session that always has the same number of requests in flight, or sends each when it is due.
/// Owned by its channel's thread.
final class LoadConnection extends SimpleChannelInboundHandler<ByteBuf> {
    private final Load load;
    private final SplittableRandom random;
    private final byte[] data;

    /// From when on the latency of each request in flight counts, oldest at `answered`: a ring. The
    /// lowest bit is set for a read.
    private final long[] fromNanos;

    /// Between two requests of this connection; 0: the next is due when one is answered.
    private final long intervalNanos;

    /// When the next request is due, if there is an interval.
    private long dueNanos;

    private long sent;
    private long answered;
    private boolean hasSession;

    LoadConnection(Load load, SplittableRandom random) {
        this.load = load;
        this.random = random;
        this.data = new byte[load.plan().dataBytes()];
        this.fromNanos = new long[load.plan().outstanding()];
        int rate = load.plan().ratePerSecond();
        this.intervalNanos =
                rate == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) * load.plan().connections() / rate;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ByteBuf hello = context.alloc().buffer();
        Handshake.write(
                hello,
                new Handshake.ConnectRequest(
                        0, Load.SESSION_TIMEOUT_MILLIS, 0, new byte[16], false, true));
        var _ = context.writeAndFlush(hello, context.voidPromise());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf frame) {
        if (hasSession) {
            answered(ClientCodec.readReplyHeader(frame));
        } else {
            hasSession = Handshake.readResponse(frame).timeoutMillis() > 0;
            load.connected(hasSession);
            if (hasSession && intervalNanos > 0) {
                // Not all connections at the same moments.
                dueNanos = System.nanoTime() + random.nextLong(intervalNanos);
                awaitDue(context);
            }
        }
    }

    private void awaitDue(ChannelHandlerContext context) {
        var _ =
                context.executor()
                        .schedule(
                                () -> {
                                    if (context.channel().isActive()) {
                                        send(context);
                                        if (load.isSending()) {
                                            awaitDue(context);
                                        }
                                    }
                                },
                                Math.max(0, dueNanos - System.nanoTime()),
                                TimeUnit.NANOSECONDS);
    }

    /// All answers of one read are one batch of new requests.
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (hasSession) {
            send(context);
        }
    }

    private void send(ChannelHandlerContext context) {
        long now = System.nanoTime();
        int count = load.isSending() ? sendable(now) : 0;
        if (count == 0) {
            if (sent == answered && !load.isSending()) {
                var _ = context.close();
            }
            return;
        }
        ByteBuf batch = context.alloc().buffer(count * (96 + data.length));
        for (int i = 0; i < count; i++) {
            boolean read = random.nextInt(100) < load.plan().readPercent();
            String path = load.path(random.nextInt(load.plan().znodes()));
            Request request =
                    read ? new Request.GetData(path, false) : new Request.SetData(path, data, -1);
            long from = intervalNanos == 0 ? now : dueNanos;
            dueNanos += intervalNanos;
            fromNanos[(int) (sent % fromNanos.length)] = (from << 1) | (read ? 1 : 0);
            sent++;
            ClientCodec.writeRequest(batch, (int) sent & Integer.MAX_VALUE, request);
        }
        var _ = context.writeAndFlush(batch, context.voidPromise());
    }

    /// {@return how many requests may go out now}
    private int sendable(long now) {
        long room = fromNanos.length - (sent - answered);
        if (intervalNanos == 0) {
            return (int) room;
        }
        long due = now < dueNanos ? 0 : (now - dueNanos) / intervalNanos + 1;
        return (int) Math.min(room, due);
    }

    private void answered(ClientCodec.ReplyHeader header) {
        long entry = fromNanos[(int) (answered % fromNanos.length)];
        answered++;
        load.answered((entry & 1) == 1, entry >> 1, header.err() == Code.OK.number());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        load.disconnected();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
    }
}
