package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.Random;
import java.util.stream.LongStream;

/// The power goes before any operation on the disk; what was confirmed must be there, and nothing
/// that was never written.
///
/// `-Densemble.seeds=N` on the command line of Maven runs N seeds of the random part instead of 30.
final class StoreCrashTest {
    static LongStream seeds() {
        return LongStream.range(0, Long.getLong("ensemble.seeds", 30));
    }

    /// One run of work, cut off before each of its operations in turn.
    @ParameterizedTest
    @EnumSource
    void crashBeforeEveryOperation(SimDisk.Loss loss) throws Exception {
        long operations = run(Long.MAX_VALUE, loss);
        assertTrue(operations > 150, "too little work: " + operations);
        for (long at = 0; at < operations; at++) {
            try {
                run(at, loss);
            } catch (AssertionError | Exception e) {
                throw new AssertionError("crash before operation " + at + ", " + loss, e);
            }
        }
    }

    /// {@return how many operations there were}
    private static long run(long crashAfter, SimDisk.Loss loss) throws Exception {
        var model = new StoreModel(7);
        var disk = new SimDisk();
        if (crashAfter < Long.MAX_VALUE) {
            disk.crashAfter(crashAfter);
        }
        try {
            model.open(disk);
            model.work(25);
            model.store().close();
        } catch (SimDisk.Crash _) {
            SimDisk found = disk.after(loss, new Random(crashAfter));
            model.open(found);
            model.work(3);
        }
        return disk.operations();
    }

    /// A disk that is full from some moment on: what the reserve holds is used, and not one byte of
    /// what was confirmed is lost, wherever the power goes, also in a start on the full disk.
    @ParameterizedTest
    @EnumSource
    void crashOnFullDisk(SimDisk.Loss loss) throws Exception {
        long operations = runFull(Long.MAX_VALUE, loss);
        assertTrue(operations > 40, "too little work: " + operations);
        for (long at = 0; at < operations; at++) {
            try {
                runFull(at, loss);
            } catch (AssertionError | Exception e) {
                throw new AssertionError("crash before operation " + at + ", " + loss, e);
            }
        }
    }

    /// {@return how many operations there were once the disk was full}
    private static long runFull(long crashAfter, SimDisk.Loss loss) throws Exception {
        var model = new StoreModel(11);
        var disk = new SimDisk();
        model.open(disk);
        model.work(12);
        model.refill();
        disk.leave(new Random(crashAfter).nextInt(200));
        long before = disk.operations();
        if (crashAfter < Long.MAX_VALUE) {
            disk.crashAfter(crashAfter);
        }
        try {
            // As much as the reserve holds, also when a crash gives back what was deleted before.
            model.workOnFullDisk(11);
            model.store().close();
            model.open(disk);
            model.workOnFullDisk(2);
            model.store().close();
        } catch (SimDisk.Crash _) {
            model.open(disk.after(loss, new Random(crashAfter)));
        }
        return disk.operations() - before;
    }

    /// Without a reserve the same is not possible: the test above would find out.
    @Test
    void fullDiskWithoutReserveFails() throws Exception {
        var model = new StoreModel(11);
        var disk = new SimDisk();
        model.open(disk);
        model.work(12);
        for (String log : disk.list(Disk.ROOT).stream().filter(Current::isLog).toList()) {
            disk.delete(log + "/reserve.0");
            disk.delete(log + "/reserve.1");
        }
        disk.leave(0);
        assertThrows(IOException.class, () -> model.workOnFullDisk(12));
    }

    /// Once there is space again, the reserve is made again.
    @Test
    void reserveComesBack() throws Exception {
        var model = new StoreModel(11);
        var disk = new SimDisk();
        model.open(disk);
        model.work(12);
        model.refill();
        assertTrue(model.store().isReserved());
        disk.leave(0);
        model.workOnFullDisk(12);
        model.refill();
        assertFalse(model.store().isReserved());
        disk.leave(1 << 20);
        model.refill();
        assertTrue(model.store().isReserved());
    }

    /// Crash after crash on one disk, also in the middle of recovery, each losing something else.
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void crashAgainAndAgain(long seed) throws Exception {
        var random = new Random(seed);
        var model = new StoreModel(random.nextLong());
        var disk = new SimDisk();
        for (int i = 0; i < 40; i++) {
            boolean crashes = random.nextInt(4) > 0;
            if (crashes) {
                disk.crashAfter(random.nextInt(random.nextBoolean() ? 20 : 300));
            }
            try {
                model.open(disk);
                model.work(random.nextInt(30));
                model.store().close();
                disk.crashAfter(Long.MAX_VALUE / 2);
            } catch (SimDisk.Crash _) {
                var losses = SimDisk.Loss.values();
                disk = disk.after(losses[random.nextInt(losses.length)], random);
            }
        }
        model.open(disk);
    }

    /// The test above is worth something only if a store that forgets to sync does not pass it.
    @Test
    void diskThatForgetsToSyncIsFoundOut() throws Exception {
        boolean found = false;
        for (long seed = 0; seed < 20 && !found; seed++) {
            var model = new StoreModel(seed);
            var disk = new SimDisk();
            model.open(disk);
            model.work(10);
            disk.ignoreForce();
            model.work(10);
            try {
                model.open(disk.after(SimDisk.Loss.DROPPED, new Random(seed)));
            } catch (AssertionError e) {
                found = true;
            }
        }
        assertTrue(found);
    }
}
