package dev.ensemble.server.net;

import dev.ensemble.server.auth.Proof;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.WatchEvent;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.ClientCodec.RequestHeader;
import dev.ensemble.server.wire.Handshake;
import dev.ensemble.server.wire.MalformedException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;

import javax.net.ssl.SSLSession;

/// One connection of a client: its handshake, who it is, and its requests.
///
/// A read is answered at once if nothing of this connection is in flight, else in its turn, see
/// [Pipeline]. Owned by its I/O thread, see [ClientLoop].
final class ClientConnection {
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

    private final long id;
    private final Channel channel;
    private final ClientLoop loop;
    private final ClientFrames frames;
    private final Pipeline pipeline;
    private final Outgoing outgoing;
    private final ConnectionCounts counts;
    private final InetSocketAddress remote;
    private final Credentials credentials;

    private Phase phase = Phase.NEW;
    private boolean isKnown;
    private boolean isDirty;
    private boolean isTouched;

    /// The end of the session was asked for: nothing behind that is read.
    private boolean finishing;

    /// When it was answered last, in a drain.
    private long answeredNanos;

    /// It has had an answer since the drain should come to its end.
    private boolean answeredLate;

    /// All is said, and only the client's end of it is awaited.
    private boolean ending;

    private long session;
    private long attach;
    private int timeoutMillis;
    private boolean knowsReadOnly;

    /// Its reads see all that anybody was told of before they came.
    private boolean linearizable;

    private Handshake.@Nullable ConnectRequest early;

    private long heardNanos;

    /// Since when it has been in this phase, unless that is [Phase#OPEN].
    private long phaseNanos;

    private boolean isBlocked;
    private long blockedNanos;

