package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/// What every disk must do: the real one, and the one that crashes.
final class DiskTest {
    enum Kind {
        FOLDER,
        SIMULATED
    }

    @TempDir Path folder;

    private Disk open(Kind kind) throws IOException {
        return switch (kind) {
            case FOLDER -> FolderDisk.lock(folder.resolve("data"));
            case SIMULATED -> new SimDisk();
        };
    }

    private static void put(Disk disk, String name, int... values) throws IOException {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        try (Disk.File file = disk.create(name)) {
            file.write(0, ByteBuffer.wrap(bytes));
            file.force();
        }
    }

    @ParameterizedTest
    @EnumSource
    void namesComeAndGo(Kind kind) throws IOException {
        try (Disk disk = open(kind)) {
            assertEquals(List.of(), disk.list(Disk.ROOT));
            assertEquals(List.of(), disk.list("none"));
            disk.makeFolder("log.1");
            disk.makeFolder("log.1");
            put(disk, "log.1/b", 1);
            put(disk, "log.1/a", 2);
            put(disk, "x", 3);
            disk.syncFolder("log.1");
            disk.syncFolder(Disk.ROOT);
            assertEquals(List.of("a", "b"), disk.list("log.1"));
            assertEquals(List.of("log.1", "x"), disk.list(Disk.ROOT));
            disk.rename("log.1/a", "log.1/b");
            assertEquals(List.of("b"), disk.list("log.1"));
            assertArrayEquals(new byte[] {2}, disk.read("log.1/b"));
            disk.rename("log.1", "log.2");
            assertFalse(disk.exists("log.1"));
            assertTrue(disk.exists("log.2/b"));
            disk.delete("log.2");
            disk.delete("log.2");
            assertEquals(List.of("x"), disk.list(Disk.ROOT));
            assertThrows(IOException.class, () -> disk.open("log.2/b").close());
            assertTrue(disk.freeBytes() > 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesStayWhereTheyWereWritten(Kind kind) throws IOException {
        try (Disk disk = open(kind)) {
            put(disk, "f", 1, 2, 3);
            try (Disk.File file = disk.open("f")) {
                file.write(5, ByteBuffer.wrap(new byte[] {9}));
                file.write(1, ByteBuffer.wrap(new byte[] {8}));
                file.force();
                assertEquals(6, file.size());
                var all = ByteBuffer.allocate(10);
                file.read(0, all);
                assertEquals(6, all.position());
                var behind = ByteBuffer.allocate(4);
                file.read(6, behind);
                assertEquals(0, behind.position());
            }
            assertArrayEquals(new byte[] {1, 8, 3, 0, 0, 9}, disk.read("f"));
            put(disk, "f", 7);
            assertArrayEquals(new byte[] {7}, disk.read("f"));
        }
    }

    /// Sparse files would have the bytes too, and not the space.
    @ParameterizedTest
    @EnumSource
    void allocatedFileHasItsBytes(Kind kind) throws IOException {
        try (Disk disk = open(kind)) {
            put(disk, "f", 1, 2, 3);
            disk.allocate("f", 100_000);
            assertArrayEquals(new byte[100_000], disk.read("f"));
        }
    }

    @Test
    void systemCanAllocate() throws IOException {
        Path file = folder.resolve("f");
        assertTrue(Preallocation.allocate(file, 1 << 20), "not possible on this system");
        assertEquals(1 << 20, Files.size(file));
    }

    @Test
    void folderHasOneOwner() throws IOException {
        try (Disk disk = open(Kind.FOLDER)) {
            assertEquals(List.of(), disk.list(Disk.ROOT));
            var e =
                    assertThrows(
                            StoreException.class, () -> FolderDisk.lock(folder.resolve("data")));
            assertTrue(
                    String.valueOf(e.getMessage())
                            .contains(
                                    "(pid "
                                            + ProcessHandle.current().pid()
                                            + ") has the data folder "
                                            + folder.resolve("data")),
                    e.getMessage());
        }
        open(Kind.FOLDER).close();
    }

    /// The crash tests rest on this: what is not synced is lost.
    @Test
    void simulatedCrashLosesWhatIsNotSynced() throws IOException {
        var disk = new SimDisk();
        put(disk, "unnamed", 1);
        assertFalse(disk.after(SimDisk.Loss.DROPPED, new Random(1)).exists("unnamed"));
        assertTrue(disk.after(SimDisk.Loss.KEPT, new Random(1)).exists("unnamed"));
        disk.syncFolder(Disk.ROOT);
        try (Disk.File file = disk.open("unnamed")) {
            file.write(0, ByteBuffer.wrap(new byte[] {2, 3}));
        }
        disk.rename("unnamed", "named");
        SimDisk dropped = disk.after(SimDisk.Loss.DROPPED, new Random(1));
        assertArrayEquals(new byte[] {1}, dropped.read("unnamed"));
        SimDisk kept = disk.after(SimDisk.Loss.KEPT, new Random(1));
        assertEquals(List.of("named"), kept.list(Disk.ROOT));
        assertArrayEquals(new byte[] {2, 3}, kept.read("named"));
        disk.crashAfter(1);
        disk.delete("named");
        assertThrows(SimDisk.Crash.class, () -> disk.syncFolder(Disk.ROOT));
    }
}
