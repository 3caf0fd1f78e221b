package dev.ensemble.server.net;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.WatchEvent;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.ClientCodec.RequestHeader;
import dev.ensemble.server.wire.Handshake;
import dev.ensemble.server.wire.MalformedException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// One connection of a client: its handshake, and its requests in their order.
///
/// A read is answered at once if nothing of this connection is in flight, else in its turn; a write
/// goes to the peer thread at once and is answered when it is applied, so a pipeline of writes is
/// in flight as a whole. Behind a sync, writes wait for it: a read between the two must not see
/// them.
///
/// Owned by its I/O thread, see [ClientLoop].
final class ClientConnection {
    /// More requests of one connection than this, or more bytes, and it is not read.
    private static final int MAX_IN_FLIGHT = 1000;

    private static final int MAX_IN_FLIGHT_BYTES = 4 << 20;

    /// What has been answered goes to the channel in pieces of this size.
    private static final int PIECE_BYTES = 64 << 10;

    private static final SecureRandom RANDOM = new SecureRandom();

    private enum Phase {
        /// Nothing, or not yet all of the first frame.
        NEW,
        /// A four-letter word is being answered.
        COMMAND,
        /// The handshake is with the peer thread.
        CONNECTING,
        OPEN,
        /// The last answer is on its way.
        LAST,
        CLOSED
    }

    /// A request that is not answered yet.
    private static final class Pending {
        final long number;
        final int xid;
        final Request request;
        final List<Id> identities;
        final int bytes;
        final long sinceNanos;
        long zxid;
        @Nullable Reply reply;

        Pending(
                long number,
                int xid,
                Request request,
                List<Id> identities,
                int bytes,
                long sinceNanos) {
            this.number = number;
            this.xid = xid;
            this.request = request;
            this.identities = identities;
            this.bytes = bytes;
            this.sinceNanos = sinceNanos;
        }
    }

    private final long id;
    private final Channel channel;
    private final ClientLoop loop;
    private final ClientFrames frames;
    private final InetSocketAddress remote;
    private final Id address;

    private Phase phase = Phase.NEW;
    private boolean isKnown;

    /// The end of the session was asked for: nothing behind that is read.
    private boolean finishing;

    private boolean isDirty;
    private boolean isTouched;
    private @Nullable ByteBuf out;

    private List<Id> identities;
    private long session;
    private long attach;
    private int timeoutMillis;
    private boolean knowsReadOnly;
    private Handshake.@Nullable ConnectRequest early;

    /// In the order in which they are answered; those of them that the peer thread must still get.
    private final ArrayDeque<Pending> queue = new ArrayDeque<>();

    private final ArrayDeque<Pending> unsent = new ArrayDeque<>();
    private int bytesInFlight;
    private int syncsInFlight;
    private long requests;

    /// Writes and syncs that the peer thread has and that are not answered.
    private int inFlight;

    private long heardNanos;

    /// Since when it has been in this phase, unless that is [Phase#OPEN].
    private long phaseNanos;

    private long blockedNanos;
    private boolean isBlocked;

    private final ConnectionCounts counts;

    ClientConnection(long id, Channel channel, ClientLoop loop) {
        this.id = id;
        this.channel = channel;
        this.loop = loop;
        this.frames = new ClientFrames(this, loop.settings().maxFrameBytes());
        this.remote = (InetSocketAddress) channel.remoteAddress();
        this.address = Schemes.remote(remote.getAddress());
        this.identities = List.of(address);
        this.heardNanos = loop.readClock();
        this.phaseNanos = heardNanos;
        this.counts = new ConnectionCounts(loop.wallMillis());
    }

    ClientFrames frames() {
        return frames;
    }

    long id() {
        return id;
    }

    /// {@return its session, 0 if it has none}
    long session() {
        return session;
    }

    InetSocketAddress remote() {
        return remote;
    }

    InetAddress address() {
        return remote.getAddress();
    }

    /// {@return whether nothing more is answered}
    boolean isOver() {
        return phase == Phase.LAST || phase == Phase.CLOSED;
    }

    /// {@return whether whatever comes is dropped}
    boolean isDeaf() {
        return isOver() || phase == Phase.COMMAND;
    }

    /// {@return whether the peer thread has heard of it}
    boolean isKnown() {
        return isKnown;
    }

    List<Id> identities() {
        return identities;
    }

    // What the channel tells.

    void opened() {
        loop.opened(this);
    }

    void heard() {
        heardNanos = loop.readClock();
    }

    void closed() {
        phase = Phase.CLOSED;
        ByteBuf rest = out;
        if (rest != null) {
            out = null;
            rest.release();
        }
        loop.released(queue.size(), bytesInFlight);
        queue.clear();
        unsent.clear();
        loop.closed(this);
    }

