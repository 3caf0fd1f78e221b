package dev.ensemble.server.net;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.ensemble.server.proto.PeerProto.Frame;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;

import java.util.List;

/// Cuts what a member sends into frames. The length is checked before anything is allocated for it.
///
/// Owned by the link thread.
final class FrameDecoder extends ByteToMessageDecoder {
    /// The limit for a stranger.
    static final int HELLO_BYTES = 64 << 10;

    private int maxBytes = HELLO_BYTES;

    /// Raises the limit, once it is known who is there.
    void trust(int maxFrameBytes) {
        maxBytes = maxFrameBytes;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
            throws InvalidProtocolBufferException {
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int length = in.getInt(in.readerIndex());
        if (length < 0 || length > maxBytes) {
            throw new IllegalArgumentException(
                    "a frame of " + length + " bytes, where 0 to " + maxBytes + " are valid");
        }
        if (in.readableBytes() < Integer.BYTES + length) {
            return;
        }
        in.skipBytes(Integer.BYTES);
        out.add(Frame.parseFrom(in.nioBuffer(in.readerIndex(), length)));
        in.skipBytes(length);
    }
}
