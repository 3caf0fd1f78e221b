package dev.ensemble.server.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.InvalidConfig;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/// What a server does that was told to limit its clients, or to trust them: behaviours 20, 21, 30,
/// 111, 260, 261, 316 and 318.
@Timeout(120)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class LimitBehaviourTest {
    @TempDir Path folder;

    @BeforeEach
    void oursAlone() {
        assumeFalse(Subject.isOriginal(), "it takes these only when it starts from a file");
    }

    @Test
    @DisplayName("b21: more connections than maxCnxns are closed at once")
    void allConnections() throws Exception {
        try (Subject server = Subject.start(folder, "maxCnxns=2");
                RawClient first = patiently(server);
                RawClient second = patiently(server)) {
            try (RawClient third = server.raw()) {
                assertTrue(third.isClosedByServer());
            }
            assertEquals(0, first.ask(1, new Request.Exists("/", false)).err());
            second.close();
            Clients.await("there is room again", () -> canConnect(server));
        }
    }

    /// Whoever asked whether the server serves may still count.
    private static RawClient patiently(Subject server) throws Exception {
        while (true) {
            RawClient raw = server.raw();
            try {
                var _ = raw.connect();
                return raw;
            } catch (IOException _) {
                raw.close();
            }
        }
    }

    private static boolean canConnect(Subject server) throws IOException {
        try (RawClient raw = server.raw()) {
            return raw.connect().session() != 0;
        } catch (IOException _) {
            return false;
        }
    }

    @Test
    @DisplayName("b30: a port at one address is not at the others")
    void ownAddress() throws Exception {
        try (Subject server = Subject.start(folder)) {
            int port = server.address().getPort();
            var others =
                    NetworkInterface.networkInterfaces()
                            .flatMap(NetworkInterface::inetAddresses)
                            .filter(address -> !address.isLoopbackAddress())
                            .toList();
            for (InetAddress other : others) {
                assertThrows(IOException.class, () -> new Socket(other, port).close());
            }
            assertTrue(canConnect(server));
        }
    }

    @Test
    @DisplayName("b111: with skipACL nothing is forbidden")
    void skipAcl() throws Exception {
        try (Subject server = Subject.start(folder, "skipACL=yes")) {
            ZooKeeper zk = server.client();
            zk.create("/a", null, Acls.of(0, "digest", Acls.U), CreateMode.PERSISTENT);
            assertEquals(Code.OK, Clients.code(() -> zk.getData("/a", false, null)));
            assertEquals(Code.OK, Clients.code(() -> zk.setData("/a", new byte[1], -1)));
            assertEquals(Code.OK, Clients.code(() -> zk.setACL("/a", Acls.OPEN, -1)));
        }
    }

    @Test
    @DisplayName("b260, b261: an observer without voters is no ensemble")
    void observerAlone() throws Exception {
        for (String lines :
                new String[] {
                    "server.1=127.0.0.1:2888:3888:observer\n",
                    "server.1=127.0.0.1:2888:3888:observer\nserver.2=127.0.0.1:2889:3889:observer\n"
                }) {
            Path file = folder.resolve("zoo.cfg");
            Files.writeString(
                    file,
                    "dataDir=" + folder + "\nclientPort=0\ninitLimit=5\nsyncLimit=2\n" + lines);
            assertThrows(InvalidConfig.class, () -> Config.load(file, OptionalInt.of(1)));
        }
    }

    @Test
    @DisplayName(
            "b316: large requests share a budget, and the connection that exceeds it is closed")
    void largeRequests() throws Exception {
        try (Subject server =
                Subject.start(folder, "largeRequestThreshold=1000", "largeRequestMaxBytes=50000")) {
            var create =
                    new Request.Create(CreateOp.CREATE, "/a", new byte[40_000], Acl.OPEN, 0, 0);
            try (RawClient raw = server.connected()) {
                for (int i = 1; i <= 3; i++) {
                    raw.ask(i, create);
                }
                raw.send(4, new Request.SetData("/a", new byte[60_000], -1));
                assertTrue(raw.isClosedByServer());
            }
            try (RawClient raw = server.connected()) {
                assertEquals(0, raw.ask(1, new Request.SetData("/a", new byte[45_000], -1)).err());
            }
        }
    }

    @Test
    @DisplayName("b318: more connections than there are tokens are closed without an answer")
    void tokens() throws Exception {
        try (Subject server =
                Subject.start(
                        folder,
                        "connection_throttle_tokens=2",
                        "connection_throttle_fill_time=100000000")) {
            try (RawClient first = server.connected();
                    RawClient second = server.connected();
                    RawClient third = server.raw()) {
                third.sendConnect(0, 0, new byte[16], 10_000);
                assertTrue(third.isClosedByServer());
                assertEquals(0, first.ask(1, new Request.Exists("/", false)).err());
                assertEquals(0, second.ask(1, new Request.Exists("/", false)).err());
            }
        }
    }
}
