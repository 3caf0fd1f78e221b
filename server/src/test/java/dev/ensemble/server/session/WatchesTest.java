package dev.ensemble.server.session;

import static dev.ensemble.server.model.WatchEvent.Type.NODE_CHILDREN_CHANGED;
import static dev.ensemble.server.model.WatchEvent.Type.NODE_CREATED;
import static dev.ensemble.server.model.WatchEvent.Type.NODE_DATA_CHANGED;
import static dev.ensemble.server.model.WatchEvent.Type.NODE_DELETED;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.WatchEvent;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

final class WatchesTest {
    private static final int PERSISTENT = 0;
    private static final int RECURSIVE = 1;
    private static final List<WatchEvent.Type> TYPES = List.of(WatchEvent.Type.values());
    private static final List<Acl> SECRET = List.of(new Acl(Acl.ALL, new Id("digest", "s:x")));

    private final Watches<String> watches = new Watches<>();

    @Test
    @DisplayName(
            "b148, b149, b150, b154: a data watch fires once, on whatever happens to the znode")
    void dataWatchesFireOnce() {
        for (WatchEvent.Type type : List.of(NODE_CREATED, NODE_DATA_CHANGED, NODE_DELETED)) {
            watches.addData("/a", "alice");
            assertEquals(List.of(), fire(NODE_CHILDREN_CHANGED, "/a"));
            assertEquals(List.of(), fire(type, "/a/b"));
            assertEquals(List.of("alice"), fire(type, "/a"));
            assertEquals(List.of(), fire(type, "/a"));
        }
        assertEmpty();
    }

    /// A watcher that counts how often anything is asked of one.
    private static final class Asked {
        private static int count;

        private final int number;

        private Asked(int number) {
            this.number = number;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            count++;
            return other instanceof Asked asked && asked.number == number;
        }

        @Override
        public int hashCode() {
            count++;
            return number;
        }
    }

    @Test
    @DisplayName("a change looks at those who wait for it, not at all the others")
    void changesScanNobody() {
        var many = new Watches<Asked>();
        for (int i = 0; i < 20_000; i++) {
            var watcher = new Asked(i);
            many.addData("/a/" + i, watcher);
            many.addChild("/a/" + i, watcher);
            many.add(new Request.AddWatch("/b/" + i, RECURSIVE), watcher);
        }
        Asked.count = 0;
        var heard = new ArrayList<Asked>();
        many.fire(new WatchEvent(NODE_DELETED, "/a/7", Acl.OPEN), (_, _) -> true, heard::add);
        many.fire(new WatchEvent(NODE_CREATED, "/b/8/c", Acl.OPEN), (_, _) -> true, heard::add);
        many.fire(new WatchEvent(NODE_CREATED, "/c/9", Acl.OPEN), (_, _) -> true, heard::add);
        assertEquals(List.of(7, 8), heard.stream().map(each -> each.number).toList());
        assertTrue(Asked.count < 100, "asked " + Asked.count + " times");
    }

    @Test
    @DisplayName("b152, b153: a child watch fires once, on its children or its own deletion")
    void childWatchesFireOnce() {
        for (WatchEvent.Type type : List.of(NODE_CHILDREN_CHANGED, NODE_DELETED)) {
            watches.addChild("/", "alice");
            assertEquals(List.of(), fire(NODE_CREATED, "/"));
            assertEquals(List.of(), fire(NODE_DATA_CHANGED, "/"));
            assertEquals(List.of("alice"), fire(type, "/"));
            assertEquals(List.of(), fire(type, "/"));
        }
        assertEmpty();
    }

    @Test
    @DisplayName("b155: a deleted znode with a data and a child watch gives one event, and both go")
    void oneEventForAllThatMatch() {
        watches.addData("/a", "alice");
        watches.addChild("/a", "alice");
        add("/a", PERSISTENT, "alice");
        add("/a", RECURSIVE, "alice");
        add("/", RECURSIVE, "alice");
        assertEquals(List.of("alice"), fire(NODE_DELETED, "/a"));
        assertEquals(3, watches.watchCount());
        assertEquals(Code.NO_WATCHER, check("/a", 1, "alice"));
        assertEquals(Code.NO_WATCHER, check("/a", 2, "alice"));
    }

    @Test
    @DisplayName("b172, b178: a persistent watch sees everything of its path, and stays")
    void persistent() {
        add("/a", PERSISTENT, "alice");
        for (int i = 0; i < 2; i++) {
            for (WatchEvent.Type type : WatchEvent.Type.values()) {
                assertEquals(List.of("alice"), fire(type, "/a"));
                assertEquals(List.of(), fire(type, "/a/b"));
                assertEquals(List.of(), fire(type, "/"));
            }
        }
    }

