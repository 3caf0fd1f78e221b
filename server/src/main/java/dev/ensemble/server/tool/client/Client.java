package dev.ensemble.server.tool.client;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.Handshake;
import dev.ensemble.server.wire.MalformedException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// One session with an ensemble. A lost connection is made again, to the next member, with the same
/// session, its authentication and its watches; requests that were in flight fail, since nobody
/// knows what became of them.
///
/// Thread-safe. Two threads of its own read and ping; events are told on the reading one.
public final class Client implements AutoCloseable {
    /// How it stands with the session.
    public enum State {
        CONNECTING,
        CONNECTED,
        CLOSED,
        EXPIRED,
        AUTH_FAILED
    }

    /// Is told of watches that fire, and of changes of the state.
    public interface Listener {
        /// @param type see `WatchEvent.Type`
        void fired(int type, String path, long zxid);

        void changed(State state);
    }

    private static final int AUTH_XID = -4;
    private static final int SET_WATCHES_XID = -8;
    private static final int MAX_FRAME_BYTES = 64 << 20;
    private static final int RETRY_MILLIS = 200;

    private final List<InetSocketAddress> addresses;
    private final Listener listener;
    private final Options options;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final List<Request.Auth> auths = new ArrayList<>();
    private final Watches watches = new Watches();

    private State state = State.CONNECTING;
    private @Nullable Socket socket;
    private @Nullable CompletableFuture<Answer> authAnswer;
    private String problem = "not tried yet";
    private boolean closing;
    private int timeoutMillis;
    private int lastXid;
    private long session;
    private byte[] password = new byte[16];
    private long lastZxid;

    private record Pending(int xid, Request request, CompletableFuture<Answer> answer) {}

    private Client(ConnectString where, int timeoutMillis, Options options, Listener listener) {
        this.options = options;
        this.addresses = new ArrayList<>(where.addresses());
        Collections.shuffle(addresses);
        this.timeoutMillis = timeoutMillis;
        this.listener = listener;
    }

    /// How it connects.
    ///
    /// @param tls null: in plaintext
    /// @param readOnly a member without a quorum will do, if it serves reads
    public record Options(@Nullable TlsDialer tls, boolean readOnly) {
        public static final Options PLAIN = new Options(null, false);
    }

    /// Starts a session in plaintext; does not wait for it, see [#awaitConnected].
    ///
    /// @param timeoutMillis of the session, as asked for
    public static Client start(ConnectString where, int timeoutMillis, Listener listener) {
        return start(where, timeoutMillis, Options.PLAIN, listener);
    }

    /// Starts a session; does not wait for it, see [#awaitConnected].
    ///
    /// @param timeoutMillis of the session, as asked for
    public static Client start(
            ConnectString where, int timeoutMillis, Options options, Listener listener) {
        var client = new Client(where, timeoutMillis, options, listener);
        Thread.ofPlatform().daemon().name("client-read").start(client::readLoop);
        Thread.ofPlatform().daemon().name("client-ping").start(client::pingLoop);
        return client;
    }

    public synchronized State state() {
        return state;
    }

    public synchronized long session() {
        return session;
    }

    /// {@return why it is not connected}
    public synchronized String problem() {
        return problem;
    }