    void writabilityChanged() {
        loop.dirty(this);
    }

    /// {@return whether the next frame may come}
    boolean isReading() {
        return switch (phase) {
            case NEW -> !loop.isDraining();
            case OPEN ->
                    !finishing
                            && !loop.isDraining()
                            && queue.size() < MAX_IN_FLIGHT
                            && bytesInFlight < MAX_IN_FLIGHT_BYTES
                            && channel.isWritable()
                            && (queue.isEmpty() || !loop.isFull());
            case COMMAND, CONNECTING, LAST, CLOSED -> false;
        };
    }

    /// {@return whether the first four bytes are a word that is answered here, and no length}
    boolean command(int word) {
        if (phase != Phase.NEW) {
            return false;
        }
        FourLetterWords.Word known = FourLetterWords.Word.of(word);
        if (known == null) {
            return false;
        }
        phase = Phase.COMMAND;
        counts.received();
        loop.traffic().received();
        loop.answer(known, this);
        return true;
    }

    /// The answer to a four-letter word.
    void tell(String text) {
        if (phase == Phase.COMMAND) {
            out().writeCharSequence(text, StandardCharsets.UTF_8);
            closeAfterFlush();
        }
    }

    void frame(ByteBuf in) {
        counts.received();
        loop.traffic().received();
        try {
            if (phase == Phase.NEW) {
                connect(Handshake.readRequest(in));
            } else {
                request(in);
            }
        } catch (MalformedException e) {
            close(String.valueOf(e.getMessage()));
        }
    }

    // The handshake.

    private void connect(Handshake.ConnectRequest request) {
        if (!loop.isServing()) {
            close("this member does not serve");
        } else if (request.lastZxidSeen() <= loop.tree().zxid()) {
            submit(request);
        } else if (request.lastZxidSeen() <= loop.newestZxid()) {
            // Only this thread is behind: it waits for itself.
            phase = Phase.CONNECTING;
            early = request;
            loop.waitToConnect(this);
        } else {
            close("the client has seen more than this member");
        }
    }

    /// This thread has moved on.
    ///
    /// @return whether the handshake no longer waits for it
    boolean connectAgain() {
        Handshake.ConnectRequest request = early;
        if (request == null || phase != Phase.CONNECTING) {
            return true;
        }
        if (request.lastZxidSeen() > loop.tree().zxid()) {
            return false;
        }
        early = null;
        submit(request);
        return true;
    }

    private void submit(Handshake.ConnectRequest request) {
        phase = Phase.CONNECTING;
        isKnown = true;
        knowsReadOnly = request.hasReadOnly();
        byte[] password = request.password();
        if (request.session() == 0) {
            password = new byte[Session.PASSWORD_BYTES];
            RANDOM.nextBytes(password);
        }
        ClientSettings settings = loop.settings();
        int timeout =
                Math.clamp(
                        request.timeoutMillis(),
                        settings.minSessionTimeoutMillis(),
                        settings.maxSessionTimeoutMillis());
        loop.submit(new Input.Connect(id, request.session(), timeout, password));
        loop.dirty(this);
    }

    /// The session is this connection's.
    void attached(Session now) {
        if (phase != Phase.CONNECTING) {
            return;
        }
        phase = Phase.OPEN;
        session = now.id();
        attach = now.attach();
        timeoutMillis = now.timeoutMillis();
        respond(new Handshake.ConnectResponse(timeoutMillis, session, now.password(), false));
        heardNanos = loop.nowNanos();
    }

    /// There is no such session, or the password is wrong: nobody is told which.
    void refused() {
        if (phase == Phase.CONNECTING) {
            respond(Handshake.ConnectResponse.REFUSED);
            closeAfterFlush();
        }
    }

    private void respond(Handshake.ConnectResponse response) {
        Handshake.write(out(), response, knowsReadOnly);
        sent();
    }

    // Requests.

    private void request(ByteBuf in) {
        int bytes = in.readableBytes();
        RequestHeader header = ClientCodec.readRequestHeader(in);
        counts.request(header.xid(), header.type());
        if (!isTouched) {
            isTouched = true;
            loop.touched(this);
        }
        switch (ClientCodec.decode(header.type(), in)) {
            case Request.Auth auth -> authenticate(header.xid(), auth);
            case Request.Sasl _ ->
                    // No mechanism is set up, which the original tells by an empty answer.
                    reply(header.xid(), 0, new Request.Sasl(null), new Reply.Token(null));
            case Request.Unknown _ -> {
                fail(header.xid(), -1, Code.UNIMPLEMENTED);
                closeAfterFlush();
            }
            case Request.Read read -> read(header.xid(), read, bytes);
            case Request.Sync sync -> send(enqueue(header.xid(), sync, bytes));
            case Request.Write write -> {
                finishing = write instanceof Request.CloseSession;
                send(enqueue(header.xid(), write, bytes));
            }
        }
    }