    @Test
    @DisplayName(
            "b175, b176, b177, b185: a recursive watch sees all below, but no children changed")
    void recursive() {
        add("/a", RECURSIVE, "alice");
        add("/", RECURSIVE, "root");
        for (WatchEvent.Type type : List.of(NODE_CREATED, NODE_DATA_CHANGED, NODE_DELETED)) {
            assertEquals(List.of("alice", "root"), fire(type, "/a"));
            assertEquals(List.of("alice", "root"), fire(type, "/a/b/c"));
            assertEquals(List.of("root"), fire(type, "/ab"));
            assertEquals(List.of("root"), fire(type, "/"));
        }
        assertEquals(List.of(), fire(NODE_CHILDREN_CHANGED, "/a"));
        assertEquals(List.of(), fire(NODE_CHILDREN_CHANGED, "/"));
        watches.addChild("/a", "alice");
        assertEquals(List.of("alice"), fire(NODE_CHILDREN_CHANGED, "/a"));
    }

    @Test
    @DisplayName(
            "b183: who may not read hears nothing, and a one-shot watch is used up all the same")
    void filteredByAcl() {
        watches.addData("/s", "alice");
        add("/", RECURSIVE, "alice");
        add("/", RECURSIVE, "super");
        assertEquals(List.of("super"), fire(new WatchEvent(NODE_DELETED, "/s", SECRET)));
        assertEquals(Code.NO_WATCHER, check("/s", 2, "alice"));
        assertEquals(List.of("alice", "super"), fire(NODE_CREATED, "/s"));
    }

    @Test
    @DisplayName("b157: a closed connection leaves nothing")
    void removeAll() {
        watches.addData("/a", "alice");
        watches.addData("/a", "bob");
        watches.addChild("/b", "alice");
        add("/a", PERSISTENT, "alice");
        add("/c", RECURSIVE, "alice");
        assertEquals(2, watches.watcherCount());
        assertEquals(3, watches.pathCount());
        assertEquals(5, watches.watchCount());
        watches.removeAll("alice");
        assertEquals(1, watches.watcherCount());
        assertEquals(1, watches.pathCount());
        assertEquals(1, watches.watchCount());
        assertEquals(List.of("bob"), fire(NODE_CREATED, "/a"));
        assertEquals(List.of(), fire(NODE_CREATED, "/c/d"));
        watches.removeAll("alice");
        assertEmpty();
    }

    @Test
    @DisplayName("b158, b182: what is set twice counts once")
    void idempotent() {
        for (int i = 0; i < 2; i++) {
            watches.addData("/a", "alice");
            watches.addChild("/a", "alice");
            add("/a", PERSISTENT, "alice");
            add("/a", RECURSIVE, "alice");
        }
        assertEquals(4, watches.watchCount());
        assertEquals(1, watches.pathCount());
    }

    @Test
    @DisplayName("b181, b186 to b190, b195: removing one type at one path leaves the others")
    void removes() {
        watches.addData("/a", "alice");
        watches.addChild("/a", "alice");
        add("/a", PERSISTENT, "alice");
        add("/a", RECURSIVE, "alice");
        watches.addData("/a", "bob");
        watches.addData("/b", "alice");
        for (int type : new int[] {1, 2, 4, 5}) {
            assertEquals(Code.OK, check("/a", type, "alice"));
            assertEquals(Code.OK, remove("/a", type, "alice"));
            assertEquals(Code.NO_WATCHER, check("/a", type, "alice"));
            assertEquals(Code.NO_WATCHER, remove("/a", type, "alice"));
            assertEquals(type == 5 ? Code.NO_WATCHER : Code.OK, check("/a", 3, "alice"));
        }
        assertEquals(List.of("bob"), fire(NODE_DATA_CHANGED, "/a"));
        assertEquals(List.of("alice"), fire(NODE_DATA_CHANGED, "/b"));
    }

