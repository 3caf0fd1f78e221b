package dev.ensemble.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.TimeUnit;

/// The first handler of a connection to a port for both: its first byte says whether TLS is spoken.
///
/// A TLS record begins with 22. None of what is spoken in plaintext does: a frame of a client or a
/// member would be one of 369 MB, and words and HTTP begin with a letter.
public final class Detector extends ChannelInboundHandlerAdapter {
    private static final int HANDSHAKE_RECORD = 22;

    private final Tls tls;
    private @Nullable Future<?> late;

    public Detector(Tls tls) {
        this.tls = tls;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        Channel channel = context.channel();
        late =
                context.executor()
                        .schedule(
                                () -> {
                                    var _ = channel.close();
                                },
                                tls.settings().detectionMillis(),
                                TimeUnit.MILLISECONDS);
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (!in.isReadable()) {
            in.release();
            return;
        }
        if (in.getUnsignedByte(in.readerIndex()) == HANDSHAKE_RECORD) {
            SslHandler handler = tls.accepting(context.alloc());
            if (handler == null) {
                in.release();
                var _ = context.close();
                return;
            }
            context.pipeline().addAfter(context.name(), null, handler);
        }
        context.fireChannelRead(in);
        context.pipeline().remove(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (late != null) {
            late.cancel(false);
        }
    }
}