    /// Waits for the connection.
    ///
    /// @throws IOException if it cannot come, or has not come in that time
    public synchronized void awaitConnected(long millis) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (state == State.CONNECTING) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new IOException(problem);
            }
            pause(left);
        }
        if (state != State.CONNECTED) {
            throw new IOException("the session is " + state);
        }
    }

    /// Waits on the monitor, which every change of the state notifies. May return early.
    @SuppressWarnings("WaitNotInLoop") // Every caller looks again at what it waits for.
    private synchronized void pause(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            change(State.CLOSED);
        }
    }

    /// Sends a request on the connection as it is now.
    ///
    /// @return the answer; fails with an [IOException] if the connection goes first
    public synchronized CompletableFuture<Answer> send(Request request) {
        var answer = new CompletableFuture<Answer>();
        if (state != State.CONNECTED) {
            answer.completeExceptionally(new IOException("not connected: " + problem));
            return answer;
        }
        lastXid++;
        pending.add(new Pending(lastXid, request, answer));
        write(lastXid, request);
        return answer;
    }

    /// Sends a request once there is a connection, and waits for its answer.
    public Answer call(Request request) throws IOException {
        awaitConnected(timeoutMillis());
        return await(send(request));
    }

    /// Waits for an answer as long as a session lasts.
    public Answer await(CompletableFuture<Answer> answer) throws IOException {
        try {
            return answer.get(timeoutMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(
                    e.getCause() == null ? e.toString() : e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("no answer in " + timeoutMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /// Adds an identity to the session, on this connection and on those to come.
    ///
    /// @return an answer that is not ok if the server refuses it; the session is then lost to this
    ///   client
    public Answer authenticate(String scheme, byte[] auth) throws IOException {
        var request = new Request.Auth(0, scheme, auth);
        var answer = new CompletableFuture<Answer>();
        awaitConnected(timeoutMillis());
        synchronized (this) {
            authAnswer = answer;
            write(AUTH_XID, request);
        }
        Answer answered = await(answer);
        synchronized (this) {
            if (answered.ok()) {
                auths.add(request);
            } else {
                change(State.AUTH_FAILED);
                disconnect();
            }
        }
        return answered;
    }

    /// Ends the session: its ephemerals are gone when this returns, if there is a connection to say
    /// so on.
    @Override
    public void close() {
        if (state() == State.CONNECTED) {
            try {
                await(sendLast());
            } catch (IOException _) {
                // The session will time out.
            }
        }
        synchronized (this) {
            if (!isOver()) {
                change(State.CLOSED);
            }
            disconnect();
        }
    }

    /// The server closes the connection behind its answer: this is no loss then.
    private synchronized CompletableFuture<Answer> sendLast() {
        closing = true;
        return send(new Request.CloseSession());
    }

    private synchronized int timeoutMillis() {
        return timeoutMillis;
    }

    private synchronized boolean isOver() {
        return state != State.CONNECTING && state != State.CONNECTED;
    }

    private synchronized void change(State next) {
        if (state != next) {
            state = next;
            notifyAll();
            listener.changed(next);
        }
    }

    private synchronized void disconnect() {
        Socket open = socket;
        if (open != null) {
            try {
                open.close();
            } catch (IOException _) {
                // It is of no use any more either way.
            }
        }
    }

    /// A write that fails closes the connection, which the reading thread then finds.
    private synchronized void write(int xid, Request request) {
        ByteBuf frame = Unpooled.buffer(128);
        ClientCodec.writeRequest(frame, xid, request);
        write(frame);
    }

    private synchronized void write(ByteBuf frame) {
        Socket open = socket;
        if (open == null) {
            return;
        }
        try {
            frame.readBytes(open.getOutputStream(), frame.readableBytes());
        } catch (IOException _) {
            disconnect();
        }
    }

    private void readLoop() {
        for (int attempt = 0; !isOver(); attempt++) {
            InetSocketAddress address = addresses.get(attempt % addresses.size());
            try (Socket raw = new Socket();
                    Socket connection = connect(raw, address)) {
                var in = new DataInputStream(connection.getInputStream());
                while (!isOver()) {
                    received(readFrame(in));
                }
            } catch (IOException | MalformedException | IllegalArgumentException e) {
                lost(address, e);
            }
            synchronized (this) {
                if (attempt % addresses.size() == addresses.size() - 1 && !isOver()) {
                    pause(RETRY_MILLIS);
                }
            }
        }
        lost(addresses.getFirst(), new IOException("the session is " + state()));
    }

    /// {@return the socket over which frames go: this one, or TLS on it}
    private Socket connect(Socket raw, InetSocketAddress address) throws IOException {
        ByteBuf hello = Unpooled.buffer(64);
        synchronized (this) {
            Handshake.write(
                    hello,
                    new Handshake.ConnectRequest(
                            lastZxid, timeoutMillis, session, password, options.readOnly(), true));
        }
        int patience = Math.max(1000, timeoutMillis() / addresses.size());
        var resolved = new InetSocketAddress(address.getHostString(), address.getPort());
        if (resolved.isUnresolved()) {
            throw new IOException("unknown host");
        }
        raw.connect(resolved, patience);
        raw.setTcpNoDelay(true);
        raw.setSoTimeout(patience);
        TlsDialer tls = options.tls();
        Socket connection = tls == null ? raw : tls.dial(raw, address.getHostString());
        hello.readBytes(connection.getOutputStream(), hello.readableBytes());
        connected(
                connection,
                Handshake.readResponse(
                        readFrame(new DataInputStream(connection.getInputStream()))));
        return connection;
    }

    private synchronized void connected(Socket connection, Handshake.ConnectResponse response)
            throws IOException {
        if (response.timeoutMillis() <= 0) {
            change(State.EXPIRED);
            throw new IOException("the session has expired");
        }
        timeoutMillis = response.timeoutMillis();
        session = response.session();
        password = response.password();
        socket = connection;
        // Pings go out at every third of the time-out, so there is something to read in two of
        // them.
        connection.setSoTimeout(timeoutMillis * 2 / 3);
        for (Request.Auth auth : auths) {
            write(AUTH_XID, auth);
        }
        if (!watches.isEmpty()) {
            write(SET_WATCHES_XID, watches.request(lastZxid));
        }
        if (!isOver()) {
            change(State.CONNECTED);
        }
    }

    private static ByteBuf readFrame(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > MAX_FRAME_BYTES) {
            throw new IOException("a frame of " + length + " bytes: this is no ZooKeeper server");
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return Unpooled.wrappedBuffer(bytes);
    }

    private void received(ByteBuf frame) throws IOException {
        ClientCodec.ReplyHeader header = ClientCodec.readReplyHeader(frame);
        switch (header.xid()) {
            case ClientCodec.PING_XID, SET_WATCHES_XID -> {}
            case ClientCodec.EVENT_XID -> {
                ClientCodec.Event event = ClientCodec.readEvent(frame);
                synchronized (this) {
                    watches.fired(event.type(), event.path());
                }
                listener.fired(event.type(), event.path(), header.zxid());
            }
            case AUTH_XID -> authAnswered(header);
            default -> answered(header, frame);
        }
    }

    private synchronized void authAnswered(ClientCodec.ReplyHeader header) {
        CompletableFuture<Answer> waiting = authAnswer;
        if (waiting != null) {
            authAnswer = null;
            waiting.complete(new Answer(header.zxid(), header.err(), new Reply.None()));
        } else if (header.err() != Code.OK.number()) {
            change(State.AUTH_FAILED); // On a new connection, which refuses what an earlier one
            // accepted.
        }
    }

    private synchronized void answered(ClientCodec.ReplyHeader header, ByteBuf body)
            throws IOException {
        Pending first = pending.poll();
        if (first == null || first.xid() != header.xid()) {
            throw new IOException("an answer to request " + header.xid() + " out of its turn");
        }
        lastZxid = Math.max(lastZxid, header.zxid());
        Reply reply =
                header.err() == Code.OK.number()
                        ? ClientCodec.readReply(first.request(), body)
                        : new Reply.None();
        var answer = new Answer(header.zxid(), header.err(), reply);
        watches.answered(first.request(), answer);
        first.answer().complete(answer);
    }

    private synchronized void lost(InetSocketAddress address, Exception e) {
        problem =
                "cannot reach "
                        + address.getHostString()
                        + ":"
                        + address.getPort()
                        + ": "
                        + (e.getMessage() == null ? "the connection was closed" : e.getMessage());
        socket = null;
        var failure = new IOException("connection lost: " + problem, e);
        CompletableFuture<Answer> waiting = authAnswer;
        authAnswer = null;
        if (waiting != null) {
            waiting.completeExceptionally(failure);
        }
        while (!pending.isEmpty()) {
            pending.remove().answer().completeExceptionally(failure);
        }
        if (!isOver()) {
            change(closing ? State.CLOSED : State.CONNECTING);
        }
    }

    private synchronized void pingLoop() {
        while (!isOver()) {
            pause(Math.max(1, timeoutMillis / 3));
            if (state == State.CONNECTED) {
                write(ClientCodec.PING_XID, new Request.Ping());
            }
        }
    }
}
