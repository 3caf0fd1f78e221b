package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Clients.set;
import static dev.ensemble.server.behaviour.Clients.stat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.wire.ClientCodec;

import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/// What clients see of watches: behaviours 148 to 196.
@Timeout(120)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class WatchBehaviourTest {
    @TempDir static Path folder;
    private static Subject server;

    /// Changes things.
    private static ZooKeeper zk;

    /// Is told of the changes.
    private static ZooKeeper watcher;

    private static Events events;
    private String top = "";

    @BeforeAll
    static void start() throws Exception {
        server = Subject.start(folder);
        zk = server.client();
        events = new Events();
        watcher = server.client(events);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void prepare() throws Exception {
        top = Subject.fresh(zk);
        events.expectOnly(watcher);
    }

    // One-shot.

    @Test
    @DisplayName("b148, b154: a watch on a znode that is missing fires once, when it is made")
    void existWatch() throws Exception {
        assertNull(watcher.exists(top + "/a", true));
        make(zk, top + "/a");
        set(zk, top + "/a", "1");
        events.expectOnly(watcher, "NodeCreated " + top + "/a");
    }

    @Test
    @DisplayName("b149, b154: a watch of exists on what is there")
    void existsWatch() throws Exception {
        make(zk, top + "/a");
        watcher.exists(top + "/a", true);
        set(zk, top + "/a", "1");
        set(zk, top + "/a", "2");
        watcher.exists(top + "/a", true);
        zk.delete(top + "/a", -1);
        events.expectOnly(watcher, "NodeDataChanged " + top + "/a", "NodeDeleted " + top + "/a");
    }

    @Test
    @DisplayName("b150, b151: a watch of getData")
    void dataWatch() throws Exception {
        make(zk, top + "/a");
        watcher.getData(top + "/a", true, null);
        set(zk, top + "/a", "");
        watcher.getData(top + "/a", true, null);
        zk.delete(top + "/a", -1);
        events.expect("NodeDataChanged " + top + "/a", "NodeDeleted " + top + "/a");
        assertEquals(Code.NONODE, code(() -> watcher.getData(top + "/b", true, null)));
        make(zk, top + "/b");
        events.expectOnly(watcher);
    }

    @Test
    @DisplayName("b152: a watch of getChildren")
    void childWatch() throws Exception {
        watcher.getChildren(top, true);
        set(zk, top, "not of children");
        make(zk, top + "/a");
        watcher.getChildren(top, true);
        make(zk, top + "/a/grandchild");
        set(zk, top + "/a", "x");
        zk.delete(top + "/a/grandchild", -1);
        zk.delete(top + "/a", -1);
        watcher.getChildren(top, true);
        zk.delete(top, -1);
        events.expectOnly(
                watcher,
                "NodeChildrenChanged " + top,
                "NodeChildrenChanged " + top,
                "NodeDeleted " + top);
    }

    @Test
    @DisplayName("b153: the root can be watched for children")
    void rootChildren() throws Exception {
        watcher.getChildren("/", true);
        Subject.fresh(zk);
        events.expectOnly(watcher, "NodeChildrenChanged /");
    }

    @Test
    @DisplayName("b155, b158: the server sends one event, however many ask and wherever it matches")
    void oneEvent() throws Exception {
        try (RawClient raw = server.connected()) {
            for (int i = 1; i <= 3; i++) {
                assertEquals(0, raw.ask(i, new Request.GetData(top, true)).err());
            }
            assertEquals(0, raw.ask(4, new Request.GetChildren(top, true, false)).err());
            assertEquals(0, raw.ask(5, new Request.Delete(top, -1)).err() + raw.header().err());
            assertEquals(
                    ClientCodec.PING_XID, raw.ask(ClientCodec.PING_XID, new Request.Ping()).xid());
        }
    }

    @Test
    @DisplayName("b156: an event comes before the data that caused it")
    void eventFirst() throws Exception {
        try (RawClient raw = server.connected()) {
            assertEquals(0, raw.ask(1, new Request.GetData(top, true)).err());
            long version = set(zk, top, "new").getMzxid();
            raw.send(2, new Request.GetData(top, false));
            assertEquals(version, raw.header().zxid(), "the event, with the zxid of its change");
            assertEquals(2, raw.header().xid());
        }
    }

    @Test
    @DisplayName("b157: the end of a connection drops its watches")
    void droppedWatches() throws Exception {
        try (RawClient raw = server.connected()) {
            assertEquals(0, raw.ask(1, new Request.GetData(top, true)).err());
        }
        try (RawClient raw = server.connected()) {
            raw.ask(1, new Request.SetData(top, null, -1));
            assertEquals(
                    Code.NOWATCHER.intValue(), raw.ask(2, new Request.CheckWatches(top, 3)).err());
        }
    }

    @Test
    @DisplayName("b159: an event has the zxid of its transaction")
    void eventZxid() throws Exception {
        watcher.exists(top, true);
        long zxid = set(zk, top, "x").getMzxid();
        WatchedEvent event = events.next();
        assertEquals(zxid, event.getZxid());
    }

    @Test
    @DisplayName("b160: a multi that fails fires nothing, one that succeeds fires for each change")
    void multiEvents() throws Exception {
        watcher.addWatch(top, AddWatchMode.PERSISTENT_RECURSIVE);
        var good =
                List.of(
                        Op.create(top + "/a", null, Acls.OPEN, CreateMode.PERSISTENT),
                        Op.setData(top + "/a", new byte[1], -1),
                        Op.delete(top + "/a", -1));
        assertEquals(
                Code.BADVERSION, code(() -> zk.multi(List.of(good.getFirst(), Op.check(top, 77)))));
        zk.multi(good);
        events.expectOnly(
                watcher,
                "NodeCreated " + top + "/a",
                "NodeDataChanged " + top + "/a",
                "NodeDeleted " + top + "/a");
        watcher.removeAllWatches(top, WatcherType.Any, false);
        events.expect("PersistentWatchRemoved " + top);
    }

    // After a reconnect.

    @Test
    @DisplayName("b163 to b166, b179: what changed meanwhile is told, and watches go on")
    void reconnect() throws Exception {
        for (String name : List.of("data", "gone", "child", "same")) {
            make(zk, top + "/" + name);
        }
        try (RawClient first = server.connected()) {
            first.close();
        }
        long seen = stat(zk, top + "/same").getMzxid();
        set(zk, top + "/data", "x");
        zk.delete(top + "/gone", -1);
        make(zk, top + "/child/a");
        make(zk, top + "/made");
        try (RawClient raw = server.connected()) {
            raw.send(
                    -8,
                    new Request.SetWatches(
                            seen,
                            List.of(top + "/data", top + "/gone", top + "/same"),
                            List.of(top + "/made", top + "/missing"),
                            List.of(top + "/child", top + "/same"),
                            List.of(top + "/persistent"),
                            List.of(top + "/recursive")));
            assertEvent(raw, 3, top + "/data");
            assertEvent(raw, 2, top + "/gone");
            assertEvent(raw, 1, top + "/made");
            assertEvent(raw, 4, top + "/child");
            assertEquals(-8, raw.header().xid());
            set(zk, top + "/same", "later");
            make(zk, top + "/missing");
            make(zk, top + "/persistent");
            make(zk, top + "/recursive");
            make(zk, top + "/recursive/x");
            assertEvent(raw, 3, top + "/same");
            assertEvent(raw, 1, top + "/missing");
            assertEvent(raw, 1, top + "/persistent");
            assertEvent(raw, 1, top + "/recursive");
            assertEvent(raw, 1, top + "/recursive/x");
        }
    }

    @Test
    @DisplayName("b165: what was made anew meanwhile has changed, not gone")
    void madeAnew() throws Exception {
        make(zk, top + "/a");
        long seen = stat(zk, top + "/a").getMzxid();
        zk.delete(top + "/a", -1);
        make(zk, top + "/a");
        try (RawClient raw = server.connected()) {
            raw.send(
                    -8,
                    new Request.SetWatches(
                            seen, List.of(top + "/a"), List.of(), List.of(), null, null));
            assertEvent(raw, 3, top + "/a");
            assertEquals(-8, raw.header().xid());
        }
    }

    @Test
    @DisplayName("b169: thousands of watches in several requests")
    void thousands() throws Exception {
        List<String> paths = IntStream.range(0, 5000).mapToObj(i -> top + "/w" + i).toList();
        try (RawClient raw = server.connected()) {
            for (int from = 0; from < 5000; from += 1000) {
                var part = List.copyOf(paths.subList(from, from + 1000));
                raw.send(-8, new Request.SetWatches(0, List.of(), part, List.of(), null, null));
                assertEquals(-8, raw.header().xid());
            }
            make(zk, top + "/w4999");
            make(zk, top + "/w0");
            assertEvent(raw, 1, top + "/w4999");
            assertEvent(raw, 1, top + "/w0");
        }
    }

    @Test
    @DisplayName("b171: requests behind setWatches are answered behind it")
    void resetAndRequests() throws Exception {
        try (RawClient raw = server.raw()) {
            raw.sendConnect(0, 0, new byte[16], 10_000);
            raw.send(-8, new Request.SetWatches(0, List.of(top), List.of(), List.of(), null, null));
            raw.send(
                    1,
                    new Request.Create(Request.CreateOp.CREATE, top + "/n", null, Acl.OPEN, 0, 0));
            raw.send(2, new Request.Exists(top + "/n", false));
            assertTrue(raw.receiveBody().isReadable(), "the answer to the handshake");
            assertEvent(raw, 3, top);
            assertEquals(-8, raw.header().xid());
            assertEquals(1, raw.header().xid());
            assertEquals(2, raw.header().xid());
        }
    }

    // Persistent.

    @Test
    @DisplayName("b172, b173, b178: a persistent watch stays, and may come before its znode")
    void persistent() throws Exception {
        String path = top + "/p";
        watcher.addWatch(path, AddWatchMode.PERSISTENT);
        make(zk, path);
        make(zk, path + "/child");
        set(zk, path, "x");
        set(zk, path + "/child", "not told");
        zk.delete(path + "/child", -1);
        zk.delete(path, -1);
        make(zk, path);
        events.expectOnly(
                watcher,
                "NodeCreated " + path,
                "NodeChildrenChanged " + path,
                "NodeDataChanged " + path,
                "NodeChildrenChanged " + path,
                "NodeDeleted " + path,
                "NodeCreated " + path);
        watcher.removeAllWatches(path, WatcherType.Persistent, false);
        events.expect("PersistentWatchRemoved " + path);
    }

    @Test
    @DisplayName("b174: a persistent watch on the root is told of its children alone")
    void persistentRoot() throws Exception {
        watcher.addWatch("/", AddWatchMode.PERSISTENT);
        String path = Subject.fresh(zk);
        set(zk, path, "x");
        make(zk, path + "/deeper");
        events.expectOnly(watcher, "NodeChildrenChanged /");
        watcher.removeAllWatches("/", WatcherType.Any, false);
        events.expect("PersistentWatchRemoved /");
    }

    @Test
    @DisplayName("b175, b176: a recursive watch is told of all below, never of children")
    void recursive() throws Exception {
        watcher.addWatch(top, AddWatchMode.PERSISTENT_RECURSIVE);
        make(zk, top + "/a");
        make(zk, top + "/a/b");
        set(zk, top + "/a/b", "x");
        zk.delete(top + "/a/b", -1);
        events.expectOnly(
                watcher,
                "NodeCreated " + top + "/a",
                "NodeCreated " + top + "/a/b",
                "NodeDataChanged " + top + "/a/b",
                "NodeDeleted " + top + "/a/b");
        watcher.getChildren(top, true);
        make(zk, top + "/c");
        events.expectOnly(watcher, "NodeCreated " + top + "/c", "NodeChildrenChanged " + top);
        watcher.removeAllWatches(top, WatcherType.PersistentRecursive, false);
        events.expect("PersistentWatchRemoved " + top);
    }

    @Test
    @DisplayName("b177, b185: a recursive watch on the root is told of everything, once")
    void recursiveRoot() throws Exception {
        watcher.addWatch("/", AddWatchMode.PERSISTENT_RECURSIVE);
        String path = Subject.fresh(zk);
        make(zk, path + "/a");
        make(zk, path + "/a/b");
        events.expectOnly(
                watcher,
                "NodeCreated " + path,
                "NodeCreated " + path + "/a",
                "NodeCreated " + path + "/a/b");
        watcher.removeAllWatches("/", WatcherType.Any, false);
        events.expect("PersistentWatchRemoved /");
    }

    @Test
    @DisplayName(
            "b180, b181, b182, b195: the kinds of watches on one path do not concern each other")
    void kinds() throws Exception {
        try (RawClient raw = server.connected()) {
            int xid = 0;
            for (int i = 0; i < 2; i++) {
                assertEquals(0, raw.ask(++xid, new Request.AddWatch(top, 0)).err());
                assertEquals(0, raw.ask(++xid, new Request.AddWatch(top, 1)).err());
                assertEquals(0, raw.ask(++xid, new Request.GetData(top, true)).err());
                assertEquals(0, raw.ask(++xid, new Request.GetChildren(top, true, false)).err());
            }
            for (int type = 1; type <= 5; type++) {
                assertEquals(
                        0, raw.ask(++xid, new Request.CheckWatches(top, type)).err(), "" + type);
            }
            assertEquals(0, raw.ask(++xid, new Request.RemoveWatches(top, 4)).err());
            assertEquals(
                    Code.NOWATCHER.intValue(),
                    raw.ask(++xid, new Request.CheckWatches(top, 4)).err());
            for (int type : new int[] {1, 2, 3, 5}) {
                assertEquals(
                        0, raw.ask(++xid, new Request.CheckWatches(top, type)).err(), "" + type);
            }
            set(zk, top, "one event");
            assertEvent(raw, 3, top);
            make(zk, top + "/c");
            assertEvent(raw, 1, top + "/c");
            assertEvent(raw, 4, top);
            set(zk, top, "the recursive one is left");
            assertEvent(raw, 3, top);
            assertEquals(0, raw.ask(++xid, new Request.RemoveWatches(top, 5)).err());
            set(zk, top, "none is left");
            assertEquals(
                    Code.NOWATCHER.intValue(),
                    raw.ask(++xid, new Request.CheckWatches(top, 3)).err());
        }
    }

    @Test
    @DisplayName("b183: nobody is told of what it may not read, and of everything else")
    void filtered() throws Exception {
        watcher.addWatch(top, AddWatchMode.PERSISTENT_RECURSIVE);
        var hidden = Acls.of(ZooDefs.Perms.ALL & ~ZooDefs.Perms.READ, "world", "anyone");
        zk.create(top + "/hidden", null, hidden, CreateMode.PERSISTENT);
        zk.create(top + "/hidden/shown", null, Acls.OPEN, CreateMode.PERSISTENT);
        zk.setData(top + "/hidden", new byte[1], -1);
        zk.setACL(top + "/hidden", Acls.OPEN, -1);
        zk.setData(top + "/hidden", new byte[2], -1);
        zk.setACL(top + "/hidden/shown", hidden, -1);
        zk.delete(top + "/hidden/shown", -1);
        zk.delete(top + "/hidden", -1);
        events.expectOnly(
                watcher,
                "NodeCreated " + top + "/hidden/shown",
                "NodeDataChanged " + top + "/hidden",
                "NodeDeleted " + top + "/hidden");
        watcher.removeAllWatches(top, WatcherType.Any, false);
        events.expect("PersistentWatchRemoved " + top);
    }

    // Removal.

    @Test
    @DisplayName("b186, b190: a watch that is removed is not told any more")
    void removed() throws Exception {
        watcher.getData(top, events, null);
        watcher.getChildren(top, events);
        watcher.removeWatches(top, events, WatcherType.Data, false);
        events.expect("DataWatchRemoved " + top);
        watcher.removeWatches(top, events, WatcherType.Children, false);
        events.expect("ChildWatchRemoved " + top);
        set(zk, top, "x");
        make(zk, top + "/c");
        events.expectOnly(watcher);
    }

    @Test
    @DisplayName("b187, b188: of one path, of one type, and nothing else")
    void removeTypes() throws Exception {
        make(zk, top + "/other");
        try (RawClient raw = server.connected()) {
            raw.ask(1, new Request.AddWatch(top, 0));
            raw.ask(2, new Request.AddWatch(top, 1));
            raw.ask(3, new Request.GetData(top, true));
            raw.ask(4, new Request.GetChildren(top, true, false));
            raw.ask(5, new Request.GetData(top + "/other", true));
            assertEquals(0, raw.ask(6, new Request.RemoveWatches(top, 2)).err());
            assertEquals(0, raw.ask(7, new Request.CheckWatches(top, 1)).err());
            assertEquals(0, raw.ask(8, new Request.RemoveWatches(top, 3)).err());
            for (int type = 1; type <= 5; type++) {
                assertEquals(
                        Code.NOWATCHER.intValue(),
                        raw.ask(8 + type, new Request.CheckWatches(top, type)).err());
            }
            assertEquals(0, raw.ask(20, new Request.CheckWatches(top + "/other", 2)).err());
        }
    }

    @Test
    @DisplayName("b189: a watch that is not there cannot be removed")
    void removeNothing() throws Exception {
        try (RawClient raw = server.connected()) {
            for (int type = 1; type <= 5; type++) {
                assertEquals(
                        Code.NOWATCHER.intValue(),
                        raw.ask(type, new Request.RemoveWatches(top, type)).err());
            }
            assertEquals(
                    Code.MARSHALLINGERROR.intValue(),
                    raw.ask(9, new Request.RemoveWatches(top, 9)).err());
        }
        assertEquals(
                Code.NOWATCHER,
                code(() -> {
                    watcher.removeAllWatches(top, WatcherType.Any, false);
                    return top;
                }));
    }

    @Test
    @DisplayName("b191: thousands of watches are removed")
    void removeThousands() throws Exception {
        try (RawClient raw = server.connected()) {
            for (int i = 1; i <= 2000; i++) {
                raw.send(i, new Request.Exists(top + "/" + i, true));
            }
            for (int i = 1; i <= 2000; i++) {
                assertEquals(Code.NONODE.intValue(), raw.header().err());
            }
            for (int i = 1; i <= 2000; i++) {
                raw.send(i, new Request.RemoveWatches(top + "/" + i, 2));
            }
            for (int i = 1; i <= 2000; i++) {
                assertEquals(0, raw.header().err());
            }
            make(zk, top + "/1");
            assertEquals(7, raw.ask(7, new Request.Exists(top, false)).xid());
        }
    }

    @Test
    @DisplayName("b194: the client keeps the server's watch while another watcher needs it")
    void removeOneOfTwo() throws Exception {
        var other = new Events();
        watcher.getData(top, events, null);
        watcher.getData(top, other, null);
        watcher.removeWatches(top, events, WatcherType.Data, false);
        events.expect("DataWatchRemoved " + top);
        set(zk, top, "x");
        other.expect("NodeDataChanged " + top);
        events.expectOnly(watcher);
    }

    @Test
    @DisplayName("b168, b193, b350: with a chroot, paths are relative to it")
    void chroot() throws Exception {
        var mine = new Events();
        try (ZooKeeper inside = Clients.connect(server.connectString() + top, 10_000, mine)) {
            assertNull(inside.exists("/a", true));
            make(inside, "/a");
            mine.expect("NodeCreated /a");
            assertTrue(Clients.exists(zk, top + "/a"));
            inside.getData("/a", mine, null);
            inside.removeWatches("/a", mine, WatcherType.Data, false);
            mine.expect("DataWatchRemoved /a");
            inside.getChildren("/", true);
            zk.delete(top + "/a", -1);
            mine.expectOnly(inside, "NodeChildrenChanged /");
        }
    }

    private static void assertEvent(RawClient raw, int type, String path) throws Exception {
        assertEquals(new ClientCodec.Event(type, 3, path), raw.event());
    }
}
