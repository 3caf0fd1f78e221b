package dev.ensemble.server.wire;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.WatchEvent;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/// Requests, replies and watch events as frames of the client protocol, both ways: a server reads
/// the one and writes the others, the command line does the reverse, and members forward requests
/// in the same bytes.
public final class ClientCodec {
    /// The xid of a watch event.
    public static final int EVENT_XID = -1;

    /// The xid of the reply to a ping, whatever the client's was.
    public static final int PING_XID = -2;

    /// What watch events carry as the state of the session: it is connected.
    private static final int SYNC_CONNECTED = 3;

    private ClientCodec() {}

    /// In front of each request.
    public record RequestHeader(int xid, int type) {}

    /// In front of each reply and event.
    ///
    /// @param err number of a [Code], perhaps of one that this build does not know
    public record ReplyHeader(int xid, long zxid, int err) {}

    /// What a watch tells.
    ///
    /// @param type see [WatchEvent.Type#number()]
    public record Event(int type, int state, String path) {}

    // Requests.

    /// @throws MalformedException if the frame has no room for it
    public static RequestHeader readRequestHeader(ByteBuf in) {
        return new RequestHeader(Jute.readInt(in), Jute.readInt(in));
    }

    /// {@return what the body of a frame asks for}
    ///
    /// A body that cannot be read is a request too, since it is answered in its turn. Bytes behind
    /// the end of a body are ignored.
    ///
    /// @throws MalformedException for an auth or sasl packet that cannot be read: such a connection
    ///   is closed
    public static Request decode(int type, ByteBuf body) {
        return RequestReader.read(type, body);
    }

    /// {@return what [#encode] made these bytes of}
    public static Request decode(int type, byte[] body) {
        return decode(type, Unpooled.wrappedBuffer(body));
    }

    /// {@return the body alone; the type is [#type(Request)]}
    ///
    /// A malformed request has an empty one, which is malformed for every opcode that can be.
    public static byte[] encode(Request request) {
        ByteBuf out = Unpooled.buffer(64);
        RequestWriter.write(out, request);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    /// {@return the opcode}
    public static int type(Request request) {
        return RequestWriter.type(request);
    }

    /// Writes a whole frame.
    public static void writeRequest(ByteBuf out, int xid, Request request) {
        int start = begin(out);
        out.writeInt(xid);
        out.writeInt(type(request));
        RequestWriter.write(out, request);
        end(out, start);
    }

    // Replies.

    /// Writes a whole frame.
    ///
    /// @param request that is answered: the parts of a multi are told by it
    public static void writeReply(ByteBuf out, int xid, long zxid, Request request, Reply reply) {
        if (reply instanceof Reply.Failed(Code code)) {
            writeHeader(out, xid, zxid, code);
            return;
        }
        int start = begin(out);
        out.writeInt(xid);
        out.writeLong(zxid);
        out.writeInt(Code.OK.number());
        Replies.write(out, request, reply);
        end(out, start);
    }

    /// Writes the frame of a reply without a body.
    public static void writeHeader(ByteBuf out, int xid, long zxid, Code code) {
        out.writeInt(Integer.BYTES + Long.BYTES + Integer.BYTES);
        out.writeInt(xid);
        out.writeLong(zxid);
        out.writeInt(code.number());
    }

    /// Writes the frame of a reply to a sasl packet that failed: the one with a body all the same.
    public static void writeFailedSasl(ByteBuf out, int xid, Code code) {
        int start = begin(out);
        out.writeInt(xid);
        out.writeLong(0);
        out.writeInt(code.number());
        Jute.writeBuffer(out, null);
        end(out, start);
    }

    /// @throws MalformedException if the frame has no room for it
    public static ReplyHeader readReplyHeader(ByteBuf in) {
        return new ReplyHeader(Jute.readInt(in), Jute.readLong(in), Jute.readInt(in));
    }

    /// {@return the body of a reply whose header says that all went well}
    ///
    /// @throws MalformedException if it is not one of an answer to `request`
    public static Reply readReply(Request request, ByteBuf body) {
        return Replies.read(request, body);
    }

    // Events.

    /// Writes a whole frame.
    ///
    /// @param zxid of the transaction, or -1 for what setWatches finds
    public static void writeEvent(ByteBuf out, long zxid, WatchEvent.Type type, String path) {
        int start = begin(out);
        out.writeInt(EVENT_XID);
        out.writeLong(zxid);
        out.writeInt(Code.OK.number());
        out.writeInt(type.number());
        out.writeInt(SYNC_CONNECTED);
        Jute.writeString(out, path);
        end(out, start);
    }

    /// @param body behind the header
    /// @throws MalformedException if it is none
    public static Event readEvent(ByteBuf body) {
        return new Event(Jute.readInt(body), Jute.readInt(body), Jute.readPresentString(body));
    }

    /// Begins a frame whose length is not known yet.
    static int begin(ByteBuf out) {
        int start = out.writerIndex();
        out.writeInt(0);
        return start;
    }

    static void end(ByteBuf out, int start) {
        out.setInt(start, out.writerIndex() - start - Integer.BYTES);
    }
}
