package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Acls.bytes;
import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.exists;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Clients.set;
import static dev.ensemble.server.behaviour.Clients.stat;
import static dev.ensemble.server.behaviour.Clients.text;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/// What clients see of multi and multiRead: behaviours 197 to 214; and of sync and the order of
/// answers: 230 to 236.
@Timeout(120)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class MultiBehaviourTest {
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

    private static Op creation(String path) {
        return Op.create(path, new byte[0], Acls.OPEN, CreateMode.PERSISTENT);
    }

    @Test
    @DisplayName("b197, b198: several creates, and what is made and deleted at once")
    void creates() throws Exception {
        String top = fresh(zk);
        List<OpResult> results =
                zk.multi(
                        List.of(
                                creation(top + "/a"),
                                creation(top + "/b"),
                                creation(top + "/gone"),
                                Op.delete(top + "/gone", 0)));
        assertEquals(top + "/a", ((OpResult.CreateResult) results.get(0)).getPath());
        assertEquals(top + "/b", ((OpResult.CreateResult) results.get(1)).getPath());
        assertInstanceOf(OpResult.DeleteResult.class, results.get(3));
        assertFalse(exists(zk, top + "/gone"));
        assertEquals(stat(zk, top + "/a").getCzxid(), stat(zk, top + "/b").getCzxid());
    }

    @Test
    @DisplayName("b199: a parent and its children, made and deleted")
    void nested() throws Exception {
        String top = fresh(zk);
        zk.multi(List.of(creation(top + "/p"), creation(top + "/p/c"), creation(top + "/p/c/d")));
        assertTrue(exists(zk, top + "/p/c/d"));
        zk.multi(
                List.of(
                        Op.delete(top + "/p/c/d", -1),
                        Op.delete(top + "/p/c", -1),
                        Op.delete(top + "/p", -1)));
        assertFalse(exists(zk, top + "/p"));
    }

    @Test
    @DisplayName("b200: versions count within a multi")
    void versions() throws Exception {
        String path = fresh(zk);
        List<OpResult> results =
                zk.multi(
                        List.of(
                                Op.setData(path, bytes("1"), 0),
                                Op.setData(path, bytes("2"), 1),
                                Op.check(path, 2)));
        assertEquals(2, ((OpResult.SetDataResult) results.get(1)).getStat().getVersion());
        assertEquals("2", text(zk, path));
    }

    @Test
    @DisplayName("b201, b202, b203: one that fails fails all, and each is told its part")
    void failure() throws Exception {
        String path = fresh(zk);
        KeeperException e =
                assertThrows(
                        KeeperException.class,
                        () ->
                                zk.multi(
                                        List.of(
                                                creation(path + "/a"),
                                                Op.check(path, 7),
                                                creation(path + "/b"))));
        assertEquals(Code.BADVERSION, e.code());
        List<Integer> codes =
                e.getResults().stream()
                        .map(result -> ((OpResult.ErrorResult) result).getErr())
                        .toList();
        assertEquals(List.of(0, Code.BADVERSION.intValue(), -2), codes);
        assertEquals(
                Code.NONODE,
                code(() ->
                        zk.multi(List.of(Op.delete(path, -1), Op.setData(path, bytes("x"), -1)))));
        assertEquals(0, stat(zk, path).getNumChildren());
    }

    @Test
    @DisplayName("b204: an empty multi")
    void empty() throws Exception {
        assertEquals(List.of(), zk.multi(List.of()));
    }

    @Test
    @DisplayName("b205, b211: flags and operations that a multi does not take fail it as a whole")
    void notTaken() throws Exception {
        String top = fresh(zk);
        try (RawClient raw = server.connected()) {
            var flags = new Request.Create(CreateOp.CREATE, top + "/x", null, Acl.OPEN, 9, 0);
            var good = new Request.Create(CreateOp.CREATE, top + "/y", null, Acl.OPEN, 0, 0);
            assertEquals(
                    Code.MARSHALLINGERROR.intValue(),
                    raw.ask(1, new Request.Multi(List.of(good, flags))).err());
            // A getData behind a delete, and in a multi at all.
            raw.send(
                    "0000002a000000020000000e"
                            + "0000000200ffffffff000000022f78ffffffff"
                            + "0000000400ffffffff000000022f7800");
            assertEquals(Code.MARSHALLINGERROR.intValue(), raw.header().err());
        }
        assertEquals(List.of(), zk.getChildren(top, false));
    }

    @Test
    @DisplayName("b206, b207: what failed leaves no trace, in numbers neither")
    void noTrace() throws Exception {
        String top = fresh(zk);
        Op sequential = Op.create(top + "/s-", null, Acls.OPEN, CreateMode.PERSISTENT_SEQUENTIAL);
        assertEquals(
                Code.NONODE,
                code(() -> zk.multi(List.of(sequential, sequential, Op.delete(top + "/no", -1)))));
        List<OpResult> results = zk.multi(List.of(sequential, sequential));
        assertEquals(top + "/s-0000000000", ((OpResult.CreateResult) results.get(0)).getPath());
        assertEquals(top + "/s-0000000001", ((OpResult.CreateResult) results.get(1)).getPath());
        assertEquals(
                Code.NONODE,
                code(() -> zk.multi(List.of(creation(top + "/c"), Op.delete(top + "/no", -1)))));
        zk.delete(top + "/s-0000000000", -1);
        zk.delete(top + "/s-0000000001", -1);
        zk.delete(top, -1);
    }

    @Test
    @DisplayName("b207: numbers in many multis at once")
    void manyNumbers() throws Exception {
        String top = fresh(zk);
        var done = new CountDownLatch(100);
        var failures = new AtomicInteger();
        Op sequential = Op.create(top + "/", null, Acls.OPEN, CreateMode.PERSISTENT_SEQUENTIAL);
        for (int i = 0; i < 100; i++) {
            zk.multi(
                    List.of(sequential, sequential, sequential),
                    (rc, _, _, _) -> {
                        failures.addAndGet(rc == 0 ? 0 : 1);
                        done.countDown();
                    },
                    null);
        }
        assertTrue(done.await(60, TimeUnit.SECONDS));
        assertEquals(0, failures.get());
        assertEquals(300, zk.getChildren(top, false).size());
        assertTrue(exists(zk, top + "/0000000299"));
    }

    @Test
    @DisplayName("b208: creates that answer a Stat do so in a multi")
    void stats() throws Exception {
        String top = fresh(zk);
        List<OpResult> results =
                zk.multi(
                        List.of(
                                Op.create(top + "/c", null, Acls.OPEN, CreateMode.CONTAINER),
                                Op.create(
                                        top + "/t",
                                        null,
                                        Acls.OPEN,
                                        CreateMode.PERSISTENT_WITH_TTL,
                                        100_000)));
        for (OpResult result : results) {
            var created = (OpResult.CreateResult) result;
            assertEquals(stat(zk, created.getPath()), created.getStat());
        }
    }

    @Test
    @DisplayName("b210: with a chroot")
    void chroot() throws Exception {
        String top = fresh(zk);
        try (ZooKeeper inside =
                Clients.connect(server.connectString() + top, 10_000, new Events())) {
            List<OpResult> results =
                    inside.multi(
                            List.of(
                                    creation("/a"),
                                    Op.setData("/a", bytes("x"), 0),
                                    Op.check("/a", 1)));
            assertEquals(3, results.size());
            assertEquals("x", text(zk, top + "/a"));
        }
    }

    @Test
    @DisplayName("b212: reads at once, each with its own answer")
    void reads() throws Exception {
        String top = fresh(zk);
        set(zk, top, "data");
        make(zk, top + "/a");
        zk.create(
                top + "/hidden",
                null,
                Acls.of(ZooDefs.Perms.WRITE, "world", "anyone"),
                CreateMode.PERSISTENT);
        List<OpResult> results =
                zk.multi(
                        List.of(
                                Op.getData(top),
                                Op.getData(top + "/no"),
                                Op.getChildren(top),
                                Op.getData(top + "/hidden")));
        assertEquals(
                "data", new String(((OpResult.GetDataResult) results.get(0)).getData(), UTF_8));
        assertEquals(Code.NONODE.intValue(), ((OpResult.ErrorResult) results.get(1)).getErr());
        assertEquals(2, ((OpResult.GetChildrenResult) results.get(2)).getChildren().size());
        assertEquals(Code.NOAUTH.intValue(), ((OpResult.ErrorResult) results.get(3)).getErr());
    }

    @Test
    @DisplayName("b214: a very large multi")
    void large() throws Exception {
        String top = fresh(zk);
        var ops = new ArrayList<Op>();
        for (int i = 0; i < 3000; i++) {
            ops.add(creation(top + "/" + i));
        }
        assertEquals(3000, zk.multi(ops).size());
        assertEquals(3000, zk.getAllChildrenNumber(top));
    }

    // Sync and order.

    @Test
    @DisplayName("b230, b231: behind a sync, what others wrote is seen; many are answered in order")
    void sync() throws Exception {
        String top = fresh(zk);
        ZooKeeper other = server.client();
        var order = new ArrayList<Integer>();
        var done = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            int number = i;
            other.sync(
                    top,
                    (_, _, _) -> {
                        order.add(number);
                        done.countDown();
                    },
                    null);
        }
        assertTrue(done.await(60, TimeUnit.SECONDS));
        assertEquals(IntStream.range(0, 100).boxed().toList(), order);
        make(zk, top + "/a");
        Clients.settle(other);
        assertTrue(exists(other, top + "/a"));
    }

    @Test
    @DisplayName("b233, b234, b236: each kind of request in one pipeline gets its answer, in order")
    void pipeline() throws Exception {
        String top = fresh(zk);
        var a = top + "/a";
        Request[] requests = {
            new Request.Create(CreateOp.CREATE2, a, new byte[1], Acl.OPEN, 0, 0),
            new Request.Exists(a, false),
            new Request.SetData(a, new byte[2], 0),
            new Request.GetData(a, false),
            new Request.GetChildren(top, false, true),
            new Request.SetAcl(a, Acl.OPEN, 0),
            new Request.GetAcl(a),
            new Request.Sync(a),
            new Request.Multi(List.of(new Request.Check(a, 1))),
            new Request.Delete(a, 1),
            new Request.GetAllChildrenNumber(top)
        };
        try (RawClient raw = server.connected()) {
            raw.send(RawClient.frames(requests));
            for (Request request : requests) {
                switch (raw.reply(request)) {
                    case Reply.Data data -> assertEquals(2, data.stat().dataLength());
                    case Reply.Count count -> assertEquals(0, count.count());
                    case Reply.Children children -> assertEquals(List.of("a"), children.names());
                    default -> {}
                }
            }
        }
    }

    @Test
    @DisplayName("b235: a client that asks without end does not keep others waiting")
    void progress() throws Exception {
        String top = fresh(zk);
        try (RawClient busy = server.connected()) {
            for (int i = 1; i <= 3000; i++) {
                busy.send(i, new Request.SetData(top, new byte[100], -1));
            }
            assertTrue(exists(zk, top));
            make(zk, top + "/other");
            for (int i = 1; i <= 3000; i++) {
                assertEquals(i, busy.header().xid());
            }
        }
    }
}
