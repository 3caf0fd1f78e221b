package dev.ensemble.server.tool.bench;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.Handshake;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.util.SplittableRandom;

/// One session that always has the same number of requests in flight. Owned by its channel's
/// thread.
final class LoadConnection extends SimpleChannelInboundHandler<ByteBuf> {
    private final Load load;
    private final SplittableRandom random;
    private final byte[] data;

    /// When each request in flight was sent, oldest at `answered`: a ring. The lowest bit is set
    /// for a read.
    private final long[] sentNanos;

    private long sent;
    private long answered;
    private boolean hasSession;

    LoadConnection(Load load, SplittableRandom random) {
        this.load = load;
        this.random = random;
        this.data = new byte[load.plan().dataBytes()];
        this.sentNanos = new long[load.plan().outstanding()];
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
        }
    }

    /// All answers of one read are one batch of new requests.
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (hasSession) {
            send(context);
        }
    }

    private void send(ChannelHandlerContext context) {
        int count = load.isSending() ? (int) (sentNanos.length - (sent - answered)) : 0;
        if (count == 0) {
            if (sent == answered && !load.isSending()) {
                var _ = context.close();
            }
            return;
        }
        ByteBuf batch = context.alloc().buffer(count * (96 + data.length));
        long now = System.nanoTime();
        for (int i = 0; i < count; i++) {
            boolean read = random.nextInt(100) < load.plan().readPercent();
            String path = load.path(random.nextInt(load.plan().znodes()));
            Request request =
                    read ? new Request.GetData(path, false) : new Request.SetData(path, data, -1);
            sentNanos[(int) (sent % sentNanos.length)] = (now << 1) | (read ? 1 : 0);
            sent++;
            ClientCodec.writeRequest(batch, (int) sent & Integer.MAX_VALUE, request);
        }
        var _ = context.writeAndFlush(batch, context.voidPromise());
    }

    private void answered(ClientCodec.ReplyHeader header) {
        long entry = sentNanos[(int) (answered % sentNanos.length)];
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
