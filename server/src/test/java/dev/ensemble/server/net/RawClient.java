package dev.ensemble.server.net;

import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.ClientCodec.ReplyHeader;
import dev.ensemble.server.wire.Handshake;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// A client that sends what it is told to, byte for byte.
public final class RawClient implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;

    public RawClient(InetSocketAddress server) throws IOException {
        socket = new Socket(server.getAddress(), server.getPort());
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
    }

    public void send(String hex) throws IOException {
        send(HexFormat.of().parseHex(hex));
    }

    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /// Says that nothing more will be sent.
    public void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    public void send(int xid, Request request) throws IOException {
        send(frame(xid, request));
    }

    public static byte[] frame(int xid, Request request) {
        ByteBuf out = Unpooled.buffer();
        ClientCodec.writeRequest(out, xid, request);
        return ByteBufUtil.getBytes(out);
    }

    public static byte[] frames(Request... requests) {
        ByteBuf out = Unpooled.buffer();
        for (int i = 0; i < requests.length; i++) {
            ClientCodec.writeRequest(out, i + 1, requests[i]);
        }
        return ByteBufUtil.getBytes(out);
    }

    /// {@return the next frame, its length in front}
    public String receive() throws IOException {
        byte[] body = new byte[in.readInt()];
        in.readFully(body);
        return String.format("%08x", body.length) + HexFormat.of().formatHex(body);
    }

    public ByteBuf receiveBody() throws IOException {
        byte[] body = new byte[in.readInt()];
        in.readFully(body);
        return Unpooled.wrappedBuffer(body);
    }

    public Handshake.ConnectResponse connect() throws IOException {
        return connect(0, new byte[16], 10_000);
    }

    public Handshake.ConnectResponse connect(long session, byte[] password, int timeoutMillis)
            throws IOException {
        sendConnect(0, session, password, timeoutMillis);
        return Handshake.readResponse(receiveBody());
    }

    public void sendConnect(long lastZxidSeen, long session, byte[] password, int timeoutMillis)
            throws IOException {
        ByteBuf out = Unpooled.buffer();
        var request =
                new Handshake.ConnectRequest(
                        lastZxidSeen, timeoutMillis, session, password, false, true);
        Handshake.write(out, request);
        send(ByteBufUtil.getBytes(out));
    }

    /// {@return the header of the next frame, whose body is thrown away}
    public ReplyHeader header() throws IOException {
        return ClientCodec.readReplyHeader(receiveBody());
    }

    public ReplyHeader ask(int xid, Request request) throws IOException {
        send(xid, request);
        return header();
    }

    /// {@return the answer to `request`, which must be the next frame and good}
    public Reply reply(Request request) throws IOException {
        ByteBuf body = receiveBody();
        ReplyHeader header = ClientCodec.readReplyHeader(body);
        if (header.err() != 0) {
            throw new IllegalStateException("error " + header.err() + " answers " + request);
        }
        return ClientCodec.readReply(request, body);
    }

    public ClientCodec.Event event() throws IOException {
        ByteBuf body = receiveBody();
        ReplyHeader header = ClientCodec.readReplyHeader(body);
        if (header.xid() != ClientCodec.EVENT_XID) {
            throw new IllegalStateException("no event but " + header);
        }
        return ClientCodec.readEvent(body);
    }

    /// {@return whether the server ends the connection without another byte}
    public boolean isClosedByServer() throws IOException {
        try {
            return in.read() < 0;
        } catch (EOFException | SocketException _) {
            return true;
        }
    }

    /// {@return everything until the server ends the connection}
    public String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