    ClientConnection(long id, Channel channel, InetSocketAddress remote, ClientLoop loop) {
        this.id = id;
        this.channel = channel;
        this.loop = loop;
        this.remote = remote;
        this.frames = new ClientFrames(this, loop.settings().maxFrameBytes());
        this.pipeline = new Pipeline(this, loop);
        this.outgoing = new Outgoing(channel);
        this.credentials = new Credentials(loop.schemes(), remote);
        this.linearizable = loop.settings().linearizableReads();
        this.heardNanos = loop.readClock();
        this.phaseNanos = heardNanos;
        this.answeredNanos = heardNanos;
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

    List<Id> identities() {
        return credentials.identities();
    }

    /// {@return who asks, for the audit log}
    Audit.Client audited(List<Id> as) {
        return new Audit.Client(session(), as, address().getHostAddress());
    }

    void handshakeFailed() {
        loop.traffic().count(ClientCounter.UNSUCCESSFUL_HANDSHAKE, 1);
        close("the TLS handshake failed");
    }

    /// {@return whether its bytes are encrypted}
    boolean isSecure() {
        return credentials.isSecure();
    }

    InetSocketAddress remote() {
        return remote;
    }

    InetAddress address() {
        return remote.getAddress();
    }

    /// {@return whether the peer thread has heard of it}
    boolean isKnown() {
        return isKnown;
    }

    /// {@return whether nothing more is answered}
    boolean isOver() {
        return phase == Phase.LAST || phase == Phase.CLOSED;
    }

    /// {@return whether whatever comes is dropped}
    boolean isDeaf() {
        return isOver() || phase == Phase.COMMAND;
    }

    // What the channel tells.

    void opened() {
        loop.opened(this);
    }

    void heard() {
        heardNanos = loop.readClock();
    }

    void writabilityChanged() {
        loop.dirty(this);
    }

    void closed() {
        phase = Phase.CLOSED;
        outgoing.drop();
        pipeline.drop();
        loop.closed(this);
    }

    /// {@return whether the next frame may come}
    boolean isReading() {
        return switch (phase) {
            case NEW -> !loop.isDraining();
            case OPEN -> !finishing && !mayEnd() && channel.isWritable() && pipeline.hasRoom();
            case COMMAND, CONNECTING, LAST, CLOSED -> false;
        };
    }

    /// {@return whether this is the moment to end it, in a drain, as soon as nothing is in flight}
    ///
    /// Whoever is silent for a while has nothing on its way. A client that never pauses loses what
    /// it sends when it gets its last answer, at the latest moment: there is no better one.
    private boolean mayEnd() {
        return loop.isDraining()
                && (phase != Phase.OPEN
                        || answeredLate
                        || loop.isSilent(Math.max(heardNanos, answeredNanos)));
    }

    /// Looks whether it can be ended.
    void drain() {
        if (mayEnd()) {
            loop.dirty(this);
        }
    }

    /// Takes a four-letter word, once all that belongs to it is here.
    ///
    /// @param in at least four bytes
    /// @return whether the first four bytes are a word that is answered here, and no length
    boolean command(ByteBuf in) {
        FourLetterWords.Word word =
                phase == Phase.NEW ? FourLetterWords.Word.of(in.getInt(in.readerIndex())) : null;
        if (word == null) {
            return false;
        }
        int more = loop.allows(word) ? word.argumentBytes() : 0;
        if (in.readableBytes() >= Integer.BYTES + more) {
            in.skipBytes(Integer.BYTES);
            long argument = more == 0 ? 0 : in.readLong();
            phase = Phase.COMMAND;
            // `echo stat | nc` and ZooKeeper's own tool end their side at once, and read on.
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            received();
            loop.answer(word, argument, this);
        }
        return true;
    }

    /// The answer to a four-letter word.
    void tell(String text) {
        if (phase == Phase.COMMAND) {
            out().writeCharSequence(text, StandardCharsets.UTF_8);
            if (!text.isEmpty()) {
                loop.traffic().sent();
            }
            closeAfterFlush();
        }
    }

    void frame(ByteBuf in) {
        received();
        loop.traffic().count(ClientCounter.BYTES_RECEIVED_COUNT, 4L + in.readableBytes());
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

    private void received() {
        counts.received();
        loop.traffic().received();
    }

    // The handshake.

    private void connect(Handshake.ConnectRequest request) {
        loop.traffic().count(ClientCounter.CONNECTION_REQUEST_COUNT, 1);
        if (request.session() != 0) {
            loop.traffic().count(ClientCounter.CONNECTION_REVALIDATE_COUNT, 1);
        }
        if (!loop.admits(request.session() != 0)) {
            loop.traffic().count(ClientCounter.CONNECTION_REJECTED, 1);
            close("too many clients connect at once");
        } else if (!loop.isAnswering()) {
            loop.traffic().count(ClientCounter.CNXN_CLOSED_WITHOUT_ZK_SERVER_RUNNING, 1);
            close("this member does not serve");
        } else if (loop.isReadOnly() && !request.readOnly()) {
            close("this member has no leader, and the client does not only read");
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
        timeoutMillis =
                Math.clamp(
                        request.timeoutMillis(),
                        settings.minSessionTimeoutMillis(),
                        settings.maxSessionTimeoutMillis());
        loop.submit(new Input.Connect(id, request.session(), timeoutMillis, password));
        loop.dirty(this);
    }

    /// The session is this connection's.
    ///
    /// @return whether the connection is still there to have it
    boolean attached(Session now) {
        if (phase != Phase.CONNECTING) {
            return false;
        }
        phase = Phase.OPEN;
        session = now.id();
        attach = now.attach();
        timeoutMillis = now.timeoutMillis();
        heardNanos = loop.nowNanos();
        respond(
                new Handshake.ConnectResponse(
                        timeoutMillis, session, now.password(), loop.isReadOnly()));
        return true;
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
        int xid = header.xid();
        counts.request(xid, header.type());
        if (!isTouched) {
            isTouched = true;
            loop.touched(this);
        }
        if (!loop.mayHold(bytes)) {
            close("the large requests in flight are too large together");
            return;
        }
        switch (ClientCodec.decode(header.type(), in)) {
            case Request.Auth auth -> authenticate(xid, auth);
            case Request.Sasl sasl -> sasl(xid, sasl);
            case Request _ when credentials.areTooLittle() -> {
                fail(xid, 0, Code.SESSION_CLOSED_REQUIRE_SASL_AUTH);
                closeAfterFlush();
            }
            case Request.Unknown _ -> {
                fail(xid, -1, Code.UNIMPLEMENTED);
                closeAfterFlush();
            }
            case Request.Read read when loop.isReadOnly() && isLinearizable(read) ->
                    pipeline.refuse(xid, read, Code.NOT_READ_ONLY, bytes);
            case Request.Read read -> read(xid, read, bytes);
            case Request.Sync sync -> {
                if (loop.isReadOnly()) {
                    pipeline.refuse(xid, sync, Code.NOT_READ_ONLY, bytes);
                } else {
                    pipeline.add(xid, sync, identities(), bytes);
                }
            }
            case Request.Write write when isRefused(write) ->
                    pipeline.refuse(xid, write, Code.NOT_READ_ONLY, bytes);
            case Request.Write write -> {
                finishing = write instanceof Request.CloseSession;
                pipeline.add(xid, write, identities(), bytes);
            }
        }
        loop.dirty(this);
    }

    /// {@return whether this is a read that must wait for a round of the quorum}
    boolean isLinearizable(Request request) {
        return linearizable
                && switch (request) {
                    case Request.Exists _,
                            Request.GetData _,
                            Request.GetAcl _,
                            Request.GetChildren _,
                            Request.GetAllChildrenNumber _,
                            Request.GetEphemerals _,
                            Request.MultiRead _ ->
                            true;
                    // What says nothing of the tree; and a watch tells of what comes behind it,
                    // wherever that is.
                    default -> false;
                };
    }

    private boolean isRefused(Request.Write write) {
        return loop.isReadOnly() && !(write instanceof Request.CloseSession);
    }

    private void authenticate(int xid, Request.Auth auth) {
        switch (credentials.authenticate(auth)) {
            case Proof.Proved _ -> reply(xid, 0, auth, new Reply.None());
            case Proof.Linearizable _ -> {
                linearizable = true;
                reply(xid, 0, auth, new Reply.None());
            }
            case Proof.Refused _ -> {
                loop.traffic().count(ClientCounter.AUTH_FAILED_COUNT, 1);
                fail(xid, 0, Code.AUTH_FAILED);
                closeAfterFlush();
            }
            case Proof.Misled(String reason) -> close(reason);
        }
    }

    private void sasl(int xid, Request.Sasl sasl) {
        if (credentials.sasl(sasl.token())) {
            reply(xid, 0, sasl, new Reply.Token(credentials.saslAnswer()));
            return;
        }
        boolean required = credentials.isSaslRequired();
        Code code = required ? Code.SESSION_CLOSED_REQUIRE_SASL_AUTH : Code.AUTH_FAILED;
        ClientCodec.writeFailedSasl(out(), xid, code);
        sent();
        closeAfterFlush();
    }

    /// TLS is spoken from here on.
    void secured(SSLSession tls) {
        if (!credentials.secured(tls)) {
            close("the certificate does not say who the client is");
        }
    }

    private void read(int xid, Request.Read read, int bytes) {
        boolean now = loop.isAnswering() ? loop.isCurrent() : read instanceof Request.Ping;
        if (pipeline.isEmpty() && now && !isLinearizable(read)) {
            answer(xid, read, identities());
            answered(0, false);
        } else {
            pipeline.add(xid, read, identities(), bytes);
        }
    }

    /// @param as the identities that the request came with
    void answer(int xid, Request.Read read, List<Id> as) {
        Reply reply = loop.read(this, read, as);
        int shown = read instanceof Request.Ping ? ClientCodec.PING_XID : xid;
        reply(shown, loop.tree().zxid(), read, reply);
    }

    void answered(long nanos, boolean update) {
        loop.traffic().answered(nanos, update);
        counts.answered(nanos, loop.wallMillis());
    }

    Input input(long number, Request.Write write, List<Id> as) {
        return new Input.Write(id, number, session, attach, write, as);
    }

    // What comes back.

    void written(long number, Applied applied) {
        pipeline.written(number, applied);
        loop.dirty(this);
    }

    /// Its session, which only this member knew, has ended as asked.
    void ended(long number) {
        pipeline.ended(number);
        loop.dirty(this);
    }

    void synced(long number) {
        pipeline.synced(number);
        loop.dirty(this);
    }

    /// This member serves again: what waited goes on, unless it waited for too long.
    void servedAgain() {
        pipeline.refuseLate();
        resume();
    }

    /// This member serves again, or this thread has moved on.
    void resume() {
        if (phase == Phase.OPEN && !pipeline.isEmpty()) {
            pipeline.resume();
            loop.dirty(this);
        }
    }

    // Output.

    /// A watch of this connection has fired.
    ///
    /// @param zxid of the transaction, or -1 for what setWatches finds
    void tell(long zxid, WatchEvent.Type type, String path) {
        if (!isOver()) {
            ByteBuf out = out();
            int before = out.writerIndex();
            ClientCodec.writeEvent(out, zxid, type, path);
            loop.traffic().count(ClientCounter.WATCH_BYTES, out.writerIndex() - before);
            sent();
        }
    }

    void reply(int xid, long zxid, Request request, Reply reply) {
        ByteBuf out = out();
        int before = out.writerIndex();
        ClientCodec.writeReply(out, xid, zxid, request, reply);
        loop.traffic().responded(out.writerIndex() - before);
        counts.replied(zxid);
        if (loop.isDraining()) {
            answeredNanos = loop.nowNanos();
            answeredLate |= loop.isDrainLate();
        }
        sent();
    }

    private void fail(int xid, long zxid, Code code) {
        ClientCodec.writeHeader(out(), xid, zxid, code);
        sent();
    }

    private ByteBuf out() {
        loop.dirty(this);
        return outgoing.buffer();
    }

    private void sent() {
        counts.sent();
        loop.traffic().sent();
        if (outgoing.isTooMuch()) {
            close("the client reads too little of what it is sent");
        }
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
        if (ending) {
            return;
        }
        boolean drained = mayEnd() && pipeline.isEmpty() && phase != Phase.COMMAND && !isOver();
        if (drained) {
            phase = Phase.LAST;
            phaseNanos = loop.nowNanos();
            ending = true;
            settleReading();
            outgoing.flushAndEnd();
            return;
        }
        if (phase == Phase.LAST) {
            outgoing.flushAndClose();
        } else if (phase != Phase.CLOSED) {
            outgoing.flush();
            settleReading();
        }
    }

    private void settleReading() {
        boolean wanted = isReading();
        boolean read = wanted || isDeaf();
        if (read != channel.config().isAutoRead()) {
            channel.config().setAutoRead(read);
        }
        boolean blocked = !channel.isWritable();
        if (blocked && !isBlocked) {
            blockedNanos = loop.nowNanos();
        }
        isBlocked = blocked;
        if (wanted) {
            frames.cut();
        } else if (loop.isFull() && phase == Phase.OPEN) {
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
            outgoing.flush();
            var _ = channel.close();
        }
    }

    /// Looks at the clock.
    void tick(long nowNanos, long notServingSinceNanos) {
        if (phase != Phase.OPEN) {
            int limit = loop.settings().handshakeTimeoutMillis();
            if (isOlder(phaseNanos, nowNanos, limit)) {
                loop.traffic().count(ClientCounter.SESSIONLESS_CONNECTIONS_EXPIRED, 1);
                close("no session within " + limit + " ms");
            } else if (phase == Phase.CONNECTING
                    && !loop.isAnswering()
                    && isOlder(phaseNanos, nowNanos, timeoutMillis / 3)
                    && isOlder(notServingSinceNanos, nowNanos, timeoutMillis / 3)) {
                // A change of leader takes less; another member may have one all the time.
                close("this member does not serve any more");
            }
        } else if (isBlocked && isOlder(blockedNanos, nowNanos, timeoutMillis)) {
            close("the client does not read what it is sent");
        } else if (channel.config().isAutoRead() && isOlder(heardNanos, nowNanos, timeoutMillis)) {
            close("nothing was heard for " + timeoutMillis + " ms");
        } else if (!loop.isAnswering() && isOlder(notServingSinceNanos, nowNanos, timeoutMillis)) {
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

    /// {@return the session, which was heard from since the last time}
    long takeTouch() {
        isTouched = false;
        return session;
    }

    void resetCounts() {
        counts.reset();
    }

    ConnectionFacts facts() {
        int reading = phase != Phase.COMMAND && channel.config().isAutoRead() ? 1 : 0;
        int interest = isBlocked ? reading | 4 : reading;
        return counts.facts(
                remote,
                isSecure(),
                interest,
                pipeline.size(),
                phase == Phase.OPEN ? session : 0,
                timeoutMillis);
    }

    /// {@return when it is closed if nothing more is heard, monotonic}
    long deadlineNanos() {
        return phase == Phase.OPEN
                ? heardNanos + timeoutMillis * 1_000_000L
                : phaseNanos + loop.settings().handshakeTimeoutMillis() * 1_000_000L;
    }
}
