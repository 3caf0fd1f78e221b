package dev.ensemble.server.net;

import com.google.protobuf.CodedOutputStream;

import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.zab.Message;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;

/// The frame that was encoded last: what a leader sends to several members at once is encoded once.
///
/// Owned by the link thread.
final class FrameBytes {
    private static final int USUAL_BYTES = 64 << 10;

    private final LinkCodec codec;
    private byte[] bytes = new byte[USUAL_BYTES];
    private int length;
    private @Nullable Message message;
    private long incarnation;
    private long epoch;

    FrameBytes(LinkCodec codec) {
        this.codec = codec;
    }

    /// Encodes a message, unless it is the one that was encoded last.
    @SuppressWarnings("ReferenceEquality") // To look into both would cost what this saves.
    void encode(long ownIncarnation, long ofEpoch, Message next) {
        if (next == message && ofEpoch == epoch && ownIncarnation == incarnation) {
            return;
        }
        Frame frame = codec.encode(ownIncarnation, ofEpoch, next);
        length = frame.getSerializedSize();
        if (length > bytes.length) {
            bytes = new byte[length];
        }
        CodedOutputStream target = CodedOutputStream.newInstance(bytes, 0, length);
        try {
            frame.writeTo(target);
        } catch (IOException e) {
            throw new UncheckedIOException("an array failed", e);
        }
        target.checkNoSpaceLeft();
        message = next;
        incarnation = ownIncarnation;
        epoch = ofEpoch;
    }

    /// Writes the frame with its length in front.
    void writeTo(ByteBuf out) {
        out.writeInt(length).writeBytes(bytes, 0, length);
    }

    /// Lets go of what nobody needs between two turns.
    void forget() {
        message = null;
        if (bytes.length > USUAL_BYTES) {
            bytes = new byte[USUAL_BYTES]; // A giant came by.
        }
    }
}