    @Test
    @DisplayName("b187: type any removes all of them")
    void removesAny() {
        watches.addChild("/a", "alice");
        add("/a", RECURSIVE, "alice");
        assertEquals(Code.OK, remove("/a", 3, "alice"));
        assertEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 6, -1})
    void unknownTypesAndModes(int number) {
        watches.addData("/a", "alice");
        assertEquals(Code.MARSHALLING_ERROR, check("/a", number, "alice"));
        assertEquals(Code.MARSHALLING_ERROR, remove("/a", number, "alice"));
        int mode = number == 0 ? 2 : number;
        assertEquals(
                Code.MARSHALLING_ERROR, watches.add(new Request.AddWatch("/a", mode), "alice"));
        assertEquals(1, watches.watchCount());
    }

    @Test
    void aPathThatIsNull() {
        assertEquals(Code.OK, watches.add(new Request.AddWatch(null, RECURSIVE), "alice"));
        assertEquals(Code.NO_WATCHER, watches.remove(new Request.RemoveWatches(null, 3), "alice"));
        assertEmpty();
    }

    @Test
    @DisplayName("b164, b165, b166, b179, V42, V43: watches that a client brings along")
    void reset() {
        Map<String, Stat> tree = new HashMap<>();
        tree.put("/old", stat(5, 5));
        tree.put("/changed", stat(11, 5));
        tree.put("/grown", stat(5, 11));
        var missed = new ArrayList<String>();
        watches.reset(
                new Request.SetWatches(
                        10,
                        List.of("/old", "/changed", "/grown", "/gone"),
                        List.of("/old", "/gone"),
                        List.of("/old", "/changed", "/grown", "/gone"),
                        List.of("/changed"),
                        List.of("/gone")),
                "alice",
                tree::get,
                (type, path) -> missed.add(type + " " + path));
        assertEquals(
                List.of(
                        "NODE_DATA_CHANGED /changed",
                        "NODE_DELETED /gone",
                        "NODE_CREATED /old",
                        "NODE_CHILDREN_CHANGED /grown",
                        "NODE_DELETED /gone"),
                missed);
        assertEquals(Code.OK, check("/old", 1, "alice"));
        assertEquals(Code.OK, check("/old", 2, "alice"));
        assertEquals(Code.OK, check("/grown", 2, "alice"));
        assertEquals(Code.OK, check("/gone", 2, "alice"));
        assertEquals(Code.OK, check("/changed", 1, "alice"));
        assertEquals(Code.OK, check("/changed", 4, "alice"));
        assertEquals(Code.OK, check("/gone", 5, "alice"));
        assertEquals(7, watches.watchCount());
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("The same as a list of all watches that is looked through for each event")
    void sameAsTheObviousOne(long seed) {
        var random = new Random(seed);
        var obvious = new Obvious();
        String[] paths = {"/", "/a", "/a/b", "/a/b/c", "/b", "/ab"};
        String[] watchers = {"w0", "w1", "w2", "w3"};
        for (int i = 0; i < 5_000; i++) {
            String path = paths[random.nextInt(paths.length)];
            String watcher = watchers[random.nextInt(watchers.length)];
            int type = new int[] {1, 2, 4, 5}[random.nextInt(4)];
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3 -> {
                    obvious.all.add(new Watch(path, watcher, type));
                    switch (type) {
                        case 1 -> watches.addChild(path, watcher);
                        case 2 -> watches.addData(path, watcher);
                        default -> add(path, type == 4 ? PERSISTENT : RECURSIVE, watcher);
                    }
                }
                case 4 -> {
                    boolean there = obvious.all.remove(new Watch(path, watcher, type));
                    assertEquals(there ? Code.OK : Code.NO_WATCHER, remove(path, type, watcher));
                }
                case 5 -> {
                    if (random.nextInt(10) == 0) {
                        obvious.all.removeIf(watch -> watch.watcher.equals(watcher));
                        watches.removeAll(watcher);
                    }
                }
                default -> {
                    WatchEvent.Type event = TYPES.get(random.nextInt(4));
                    assertEquals(obvious.fire(event, path), new HashSet<>(fire(event, path)));
                }
            }
            assertEquals(obvious.all.size(), watches.watchCount());
            assertEquals(
                    obvious.all.stream().map(Watch::path).distinct().count(), watches.pathCount());
            assertEquals(
                    obvious.all.stream().map(Watch::watcher).distinct().count(),
                    watches.watcherCount());
        }
    }

    private record Watch(String path, String watcher, int type) {
        boolean matches(WatchEvent.Type event, String at) {
            boolean self = path.equals(at);
            return switch (type) {
                case 1 -> self && (event == NODE_CHILDREN_CHANGED || event == NODE_DELETED);
                case 2 -> self && event != NODE_CHILDREN_CHANGED;
                case 4 -> self;
                default ->
                        event != NODE_CHILDREN_CHANGED
                                && (self || path.equals("/") || at.startsWith(path + "/"));
            };
        }
    }

    private static final class Obvious {
        private final Set<Watch> all = new HashSet<>();

        Set<String> fire(WatchEvent.Type event, String path) {
            Set<String> fired = new HashSet<>();
            for (Watch watch : List.copyOf(all)) {
                if (watch.matches(event, path)) {
                    fired.add(watch.watcher);
                    if (watch.type <= 2) {
                        all.remove(watch);
                    }
                }
            }
            return fired;
        }
    }

    private void add(String path, int mode, String watcher) {
        assertEquals(Code.OK, watches.add(new Request.AddWatch(path, mode), watcher));
    }

    private Code check(String path, int type, String watcher) {
        return watches.check(new Request.CheckWatches(path, type), watcher);
    }

    private Code remove(String path, int type, String watcher) {
        return watches.remove(new Request.RemoveWatches(path, type), watcher);
    }

    private List<String> fire(WatchEvent.Type type, String path) {
        return fire(new WatchEvent(type, path, Acl.OPEN));
    }

    /// @return sorted
    private List<String> fire(WatchEvent event) {
        var fired = new ArrayList<String>();
        watches.fire(
                event,
                (watcher, acl) -> acl.equals(Acl.OPEN) || watcher.equals("super"),
                fired::add);
        fired.sort(null);
        return fired;
    }

    private void assertEmpty() {
        assertEquals(0, watches.watchCount());
        assertEquals(0, watches.pathCount());
        assertEquals(0, watches.watcherCount());
    }

    private static @Nullable Stat stat(long mzxid, long pzxid) {
        return new Stat(1, mzxid, 0, 0, 0, 0, 0, 0, 0, 0, pzxid);
    }
}
