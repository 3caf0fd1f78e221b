package dev.ensemble.server.wire;

import dev.ensemble.server.model.Session;

import io.netty.buffer.ByteBuf;

/// The first frame of each direction, which have no header (`client-protocol` section 3).
public final class Handshake {
    private Handshake() {}

    /// @param timeoutMillis as asked for
    /// @param session 0 for a new one
    /// @param password as sent; empty also for null
    /// @param hasReadOnly whether the client knows of read-only servers: clients up to 3.3 do not
    ///   send the flag, and are not sent it
    public record ConnectRequest(
            long lastZxidSeen,
            int timeoutMillis,
            long session,
            byte[] password,
            boolean readOnly,
            boolean hasReadOnly) {}

    /// @param timeoutMillis as negotiated; 0 if the session is not valid, like `session`
    /// @param password 16 bytes
    public record ConnectResponse(
            int timeoutMillis, long session, byte[] password, boolean readOnly) {
        /// The session that was asked for does not exist, or the password is wrong.
        public static final ConnectResponse REFUSED =
                new ConnectResponse(0, 0, new byte[Session.PASSWORD_BYTES], false);
    }

    /// @param in the frame without its length
    /// @throws MalformedException if it is none
    public static ConnectRequest readRequest(ByteBuf in) {
        Jute.readInt(in); // The protocol version, which the original ignores.
        long lastZxidSeen = Jute.readLong(in);
        int timeoutMillis = Jute.readInt(in);
        long session = Jute.readLong(in);
        byte[] password = Jute.readBuffer(in);
        boolean hasReadOnly = in.isReadable();
        return new ConnectRequest(
                lastZxidSeen,
                timeoutMillis,
                session,
                password == null ? new byte[0] : password,
                hasReadOnly && Jute.readBoolean(in),
                hasReadOnly);
    }

    /// Writes a whole frame.
    public static void write(ByteBuf out, ConnectRequest request) {
        int start = ClientCodec.begin(out);
        out.writeInt(0);
        out.writeLong(request.lastZxidSeen());
        out.writeInt(request.timeoutMillis());
        out.writeLong(request.session());
        Jute.writeBuffer(out, request.password());
        if (request.hasReadOnly()) {
            out.writeBoolean(request.readOnly());
        }
        ClientCodec.end(out, start);
    }

    /// @param in the frame without its length
    /// @throws MalformedException if it is none
    public static ConnectResponse readResponse(ByteBuf in) {
        Jute.readInt(in);
        int timeoutMillis = Jute.readInt(in);
        long session = Jute.readLong(in);
        byte[] password = Jute.readBuffer(in);
        return new ConnectResponse(
                timeoutMillis,
                session,
                password == null ? new byte[0] : password,
                in.isReadable() && Jute.readBoolean(in));
    }

    /// Writes a whole frame.
    ///
    /// @param hasReadOnly whether the request had the flag
    public static void write(ByteBuf out, ConnectResponse response, boolean hasReadOnly) {
        int start = ClientCodec.begin(out);
        out.writeInt(0);
        out.writeInt(response.timeoutMillis());
        out.writeLong(response.session());
        Jute.writeBuffer(out, response.password());
        if (hasReadOnly) {
            out.writeBoolean(response.readOnly());
        }
        ClientCodec.end(out, start);
    }
}
