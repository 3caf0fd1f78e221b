package dev.ensemble.server.node;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.Handshake;
import dev.ensemble.server.wire.MalformedException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;

/// Writes to one member without a pause, one write at a time, and knows how long it had to wait.
///
/// Speaks ZooKeeper's protocol itself, since the stock client waits for up to a second before it
/// connects again: what is measured is the servers. A lost connection is made again at once, with a
/// new session, and that a session has been made counts as a write, which it is.
///
/// Its thread writes, others ask.
final class Prober implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 30_000;
    private static final long RETRY_NANOS = 1_000_000;
    private static final byte[] DATA = new byte[100];

    private final int port;
    private final String path;
    private final Thread thread = Thread.ofPlatform().daemon().unstarted(this::run);
    private volatile boolean stopped;

    // Under the lock.
    private long acknowledged;
    private long failed;
    private long lastNanos;
    private long sinceNanos = Long.MAX_VALUE;
    private long silence;
    private long longest;
    private long ended;

    Prober(int port, String path) {
        this.port = port;
        this.path = path;
        thread.start();
    }

    /// What has been so since [#begin].
    ///
    /// @param silence the longest time in which no write was acknowledged, nanoseconds
    /// @param longest the longest time that a write took
    /// @param failed connections that ended, and answers that were errors
    /// @param ended when the first connection ended, as [System#nanoTime]; 0 if none did
    record Seen(long acknowledged, long silence, long longest, long failed, long ended) {}

    synchronized void begin(long nowNanos) {
        sinceNanos = nowNanos;
        acknowledged = 0;
        failed = 0;
        silence = 0;
        longest = 0;
        ended = 0;
    }

    synchronized Seen seen() {
        return new Seen(acknowledged, silence, longest, failed, ended);
    }

    private synchronized void acknowledged(long sentNanos) {
        long now = System.nanoTime();
        if (now >= sinceNanos) {
            silence = Math.max(silence, now - Math.max(lastNanos, sinceNanos));
            longest = Math.max(longest, now - sentNanos);
        }
        lastNanos = now;
        acknowledged++;
    }

    private synchronized void failed() {
        failed++;
        if (ended == 0 && System.nanoTime() >= sinceNanos) {
            ended = System.nanoTime();
        }
    }

    private void run() {
        while (!stopped) {
            try (Socket socket = new Socket()) {
                socket.connect(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        TIMEOUT_MILLIS);
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(TIMEOUT_MILLIS);
                write(socket);
            } catch (IOException | MalformedException _) {
                failed();
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private void write(Socket socket) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        ByteBuf hello = Unpooled.buffer(64);
        Handshake.write(
                hello,
                new Handshake.ConnectRequest(0, TIMEOUT_MILLIS, 0, new byte[16], false, true));
        long sent = System.nanoTime();
        send(socket, hello);
        if (Handshake.readResponse(frame(in)).timeoutMillis() <= 0) {
            throw new IOException("no session");
        }
        acknowledged(sent);
        int xid = 1;
        call(
                socket,
                in,
                xid,
                new Request.Create(Request.CreateOp.CREATE, path, DATA, Acl.OPEN, 0, 0));
        while (!stopped) {
            sent = System.nanoTime();
            if (call(socket, in, ++xid, new Request.SetData(path, DATA, -1)) == Code.OK.number()) {
                acknowledged(sent);
            } else {
                failed();
            }
        }
    }

    /// {@return the error code}
    private static int call(Socket socket, DataInputStream in, int xid, Request request)
            throws IOException {
        ByteBuf frame = Unpooled.buffer(256);
        ClientCodec.writeRequest(frame, xid, request);
        send(socket, frame);
        ClientCodec.ReplyHeader header = ClientCodec.readReplyHeader(frame(in));
        if (header.xid() != xid) {
            throw new IOException("an answer to " + header.xid() + " instead of " + xid);
        }
        return header.err();
    }

    private static void send(Socket socket, ByteBuf frame) throws IOException {
        frame.readBytes(socket.getOutputStream(), frame.readableBytes());
    }

    private static ByteBuf frame(DataInputStream in) throws IOException {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        return Unpooled.wrappedBuffer(frame);
    }

    /// Once its connection has nothing in flight, or is gone.
    @Override
    public void close() {
        stopped = true;
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
