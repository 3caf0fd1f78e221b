package dev.ensemble.server.differential;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// One program against one server.
final class Run implements AutoCloseable {
    private static final int EVENT_XID = -1;
    private static final int PING_XID = -2;
    private static final int OK = 0;
    private static final int BAD_ARGUMENTS = -8;
    private static final int API_ERROR = -100;
    private static final Op PING = new Op("ping", Op.PING, new Bytes());

    private static final class Client {
        final int number;
        Connection connection;
        long session;
        byte[] password = new byte[16];
        long seen;
        boolean readOnlyByte = true;
        int xid;

        Client(int number) {
            this.number = number;
        }
    }

    private final int port;
    private final Trace trace = new Trace();
    private final List<Client> clients = new ArrayList<>();

    private Run(int port) {
        this.port = port;
        for (int i = 0; i < Program.CLIENTS; i++) {
            clients.add(new Client(i));
        }
    }

    /// {@return what the clients saw}
    static List<String> of(Program program, int port) throws IOException {
        try (var run = new Run(port)) {
            try {
                for (Step step : program.steps()) {
                    run.trace.line("-- " + step);
                    run.step(step);
                }
                for (Client client : run.clients) {
                    run.trace.line("-- end of client " + client.number);
                    run.drain(client);
                }
            } catch (Connection.SilentException _) {
                run.trace.line("SILENCE");
            }
            return run.trace.lines();
        }
    }