    private void authenticate(int xid, Request.Auth auth) {
        List<Id> proved = loop.schemes().authenticate(auth.scheme(), auth.auth(), address);
        if (proved.isEmpty()) {
            fail(xid, 0, Code.AUTH_FAILED);
            closeAfterFlush();
            return;
        }
        // A list of its own: requests that came before keep the one they came with.
        var all = new ArrayList<>(identities);
        proved.stream().filter(each -> !all.contains(each)).forEach(all::add);
        identities = List.copyOf(all);
        reply(xid, 0, auth, new Reply.None());
    }

    private void read(int xid, Request.Read read, int bytes) {
        boolean now = loop.isServing() || read instanceof Request.Ping;
        if (queue.isEmpty() && now) {
            answer(xid, read, identities);
            loop.traffic().answered(0);
            counts.answered(0, loop.wallMillis());
        } else {
            enqueue(xid, read, bytes);
        }
    }

    private void answer(int xid, Request.Read read, List<Id> as) {
        Reply reply = loop.read(this, read, as);
        int shown = read instanceof Request.Ping ? ClientCodec.PING_XID : xid;
        reply(shown, loop.tree().zxid(), read, reply);
    }

    private Pending enqueue(int xid, Request request, int bytes) {
        var pending = new Pending(++requests, xid, request, identities, bytes, heardNanos);
        queue.addLast(pending);
        bytesInFlight += bytes;
        loop.occupied(bytes);
        return pending;
    }

    private void send(Pending pending) {
        unsent.addLast(pending);
        send();
        loop.dirty(this);
    }

    private void send() {
        for (Pending next = unsent.peekFirst();
                next != null && loop.isServing();
                next = unsent.peekFirst()) {
            if (next.request instanceof Request.Write write) {
                if (syncsInFlight > 0) {
                    return;
                }
                inFlight++;
                loop.submit(
                        new Input.Write(id, next.number, session, attach, write, next.identities));
            } else {
                inFlight++;
                syncsInFlight++;
                loop.submit(new Input.Sync(id, next.number));
            }
            unsent.removeFirst();
        }
    }

    // What comes back.

    /// A write of this connection is applied.
    void written(long number, Applied applied) {
        Pending pending = pending(number);
        if (pending == null || !(pending.request instanceof Request.Write write)) {
            close("an answer to a request that was not made");
            return;
        }
        if (applied.result().equals(new Result.Failed(Code.SESSION_MOVED))) {
            close("the session has moved");
            return;
        }
        pending.reply = Answers.of(write, applied.result());
        pending.zxid = applied.zxid();
        drain();
    }

    void synced(long number) {
        Pending pending = pending(number);
        if (pending != null && pending.request instanceof Request.Sync(var path)) {
            syncsInFlight--;
            pending.reply = new Reply.Path(path);
            drain();
            send();
        }
    }

    private @Nullable Pending pending(long number) {
        for (Pending each : queue) {
            if (each.number == number) {
                return each;
            }
        }
        return null;
    }

    /// Answers from the front of the queue whatever is done or can be read, up to the first that is
    /// in flight. While this member does not serve, only reads in front of a write in flight are
    /// answered: they must not see that write.
    private void drain() {
        for (Pending head = queue.peekFirst();
                head != null && !isOver();
                head = queue.peekFirst()) {
            if (head.request instanceof Request.Read read) {
                if (!loop.isServing() && inFlight == 0) {
                    break;
                }
                answer(head.xid, read, head.identities);
            } else if (head.reply != null) {
                long zxid = Math.max(head.zxid, loop.tree().zxid());
                reply(head.xid, zxid, head.request, head.reply);
                if (head.request instanceof Request.CloseSession) {
                    closeAfterFlush();
                }
            } else {
                break;
            }
            done(head);
        }
        loop.dirty(this);
    }

    private void done(Pending head) {
        queue.removeFirst();
        inFlight -= head.reply == null ? 0 : 1;
        bytesInFlight -= head.bytes;
        loop.released(1, head.bytes);
        long took = loop.nowNanos() - head.sinceNanos;
        loop.traffic().answered(took);
        counts.answered(took, loop.wallMillis());
    }

    /// This member serves again: what waited goes on.
    void resume() {
        if (phase == Phase.OPEN) {
            drain();
            send();
        }
    }

    // Output.

