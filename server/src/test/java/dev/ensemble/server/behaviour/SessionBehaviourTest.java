package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.exists;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.wire.Handshake;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What clients see of sessions and connections, at a server alone: behaviours 1 to 34.
@Timeout(120)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class SessionBehaviourTest {
    @TempDir static Path folder;
    private static Subject server;
    private static ZooKeeper zk;

    @BeforeAll
    static void start() throws Exception {
        server = Subject.start(folder);
        zk = server.client();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @Test
    @DisplayName(
            "b1, b5, b14: a session has an id and a password, by which a connection takes it over")
    void takenOver() throws Exception {
        String path = Subject.freshPath();
        try (RawClient first = server.raw();
                RawClient second = server.raw()) {
            Handshake.ConnectResponse opened = first.connect();
            assertNotEquals(0, opened.session());
            assertEquals(16, opened.password().length);
            assertEquals(0, first.ask(1, ephemeral(path)).err());
            Handshake.ConnectResponse again =
                    second.connect(opened.session(), opened.password(), 10_000);
            assertEquals(opened.session(), again.session());
            assertArrayEquals(opened.password(), again.password());
            assertTrue(first.isClosedByServer());
            assertEquals(0, second.ask(1, new Request.SetData(path, null, -1)).err());
        }
        assertTrue(exists(zk, path), "the session lives on without a connection");
    }

    @ParameterizedTest
    @CsvSource({
        "-5, 1000",
        "0, 1000",
        "1, 1000",
        "1000, 1000",
        "2345, 2345",
        "10000, 10000",
        "99999, 10000"
    })
    @DisplayName("b2, b3: what is asked for is granted between two and twenty ticks")
    void timeout(int asked, int granted) throws Exception {
        try (RawClient raw = server.raw()) {
            assertEquals(granted, raw.connect(0, new byte[16], asked).timeoutMillis());
        }
    }

    @Test
    @DisplayName("b9, b17, b29: a session that was closed is answered, then gone for good")
    void closed() throws Exception {
        String path = Subject.freshPath();
        Handshake.ConnectResponse opened;
        try (RawClient raw = server.raw()) {
            opened = raw.connect();
            assertEquals(0, raw.ask(1, ephemeral(path)).err());
            assertEquals(0, raw.ask(2, new Request.CloseSession()).err());
            assertTrue(raw.isClosedByServer());
        }
        assertFalse(exists(zk, path));
        try (RawClient raw = server.raw()) {
            Handshake.ConnectResponse refused =
                    raw.connect(opened.session(), opened.password(), 10_000);
            assertEquals(0, refused.session());
            assertEquals(0, refused.timeoutMillis());
            assertTrue(raw.isClosedByServer());
        }
    }

    @Test
    @DisplayName("b10, b12, b18: a silent session ends after its time, its ephemerals with it")
    void expired() throws Exception {
        String path = Subject.freshPath();
        Handshake.ConnectResponse opened;
        try (RawClient raw = server.raw()) {
            opened = raw.connect(0, new byte[16], 1000);
            assertEquals(0, raw.ask(1, ephemeral(path)).err());
        }
        Clients.await("the ephemeral is gone", () -> !exists(zk, path));
        try (RawClient raw = server.raw()) {
            assertEquals(0, raw.connect(opened.session(), opened.password(), 1000).session());
        }
    }

    @Test
    @DisplayName("b11, b297: a session outlives a restart, with its ephemerals")
    void restart() throws Exception {
        String path = Subject.freshPath();
        Handshake.ConnectResponse opened;
        try (RawClient raw = server.raw()) {
            opened = raw.connect();
            assertEquals(0, raw.ask(1, ephemeral(path)).err());
        }
        server.restart();
        zk = server.client();
        try (RawClient raw = server.raw()) {
            assertEquals(
                    opened.session(),
                    raw.connect(opened.session(), opened.password(), 10_000).session());
            assertEquals(0, raw.ask(1, new Request.Exists(path, false)).err());
            assertEquals(List.of(path), ephemerals(raw));
        }
    }

    private static List<String> ephemerals(RawClient raw) throws Exception {
        var request = new Request.GetEphemerals(null);
        raw.send(9, request);
        return ((Reply.Ephemerals) raw.reply(request)).paths();
    }

    @Test
    @DisplayName(
            "b13, b15, b32: a client is told once that it lost its server, and once that it is"
                    + " back")
    void states() throws Exception {
        var events = new Events();
        ZooKeeper client = server.client(events);
        assertEquals(List.of(), events.states());
        try (RawClient thief = server.raw()) {
            var _ = thief.connect(client.getSessionId(), client.getSessionPasswd(), 10_000);
            events.await(KeeperState.Disconnected);
            events.await(KeeperState.SyncConnected);
        }
        Clients.settle(client);
        assertEquals(List.of(), events.states());
    }

    @Test
    @DisplayName("b16: nothing behind the end of a session happens")
    void behindClose() throws Exception {
        String path = Subject.freshPath();
        try (RawClient raw = server.connected()) {
            raw.send(RawClient.frames(new Request.CloseSession(), ephemeral(path)));
            assertEquals(0, raw.header().err());
            assertTrue(raw.isClosedByServer());
        }
        assertFalse(exists(zk, path));
    }

    @Test
    @DisplayName("b23: a client that has seen more than the server is sent away without an answer")
    void seenMore() throws Exception {
        try (RawClient raw = server.raw()) {
            raw.sendConnect(0x7fff_ffff_ffffL, 0, new byte[16], 10_000);
            assertTrue(raw.isClosedByServer());
        }
    }

    @Test
    @DisplayName("b25, b26: with and without the byte that says read-only, in pieces too")
    void readOnlyByte() throws Exception {
        String old =
                "0000002c"
                        + "00".repeat(12)
                        + "00002710"
                        + "00".repeat(8)
                        + "00000010"
                        + "00".repeat(16);
        try (RawClient raw = server.raw()) {
            raw.send(old.substring(0, 10));
            raw.send(old.substring(10));
            assertEquals(8 + 2 * 36, raw.receive().length());
        }
        try (RawClient raw = server.raw()) {
            raw.send("0000002d" + old.substring(8) + "00");
            assertEquals(8 + 2 * 37, raw.receive().length());
        }
    }

    @Test
    @DisplayName("b31, b34: pings keep a session, and are answered whatever their number")
    void pings() throws Exception {
        String path = Subject.freshPath();
        try (RawClient raw = server.raw()) {
            var _ = raw.connect(0, new byte[16], 1000);
            assertEquals(0, raw.ask(1, ephemeral(path)).err());
            var pause = new CountDownLatch(1);
            for (int i = 0; i < 10; i++) {
                var _ = pause.await(200, TimeUnit.MILLISECONDS);
                assertEquals(-2, raw.ask(i, new Request.Ping()).xid());
            }
            assertEquals(0, raw.ask(1, new Request.Exists(path, false)).err());
        }
    }

    @Test
    @DisplayName("b33: any number of a request is good, and comes back")
    void numbers() throws Exception {
        try (RawClient raw = server.connected()) {
            for (int xid : new int[] {Integer.MAX_VALUE, 1, 1, 77, Integer.MIN_VALUE}) {
                assertEquals(xid, raw.ask(xid, new Request.Exists("/", false)).xid());
            }
        }
    }

    @Test
    @DisplayName("b28, b157: a client that ends in the middle of its requests does no harm")
    void cutOff() throws Exception {
        String top = fresh(zk);
        for (int i = 0; i < 20; i++) {
            try (RawClient raw = server.connected()) {
                raw.send(1, new Request.GetData(top, true));
                raw.send(2, ephemeral(top + "/x" + i));
                raw.send("000000ff00");
            }
        }
        make(zk, top + "/good");
        assertEquals(Code.OK, code(() -> zk.getChildren(top, false)));
    }

    @Test
    @DisplayName("b27: the id of a session begins with the id of its server")
    void sessionIds() throws Exception {
        try (RawClient raw = server.raw()) {
            assertEquals(1, raw.connect().session() >>> 56);
        }
    }

    @Test
    @DisplayName("b7: a session moves as often as somebody shows its password")
    void movesOften() throws Exception {
        String path = Subject.freshPath();
        Handshake.ConnectResponse opened;
        try (RawClient raw = server.raw()) {
            opened = raw.connect();
            assertEquals(0, raw.ask(1, ephemeral(path)).err());
        }
        for (int i = 0; i < 20; i++) {
            try (RawClient raw = server.raw()) {
                assertEquals(
                        opened.session(),
                        raw.connect(opened.session(), opened.password(), 10_000).session());
                assertEquals(List.of(path), ephemerals(raw));
            }
        }
    }

    @Test
    @DisplayName("b12: a wrong password is answered like a session that is over")
    void wrongPassword() throws Exception {
        try (RawClient raw = server.raw();
                RawClient wrong = server.raw()) {
            long session = raw.connect().session();
            assertEquals(0, wrong.connect(session, new byte[16], 10_000).session());
            assertTrue(wrong.isClosedByServer());
        }
    }

    private static Request.Create ephemeral(String path) {
        return new Request.Create(
                CreateOp.CREATE, path, null, Acl.OPEN, CreateMode.EPHEMERAL.toFlag(), 0);
    }
}
