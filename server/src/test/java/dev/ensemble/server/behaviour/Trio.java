package dev.ensemble.server.behaviour;

import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;

import org.apache.zookeeper.ZooKeeper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// Three voters and an observer, in this process, for behaviours that need more than one member.
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class Trio implements AutoCloseable {
    static final int OBSERVER = 4;

    private final Path folder;
    private final String lines;
    private final List<Integer> ports = new ArrayList<>();
    private final Map<Integer, ServerNode> running = new HashMap<>();
    private final Deque<AutoCloseable> clients = new ArrayDeque<>();

    private Trio(Path folder, String lines) throws IOException {
        this.folder = folder;
        this.lines = lines;
        var held = new ArrayList<ServerSocket>();
        for (int i = 0; i < 2 * OBSERVER; i++) {
            held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        for (ServerSocket socket : held) {
            ports.add(socket.getLocalPort());
            socket.close();
        }
    }

    /// @param lines of every member's configuration
    static Trio start(Path folder, String... lines) throws Exception {
        var trio = new Trio(folder, String.join("\n", lines));
        for (int id = 1; id <= OBSERVER; id++) {
            trio.start(id);
        }
        for (int id = 1; id <= OBSERVER; id++) {
            trio.awaitServing(id);
        }
        return trio;
    }

    void start(int id) throws Exception {
        var text = new StringBuilder();
        text.append("dataDir=").append(folder.resolve("d" + id)).append('\n');
        text.append("tickTime=500\ninitLimit=20\nsyncLimit=10\nheartbeatTimeoutMillis=2000\n");
        text.append("clientPort=").append(clientPort(id)).append('\n');
        text.append("clientPortAddress=127.0.0.1\nadmin.enableServer=false\n");
        text.append("4lw.commands.whitelist=*\n");
        for (int other = 1; other <= OBSERVER; other++) {
            text.append(
                    String.format(
                            "server.%d=127.0.0.1:%d:1:%s%n",
                            other,
                            ports.get(OBSERVER + other - 1),
                            other == OBSERVER ? "observer" : "participant"));
        }
        Path file = folder.resolve("zoo" + id + ".cfg");
        Files.writeString(file, text + lines + "\n");
        running.put(id, ServerNode.start(Config.load(file, OptionalInt.of(id))));
    }

    private void awaitServing(int id) throws Exception {
        Clients.connect(connectString(id), 10_000, new Events()).close(5_000);
    }

    void stop(int id) {
        ServerNode node = running.remove(id);
        if (node != null) {
            node.close();
        }
    }

    private int clientPort(int id) {
        return ports.get(id - 1);
    }

    InetSocketAddress address(int id) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort(id));
    }

    String connectString(int id) {
        return "127.0.0.1:" + clientPort(id);
    }

    /// {@return a connected client of that member, closed with the ensemble if not before}
    ZooKeeper client(int id) throws Exception {
        return client(id, new Events(), false);
    }

    ZooKeeper client(int id, Events events, boolean readOnly) throws Exception {
        ZooKeeper client = Clients.connect(connectString(id), 10_000, events, readOnly);
        clients.push(() -> client.close(5_000));
        return client;
    }

    RawClient raw(int id) throws IOException {
        var raw = new RawClient(address(id));
        clients.push(raw);
        return raw;
    }

    /// {@return what the member answers to a four-letter word}
    String ask(int id, String word) throws IOException {
        try (var raw = new RawClient(address(id))) {
            raw.send(Acls.bytes(word));
            return raw.rest();
        }
    }

    /// {@return the voter that leads}
    int leader() throws IOException {
        for (int id = 1; id < OBSERVER; id++) {
            if (running.containsKey(id) && ask(id, "srvr").contains("Mode: leader")) {
                return id;
            }
        }
        return 0;
    }

    @Override
    public void close() throws Exception {
        while (!clients.isEmpty()) {
            clients.pop().close();
        }
        for (int id = 1; id <= OBSERVER; id++) {
            stop(id);
        }
    }
}
