package dev.ensemble.server.behaviour;

import static org.apache.zookeeper.CreateMode.PERSISTENT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.server.util.ConfigUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// What clients see when they change the membership: members come and go and move to other ports,
/// and clients follow.
@Timeout(180)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class ReconfigBehaviourTest {
    private static final int MEMBERS = 3;

    @TempDir Path folder;
    private final Map<Integer, ServerNode> running = new HashMap<>();
    private final Deque<AutoCloseable> clients = new ArrayDeque<>();

    /// Of member N the ports 2N - 2 (peers) and 2N - 1 (clients); behind them some to move to.
    private final List<Integer> ports = new ArrayList<>();

    @BeforeEach
    void reservePorts() throws IOException {
        var held = new ArrayList<ServerSocket>();
        for (int i = 0; i < 2 * MEMBERS + 4; i++) {
            held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        for (ServerSocket socket : held) {
            ports.add(socket.getLocalPort());
            socket.close();
        }
    }

    @AfterEach
    void stop() throws Exception {
        while (!clients.isEmpty()) {
            clients.pop().close();
        }
        running.values().forEach(ServerNode::close);
    }

    private int clientPort(int id) {
        return ports.get(2 * id - 1);
    }

    /// {@return the line of a member that has moved `moved` ports further}
    private String line(int id, int moved, String clientHost) {
        return String.format(
                "server.%d=127.0.0.1:%d:%d:participant;%s%d",
                id,
                ports.get(2 * id - 2 + moved),
                10 * id + moved,
                clientHost,
                ports.get(2 * id - 1 + moved));
    }

    private String line(int id) {
        return line(id, 0, "127.0.0.1:");
    }

    /// @param more lines of its file
    private void start(int id, String... more) throws Exception {
        Path file = folder.resolve("zoo" + id + ".cfg");
        Files.writeString(
                file,
                "dataDir="
                        + folder.resolve("d" + id)
                        + "\n"
                        + "tickTime=500\n"
                        + "initLimit=20\n"
                        + "syncLimit=10\n"
                        + "heartbeatTimeoutMillis=2000\n"
                        + "admin.enableServer=false\n"
                        + "reconfigEnabled=true\n"
                        + "skipACL=yes\n"
                        + "standaloneEnabled=false\n"
                        + String.join("\n", more)
                        + "\n");
        running.put(id, ServerNode.start(Config.load(file, OptionalInt.of(id))));
    }

    private void stop(int id) {
        ServerNode node = running.remove(id);
        if (node != null) {
            node.close();
        }
    }

    private ZooKeeperAdmin admin(int port) throws Exception {
        var events = new Events();
        var admin = new ZooKeeperAdmin("127.0.0.1:" + port, 20_000, events);
        clients.push(() -> admin.close(5_000));
        events.awaitConnected();
        return admin;
    }

    /// Changes the membership as soon as who joins is level.
    private static String change(
            ZooKeeperAdmin admin, @Nullable String joining, @Nullable String leaving)
            throws Exception {
        var text = new ArrayList<String>();
        Clients.await(
                "joining " + joining + ", leaving " + leaving,
                () -> {
                    Code code =
                            Clients.code(() ->
                                    text.add(
                                            text(
                                                    admin.reconfigure(
                                                            joining, leaving, null, -1, null))));
                    assertTrue(
                            code == Code.OK
                                    || code == Code.NEWCONFIGNOQUORUM
                                    || code == Code.RECONFIGINPROGRESS,
                            () -> code + "");
                    return code == Code.OK;
                });
        return text.getFirst();
    }

    private static String text(byte[] data) {
        return new String(data, StandardCharsets.UTF_8);
    }

    private static boolean listens(String host, int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 5_000);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private static String members(String text) {
        return text.substring(0, text.lastIndexOf('\n'));
    }

    @Test
    @DisplayName("b240, b251, b256, b259: one member to three and back, and clients follow")
    void growsAndShrinks() throws Exception {
        start(1, line(1));
        ZooKeeperAdmin admin = admin(clientPort(1));
        start(2, line(1), line(2));
        start(3, line(1), line(3));
        Clients.await(
                "an asynchronous change",
                () -> {
                    var answer = new CompletableFuture<String>();
                    admin.reconfigure(
                            line(2) + "," + line(3),
                            null,
                            null,
                            -1,
                            (code, _, _, data, stat) ->
                                    answer.complete(
                                            code == 0
                                                    ? text(data) + stat.getMzxid()
                                                    : "" + Code.get(code)),
                            null);
                    String text = answer.get(30, TimeUnit.SECONDS);
                    if (text.equals(Code.NEWCONFIGNOQUORUM + "")) {
                        return false;
                    }
                    assertEquals(line(1) + "\n" + line(2) + "\n" + line(3), members(text));
                    return true;
                });

        var follower = new Follower("127.0.0.1:" + clientPort(3));
        ZooKeeper zk = follower.client();
        String path = Clients.make(zk, "/a");
        assertEquals(line(1) + "\n" + line(2), members(change(admin, null, "3")));
        Clients.await("the client of who left goes elsewhere", () -> follower.isAt(1, 2));
        assertEquals("/a", path);
        stop(3);
        write(zk, "/a2");

        // A file that differs counts for nothing beside what was committed.
        stop(2);
        start(2, line(1), line(2), line(3));
        ZooKeeperAdmin second = admin(clientPort(2));
        assertEquals(line(1) + "\n" + line(2), members(text(second.getConfig(false, null))));

        assertEquals(line(1), members(change(admin, null, "2")));
        stop(2);
        Clients.await("the client is at the last one", () -> follower.isAt(1));
        write(zk, "/b");
        assertEquals(
                Code.BADARGUMENTS,
                Clients.code(() -> admin.reconfigure((String) null, "1", null, -1, null)));
    }

    /// A client that is on its way to another member may lose its connection once more.
    private static void write(ZooKeeper zk, String path) throws Exception {
        Clients.await(
                "a write of " + path,
                () -> {
                    Code code = Clients.code(() -> zk.create(path, null, Acls.OPEN, PERSISTENT));
                    return code == Code.OK || code == Code.NODEEXISTS;
                });
    }

    /// A client that goes where the configuration says that there are members.
    private final class Follower implements Watcher {
        private final CompletableFuture<ZooKeeper> client = new CompletableFuture<>();
        private final Events events = new Events();

        Follower(String servers) throws Exception {
            ZooKeeper made = Clients.connect(servers, 20_000, events);
            clients.push(() -> made.close(5_000));
            client.complete(made);
            made.getConfig(this, null);
        }

        ZooKeeper client() throws Exception {
            return client.get();
        }

        @Override
        public void process(WatchedEvent event) {
            if (event.getType() == Event.EventType.NodeDataChanged) {
                client.join().getConfig(this, (_, _, _, data, _) -> follow(text(data)), null);
            }
        }

        private void follow(String config) {
            // The version, then host and port of each member.
            String servers = ConfigUtils.getClientConfigStr(config).split(" ", -1)[1];
            try {
                client.join().updateServerList(servers);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /// {@return whether it is connected to one of these members}
        boolean isAt(int... ids) throws Exception {
            String shown = client() + "";
            for (int id : ids) {
                if (shown.contains("remoteserver:localhost/127.0.0.1:" + clientPort(id))
                        || shown.matches("(?s).*remoteserver:[^ ]*:" + clientPort(id) + " .*")) {
                    return client().getState() == ZooKeeper.States.CONNECTED;
                }
            }
            return false;
        }
    }

    @Test
    @DisplayName("b242, b243: a running member moves to other ports, and stays if they are taken")
    void otherPorts() throws Exception {
        for (int id = 1; id <= MEMBERS; id++) {
            start(id, line(1), line(2), line(3));
        }
        ZooKeeperAdmin admin = admin(clientPort(1));
        ZooKeeper old = admin(clientPort(3));
        // Without a host for clients: every address.
        String moved = change(admin, line(3, 2, ""), null);
        assertTrue(moved.contains(line(3, 2, "0.0.0.0:") + "\n"), moved);
        Clients.await("other ports", () -> listens("127.0.0.2", ports.get(7)));
        Clients.await("other ports", () -> listens("127.0.0.1", ports.get(6)));
        Clients.await("not the old one", () -> !listens("127.0.0.1", ports.get(5)));
        Clients.await("not the old one", () -> !listens("127.0.0.1", ports.get(4)));
        assertEquals("/a", Clients.make(old, "/a"));
        assertEquals("/b", Clients.make(admin(ports.get(7)), "/b"));

        // The one that starts anew is reached at that port, whatever its own file says.
        stop(3);
        stop(2);
        start(2, line(1), line(2), line(3));
        start(3, line(1), line(2), line(3));
        assertEquals("/c", Clients.make(admin(ports.get(7)), "/c"));
        assertTrue(listens("127.0.0.1", ports.get(6)));
        assertFalse(listens("127.0.0.1", ports.get(5)));

        try (var taken = new ServerSocket(ports.get(9), 1, InetAddress.getLoopbackAddress())) {
            change(admin, line(3, 4, "127.0.0.1:"), null);
            Clients.await("the free one of the two", () -> listens("127.0.0.1", ports.get(8)));
            assertEquals("/d", Clients.make(admin(ports.get(7)), "/d"));
            assertEquals(ports.get(9), taken.getLocalPort());
        }
        change(admin, line(3, 0, "127.0.0.1:"), null);
        Clients.await("the first port again", () -> listens("127.0.0.1", clientPort(3)));
        assertEquals("/e", Clients.make(admin(clientPort(3)), "/e"));
    }
}
