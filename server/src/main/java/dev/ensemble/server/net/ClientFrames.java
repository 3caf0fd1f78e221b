package dev.ensemble.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;

import javax.net.ssl.SSLException;

/// Cuts what a client sends into frames and hands them on, one by one, as long as the connection
/// wants them; the rest waits here.
///
/// Owned by the connection's I/O thread.
final class ClientFrames extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientFrames.class);

    private final ClientConnection connection;
    private final int maxFrameBytes;
    private @Nullable ByteBuf unread;
    private boolean cutting;

    ClientFrames(ClientConnection connection, int maxFrameBytes) {
        this.connection = connection;
        this.maxFrameBytes = maxFrameBytes;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        connection.opened();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        ByteBuf before = unread;
        unread =
                before == null
                        ? in
                        : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                context.alloc(), before, in);
        connection.heard();
        cut();
    }

    /// Hands on all whole frames that are here and wanted.
    void cut() {
        if (cutting) {
            return; // A frame that was handed on made the connection ask for more; the loop below
            // goes on.
        }
        cutting = true;
        try {
            ByteBuf in = unread;
            while (in != null && connection.isReading() && next(in)) {
                in = unread;
            }
            drop(connection.isDeaf());
        } finally {
            cutting = false;
        }
    }

    /// {@return whether there may be more}
    private boolean next(ByteBuf in) {
        if (in.readableBytes() < Integer.BYTES) {
            return false;
        }
        int length = in.getInt(in.readerIndex());
        if (connection.command(in)) {
            return false;
        }
        if (length < 0 || length > maxFrameBytes) {
            connection.close(
                    "a frame of " + length + " bytes; at most " + maxFrameBytes + " are read");
            return false;
        }
        if (in.readableBytes() < Integer.BYTES + length) {
            return false;
        }
        in.skipBytes(Integer.BYTES);
        connection.frame(in.readSlice(length));
        return true;
    }

    private void drop(boolean all) {
        ByteBuf in = unread;
        if (in != null && (all || !in.isReadable())) {
            unread = null;
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        ByteBuf in = unread;
        if (in != null && in.refCnt() == 1) {
            in.discardSomeReadBytes();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        connection.writabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        connection.closed();
        drop(true);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            SslHandler tls = context.pipeline().get(SslHandler.class);
            if (handshake.isSuccess() && tls != null) {
                connection.secured(tls.engine().getSession());
            } else if (!handshake.isSuccess()) {
                refused(handshake.cause());
            }
        }
    }

    /// Whoever set up the client must find out why it cannot connect, and is not told much by TLS.
    private void refused(Throwable cause) {
        LOG.atInfo()
                .addKeyValue("client", connection.remote())
                .addKeyValue("reason", TlsReason.of(cause))
                .log("a client's TLS handshake failed");
        connection.handshakeFailed();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        boolean network =
                cause instanceof IOException
                        || (cause instanceof DecoderException
                                && cause.getCause() instanceof SSLException);
        if (!network) {
            LOG.atWarn()
                    .addKeyValue("client", connection.remote())
                    .setCause(cause)
                    .log("closing a client's connection after an error of ours");
        }
        connection.close(String.valueOf(cause.getMessage()));
    }
}
