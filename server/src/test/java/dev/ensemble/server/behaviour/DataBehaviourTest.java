package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.exists;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Clients.set;
import static dev.ensemble.server.behaviour.Clients.stat;
import static dev.ensemble.server.behaviour.Clients.text;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.net.RawClient;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// What clients see of delete, setData, Stats, children and versions: behaviours 63 to 92.
@Timeout(120)
final class DataBehaviourTest {
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

    // Delete.

    @Test
    @DisplayName("b63, b64, b65: what may be deleted")
    void delete() throws Exception {
        String top = fresh(zk);
        make(zk, top + "/a");
        set(zk, top + "/a", "x");
        assertEquals(Code.BADVERSION, code(() -> deleted(top + "/a", 0)));
        assertEquals(Code.NOTEMPTY, code(() -> deleted(top, -1)));
        assertEquals(Code.OK, code(() -> deleted(top + "/a", 1)));
        assertEquals(Code.NONODE, code(() -> deleted(top + "/a", -1)));
        assertEquals(Code.OK, code(() -> deleted(top, -1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"})
    @DisplayName("b66: what always exists cannot be deleted")
    void reserved(String path) throws Exception {
        try (RawClient raw = server.connected()) {
            assertEquals(
                    Code.BADARGUMENTS.intValue(), raw.ask(1, new Request.Delete(path, -1)).err());
        }
        assertTrue(exists(zk, path));
    }

    @Test
    @DisplayName("b67: deleting needs DELETE on the parent, and nothing on the znode")
    void deletePermission() throws Exception {
        String top = fresh(zk);
        zk.create(top + "/no", null, Acls.OPEN, CreateMode.PERSISTENT);
        zk.create(top + "/no/a", null, Acls.OPEN, CreateMode.PERSISTENT);
        zk.setACL(top + "/no", Acls.of(31 & ~ZooDefs.Perms.DELETE, "world", "anyone"), -1);
        assertEquals(Code.NOAUTH, code(() -> deleted(top + "/no/a", -1)));
        var nothing = Acls.of(ZooDefs.Perms.READ, "world", "anyone");
        zk.create(top + "/b", null, nothing, CreateMode.PERSISTENT);
        assertEquals(Code.OK, code(() -> deleted(top + "/b", -1)));
    }

    @Test
    @DisplayName("b68: a client removes a whole subtree")
    void recursive() throws Exception {
        String top = fresh(zk);
        for (String name : List.of("a", "b", "c")) {
            make(zk, top + "/" + name);
            make(zk, top + "/" + name + "/x");
        }
        assertTrue(ZKUtil.deleteRecursive(zk, top + "/a", 10));
        ZKUtil.deleteRecursive(zk, top);
        assertFalse(exists(zk, top));
    }

    // Stat.

    @Test
    @DisplayName("b69: the Stat of a new znode")
    void newStat() throws Exception {
        String path = make(zk, fresh(zk) + "/a", "abc", CreateMode.PERSISTENT);
        Stat stat = stat(zk, path);
        assertEquals(0, stat.getVersion() + stat.getCversion() + stat.getAversion());
        assertEquals(stat.getCtime(), stat.getMtime());
        assertEquals(stat.getCzxid(), stat.getMzxid());
        assertEquals(stat.getCzxid(), stat.getPzxid());
        assertEquals(3, stat.getDataLength());
        assertEquals(0, stat.getNumChildren());
        assertEquals(0, stat.getEphemeralOwner());
    }

    @Test
    @DisplayName("b70, b71: what children do to the Stat of their parent")
    void parentStat() throws Exception {
        String top = fresh(zk);
        Stat before = stat(zk, top);
        make(zk, top + "/a");
        Stat after = stat(zk, top);
        assertEquals(1, after.getCversion());
        assertEquals(1, after.getNumChildren());
        assertEquals(stat(zk, top + "/a").getCzxid(), after.getPzxid());
        assertEquals(before.getMzxid(), after.getMzxid());
        assertEquals(before.getMtime(), after.getMtime());
        assertEquals(0, after.getVersion());
        make(zk, top + "/b");
        zk.delete(top + "/a", -1);
        assertEquals(3, stat(zk, top).getCversion());
        assertEquals(1, stat(zk, top).getNumChildren());
    }

    @Test
    @DisplayName("b72, b73: what setData does to the Stat, which it answers")
    void setData() throws Exception {
        String path = fresh(zk);
        Stat before = stat(zk, path);
        Stat answered = set(zk, path, "12345");
        Stat after = stat(zk, path);
        assertEquals(after, answered);
        assertEquals(1, after.getVersion());
        assertTrue(after.getMzxid() > before.getMzxid());
        assertTrue(after.getMtime() >= before.getMtime());
        assertEquals(5, after.getDataLength());
        assertEquals(before.getCzxid(), after.getCzxid());
        assertEquals(before.getCtime(), after.getCtime());
        assertEquals(before.getPzxid(), after.getPzxid());
        assertEquals(before.getCversion(), after.getCversion());
    }

    @Test
    @DisplayName("b74: setData with another version, or of what is not there")
    void setDataRefused() throws Exception {
        String path = fresh(zk);
        set(zk, path, "kept");
        assertEquals(Code.BADVERSION, code(() -> zk.setData(path, new byte[1], 0)));
        assertEquals("kept", text(zk, path));
        assertEquals(Code.NONODE, code(() -> zk.setData(path + "/no", new byte[1], -1)));
    }

    @Test
    @DisplayName("b75: only an ephemeral shows an owner")
    void owner() throws Exception {
        String top = fresh(zk);
        make(zk, top + "/e", CreateMode.EPHEMERAL);
        make(zk, top + "/c", CreateMode.CONTAINER);
        zk.create(top + "/t", null, Acls.OPEN, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 100_000);
        assertEquals(zk.getSessionId(), stat(zk, top + "/e").getEphemeralOwner());
        assertEquals(0, stat(zk, top + "/c").getEphemeralOwner());
        assertEquals(0, stat(zk, top + "/t").getEphemeralOwner());
        assertEquals(0, stat(zk, top).getEphemeralOwner());
    }

    @Test
    @DisplayName("b76: the end of a session that takes an ephemeral away raises its parent's pzxid")
    void pzxidAfterClose() throws Exception {
        String top = fresh(zk);
        ZooKeeper other = server.client();
        make(other, top + "/e", CreateMode.EPHEMERAL);
        Stat before = stat(zk, top);
        other.close();
        Stat after = stat(zk, top);
        assertTrue(after.getPzxid() > before.getPzxid());
        assertEquals(before.getCversion() + 1, after.getCversion());
    }

    @Test
    @DisplayName("b79, b80: data and Stat are always of one version")
    void dataAndStat() throws Exception {
        String path = fresh(zk);
        set(zk, path, "1");
        ZooKeeper writer = server.client();
        var done = new AtomicBoolean();
        Thread writing =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                for (int i = 2; i <= 500; i++) {
                                    set(writer, path, "" + i);
                                }
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            } finally {
                                done.set(true);
                            }
                        });
        do {
            var stat = new Stat();
            byte[] data = zk.getData(path, false, stat);
            assertEquals("" + stat.getVersion(), new String(data, UTF_8));
        } while (!done.get());
        writing.join();
        assertEquals("500", text(zk, path));
    }

    @Test
    @DisplayName("b81: many clients lose no update")
    void manyClients() throws Exception {
        String path = fresh(zk);
        set(zk, path, "0");
        var threads = new ArrayList<Thread>();
        var failures = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            ZooKeeper client = server.client();
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    for (int n = 0; n < 20; n++) {
                                        increment(client, path);
                                    }
                                } catch (Exception e) {
                                    failures.incrementAndGet();
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(0, failures.get());
        assertEquals("160", text(zk, path));
    }

    private static void increment(ZooKeeper client, String path) throws Exception {
        while (true) {
            var stat = new Stat();
            int was = Integer.parseInt(new String(client.getData(path, false, stat), UTF_8));
            byte[] next = Acls.bytes("" + (was + 1));
            if (code(() -> client.setData(path, next, stat.getVersion())) == Code.OK) {
                return;
            }
        }
    }

    // Children.

    @Test
    @DisplayName("b82, b83, b88: the names of children, and with them the Stat")
    void children() throws Exception {
        String top = fresh(zk);
        assertEquals(List.of(), zk.getChildren(top, false));
        make(zk, top + "/a");
        make(zk, top + "/b");
        var stat = new Stat();
        assertEquals(Set.of("a", "b"), new HashSet<>(zk.getChildren(top, false)));
        assertEquals(Set.of("a", "b"), new HashSet<>(zk.getChildren(top, false, stat)));
        assertEquals(stat(zk, top), stat);
        assertEquals(Code.NONODE, code(() -> zk.getChildren(top + "/no", false)));
    }

    @Test
    @DisplayName("b84: the number of all that is below")
    void allChildren() throws Exception {
        String top = fresh(zk);
        assertEquals(0, zk.getAllChildrenNumber(top));
        make(zk, top + "/a");
        make(zk, top + "/a/b");
        assertEquals(2, zk.getAllChildrenNumber(top));
        assertTrue(zk.getAllChildrenNumber("/") >= 3 + 3);
        assertEquals(2, zk.getAllChildrenNumber("/zookeeper"));
    }

    @Test
    @DisplayName("b85, b86: the ephemerals of this session, all or below a prefix")
    void ephemerals() throws Exception {
        String top = fresh(zk);
        ZooKeeper one = server.client();
        make(one, top + "/a1", CreateMode.EPHEMERAL);
        make(one, top + "/a2", CreateMode.EPHEMERAL);
        make(one, top + "/b1", CreateMode.EPHEMERAL);
        make(zk, top + "/other", CreateMode.EPHEMERAL);
        assertEquals(
                Set.of(top + "/a1", top + "/a2", top + "/b1"), new HashSet<>(one.getEphemerals()));
        assertEquals(
                Set.of(top + "/a1", top + "/a2"), new HashSet<>(one.getEphemerals(top + "/a")));
        assertEquals(List.of(), one.getEphemerals("/no/such"));
    }

    @Test
    @DisplayName("b87: no prefix means all; it is the client library that refuses it")
    void ephemeralsWithoutPrefix() throws Exception {
        String path = make(zk, fresh(zk) + "/e", CreateMode.EPHEMERAL);
        assertTrue(zk.getEphemerals().contains(path));
        try (RawClient raw = server.connected()) {
            var request = new Request.GetEphemerals(null);
            raw.send(1, request);
            assertEquals(new Reply.Ephemerals(List.of()), raw.reply(request));
        }
    }

    // Versions.

    @Test
    @DisplayName("b89: a check of a multi looks at existence and version")
    void check() throws Exception {
        String path = fresh(zk);
        assertEquals(Code.OK, code(() -> checked(path, 0)));
        assertEquals(Code.OK, code(() -> checked(path, -1)));
        assertEquals(Code.BADVERSION, code(() -> checked(path, 1)));
        assertEquals(Code.NONODE, code(() -> checked(path + "/no", -1)));
    }

    @Test
    @DisplayName("b90, b91: a check alone, and what nobody knows, ends the connection")
    void unknown() throws Exception {
        for (int type : new int[] {13, 999, 0, -1, -10, 20}) {
            if (Subject.isOriginal() && (type == -10 || type == 20)) {
                continue; // The original takes them from anybody, and must not be copied.
            }
            try (RawClient raw = server.connected()) {
                raw.send("0000000800000001" + String.format("%08x", type));
                assertEquals("0000001000000001fffffffffffffffffffffffa", raw.receive(), "" + type);
                assertTrue(raw.isClosedByServer(), "" + type);
            }
        }
    }

    @Test
    @DisplayName("b92: setACL checks the version of the ACL")
    void aclVersion() throws Exception {
        String path = fresh(zk);
        set(zk, path, "x");
        assertEquals(Code.BADVERSION, code(() -> zk.setACL(path, Acls.OPEN, 1)));
        Stat stat = zk.setACL(path, Acls.OPEN, 0);
        assertEquals(1, stat.getAversion());
        assertEquals(1, stat.getVersion());
    }

    private static Object checked(String path, int version)
            throws KeeperException, InterruptedException {
        return zk.multi(List.of(Op.check(path, version)));
    }

    private static Object deleted(String path, int version)
            throws KeeperException, InterruptedException {
        zk.delete(path, version);
        return path;
    }
}
