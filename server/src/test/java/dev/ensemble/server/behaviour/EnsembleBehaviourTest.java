package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.exists;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.wire.Handshake;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

/// What clients see of an ensemble and do not of a server alone: moves between members, requests
/// through each of them, local sessions.
@Timeout(180)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class EnsembleBehaviourTest {
    private static final int[] MEMBERS = {1, 2, 3, Trio.OBSERVER};

    @TempDir static Path folder;
    private static Trio trio;
    private static ZooKeeper zk;

    @BeforeAll
    static void start() throws Exception {
        trio = Trio.start(folder);
        zk = trio.client(1);
    }

    @AfterAll
    static void stop() throws Exception {
        trio.close();
    }

    @Test
    @DisplayName("b5, b6: whoever lost its session to another member is not answered but closed")
    void moved() throws Exception {
        String top = fresh(zk);
        for (boolean multi : new boolean[] {false, true}) {
            try (RawClient old = trio.raw(1);
                    RawClient now = trio.raw(2)) {
                Handshake.ConnectResponse opened = old.connect();
                assertEquals(
                        opened.session(),
                        now.connect(opened.session(), opened.password(), 10_000).session());
                Request.Write create =
                        new Request.Create(CreateOp.CREATE, top + "/x", null, Acl.OPEN, 0, 0);
                old.send(1, multi ? new Request.Multi(List.of(create)) : create);
                assertTrue(old.isClosedByServer());
                assertEquals(0, now.ask(1, new Request.Exists(top, false)).err());
            }
        }
        assertEquals(List.of(), zk.getChildren(top, false));
    }

    @Test
    @DisplayName("b7, b8: a session moves from member to member, syncs, and keeps its ephemerals")
    void moves() throws Exception {
        String path = fresh(zk) + "/e";
        Handshake.ConnectResponse opened;
        try (RawClient raw = trio.raw(1)) {
            opened = raw.connect();
            assertEquals(
                    0,
                    raw.ask(1, new Request.Create(CreateOp.CREATE, path, null, Acl.OPEN, 1, 0))
                            .err());
        }
        for (int round = 0; round < 2; round++) {
            for (int id : MEMBERS) {
                try (RawClient raw = trio.raw(id)) {
                    assertEquals(
                            opened.session(),
                            raw.connect(opened.session(), opened.password(), 10_000).session());
                    var request = new Request.GetEphemerals(null);
                    raw.send(RawClient.frames(new Request.Sync("/"), request));
                    assertEquals(0, raw.header().err());
                    assertEquals(new Reply.Ephemerals(List.of(path)), raw.reply(request));
                }
            }
        }
    }

    /// Of a stock client, which asks for it once, and of whatever member.
    @Test
    @DisplayName("linearizable reads see what a client of another member was told")
    void linearizable() throws Exception {
        String top = fresh(zk);
        for (int id : MEMBERS) {
            ZooKeeper reader = trio.client(id);
            reader.addAuthInfo("reads", Acls.bytes("linearizable"));
            for (int i = 0; i < 50; i++) {
                Stat written = zk.setData(top, Acls.bytes("" + i), -1);
                assertEquals(written, reader.exists(top, false), "of member " + id);
            }
            assertEquals(1, reader.whoAmI().size());
        }
    }

    @Test
    @DisplayName("b19: a session that another member does not know is over")
    void unknownSession() throws Exception {
        for (int id : MEMBERS) {
            try (RawClient raw = trio.raw(id)) {
                assertEquals(0, raw.connect(0x100_0077_0000_0001L, new byte[16], 5000).session());
                assertTrue(raw.isClosedByServer());
            }
        }
    }

    @Test
    @DisplayName("b209, b230, b232, b262: through every member, also an observer")
    void throughEach() throws Exception {
        String top = fresh(zk);
        for (int writer : MEMBERS) {
            ZooKeeper client = trio.client(writer);
            String path = top + "/" + writer;
            client.multi(
                    List.of(
                            Op.create(path, null, Acls.OPEN, CreateMode.PERSISTENT),
                            Op.create(path + "/a", null, Acls.OPEN, CreateMode.PERSISTENT)));
            for (int reader : MEMBERS) {
                ZooKeeper other = trio.client(reader);
                Clients.settle(other);
                assertTrue(exists(other, path + "/a"), writer + " to " + reader);
            }
            assertEquals(
                    Code.NODEEXISTS,
                    code(() -> client.create(path, null, Acls.OPEN, CreateMode.PERSISTENT)));
        }
    }

    @Test
    @DisplayName("b133, b134: usage of a quota is the same at every member")
    void quota() throws Exception {
        String top = fresh(zk);
        make(zk, "/zookeeper/quota" + top);
        make(
                zk,
                "/zookeeper/quota" + top + "/zookeeper_limits",
                "count=9,bytes=9",
                CreateMode.PERSISTENT);
        make(zk, "/zookeeper/quota" + top + "/zookeeper_stats", "", CreateMode.PERSISTENT);
        ZooKeeper other = trio.client(3);
        make(other, top + "/a", "123", CreateMode.PERSISTENT);
        for (int id : MEMBERS) {
            ZooKeeper client = trio.client(id);
            Clients.settle(client);
            assertEquals(
                    "count=2,bytes=3",
                    Clients.text(client, "/zookeeper/quota" + top + "/zookeeper_stats"));
        }
    }

    @Test
    @DisplayName("b163, b170: watches are set again at another member")
    void watchesMove() throws Exception {
        String top = fresh(zk);
        long seen = Clients.stat(zk, top).getMzxid();
        for (int id : MEMBERS) {
            try (RawClient raw = trio.raw(id)) {
                raw.connect();
                raw.ask(1, new Request.Sync("/"));
                var reset =
                        new Request.SetWatches(
                                seen, List.of(), List.of(top + "/" + id), List.of(), null, null);
                assertEquals(-8, raw.ask(-8, reset).xid());
                make(zk, top + "/" + id);
                assertEquals(top + "/" + id, raw.event().path());
            }
        }
    }

    @Test
    @DisplayName("b90: a check alone at each kind of member")
    void checkAlone() throws Exception {
        for (int id : MEMBERS) {
            try (RawClient raw = trio.raw(id)) {
                raw.connect();
                raw.send("00000012000000010000000d000000022f7600000000");
                assertEquals("0000001000000001fffffffffffffffffffffffa", raw.receive());
                assertTrue(raw.isClosedByServer());
            }
        }
        assertTrue(exists(zk, "/"));
    }
}
