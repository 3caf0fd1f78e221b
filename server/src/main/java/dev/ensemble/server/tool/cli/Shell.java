package dev.ensemble.server.tool.cli;

import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.WatchEvent;
import dev.ensemble.server.tool.client.Answer;
import dev.ensemble.server.tool.client.Client;
import dev.ensemble.server.tool.client.ConnectString;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Runs one line after the other against one session. What a command gives goes to `out`, all else
/// to `err`, as in `zkCli.sh`; the exit codes are for scripts.
public final class Shell implements AutoCloseable {
    public static final int OK = 0;
    public static final int REFUSED = 1;
    public static final int WRONG_USAGE = 2;
    public static final int NOT_CONNECTED = 3;

    /// As `Date` prints, which is what scripts know.
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE MMM dd HH:mm:ss zzz yyyy", Locale.US);

    private final PrintStream out;
    private final PrintStream err;
    private final int timeoutMillis;
    private final boolean showState;
    private final Client.Options options;
    private final List<String> history = new ArrayList<>();

    private String where;
    private ConnectString connect;
    private @Nullable Client client;
    private volatile boolean printWatches = true;
    private boolean quit;

    /// @param where connect string
    /// @param timeoutMillis of the session, and for connecting
    /// @param showState changes of the connection are shown too, not only watches
    /// @throws IllegalArgumentException if the connect string is malformed
    public Shell(
            String where, int timeoutMillis, boolean showState, PrintStream out, PrintStream err) {
        this(where, timeoutMillis, showState, Client.Options.PLAIN, out, err);
    }

    /// @param options how it connects, otherwise as above
    public Shell(
            String where,
            int timeoutMillis,
            boolean showState,
            Client.Options options,
            PrintStream out,
            PrintStream err) {
        this.options = options;
        this.where = where;
        this.connect = ConnectString.parse(where);
        this.timeoutMillis = timeoutMillis;
        this.showState = showState;
        this.out = out;
        this.err = err;
    }

    /// Connects and waits for it.
    ///
    /// @return [#OK] or [#NOT_CONNECTED]
    public int connect() {
        close();
        Client started = Client.start(connect, timeoutMillis, options, new Printer());
        client = started;
        try {
            started.awaitConnected(timeoutMillis);
            return OK;
        } catch (IOException e) {
            err.println(e.getMessage());
            return NOT_CONNECTED;
        }
    }

    void connect(String elsewhere) throws WrongUsage, IOException {
        try {
            connect = ConnectString.parse(elsewhere);
        } catch (IllegalArgumentException e) {
            throw new WrongUsage(e.getMessage() == null ? elsewhere : e.getMessage());
        }
        where = elsewhere;
        if (connect() != OK) {
            throw new IOException("not connected to " + where);
        }
    }

    /// Ends the session.
    @Override
    public void close() {
        if (client != null) {
            client.close();
        }
    }

    public boolean isQuit() {
        return quit;
    }

    void quit() {
        quit = true;
    }

    /// {@return what stands in front of the next line}
    public String prompt() {
        Client.State state = client == null ? Client.State.CLOSED : client.state();
        return "[zk: " + where + "(" + state + ") " + history.size() + "] ";
    }

    /// Runs a line.
    ///
    /// @return an exit code
    public int run(String line) {
        List<String> words = Arguments.split(line);
        if (words.isEmpty()) {
            return OK;
        }
        history.add(line.strip());
        return run(words);
    }

    /// Runs a command.
    ///
    /// @param words its name, then its arguments; at least one
    /// @return an exit code
    public int run(List<String> words) {
        CliCommand command = Commands.BY_NAME.get(words.getFirst());
        if (command == null) {
            err.println("Command not found: " + words.getFirst() + "; help lists them");
            return WRONG_USAGE;
        }
        try {
            command.run(this, words.subList(1, words.size()));
            return OK;
        } catch (WrongUsage e) {
            err.println(e.getMessage());
            return WRONG_USAGE;
        } catch (Refused e) {
            err.println(e.getMessage());
            return REFUSED;
        } catch (IOException e) {
            err.println(e.getMessage());
            return NOT_CONNECTED;
        }
    }

    List<String> history() {
        return history;
    }

    void printWatches(boolean on) {
        printWatches = on;
    }

    boolean printsWatches() {
        return printWatches;
    }

    void print(String line) {
        out.println(line);
    }

    /// For what `zkCli.sh` writes to its error stream though it is none.
    void note(String line) {
        err.println(line);
    }

