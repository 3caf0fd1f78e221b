package dev.ensemble.server.net;

import com.google.protobuf.CodedOutputStream;

import dev.ensemble.server.proto.PeerProto.Frame;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;

import java.io.IOException;

/// Writes frames with their length in front.
final class FrameEncoder extends MessageToByteEncoder<Frame> {
    FrameEncoder() {
        super(Frame.class);
    }

    @Override
    protected ByteBuf allocateBuffer(
            ChannelHandlerContext context, Frame frame, boolean preferDirect) {
        return context.alloc().ioBuffer(Integer.BYTES + frame.getSerializedSize());
    }

    @Override
    protected void encode(ChannelHandlerContext context, Frame frame, ByteBuf out)
            throws IOException {
        int length = frame.getSerializedSize();
        out.writeInt(length);
        var target = CodedOutputStream.newInstance(out.nioBuffer(out.writerIndex(), length));
        frame.writeTo(target);
        target.flush();
        out.writerIndex(out.writerIndex() + length);
    }
}
