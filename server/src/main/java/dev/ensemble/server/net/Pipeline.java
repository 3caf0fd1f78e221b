package dev.ensemble.server.net;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.tree.Applied;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.List;

/// The requests of one connection that are not answered yet, in their order.
///
/// Writes go to the peer thread as they come, so a pipeline of them is in flight as a whole, but
/// behind a sync or a linearizable read they wait for it: a read between the two must not see them.
/// Owned by the connection's I/O thread.
final class Pipeline {
    /// More requests than this, or more bytes, and the connection is not read.
    private static final int MAX_REQUESTS = 1000;

    private static final int MAX_BYTES = 4 << 20;

    private static final class Pending {
        final long number;
        final int xid;
        final Request request;
        final List<Id> identities;
        final int bytes;
        final long sinceNanos;

        /// What this member has shown to anybody when the request came: a read must see it.
        final long seenZxid;

        @Nullable Reply reply;
        boolean isSent;

        /// Whether this read must see all that anybody had been told of when it came.
        final boolean isLinearizable;

        /// Once sent, the round that such a read waits for.
        long round;

        Pending(
                long number,
                int xid,
                Request request,
                List<Id> identities,
                int bytes,
                long sinceNanos,
                long seenZxid,
                boolean isLinearizable) {
            this.number = number;
            this.xid = xid;
            this.request = request;
            this.identities = identities;
            this.bytes = bytes;
            this.sinceNanos = sinceNanos;
            this.seenZxid = seenZxid;
            this.isLinearizable = isLinearizable;
        }
    }

    private final ClientConnection connection;
    private final ClientLoop loop;

    /// In the order in which they are answered.
    private final ArrayDeque<Pending> queue = new ArrayDeque<>();

    /// Those of them that the peer thread must still get.
    private final ArrayDeque<Pending> unsent = new ArrayDeque<>();

    private long requests;
    private int bytes;

    /// Writes and syncs that the peer thread has and that are not answered; syncs that it has not
    /// done.
    private int inFlight;

    /// And linearizable reads that are not answered.
    private int syncsInFlight;

    Pipeline(ClientConnection connection, ClientLoop loop) {
        this.connection = connection;
        this.loop = loop;
    }

    int size() {
        return queue.size();
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    boolean hasRoom() {
        return queue.size() < MAX_REQUESTS
                && bytes < MAX_BYTES
                && (queue.isEmpty() || !loop.isFull());
    }

    /// @param identities as of now: what is proved later holds for later requests
    void add(int xid, Request request, List<Id> identities, int size) {
        Pending pending = queue(xid, request, identities, size);
        if (pending.isLinearizable) {
            awaitCurrent(pending);
            unsent.addLast(pending);
            send();
        } else if (request instanceof Request.Read) {
            awaitCurrent(pending);
        } else {
            unsent.addLast(pending);
            send();
        }
    }

    private Pending queue(int xid, Request request, List<Id> identities, int size) {
        var pending =
                new Pending(
                        ++requests,
                        xid,
                        request,
                        identities,
                        size,
                        loop.nowNanos(),
                        loop.newestZxid(),
                        connection.isLinearizable(request));
        queue.addLast(pending);
        bytes += size;
        loop.occupied(size);
        loop.hold(size);
        return pending;
    }

    /// A request that goes no further, and is told so in its turn.
    void refuse(int xid, Request request, Code code, int size) {
        queue(xid, request, List.of(), size).reply = new Reply.Failed(code);
        drain();
    }

    private void send() {
        while (!unsent.isEmpty() && loop.isAnswering()) {
            Pending next = unsent.getFirst();
            if (next.request instanceof Request.Write write) {
                if (syncsInFlight > 0) {
                    return;
                }
                loop.submit(connection.input(next.number, write, next.identities));
                inFlight++;
            } else if (next.isLinearizable) {
                syncsInFlight++;
                next.round = loop.awaitRound(connection);
            } else {
                syncsInFlight++;
                loop.submit(new Input.Sync(connection.id(), next.number));
                inFlight++;
            }
            next.isSent = true;
            unsent.removeFirst();
        }
    }

    /// A write is applied.
    void written(long number, Applied applied) {
        Pending pending = pending(number);
        if (pending == null || !(pending.request instanceof Request.Write write)) {
            connection.close("an answer to a request that was not made");
        } else if (applied.result().equals(new Result.Failed(Code.SESSION_MOVED))) {
            connection.close("the session has moved");
        } else {
            pending.reply = Answers.of(write, applied.result());
            Audit audit = loop.settings().audit();
            if (audit != null) {
                audit.written(connection.audited(pending.identities), write, applied.result());
            }
            drain();
            send();
        }
    }

    /// The session has ended without a transaction.
    void ended(long number) {
        Pending pending = pending(number);
        if (pending != null && pending.request instanceof Request.CloseSession) {
            pending.reply = new Reply.None();
            drain();
        }
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

    /// This member serves again, or this thread has moved on: what waited goes on.
    void resume() {
        drain();
        send();
    }

    /// Refuses what has waited for too long to begin: nobody may wait for it any more.
    void refuseLate() {
        int limit = loop.settings().limits().throttledOpMillis();
        if (limit == 0) {
            return;
        }
        for (Pending pending : queue) {
            boolean mayBe =
                    !pending.isSent
                            && pending.reply == null
                            && !(pending.request instanceof Request.Ping)
                            && !(pending.request instanceof Request.CloseSession);
            if (mayBe && loop.nowNanos() - pending.sinceNanos > limit * 1_000_000L) {
                pending.reply = new Reply.Failed(Code.THROTTLED_OP);
                unsent.remove(pending);
            }
        }
    }

    /// Answers from the front whatever is done or can be read, up to the first that must wait.
    private void drain() {
        for (Pending head = queue.peekFirst();
                head != null && !connection.isOver();
                head = queue.peekFirst()) {
            if (head.reply == null && head.request instanceof Request.Read read) {
                if (!mayRead(head)) {
                    awaitCurrent(head);
                    return;
                }
                connection.answer(head.xid, read, head.identities);
                syncsInFlight -= head.isLinearizable ? 1 : 0;
            } else if (head.reply != null) {
                inFlight -= head.isSent ? 1 : 0;
                connection.reply(head.xid, loop.tree().zxid(), head.request, head.reply);
            } else {
                return;
            }
            queue.removeFirst();
            bytes -= head.bytes;
            loop.letGo(head.bytes);
            loop.released(1, head.bytes);
            connection.answered(
                    loop.nowNanos() - head.sinceNanos, head.request instanceof Request.Write);
            if (head.request instanceof Request.CloseSession) {
                connection.closeAfterFlush();
            }
        }
    }

    /// A read waits while this thread is behind what another has shown, and while this member does
    /// not serve; but not for that if a write of the same connection is in flight, which must not
    /// be answered before it.
    private boolean mayRead(Pending head) {
        return (inFlight > 0 || loop.isAnswering())
                && loop.tree().zxid() >= head.seenZxid
                && (!head.isLinearizable || (head.isSent && loop.isConfirmed(head.round)));
    }

    private void awaitCurrent(Pending read) {
        if (loop.tree().zxid() < read.seenZxid) {
            loop.waitToRead(connection, read.seenZxid);
        }
    }

    /// The connection is gone.
    void drop() {
        loop.released(queue.size(), bytes);
        queue.forEach(pending -> loop.letGo(pending.bytes));
        queue.clear();
        unsent.clear();
        bytes = 0;
    }
}
