package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// What a member believes of its folder, and what it does if that cannot be what it left behind.
final class RecoveryTest {
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, StoreOptions.Tail.NONE, 0);

    private final Random ids = new Random(1);
    private final TxnCodec codec = new TxnCodec();

    private SimDisk disk = new SimDisk();
    private StoreOptions options = SMALL;

    private Store open(int myid) throws IOException {
        return Store.open(
                disk,
                folder -> FileEngine.open(disk, folder),
                myid,
                HashKey.KNOWN,
                options,
                ids::nextLong);
    }

    private int segments() {
        return (int) disk.list("log.1").stream().filter(Segment::isName).count();
    }

    private static void perform(Store store, DiskOp... ops) throws IOException {
        var jobs = new ArrayList<DiskWork.Job>();
        for (DiskOp op : ops) {
            jobs.add(new DiskWork.Ordered(jobs.size(), op));
        }
        store.work().perform(jobs, _ -> {});
    }

    private Payload payload(long zxid) {
        return codec.encode(
                new Header(0, 1, 1, 1, 1),
                new Txn.Create("/" + Long.toHexString(zxid), new byte[100], Acl.OPEN, 0));
    }

    private DiskOp append(long counter, long committed) {
        long zxid = Zxid.of(1, counter);
        return new DiskOp.Append(zxid, payload(zxid), Zxid.of(1, committed));
    }

    private Tree tree(long counter) {
        Tree tree = Tree.initial();
        for (long i = 1; i <= counter; i++) {
            Payload payload = payload(Zxid.of(1, i));
            tree = tree.apply(Zxid.of(1, i), payload.header(), payload.txn()).tree();
        }
        return tree;
    }

    /// A member of an ensemble with forty transactions, the state as of the thirtieth.
    private Identity member() throws Exception {
        Identity identity;
        try (Store store = open(1)) {
            identity =
                    store.recovered()
                            .identity()
                            .in(Identity.State.MEMBER, "the-ensemble", Map.of(1, 5L));
            perform(store, new DiskOp.StoreIdentity(identity), new DiskOp.Epochs(1, 1));
            for (long i = 1; i <= 40; i++) {
                perform(store, append(i, i - 1));
            }
            long stored = store.flush(tree(30));
            assertEquals(Zxid.of(1, 30), stored);
            store.work().perform(List.of(new DiskWork.Stored(stored)), _ -> {});
        }
        return identity;
    }

    @Test
    void firstStartMakesABlankMember() throws Exception {
        Identity first;
        try (Store store = open(7)) {
            Recovered found = store.recovered();
            first = found.identity();
            assertEquals(Identity.State.BLANK, first.state());
            assertEquals(7, first.myid());
            assertEquals(1, first.starts());
            assertEquals("", first.ensembleId());
            assertEquals(0, found.acceptedEpoch());
            assertEquals(0, found.logEnd());
            assertFalse(found.mustRejoin());
            assertEquals(Tree.initial().digest(), found.tree().digest());
        }
        try (Store store = open(7)) {
            Identity again = store.recovered().identity();
            assertEquals(first.incarnation(), again.incarnation());
            assertEquals(2, again.starts());
        }
    }

    @Test
    void stateAndLogGiveTheCommittedTree() throws Exception {
        Identity identity = member();
        try (Store store = open(1)) {
            Recovered found = store.recovered();
            assertEquals(identity.incarnation(), found.identity().incarnation());
            assertEquals(Map.of(1, 5L), found.identity().voters());
            assertEquals(Zxid.of(1, 30), found.base());
            assertEquals(10, found.log().size());
            assertEquals(Zxid.of(1, 40), found.logEnd());
            assertEquals(Zxid.of(1, 39), found.committed());
            assertEquals(tree(39).digest(), found.tree().digest());
            assertEquals(List.of(), found.warnings());
            assertTrue(store.bytesSinceFlush() > 1000);
        }
    }

    @Test
    void logBelowTheStateGoes() throws Exception {
        member();
        int segments = segments();
        try (Store store = open(1)) {
            store.flush(tree(39));
            store.work().perform(List.of(new DiskWork.Stored(store.stateZxid())), _ -> {});
        }
        assertTrue(segments > 1);
        assertEquals(1, segments());
        try (Store store = open(1)) {
            assertEquals(Zxid.of(1, 40), store.recovered().logEnd());
        }
    }

    /// @param kept how many of the full segments stay
    @ParameterizedTest(name = "{0} segments, {1} bytes, {2} ms: {3}")
    @CsvSource({
        "0, 0, 0, 0",
        "2, 0, 0, 2",
        "0, 9000, 0, 2",
        "0, 0, 40000, 3",
        "1, 9000, 0, 2",
        "3, 9000, 0, 3",
        "0, 9000, 40000, 3",
        "100, 0, 0, 100",
        "0, 0, 1000000, 100"
    })
    void asMuchOfTheLogStaysAsIsWanted(int segments, long bytes, long millis, int kept)
            throws Exception {
        try (Store store = open(1)) {
            perform(store, new DiskOp.Epochs(1, 1));
            for (int i = 1; i <= 100; i++) {
                disk.pass(1000);
                perform(store, append(i, i - 1));
            }
        }
        int full = segments() - 1;
        assertTrue(full > 4, () -> "only " + full);
        options = SMALL.with(new StoreOptions.Tail(segments, bytes, millis));
        try (Store store = open(1)) {
            store.flush(tree(100));
            store.work().perform(List.of(new DiskWork.Stored(store.stateZxid())), _ -> {});
        }
        assertEquals(Math.min(kept, full), segments() - 1);
    }

    @Test
    void treeAheadOfTheLogIsNotStored() throws Exception {
        member();
        try (Store store = open(1)) {
            var e = assertThrows(IllegalArgumentException.class, () -> store.flush(tree(41)));
            assertEquals(
                    "the tree of 0x100000029 cannot be stored: the log on disk ends at 0x100000028",
                    e.getMessage());
        }
    }

    @Test
    void truncationBelowTheStateIsRefused() throws Exception {
        member();
        try (Store store = open(1)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> perform(store, new DiskOp.Truncate(Zxid.of(1, 29))));
        }
        try (Store store = open(1)) {
            assertEquals(Zxid.of(1, 40), store.recovered().logEnd());
            assertThrows(
                    IllegalStateException.class,
                    () -> perform(store, new DiskOp.Truncate(Zxid.of(1, 38))),
                    "what is committed");
        }
    }

    /// Each loss makes the member another one, which has nothing and must ask the others.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "CURRENT",
                "epochs",
                "log.1",
                "log.1/base",
                "state.1",
                "segments",
                "state back"
            })
    void lossMakesItAnotherMember(String lost) throws Exception {
        Identity identity = member();
        switch (lost) {
            case "segments" -> {
                for (String name : disk.list("log.1")) {
                    if (Segment.isName(name)) {
                        disk.delete("log.1/" + name);
                    }
                }
            }
            case "state back" -> {
                // The log's front is gone, and the state does not reach to where it begins.
                disk.delete("state.1");
                StateStore.create(disk, folder -> FileEngine.open(disk, folder), "state.1");
            }
            default -> disk.delete(lost);
        }
        Identity next;
        try (Store store = open(1)) {
            Recovered found = store.recovered();
            next = found.identity();
            assertNotEquals(identity.incarnation(), next.incarnation());
            assertEquals(Identity.State.BLANK, next.state());
            assertEquals("the-ensemble", next.ensembleId());
            assertEquals(Map.of(1, 5L), next.voters());
            assertTrue(next.starts() > identity.starts());
            assertTrue(found.mustRejoin());
            assertEquals(0, found.acceptedEpoch());
            assertEquals(0, found.logEnd());
            assertEquals(Tree.initial().digest(), found.tree().digest());
            assertEquals(1, found.warnings().size());
        }
        try (Store store = open(1)) {
            Recovered found = store.recovered();
            assertEquals(next.incarnation(), found.identity().incarnation());
            assertTrue(found.mustRejoin(), "also after another start");
            assertEquals(List.of(), found.warnings());
        }
    }

    /// A crash at any point of beginning anew must not leave a member that trusts what is left.
    @Test
    void crashWhileBeginningAnew() throws Exception {
        Identity identity = member();
        disk.delete("log.1/base");
        disk.syncFolder("log.1");
        SimDisk damaged = disk;
        for (SimDisk.Loss loss : SimDisk.Loss.values()) {
            for (int at = 0; ; at++) {
                disk = damaged.after(SimDisk.Loss.KEPT, new Random(at));
                disk.crashAfter(at);
                try {
                    open(1).close();
                    assertTrue(at > 20, "crashes");
                    break;
                } catch (SimDisk.Crash _) {
                    disk = disk.after(loss, new Random(at));
                }
                try (Store store = open(1)) {
                    Recovered found = store.recovered();
                    assertNotEquals(identity.incarnation(), found.identity().incarnation());
                    assertTrue(found.mustRejoin(), found.toString());
                    assertEquals(0, found.logEnd());
                    assertEquals(0, found.acceptedEpoch());
                }
            }
        }
    }

    @Test
    void anotherMembersFolderIsRefused() throws Exception {
        member();
        var e = assertThrows(StoreException.class, () -> open(2));
        assertEquals(
                "the data folder belongs to the member with myid 1, but this one has myid 2",
                e.getMessage());
    }

    @Test
    void dataWithoutIdentityIsRefused() throws Exception {
        member();
        disk.delete("identity");
        assertThrows(StoreException.class, () -> open(1));
    }

    @Test
    void everyBitOfTheSmallFilesCounts() throws Exception {
        member();
        SimDisk good = disk;
        var random = new Random(2);
        for (String name : List.of("identity", "CURRENT")) {
            for (int i = 0; i < good.read(name).length; i++) {
                disk = good.after(SimDisk.Loss.KEPT, random);
                disk.flip(name, i, random.nextInt(8));
                if (name.equals("identity")) {
                    assertThrows(StoreException.class, () -> open(1));
                } else {
                    try (Store store = open(1)) {
                        assertTrue(store.recovered().mustRejoin(), name + " byte " + i);
                    }
                }
            }
        }
    }

    @Test
    void epochsFollowTheLogButNeverBeyondThePromise() throws Exception {
        assertEquals(new Epochs(5, 4), new Epochs(5, 2).with(Zxid.of(4, 1)));
        assertEquals(new Epochs(5, 2), new Epochs(5, 2).with(Zxid.of(1, 9)));
        assertThrows(StoreException.class, () -> new Epochs(3, 2).with(Zxid.of(4, 1)));
        assertThrows(StoreException.class, () -> new Epochs(1, 2).with(Zxid.NONE));
        member();
        EpochsFile.write(disk, new Epochs(0, 0));
        assertThrows(StoreException.class, () -> open(1));
    }

    @Test
    void filesArePlainText() throws Exception {
        member();
        String identity =
                new String(disk.read("identity"), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(
                identity.startsWith("version 1\nstate member\nensemble the-ensemble\nmyid 1\n"),
                identity);
        String epochs = new String(disk.read("epochs"), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(epochs.contains("\naccepted 1\ncurrent 1\ncrc32c "), epochs);
    }

    /// A digest in the minority: whatever the folder looks like, it is not believed. Also if the
    /// power goes anywhere in between, it ends up as one new member, and the old data is kept.
    @Test
    void whatIsDistrustedIsPutAside() throws Exception {
        Identity was = member();
        try (Store store = open(1)) {
            store.distrust("it differs");
        }
        SimDisk before = disk.after(SimDisk.Loss.DROPPED, ids);
        List<SimDisk.Loss> losses = List.of(SimDisk.Loss.values());
        long operations = Long.MAX_VALUE;
        for (long crash = 0; crash < operations; crash++) {
            disk = before.after(SimDisk.Loss.KEPT, ids);
            disk.crashAfter(crash);
            try {
                open(1).close();
                operations = crash;
                disk.crashAfter(Long.MAX_VALUE / 2);
            } catch (SimDisk.Crash _) {
                disk = disk.after(losses.get((int) (crash % losses.size())), ids);
            }
            try (Store store = open(1)) {
                assertEquals(Identity.State.BLANK, store.recovered().identity().state());
                assertNotEquals(was.incarnation(), store.recovered().identity().incarnation());
                assertTrue(store.recovered().mustRejoin());
                assertTrue(disk.exists("aside.log.1"), "the old data is kept");
            }
        }
        assertTrue(operations > 10, "too few: " + operations);
    }
}
