package dev.ensemble.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;

import org.jspecify.annotations.Nullable;

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

    void drop() {
        ByteBuf current = piece;
        if (current != null) {
            piece = null;
            current.release();
        }
    }
}