    void print(Stat stat) {
        print("cZxid = 0x" + Long.toHexString(stat.czxid()));
        print("ctime = " + date(stat.ctime()));
        print("mZxid = 0x" + Long.toHexString(stat.mzxid()));
        print("mtime = " + date(stat.mtime()));
        print("pZxid = 0x" + Long.toHexString(stat.pzxid()));
        print("cversion = " + stat.cversion());
        print("dataVersion = " + stat.version());
        print("aclVersion = " + stat.aversion());
        print("ephemeralOwner = 0x" + Long.toHexString(stat.ephemeralOwner()));
        print("dataLength = " + stat.dataLength());
        print("numChildren = " + stat.numChildren());
    }

    private static String date(long millis) {
        return Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()).format(DATE);
    }

    Client client() throws IOException {
        if (client == null || client.state() == Client.State.CLOSED) {
            throw new IOException("Not connected");
        }
        return client;
    }

    /// {@return the answer, whatever it is}
    Answer call(Request request) throws IOException {
        return client().call(request);
    }

    /// {@return the answer, which is a good one}
    ///
    /// @param path that the request is about, for the message if it is not
    Reply ask(Request request, String path) throws IOException, Refused {
        Answer answer = call(request);
        if (!answer.ok()) {
            throw Refused.of(answer, path);
        }
        return answer.reply();
    }

    /// {@return the path on the server of one that the user has written}
    ///
    /// Servers answer a read of most malformed paths as one of a znode that does not exist.
    String real(String path) throws WrongUsage {
        if (!path.startsWith("/")) {
            throw new WrongUsage("Path must start with / character");
        }
        if (path.length() > 1 && path.endsWith("/")) {
            throw new WrongUsage("Path must not end with / character");
        }
        int empty = path.indexOf("//");
        if (empty >= 0) {
            throw new WrongUsage(
                    "Invalid path string \""
                            + path
                            + "\" caused by empty node name specified @"
                            + (empty + 1));
        }
        if (connect.chroot().isEmpty()) {
            return path;
        }
        return path.equals("/") ? connect.chroot() : connect.chroot() + path;
    }

    /// {@return the path to show of one on the server}
    String shown(String path) {
        String chroot = connect.chroot();
        if (chroot.isEmpty() || !path.startsWith(chroot)) {
            return path;
        }
        return path.length() == chroot.length() ? "/" : path.substring(chroot.length());
    }

    /// {@return the children of a path for the completion of a line; empty if there is any problem}
    public List<String> children(String path) {
        try {
            Answer answer = call(new Request.GetChildren(real(path), false, false));
            return answer.reply() instanceof Reply.Children children
                    ? children.names().stream().sorted().toList()
                    : List.of();
        } catch (IOException | WrongUsage _) {
            return List.of();
        }
    }

    /// Prints as `zkCli.sh` does.
    private final class Printer implements Client.Listener {
        private boolean wasConnected;

        @Override
        public void fired(int type, String path, long zxid) {
            if (printWatches) {
                print("SyncConnected", typeName(type), shown(path), zxid);
            }
        }

        @Override
        public void changed(Client.State state) {
            boolean first = state == Client.State.CONNECTED && !wasConnected;
            wasConnected |= state == Client.State.CONNECTED;
            String name =
                    switch (state) {
                        case CONNECTED -> "SyncConnected";
                        case CONNECTING -> "Disconnected";
                        case CLOSED -> "Closed";
                        case EXPIRED -> "Expired";
                        case AUTH_FAILED -> "AuthFailed";
                    };
            if (showState && !first && state != Client.State.CLOSED) {
                print(name, "None", "null", -1);
            }
        }

        private void print(String state, String type, String path, long zxid) {
            out.println();
            out.println("WATCHER::");
            out.println();
            out.println(
                    "WatchedEvent state:"
                            + state
                            + " type:"
                            + type
                            + " path:"
                            + path
                            + " zxid: "
                            + zxid);
        }

        private static String typeName(int number) {
            for (WatchEvent.Type type : WatchEvent.Type.values()) {
                if (type.number() == number) {
                    return switch (type) {
                        case NODE_CREATED -> "NodeCreated";
                        case NODE_DELETED -> "NodeDeleted";
                        case NODE_DATA_CHANGED -> "NodeDataChanged";
                        case NODE_CHILDREN_CHANGED -> "NodeChildrenChanged";
                    };
                }
            }
            return Integer.toString(number);
        }
    }
}