    /// A watch of this connection has fired.
    ///
    /// @param zxid of the transaction, or -1 for what setWatches finds
    void tell(long zxid, WatchEvent.Type type, String path) {
        if (isOver()) {
            return;
        }
        ClientCodec.writeEvent(out(), zxid, type, path);
        sent();
    }

    private void reply(int xid, long zxid, Request request, Reply reply) {
        ClientCodec.writeReply(out(), xid, zxid, request, reply);
        counts.replied(zxid);
        sent();
    }

    private void fail(int xid, long zxid, Code code) {
        ClientCodec.writeHeader(out(), xid, zxid, code);
        sent();
    }

    private ByteBuf out() {
        ByteBuf current = out;
        if (current != null && current.readableBytes() >= PIECE_BYTES) {
            out = null;
            var _ = channel.write(current, channel.voidPromise());
            current = null;
        }
        if (current == null) {
            current = channel.alloc().ioBuffer();
            out = current;
        }
        loop.dirty(this);
        return current;
    }

    private void sent() {
        counts.sent();
        loop.traffic().sent();
    }

    /// {@return whether it was not marked before}
    boolean markDirty() {
        boolean before = isDirty;
        isDirty = true;
        return !before;
    }

    /// The end of a turn: what was written goes out, and reading stops or goes on.
    void settle() {
        isDirty = false;
        ByteBuf current = out;
        if (current != null) {
            out = null;
            var _ = channel.writeAndFlush(current, channel.voidPromise());
        }
        if (phase == Phase.LAST) {
            // Behind everything that was written before it.
            var _ = channel.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER)
                    .addListener(ChannelFutureListener.CLOSE);
        } else if (phase != Phase.CLOSED) {
            settleReading();
        }
    }

    private void settleReading() {
        if (loop.isDraining() && queue.isEmpty() && phase != Phase.COMMAND) {
            closeAfterFlush();
            return;
        }
        boolean read = isReading() || isDeaf();
        if (read != channel.config().isAutoRead()) {
            channel.config().setAutoRead(read);
        }
        boolean blocked = !channel.isWritable();
        if (blocked && !isBlocked) {
            blockedNanos = loop.nowNanos();
        }
        isBlocked = blocked;
        if (read) {
            frames.cut();
        } else if (phase == Phase.OPEN && loop.isFull()) {
            loop.waitForRoom(this);
        }
    }

    // The end.

    /// Nothing more is read; what was written is sent, then the connection ends.
    void closeAfterFlush() {
        if (!isOver()) {
            phase = Phase.LAST;
            phaseNanos = loop.nowNanos();
            loop.dirty(this);
        }
    }

    /// Ends the connection now; the session lives on.
    void close(String reason) {
        if (phase != Phase.CLOSED) {
            loop.closing(this, reason);
            phase = Phase.CLOSED;
            var _ = channel.close();
        }
    }

    /// Looks at the clock.
    void tick(long nowNanos, long notServingSinceNanos) {
        if (phase != Phase.OPEN) {
            int limit = loop.settings().handshakeTimeoutMillis();
            if (isOlder(phaseNanos, nowNanos, limit)) {
                close("no session within " + limit + " ms");
            }
        } else if (isBlocked && isOlder(blockedNanos, nowNanos, timeoutMillis)) {
            close("the client does not read what it is sent");
        } else if (channel.config().isAutoRead() && isOlder(heardNanos, nowNanos, timeoutMillis)) {
            close("nothing was heard for " + timeoutMillis + " ms");
        } else if (!loop.isServing() && isOlder(notServingSinceNanos, nowNanos, timeoutMillis)) {
            close("this member has not served for " + timeoutMillis + " ms");
        }
    }

    private static boolean isOlder(long thenNanos, long nowNanos, int millis) {
        return nowNanos - thenNanos > millis * 1_000_000L;
    }

    /// The process stood still: nobody could be heard.
    void forgive(long nanos) {
        heardNanos += nanos;
        phaseNanos += nanos;
        blockedNanos += nanos;
    }

    /// {@return the session, if it was heard from since the last time}
    long takeTouch() {
        isTouched = false;
        return session;
    }

    void resetCounts() {
        counts.reset();
    }

    /// {@return its line of `stat`, or with `all` that of `cons`}
    String line(boolean all) {
        int reading = phase != Phase.COMMAND && channel.config().isAutoRead() ? 1 : 0;
        int writing = isBlocked ? 4 : 0;
        String start =
                " "
                        + remote
                        + "["
                        + Integer.toHexString(reading | writing)
                        + "](queued="
                        + queue.size();
        return start + counts.text(all && phase == Phase.OPEN, session, timeoutMillis) + ")";
    }
}