    private void step(Step step) throws IOException {
        Client client = clients.get(step.client());
        switch (step) {
            case Step.Connect(_, int timeout, boolean readOnlyByte) -> {
                drop(client);
                client.session = 0;
                client.password = new byte[16];
                client.seen = 0;
                client.readOnlyByte = readOnlyByte;
                connect(client, timeout, List.of());
            }
            case Step.Reconnect(_, boolean takeover, int timeout, List<Op> behind) -> {
                if (client.session == 0) {
                    return;
                }
                drain(client);
                Connection old = client.connection;
                if (!takeover) {
                    drop(client);
                }
                connect(client, timeout, behind);
                if (takeover && old != null) {
                    awaitEnd(client, old);
                    old.close();
                }
            }
            case Step.Guess _ -> {
                drop(client);
                if (client.session != 0) {
                    byte[] right = client.password;
                    client.password = new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6};
                    connect(client, 10_000, List.of());
                    client.password = right;
                }
            }
            case Step.Drop _ -> drop(client);
            case Step.Burst(_, List<Op> ops) -> {
                for (List<Op> part : parts(ops)) {
                    if (isAnsweredAtOnce(part.getFirst())) {
                        drain(client); // Of other clients' changes it is not said how soon.
                    }
                    if (client.connection != null) {
                        send(client, new byte[0], part);
                        answers(client, part);
                    }
                }
            }
        }
    }

    /// What is sent at once. Auth and sasl packets and unknown ones are answered at once, whatever
    /// else is not answered yet: where their answers are among the others is not defined, so they
    /// are sent alone. Nothing is sent behind a setACL: what the original decides while that is
    /// under way, it decides by the old list.
    private static List<List<Op>> parts(List<Op> ops) {
        List<List<Op>> parts = new ArrayList<>();
        boolean mayAdd = false;
        for (Op op : ops) {
            boolean alone = isAnsweredAtOnce(op);
            if (alone || !mayAdd) {
                parts.add(new ArrayList<>());
            }
            parts.getLast().add(op);
            mayAdd = !alone && op.type() != Op.SET_ACL;
        }
        return parts;
    }

    private static boolean isAnsweredAtOnce(Op op) {
        return switch (op.type()) {
            case Op.AUTH, Op.SASL -> true;
            case Op.CLOSE -> false;
            default -> op.ends();
        };
    }

    private void connect(Client client, int timeout, List<Op> behind) throws IOException {
        client.connection = new Connection(port);
        byte[] handshake =
                Connection.handshake(
                        client.seen, timeout, client.session, client.password, client.readOnlyByte);
        send(client, handshake, behind);
        ByteBuffer in = client.connection.receive();
        if (in == null) {
            trace.line("closed");
            lose(client);
            return;
        }
        boolean hasReadOnly = in.remaining() == 37;
        int version = in.getInt();
        int granted = in.getInt();
        long session = in.getLong();
        byte[] password = new byte[in.getInt()];
        in.get(password);
        String readOnly = hasReadOnly ? " read-only " + in.get() : "";
        boolean good = session != 0;
        trace.session(session);
        trace.line(
                String.format(
                        "connected %d %d %s password of %d%s",
                        version,
                        granted,
                        trace.owner(session),
                        password.length,
                        good ? readOnly : readOnly + HexFormat.of().formatHex(password)));
        if (!good) {
            awaitEnd(client, client.connection);
            lose(client);
            return;
        }
        if (client.session != 0 && session != client.session) {
            trace.line("ANOTHER SESSION");
        }
        client.session = session;
        client.password = password;
        answers(client, behind);
    }

    private void send(Client client, byte[] first, List<Op> ops) {
        byte[][] frames = new byte[ops.size() + 1][];
        frames[0] = first;
        for (int i = 0; i < ops.size(); i++) {
            frames[i + 1] = ops.get(i).frame(++client.xid, client.seen);
        }
        try {
            client.connection.send(frames);
        } catch (IOException _) {
            // It has been closed, which is seen as soon as an answer is expected.
        }
    }

    private void answers(Client client, List<Op> ops) throws IOException {
        int first = client.xid - ops.size() + 1;
        for (int i = 0; i < ops.size(); i++) {
            if (!answer(client, first + i, ops.get(i))) {
                return;
            }
        }
        if (!ops.isEmpty() && ops.getLast().ends()) {
            awaitEnd(client, client.connection);
            lose(client);
        }
    }

    /// {@return whether there is a connection afterwards}
    private boolean answer(Client client, int xid, Op op) throws IOException {
        while (true) {
            ByteBuffer in = client.connection.receive();
            if (in == null) {
                trace.line("closed instead of an answer to " + op);
                lose(client);
                return false;
            }
            int got = in.getInt();
            long zxid = in.getLong();
            int err = in.getInt();
            client.seen = Math.max(client.seen, zxid);
            if (got == EVENT_XID && xid != EVENT_XID) {
                trace.line("event at " + trace.zxid(zxid) + ": " + Answers.event(trace, in));
                continue;
            }
            // Behind an error there may be half an answer, which clients do not look at.
            String body = err == OK ? Answers.text(trace, op.type(), in) : "";
            String who =
                    got == xid || (op.type() == Op.PING && got == PING_XID) ? "" : " XID " + got;
            boolean ordered = err == OK || err == BAD_ARGUMENTS || err <= API_ERROR;
            String at =
                    op.isWrite() && ordered && !Exceptions.concern(op)
                            ? trace.zxid(zxid)
                            : Trace.atLeast(zxid);
            if (op.type() == Op.CLOSE && err == OK) {
                trace.closing(zxid);
            }
            trace.line("answer" + who + " at " + at + ": " + err + " " + body + "  <- " + op);
            return true;
        }
    }

    /// Until the server ends the connection; what it still says is part of what is seen.
    private void awaitEnd(Client client, Connection connection) {
        while (true) {
            ByteBuffer in;
            try {
                in = connection.receive();
            } catch (Connection.SilentException _) {
                trace.line("NOT CLOSED");
                return;
            }
            if (in == null) {
                trace.line("closed");
                return;
            }
            int xid = in.getInt();
            long zxid = in.getLong();
            int err = in.getInt();
            client.seen = Math.max(client.seen, zxid);
            trace.line(
                    xid == EVENT_XID
                            ? "event at " + trace.zxid(zxid) + ": " + Answers.event(trace, in)
                            : "still told " + xid + " " + err);
        }
    }

    /// Reads all that the server has for this client.
    private void drain(Client client) throws IOException {
        if (client.connection != null) {
            send(client, new byte[0], List.of(PING));
            answer(client, client.xid, PING);
        }
    }

    private void drop(Client client) throws IOException {
        drain(client);
        lose(client);
    }

    private static void lose(Client client) throws IOException {
        if (client.connection != null) {
            client.connection.close();
            client.connection = null;
        }
    }

    @Override
    public void close() throws IOException {
        for (Client client : clients) {
            lose(client);
        }
    }
}
