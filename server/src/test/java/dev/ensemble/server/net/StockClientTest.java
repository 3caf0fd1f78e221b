package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// ZooKeeper's own Java client.
final class StockClientTest {
    /// What a client is told, in order.
    private static final class Events implements Watcher {
        private final BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            events.add(event);
        }

        WatchedEvent next() throws InterruptedException {
            WatchedEvent event = events.poll(20, TimeUnit.SECONDS);
            assertNotNull(event, "no event came");
            return event;
        }

        void expect(EventType type, String path) throws InterruptedException {
            WatchedEvent event = next();
            assertEquals(type + " " + path, event.getType() + " " + event.getPath());
        }

        void expect(KeeperState state) throws InterruptedException {
            assertEquals(state, next().getState());
        }
    }

    private ServedClients served;
    private Events events;
    private ZooKeeper zk;
    private final List<ZooKeeper> others = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        served = new ServedClients();
        events = new Events();
        zk = new ZooKeeper(served.hostPort(), 10_000, events);
        events.expect(KeeperState.SyncConnected);
    }

    @AfterEach
    void stop() throws Exception {
        zk.close();
        for (ZooKeeper other : others) {
            other.close();
        }
        served.close();
    }

    @Test
    void znodesAreCreatedReadChangedAndDeleted() throws Exception {
        assertEquals("/a", create("/a", "one", CreateMode.PERSISTENT));
        Stat stat = new Stat();
        assertArrayEquals("one".getBytes(UTF_8), zk.getData("/a", false, stat));
        assertEquals(0, stat.getVersion());
        assertEquals(1, zk.setData("/a", "two".getBytes(UTF_8), 0).getVersion());
        assertThrows(
                KeeperException.BadVersionException.class, () -> zk.setData("/a", new byte[0], 0));
        assertThrows(
                KeeperException.NodeExistsException.class,
                () -> create("/a", "", CreateMode.PERSISTENT));
        assertEquals("/a/n-0000000000", create("/a/n-", "", CreateMode.PERSISTENT_SEQUENTIAL));
        assertEquals(List.of("n-0000000000"), zk.getChildren("/a", false));
        assertThrows(KeeperException.NotEmptyException.class, () -> zk.delete("/a", -1));
        zk.delete("/a/n-0000000000", 0);
        zk.delete("/a", 1);
        assertNull(zk.exists("/a", false));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.getData("/a", false, null));
    }

    @Test
    void watchesFireOnce() throws Exception {
        assertNull(zk.exists("/a", true));
        create("/a", "", CreateMode.PERSISTENT);
        events.expect(EventType.NodeCreated, "/a");
        zk.getData("/a", true, null);
        zk.getChildren("/a", true);
        zk.setData("/a", new byte[0], -1);
        zk.setData("/a", new byte[0], -1);
        events.expect(EventType.NodeDataChanged, "/a");
        create("/a/b", "", CreateMode.PERSISTENT);
        events.expect(EventType.NodeChildrenChanged, "/a");
    }

    @Test
    void recursiveWatchesStay() throws Exception {
        zk.addWatch("/a", AddWatchMode.PERSISTENT_RECURSIVE);
        create("/a", "", CreateMode.PERSISTENT);
        create("/a/b", "", CreateMode.PERSISTENT);
        zk.delete("/a/b", -1);
        events.expect(EventType.NodeCreated, "/a");
        events.expect(EventType.NodeCreated, "/a/b");
        events.expect(EventType.NodeDeleted, "/a/b");
        zk.removeWatches("/a", events, WatcherType.Any, false);
        events.expect(EventType.PersistentWatchRemoved, "/a");
        create("/a/c", "", CreateMode.PERSISTENT);
        assertThrows(
                KeeperException.NoWatcherException.class,
                () -> zk.removeWatches("/a", events, WatcherType.Any, false));
    }

    @Test
    void aMultiIsAllOrNothing() throws Exception {
        List<OpResult> results =
                zk.multi(
                        List.of(
                                Op.create(
                                        "/m",
                                        new byte[0],
                                        Ids.OPEN_ACL_UNSAFE,
                                        CreateMode.PERSISTENT),
                                Op.setData("/m", new byte[1], 0),
                                Op.check("/m", 1),
                                Op.create(
                                        "/m/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER)));
        assertEquals(4, results.size());
        assertInstanceOf(OpResult.CreateResult.class, results.get(0));
        var failed =
                assertThrows(
                        KeeperException.class,
                        () -> zk.multi(List.of(Op.delete("/m/c", -1), Op.check("/m", 7))));
        assertEquals(KeeperException.Code.BADVERSION, failed.code());
        assertNotNull(zk.exists("/m/c", false));
        List<OpResult> reads =
                zk.multi(List.of(Op.getData("/m"), Op.getChildren("/m"), Op.getData("/none")));
        assertInstanceOf(OpResult.GetDataResult.class, reads.get(0));
        assertInstanceOf(OpResult.ErrorResult.class, reads.get(2));
    }

    @Test
    void aclsHoldForWhoeverDidNotProveAnything() throws Exception {
        zk.addAuthInfo("digest", "u:p".getBytes(UTF_8));
        zk.create("/mine", new byte[0], Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        ZooKeeper other = connect();
        assertThrows(
                KeeperException.NoAuthException.class, () -> other.getData("/mine", false, null));
        other.addAuthInfo("digest", "u:p".getBytes(UTF_8));
        assertEquals(0, other.getData("/mine", false, null).length);
        assertEquals("digest", other.getACL("/mine", null).getFirst().getId().getScheme());
    }

    @Test
    void anEventIsNotForThoseWhoMayNotRead() throws Exception {
        ZooKeeper other = connect();
        var told = new Events();
        other.addWatch("/", told, AddWatchMode.PERSISTENT_RECURSIVE);
        zk.addAuthInfo("digest", "u:p".getBytes(UTF_8));
        zk.create("/mine", new byte[0], Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        create("/all", "", CreateMode.PERSISTENT);
        told.expect(EventType.NodeCreated, "/all");
    }

    @Test
    void ephemeralsEndWithTheirSession() throws Exception {
        ZooKeeper other = connect();
        other.create("/e", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        assertEquals(List.of("/e"), other.getEphemerals());
        Stat stat = zk.exists("/e", true);
        assertEquals(other.getSessionId(), stat.getEphemeralOwner());
        other.close();
        events.expect(EventType.NodeDeleted, "/e");
    }

    @Test
    void aClientComesBackWithItsSessionAndItsWatches() throws Exception {
        create("/a", "", CreateMode.PERSISTENT);
        zk.getData("/a", true, null);
        zk.exists("/b", true);
        zk.getChildren("/a", true);
        long session = zk.getSessionId();
        served.closeConnections();
        events.expect(KeeperState.Disconnected);
        events.expect(KeeperState.SyncConnected);
        assertEquals(session, zk.getSessionId());
        ZooKeeper other = connect();
        other.setData("/a", new byte[0], -1);
        events.expect(EventType.NodeDataChanged, "/a");
        other.create("/b", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.expect(EventType.NodeCreated, "/b");
        other.create("/a/c", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.expect(EventType.NodeChildrenChanged, "/a");
    }

    @Test
    void anExpiredSessionIsTold() throws Exception {
        served.member.expire(zk.getSessionId());
        events.expect(KeeperState.Disconnected);
        events.expect(KeeperState.Expired);
    }

    @Test
    void manyRequestsAtOnceAreAllAnsweredInOrder() throws Exception {
        create("/n", "", CreateMode.PERSISTENT);
        int count = 5000;
        var done = new CountDownLatch(2 * count);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            zk.create(
                    "/n/" + i,
                    new byte[100],
                    Ids.OPEN_ACL_UNSAFE,
                    CreateMode.PERSISTENT,
                    (code, _, _, _) -> {
                        assertEquals(0, code);
                        order.add(number);
                        done.countDown();
                    },
                    null);
            zk.getData(
                    "/n/" + i,
                    false,
                    (code, _, _, _, _) -> {
                        order.add(code == 0 ? number : code);
                        done.countDown();
                    },
                    null);
        }
        assertTrue(done.await(60, TimeUnit.SECONDS));
        for (int i = 0; i < 2 * count; i++) {
            assertEquals(i / 2, order.get(i));
        }
        assertEquals(count + 5, zk.getAllChildrenNumber("/") + 1);
    }

    @Test
    void theRestAnswersToo() throws Exception {
        var synced = new CountDownLatch(1);
        zk.sync("/", (_, _, _) -> synced.countDown(), null);
        assertTrue(synced.await(20, TimeUnit.SECONDS));
        assertEquals("ip", zk.whoAmI().getFirst().getAuthScheme());
        assertEquals(
                "/ttl",
                zk.create(
                        "/ttl",
                        new byte[0],
                        Ids.OPEN_ACL_UNSAFE,
                        CreateMode.PERSISTENT_WITH_TTL,
                        new Stat(),
                        100_000));
        var admin = new ZooKeeperAdmin(served.hostPort(), 10_000, _ -> {});
        others.add(admin);
        assertThrows(
                KeeperException.ReconfigDisabledException.class,
                () -> admin.reconfigure("server.1=h:1:2:participant;3", null, null, -1, null));
    }

    private ZooKeeper connect() throws Exception {
        var other = new ZooKeeper(served.hostPort(), 10_000, _ -> {});
        others.add(other);
        return other;
    }

    private String create(String path, String data, CreateMode mode) throws Exception {
        return zk.create(path, data.getBytes(UTF_8), Ids.OPEN_ACL_UNSAFE, mode);
    }
}
