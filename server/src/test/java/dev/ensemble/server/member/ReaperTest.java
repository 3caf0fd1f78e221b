package dev.ensemble.server.member;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Owner;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

final class ReaperTest {
    private static final long MILLI = 1_000_000;
    private static final int TICK = 25;

    private Tree tree = Tree.initial();
    private long nowMillis = 1_000;
    private Reaper reaper = reaper(new Reaping(100, 60_000, 0));

    @Test
    @DisplayName("b216: a container goes after its last child, and not before the check")
    void emptied() {
        create("/c", Owner.CONTAINER);
        create("/c/a", Owner.NONE);
        assertEquals(Set.of(), runFor(1000));
        delete("/c/a");
        assertEquals(Set.of("/c"), runFor(150));
    }

    @Test
    @DisplayName("b217: nested containers go from the inside out")
    void nested() {
        create("/a", Owner.CONTAINER);
        create("/a/b", Owner.CONTAINER);
        create("/a/b/c", Owner.NONE);
        delete("/a/b/c");
        assertEquals(Set.of("/a", "/a/b"), runFor(1000));
    }

    @Test
    @DisplayName("b218: a child that comes before the removal keeps its container")
    void usedAgain() {
        reaper = reaper(new Reaping(100, 600, 0));
        for (int i = 0; i < 10; i++) {
            create("/c" + i, Owner.CONTAINER);
            create("/c" + i + "/x", Owner.NONE);
            delete("/c" + i + "/x");
        }
        Set<String> first = runFor(300);
        assertTrue(!first.isEmpty() && first.size() < 10, first.toString());
        for (int i = 0; i < 10; i++) {
            if (tree.stat("/c" + i) != null) {
                create("/c" + i + "/y", Owner.NONE);
            }
        }
        assertEquals(Set.of(), runFor(10_000));
    }

    @Test
    @DisplayName(
            "b219, b220: one that never had a child stays, or goes after its time if it has one")
    void neverUsed() {
        create("/c", Owner.CONTAINER);
        assertEquals(Set.of(), runFor(10_000));
        reaper = reaper(new Reaping(100, 60_000, 20_000));
        assertEquals(Set.of(), runFor(9_000));
        assertEquals(Set.of("/c"), runFor(2_000));
    }

    @Test
    @DisplayName("b221: no more than so many a minute")
    void rate() {
        reaper = reaper(new Reaping(100, 120, 0));
        for (int i = 0; i < 1000; i++) {
            create("/t" + i, Owner.ofTtl(1));
        }
        int removed = runFor(60_000).size();
        assertTrue(removed >= 110 && removed <= 122, removed + " were removed");
    }

    @Test
    @DisplayName("b222, b223: a TTL node goes after its time without a change and without children")
    void timed() {
        create("/t", Owner.ofTtl(1000));
        create("/kept", Owner.ofTtl(1000));
        create("/kept/child", Owner.NONE);
        assertEquals(Set.of(), runFor(800));
        apply(new Txn.SetData("/t", null, 1));
        assertEquals(Set.of(), runFor(900));
        assertEquals(Set.of("/t"), runFor(400));
        delete("/kept/child");
        assertEquals(Set.of("/kept"), runFor(200));
    }

    @Test
    @DisplayName("Very many are looked at over several ticks")
    void many() {
        for (int i = 0; i < 5000; i++) {
            create("/t" + i, Owner.ofTtl(1_000_000));
        }
        create("/spent", Owner.ofTtl(1));
        assertEquals(Set.of("/spent"), runFor(1000));
    }

    private Reaper reaper(Reaping reaping) {
        var made = new Reaper(reaping);
        made.start(nowMillis * MILLI);
        return made;
    }

    /// {@return what went in that time}
    private Set<String> runFor(long millis) {
        var removed = new TreeSet<String>();
        long end = nowMillis + millis;
        while (nowMillis < end) {
            nowMillis += TICK;
            List<String> now = new ArrayList<>();
            reaper.tick(
                    nowMillis * MILLI,
                    nowMillis,
                    () -> tree,
                    path -> {
                        delete(path);
                        now.add(path);
                    });
            removed.addAll(now);
        }
        return removed;
    }

    private void create(String path, long owner) {
        apply(new Txn.Create(path, null, Acl.OPEN, owner));
    }

    private void delete(String path) {
        apply(new Txn.Delete(path));
    }

    private void apply(Txn txn) {
        tree = tree.apply(tree.zxid() + 1, new Header(0, 0, 0, 0, nowMillis), txn).tree();
    }
}
