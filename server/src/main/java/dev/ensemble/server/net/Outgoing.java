package dev.ensemble.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.TimeUnit;

/// What one client or member is sent: gathered during a turn of its I/O thread and flushed at the
/// end of it.
///
/// Owned by that thread.
final class Outgoing {
    /// What is gathered goes to the channel in pieces of this size.
    private static final int PIECE_BYTES = 64 << 10;

    /// A client that leaves more than this unread is lost. Its requests are not read long before,
    /// but events come without having been asked for, and reads behind a write are many when it is
    /// done.
    private static final int MAX_UNSENT_BYTES = 64 << 20;

    private static final int LINGER_MILLIS = 200;

    private final Channel channel;
    private @Nullable ByteBuf piece;

    Outgoing(Channel channel) {
        this.channel = channel;
    }

    /// {@return where the next frame is to be written, whole}
    ByteBuf buffer() {
        ByteBuf current = piece;
        if (current != null && current.readableBytes() >= PIECE_BYTES) {
            piece = null;
            var _ = channel.write(current, channel.voidPromise());
            current = null;
        }
        if (current == null) {
            current = channel.alloc().ioBuffer();
            piece = current;
        }
        return current;
    }

    boolean isTooMuch() {
        var buffer = channel.unsafe().outboundBuffer();
        return buffer != null && buffer.totalPendingWriteBytes() > MAX_UNSENT_BYTES;
    }

    void flush() {
        ByteBuf current = piece;
        if (current != null) {
            piece = null;
            var _ = channel.writeAndFlush(current, channel.voidPromise());
        }
    }

    /// Ends the connection behind everything that was written.
    void flushAndClose() {
        flush();
        var _ =
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                        .addListener(ChannelFutureListener.CLOSE);
    }

    /// Ends the connection behind everything that was written, for a client that may still be
    /// sending: closed with bytes unread, the connection would be reset, and the client could lose
    /// answers that it has not read yet. So what comes is dropped until the client has closed too,
    /// or for a moment.
    void flushAndEnd() {
        flush();
        // With TLS the closing alert has the same effect, and only the whole channel can send it.
        if (!(channel instanceof DuplexChannel duplex)
                || channel.pipeline().get(SslHandler.class) != null) {
            flushAndClose();
            return;
        }
        var _ = channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> end(duplex));
    }

    private static void end(DuplexChannel channel) {
        var _ = channel.shutdownOutput();
        Runnable close =
                () -> {
                    var _ = channel.close();
                };
        var _ = channel.eventLoop().schedule(close, LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    void drop() {
        ByteBuf current = piece;
        if (current != null) {
            piece = null;
            current.release();
        }
    }
}
