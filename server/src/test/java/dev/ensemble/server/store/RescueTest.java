package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.zab.DiskOp;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// What a recovery makes of a disk: of the survivor's, of another member's, of a blank one.
final class RescueTest {
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, StoreOptions.Tail.NONE, 0);

    /// Where the log of [#member] ends: the last one is not known to be committed.
    private static final long END = Zxid.of(3, 5);

    private final Random ids = new Random(1);
    private SimDisk disk = new SimDisk();

    private Store open(@Nullable Rescue rescue) throws IOException {
        return Store.open(
                disk,
                folder -> FileEngine.open(disk, folder),
                1,
                HashKey.KNOWN,
                SMALL,
                rescue,
                ids::nextLong);
    }

    private static void perform(Store store, DiskOp... ops) throws IOException {
        var jobs = new ArrayList<DiskWork.Job>();
        for (DiskOp op : ops) {
            jobs.add(new DiskWork.Ordered(jobs.size(), op));
        }
        store.work().perform(jobs, _ -> {});
    }

    private static DiskOp append(long zxid, Txn txn) {
        Payload payload = new TxnCodec().encode(new Header(0, 1, 1, 1, 1), txn);
        return new DiskOp.Append(zxid, payload, zxid - 1);
    }

    private static Ensemble.Member line(int myid, long incarnation) {
        return new Ensemble.Member(
                myid, "m" + myid, 2888, 3888, Ensemble.Role.PARTICIPANT, null, incarnation);
    }

    /// Member 1 of three, in epoch 3, which has promised epoch 4.
    private Identity member() throws IOException {
        try (Store store = open(null)) {
            Identity identity =
                    store.recovered().identity().in(Identity.State.MEMBER, "orders", Map.of(1, 5L));
            perform(store, new DiskOp.StoreIdentity(identity), new DiskOp.Epochs(4, 3));
            var all =
                    Ensemble.declared(
                                    "orders",
                                    List.of(
                                            line(1, identity.incarnation()),
                                            line(2, 22),
                                            line(3, 33)))
                            .atLevel(Ensemble.HIGHEST_LEVEL);
            perform(store, append(Zxid.of(3, 1), new Txn.Configure(all)));
            for (long i = 2; i <= 5; i++) {
                perform(
                        store,
                        append(Zxid.of(3, i), new Txn.Create("/" + i, new byte[10], Acl.OPEN, 0)));
            }
            return identity;
        }
    }

    private static Rescue rescue(String id, int survivor) {
        return new Rescue(id, survivor, END);
    }

    private static void assertAlone(Store store, Identity identity, long epoch) throws IOException {
        Recovered found = store.recovered();
        assertEquals(identity.incarnation(), found.identity().incarnation());
        assertEquals(epoch, found.acceptedEpoch());
        assertEquals(epoch, found.currentEpoch());
        assertEquals(Zxid.of(epoch, 1), found.committed());
        assertEquals(found.committed(), found.logEnd());
        Ensemble now = found.tree().ensemble();
        assertEquals(Set.of(1), now.voters());
        assertTrue(now.isVoter(1, identity.incarnation()));
        assertEquals(Ensemble.HIGHEST_LEVEL, now.level(), "a level is never lowered");
        assertEquals(Zxid.of(epoch, 1), now.version());
        assertTrue(found.tree().stat("/5") != null, "what was in its log is committed now");
    }

    @Test
    void theSurvivorIsAloneAndKeepsAllItHas() throws IOException {
        Identity identity = member();
        try (Store store = open(rescue("first", 1))) {
            assertAlone(store, identity, 5);
            assertEquals("first", store.recoveryId());
            assertTrue(
                    store.recovered().warnings().getFirst().contains("recovery first"),
                    store.recovered().warnings()::toString);
        }
    }

    @Test
    void itIsDoneOnce() throws IOException {
        Identity identity = member();
        open(rescue("first", 1)).close();
        try (Store store = open(rescue("first", 1))) {
            assertAlone(store, identity, 5);
            assertEquals(List.of(), store.recovered().warnings());
        }
        try (Store store = open(null)) {
            assertEquals("first", store.recoveryId());
        }
        try (Store store = open(new Rescue("second", 1, Zxid.of(5, 1)))) {
            assertAlone(store, identity, 6);
        }
    }

    @Test
    void anotherMembersDataIsPutAside() throws IOException {
        Identity identity = member();
        try (Store store = open(rescue("first", 2))) {
            Recovered found = store.recovered();
            assertEquals(Identity.State.BLANK, found.identity().state());
            assertNotEquals(identity.incarnation(), found.identity().incarnation());
            assertTrue(found.mustRejoin(), "it never forms an ensemble");
            assertEquals(0, found.logEnd());
            assertTrue(disk.list(Disk.ROOT).contains("aside.log.1"), "the old log is there");
        }
        long incarnation;
        try (Store store = open(rescue("first", 2))) {
            incarnation = store.recovered().identity().incarnation();
            assertEquals("first", store.recoveryId());
        }
        try (Store store = open(rescue("first", 2))) {
            assertEquals(incarnation, store.recovered().identity().incarnation());
        }
    }

    /// After a crash at any file operation the next start ends where it should.
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aCrashOnTheWayChangesNothingInTheEnd(int survivor) throws IOException {
        Identity identity = member();
        SimDisk whole = disk;
        for (SimDisk.Loss loss : SimDisk.Loss.values()) {
            for (int at = 0; ; at++) {
                disk = whole.after(SimDisk.Loss.KEPT, new Random(at));
                disk.crashAfter(at);
                try {
                    open(rescue("first", survivor)).close();
                    assertTrue(at > 10, "crashes");
                    break;
                } catch (SimDisk.Crash _) {
                    disk = disk.after(loss, new Random(at));
                }
                try (Store store = open(rescue("first", survivor))) {
                    Recovered found = store.recovered();
                    assertEquals("first", store.recoveryId());
                    if (survivor == 2) {
                        assertEquals(Identity.State.BLANK, found.identity().state());
                        assertNotEquals(identity.incarnation(), found.identity().incarnation());
                        assertTrue(disk.list(Disk.ROOT).contains("aside.log.1"), "the old log");
                    } else {
                        assertAlone(store, identity, found.acceptedEpoch());
                        assertTrue(found.acceptedEpoch() >= 5, found::toString);
                    }
                }
            }
        }
    }

    @Test
    void aBlankDiskHasNothingToGiveUp() throws IOException {
        for (int survivor : new int[] {1, 2}) {
            try (Store store = open(rescue("first", survivor))) {
                assertEquals(Identity.State.BLANK, store.recovered().identity().state());
                assertEquals("first", store.recoveryId());
                assertEquals(List.of(), store.recovered().warnings());
            }
        }
    }

    @Test
    void aSurvivorThatHoldsLessIsRefusedAndLeftAsItIs() throws IOException {
        Identity identity = member();
        var decided = new Rescue("first", 1, END + 1);
        var refusal = assertThrows(StoreException.class, () -> open(decided).close());
        assertTrue(
                String.valueOf(refusal.getMessage()).contains("its log ends at " + Zxid.text(END)),
                refusal::getMessage);
        try (Store store = open(null)) {
            assertEquals(END, store.recovered().logEnd());
            assertEquals(4, store.recovered().acceptedEpoch());
            assertEquals(identity.incarnation(), store.recovered().identity().incarnation());
            assertEquals("", store.recoveryId());
        }
    }

    @Test
    void aSurvivorThatDoesNotTrustItsDataIsRefused() throws IOException {
        member();
        try (Store store = open(null)) {
            store.distrust("a digest in the minority");
        }
        var refusal = assertThrows(StoreException.class, () -> open(rescue("first", 1)).close());
        assertTrue(
                String.valueOf(refusal.getMessage()).contains("no data that it can trust"),
                refusal::getMessage);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a,1", "a,1,7", "a b,1,0x7", "a,x,0x7", "a,1,0x", "a,1,0xG"})
    void whatIsNoDecisionIsRefused(String text) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> Rescue.of(text));
        assertTrue(
                String.valueOf(refusal.getMessage()).startsWith("'" + text + "' must be"),
                refusal::getMessage);
    }

    @Test
    void aDecisionIsReadAsWritten() {
        assertEquals(
                new Rescue("2026-01-31.orders", 3, 0x2_0000_0017L),
                Rescue.of("2026-01-31.orders,3,0x200000017"));
    }
}
