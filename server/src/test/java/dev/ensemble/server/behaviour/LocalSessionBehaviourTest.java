package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.exists;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.wire.Handshake;

import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/// What clients see of local sessions and of members without a leader: behaviours 35 to 44 and 268
/// to 273.
@Timeout(180)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class LocalSessionBehaviourTest {
    private static final String LOCAL = "localSessionsEnabled=true";
    private static final String UPGRADING = "localSessionsUpgradingEnabled=true";

    @TempDir Path folder;

    private static Request.Create ephemeral(String path) {
        return new Request.Create(CreateOp.CREATE, path, null, Acl.OPEN, 1, 0);
    }

    private static Request.Create persistent(String path) {
        return new Request.Create(CreateOp.CREATE, path, null, Acl.OPEN, 0, 0);
    }

    @Test
    @DisplayName(
            "b35, b36, b37, b38, b44: a local session is its member's alone, and has no ephemerals")
    void localOnly() throws Exception {
        try (Trio trio = Trio.start(folder, LOCAL)) {
            for (int id : new int[] {1, 2, Trio.OBSERVER}) {
                try (RawClient raw = trio.raw(id);
                        RawClient elsewhere = trio.raw(3)) {
                    Handshake.ConnectResponse opened = connect(raw);
                    assertEquals(0, raw.ask(1, new Request.Exists("/", false)).err());
                    String path = "/local" + id;
                    assertEquals(0, raw.ask(2, persistent(path)).err());
                    assertEquals(
                            Code.EPHEMERAL_ON_LOCAL_SESSION.number(),
                            raw.ask(3, ephemeral(path + "/e")).err());
                    long zxid = raw.ask(4, new Request.Exists(path, false)).zxid();
                    assertEquals(0, connect(elsewhere, opened).session());
                    try (RawClient again = trio.raw(id)) {
                        assertEquals(opened.session(), connect(again, opened).session());
                        assertTrue(raw.isClosedByServer());
                        assertEquals(0, again.ask(1, new Request.CloseSession()).err());
                        assertTrue(again.isClosedByServer());
                    }
                    try (RawClient gone = trio.raw(id)) {
                        assertEquals(0, connect(gone, opened).session());
                    }
                    try (RawClient next = trio.raw(id)) {
                        connect(next);
                        assertEquals(
                                zxid,
                                next.ask(1, new Request.Exists(path, false)).zxid(),
                                "neither beginning nor end is a transaction");
                    }
                }
            }
        }
    }

    @Test
    @DisplayName("b39, b40, b41: the first ephemeral makes a session everybody's, once")
    void upgraded() throws Exception {
        try (Trio trio = Trio.start(folder, LOCAL, UPGRADING)) {
            for (int id : new int[] {1, 2, 3, Trio.OBSERVER}) {
                Handshake.ConnectResponse opened;
                String path = "/up" + id;
                try (RawClient raw = trio.raw(id)) {
                    opened = connect(raw);
                    long before = raw.ask(1, persistent(path)).zxid();
                    Request first =
                            id == 1
                                    ? new Request.Multi(List.of(ephemeral(path + "/a")))
                                    : ephemeral(path + "/a");
                    // The session, and the ephemeral.
                    assertEquals(before + 2, raw.ask(2, first).zxid());
                    assertEquals(before + 3, raw.ask(3, ephemeral(path + "/b")).zxid());
                }
                int other = id % 3 + 1;
                try (RawClient raw = trio.raw(other)) {
                    assertEquals(opened.session(), connect(raw, opened).session());
                    assertEquals(0, raw.ask(1, ephemeral(path + "/c")).err());
                    assertEquals(0, raw.ask(2, new Request.CloseSession()).err());
                }
                ZooKeeper zk = trio.client(other);
                assertEquals(List.of(), zk.getChildren(path, false));
            }
        }
    }

    @Test
    @DisplayName("b42: closing while a session becomes everybody's leaves nothing")
    void closedMeanwhile() throws Exception {
        try (Trio trio = Trio.start(folder, LOCAL, UPGRADING)) {
            for (int id : new int[] {1, 2, 3, Trio.OBSERVER}) {
                String path = "/meanwhile" + id;
                Handshake.ConnectResponse opened;
                try (RawClient raw = trio.raw(id)) {
                    opened = connect(raw);
                    raw.send(RawClient.frames(ephemeral(path), new Request.CloseSession()));
                    assertEquals(0, raw.header().err());
                    assertEquals(0, raw.header().err());
                    assertTrue(raw.isClosedByServer());
                }
                assertFalse(exists(trio.client(id), path));
                try (RawClient raw = trio.raw(id)) {
                    assertEquals(0, connect(raw, opened).session());
                }
            }
        }
    }

    @Test
    @DisplayName("b43: a session that became everybody's outlives a restart of all")
    void restarted() throws Exception {
        try (Trio trio = Trio.start(folder, LOCAL, UPGRADING)) {
            Handshake.ConnectResponse opened;
            try (RawClient raw = trio.raw(1)) {
                opened = connect(raw);
                assertEquals(0, raw.ask(1, ephemeral("/e")).err());
            }
            for (int id = 1; id <= Trio.OBSERVER; id++) {
                trio.stop(id);
            }
            for (int id = 1; id <= Trio.OBSERVER; id++) {
                trio.start(id);
            }
            Clients.await(
                    "the session is taken over",
                    () -> {
                        try (RawClient raw = trio.raw(2)) {
                            return connect(raw, opened).session() == opened.session();
                        } catch (IOException _) {
                            return false; // It does not serve yet.
                        }
                    });
            assertTrue(exists(trio.client(1), "/e"));
        }
    }

    @Test
    @DisplayName("b268 to b273, b24: a member without a leader serves those who read only")
    void readOnly() throws Exception {
        try (Trio trio = Trio.start(folder, LOCAL, UPGRADING, "readonlymode.enabled=true")) {
            ZooKeeper zk = trio.client(1);
            Clients.make(zk, "/a");
            Handshake.ConnectResponse global;
            try (RawClient raw = trio.raw(1)) {
                global = connect(raw);
                assertEquals(0, raw.ask(1, ephemeral("/e")).err());
            }
            zk.close();
            trio.stop(2);
            trio.stop(3);
            Clients.await("isro says so", () -> trio.ask(1, "isro").equals("ro"));
            assertTrue(trio.ask(1, "srvr").contains("\nMode: read-only\n"));
            assertTrue(trio.ask(1, "mntr").contains("\nzk_server_state\tread-only\n"));
            assertFalse(trio.ask(1, "conf").contains("membership"));
            var events = new Events();
            ZooKeeper reader = trio.client(1, events, true);
            assertEquals(ZooKeeper.States.CONNECTEDREADONLY, reader.getState());
            assertTrue(exists(reader, "/a"));
            assertEquals(
                    KeeperException.Code.NOTREADONLY,
                    Clients.code(() -> reader.setData("/a", new byte[1], -1)));
            try (RawClient raw = trio.raw(1)) {
                raw.sendConnect(0, 0, new byte[16], 10_000);
                assertTrue(raw.isClosedByServer(), "it did not say that it only reads");
            }
            try (RawClient raw = trio.raw(1)) {
                sendReadOnly(raw, global.session(), global.password());
                assertTrue(raw.isClosedByServer(), "sessions of all cannot be renewed");
            }
            try (RawClient raw = trio.raw(1)) {
                sendReadOnly(raw, 0, new byte[16]);
                assertTrue(Handshake.readResponse(raw.receiveBody()).readOnly());
                Request[] refused = {
                    persistent("/x"),
                    new Request.Multi(List.of()),
                    new Request.Sync("/"),
                    new Request.Delete("/a", -1)
                };
                raw.send(RawClient.frames(refused));
                for (Request _ : refused) {
                    assertEquals(Code.NOT_READ_ONLY.number(), raw.header().err());
                }
                assertEquals(0, raw.ask(9, new Request.GetData("/a", true)).err());
                assertEquals(0, raw.ask(10, new Request.CloseSession()).err());
                assertTrue(raw.isClosedByServer());
            }
            trio.start(2);
            trio.start(3);
            events.await(KeeperState.Disconnected);
            events.await(KeeperState.SyncConnected);
            assertEquals(1, reader.setData("/a", new byte[1], -1).getVersion());
            assertEquals("rw", trio.ask(1, "isro"));
        }
    }

    private static void sendReadOnly(RawClient raw, long session, byte[] password)
            throws Exception {
        raw.send(
                "0000002d"
                        + "00".repeat(12)
                        + "00002710"
                        + String.format("%016x", session)
                        + "00000010"
                        + HexFormat.of().formatHex(password)
                        + "01");
    }

    private static Handshake.ConnectResponse connect(RawClient raw) throws Exception {
        return raw.connect();
    }

    private static Handshake.ConnectResponse connect(
            RawClient raw, Handshake.ConnectResponse opened) throws Exception {
        return raw.connect(opened.session(), opened.password(), 10_000);
    }
}
