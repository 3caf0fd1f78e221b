package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// What a restore makes of a folder, wherever the power goes.
final class RestorationTest {
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, StoreOptions.Tail.NONE, 0);
    private static final Ensemble.Member SELF = line(4);
    private static final long TIME = 1_800_000_000_000L;

    private final Random ids = new Random(1);

    private static Ensemble.Member line(int myid) {
        return new Ensemble.Member(
                myid, "m" + myid, 2888, 3888, Ensemble.Role.PARTICIPANT, null, 0);
    }

    /// The tree of three members in epoch 6: `/a/1` and so on, and two sessions with an ephemeral
    /// each.
    static Tree tree(int znodes) {
        var all = Ensemble.declared("orders", List.of(line(1), line(2), line(3)));
        Tree tree = apply(Tree.initial(), 0, new Txn.Configure(all.atLevel(2)));
        tree = with(tree, "/a", new byte[0]);
        for (int i = 1; i <= znodes; i++) {
            tree = with(tree, "/a/" + i, new byte[i % 100]);
        }
        for (int i = 0; i < 2; i++) {
            tree = apply(tree, 0, new Txn.CreateSession(30_000, new byte[16]));
            long[] session = new long[1];
            tree.forEachSession(each -> session[0] = Math.max(session[0], each.id()));
            tree =
                    apply(
                            tree,
                            session[0],
                            new Txn.Create("/a/e" + i, new byte[1], Acl.OPEN, session[0]));
        }
        return tree;
    }

    static Tree with(Tree tree, String path, byte[] data) {
        return apply(tree, 0, new Txn.Create(path, data, Acl.OPEN, 0));
    }

    private static Tree apply(Tree tree, long session, Txn txn) {
        long zxid = tree.zxid() == 0 ? Zxid.of(6, 1) : tree.zxid() + 1;
        return tree.apply(zxid, new Header(session, 1, 1, 1, TIME), txn).tree();
    }

    private static Restoration.Seed seed(@Nullable String recovery) {
        return new Restoration.Seed("copy", SELF, 9, recovery);
    }

    private Restoration restoration(SimDisk disk) {
        return new Restoration(
                disk, folder -> FileEngine.open(disk, folder), HashKey.KNOWN, SMALL, ids::nextLong);
    }

    private Store open(SimDisk disk, @Nullable Rescue rescue) throws IOException {
        return Store.open(
                disk,
                folder -> FileEngine.open(disk, folder),
                4,
                HashKey.KNOWN,
                SMALL,
                rescue,
                ids::nextLong);
    }

    private static void assertRestored(Recovered found, Tree backup) {
        Identity identity = found.identity();
        assertEquals(Identity.State.MEMBER, identity.state());
        assertEquals("copy", identity.ensembleId());
        Tree tree = found.tree();
        assertEquals(Zxid.of(10, 3), tree.zxid(), "behind every epoch that clients may know");
        assertEquals(tree.zxid(), found.committed());
        assertEquals(10, found.acceptedEpoch());
        assertEquals(10, found.currentEpoch());
        assertEquals(Set.of(4), tree.ensemble().voters());
        assertTrue(tree.ensemble().isVoter(4, identity.incarnation()));
        assertFalse(tree.ensemble().isVoter(4, identity.incarnation() + 1));
        assertEquals(2, tree.ensemble().level(), "a level is never lowered");
        assertEquals(0, tree.sessionCount());
        assertEquals(0, tree.ephemeralCount());
        assertEquals(backup.znodeCount() - 2, tree.znodeCount());
        assertNull(tree.stat("/a/e0"));
        assertEquals(backup.stat("/a/7"), tree.stat("/a/7"));
    }

    @Test
    void aBlankFolderBecomesTheOnlyVoter() throws IOException {
        var disk = new SimDisk();
        Tree backup = tree(10);
        Restoration.Restored restored = restoration(disk).restore(backup, seed(null), TIME);
        assertTrue(restored.done());
        assertEquals(Zxid.of(10, 3), restored.zxid());
        assertEquals(2, restored.endedSessions());
        try (Store store = open(disk, null)) {
            assertRestored(store.recovered(), backup);
        }
    }

    @Test
    void aFolderThatHoldsSomethingIsRefused() throws IOException {
        var disk = new SimDisk();
        open(disk, null).close();
        IOException refusal =
                assertThrows(
                        StoreException.class,
                        () -> restoration(disk).restore(tree(1), seed(null), TIME));
        assertTrue(String.valueOf(refusal.getMessage()).contains("identity"), refusal::toString);
        assertEquals(
                Identity.State.BLANK, open(disk, null).recovered().identity().state(), "untouched");
    }

    /// Before each operation in turn: a start is refused, or finds nothing, or all; and the restore
    /// can be repeated.
    @ParameterizedTest
    @EnumSource
    void crashBeforeEveryOperation(SimDisk.Loss loss) throws Exception {
        Tree backup = tree(10);
        long operations = run(backup, Long.MAX_VALUE, loss);
        assertTrue(operations > 30, "too little work: " + operations);
        for (long at = 0; at < operations; at++) {
            try {
                run(backup, at, loss);
            } catch (AssertionError | Exception e) {
                throw new AssertionError("crash before operation " + at + ", " + loss, e);
            }
        }
    }

    private long run(Tree backup, long crashAfter, SimDisk.Loss loss) throws Exception {
        var disk = new SimDisk();
        if (crashAfter < Long.MAX_VALUE) {
            disk.crashAfter(crashAfter);
        }
        try {
            restoration(disk).restore(backup, seed(null), TIME);
        } catch (SimDisk.Crash _) {
            assertAllOrNothing(disk.after(loss, new Random(crashAfter)), backup);
            SimDisk found = disk.after(loss, new Random(crashAfter));
            if (!found.exists("identity")) {
                restoration(found).restore(backup, seed(null), TIME);
            }
            assertRestored(open(found, null).recovered(), backup);
        }
        return disk.operations();
    }

    private void assertAllOrNothing(SimDisk found, Tree backup) throws IOException {
        try (Store store = open(found, null)) {
            if (store.recovered().identity().state() == Identity.State.BLANK) {
                assertEquals(Zxid.NONE, store.recovered().logEnd());
                assertFalse(store.recovered().mustRejoin());
            } else {
                assertRestored(store.recovered(), backup);
            }
        } catch (StoreException e) {
            assertTrue(String.valueOf(e.getMessage()).contains("Empty the folder"), e::toString);
        }
    }

    /// In place: what is there is put aside, once for each recovery, wherever the power goes.
    @ParameterizedTest
    @EnumSource
    void crashInPlace(SimDisk.Loss loss) throws Exception {
        Tree backup = tree(10);
        long operations = runInPlace(backup, Long.MAX_VALUE, loss);
        for (long at = 0; at < operations; at++) {
            try {
                runInPlace(backup, at, loss);
            } catch (AssertionError | Exception e) {
                throw new AssertionError("crash before operation " + at + ", " + loss, e);
            }
        }
    }

    private long runInPlace(Tree backup, long crashAfter, SimDisk.Loss loss) throws Exception {
        var disk = new SimDisk();
        Tree old = with(tree(2), "/old", new byte[3]);
        restoration(disk).restore(old, seed(null), TIME);
        long before = disk.operations();
        if (crashAfter < Long.MAX_VALUE) {
            disk.crashAfter(crashAfter);
        }
        var rescue = new Rescue("second", 4, 0);
        SimDisk found = disk;
        long count = 0;
        try {
            restoration(disk).restore(backup, seed("second"), TIME);
            count = disk.operations() - before;
        } catch (SimDisk.Crash _) {
            found = disk.after(loss, new Random(crashAfter));
            restoration(found).restore(backup, seed("second"), TIME);
        }
        long incarnation;
        try (Store store = open(found, rescue)) {
            assertRestored(store.recovered(), backup);
            assertEquals("second", store.recoveryId());
            assertNull(store.recovered().tree().stat("/old"));
            incarnation = store.recovered().identity().incarnation();
        }
        assertTrue(
                found.list(Disk.ROOT).containsAll(List.of("aside.state.1", "aside.log.1")),
                "the old data is kept");
        SimDisk kept = found;
        Restoration.Restored again = restoration(kept).restore(backup, seed("second"), TIME);
        assertFalse(again.done());
        try (Store store = open(kept, rescue)) {
            assertEquals(incarnation, store.recovered().identity().incarnation());
        }
        return count;
    }

    @Test
    void inPlaceOnlyOnTheDiskThatIsMeant() throws IOException {
        var disk = new SimDisk();
        restoration(disk).restore(tree(1), seed(null), TIME);
        var other = new Restoration.Seed("copy", line(5), 0, "first");
        IOException refusal =
                assertThrows(
                        StoreException.class,
                        () -> restoration(disk).restore(tree(1), other, TIME));
        assertTrue(String.valueOf(refusal.getMessage()).contains("myid 4"), refusal::toString);
        assertNotNull(open(disk, null).recovered().tree().stat("/a/1"));
    }
}
