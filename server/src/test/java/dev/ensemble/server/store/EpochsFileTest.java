package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Random;

/// Two slots, of which the one that was written last counts: no crash and no lost block takes a
/// promise back.
final class EpochsFileTest {
    private static final int BLOCK_BYTES = 4096;
    private static final int BLOCKS = 4;

    private final Random random = new Random(3);
    private SimDisk disk = new SimDisk();

    private void write(long accepted, long current) throws IOException {
        EpochsFile.write(disk, new Epochs(accepted, current));
    }

    private Epochs read() throws IOException {
        return EpochsFile.read(disk);
    }

    private void overwrite(int block, byte[] content) throws IOException {
        try (Disk.File file = disk.open(EpochsFile.NAME)) {
            file.write((long) block * BLOCK_BYTES, ByteBuffer.wrap(content));
            file.force();
        }
    }

    /// Slot 0 holds the even writes.
    private void write(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            write(i + 1, i);
        }
    }

    @Test
    void lastWriteCounts() throws IOException {
        for (int i = 0; i < 9; i++) {
            write(i + 1, i);
            assertEquals(new Epochs(i + 1, i), read());
        }
    }

    /// An election waits for it.
    @Test
    void writeIsOneWriteAndOneSync() throws IOException {
        write(1);
        long before = disk.operations();
        write(7, 6);
        assertEquals(2, disk.operations() - before);
    }

    @ParameterizedTest
    @EnumSource
    void crashLeavesTheOldOrTheNew(SimDisk.Loss loss) throws IOException {
        for (int written = 0; written < 3; written++) {
            int operations = written == 0 ? 5 : 2;
            for (int at = 0; at <= operations; at++) {
                for (int again = 0; again < 20; again++) {
                    disk = new SimDisk();
                    write(written);
                    disk.crashAfter(at);
                    boolean done = false;
                    try {
                        write(9, 8);
                        done = true;
                    } catch (SimDisk.Crash _) {
                        assertTrue(at < operations);
                    }
                    disk = disk.after(loss, random);
                    if (written > 0 || done) {
                        var old = new Epochs(written, written - 1);
                        Epochs found = read();
                        assertTrue(
                                found.equals(new Epochs(9, 8)) || (!done && found.equals(old)),
                                () -> written() + " then " + found);
                        write(10, 9);
                        assertEquals(new Epochs(10, 9), read());
                    }
                }
            }
        }
    }

    private String written() {
        var text = new StringWriter();
        try (var out = new PrintWriter(text)) {
            EpochsFile.show(disk, out);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return text.toString();
    }

    @Test
    void oneLostBlockTakesNothingBack() throws IOException {
        for (int block = 0; block < BLOCKS; block++) {
            for (byte[] lost :
                    new byte[][] {
                        new byte[BLOCK_BYTES], "garbage".getBytes(StandardCharsets.UTF_8)
                    }) {
                disk = new SimDisk();
                write(6);
                overwrite(block, lost);
                assertEquals(new Epochs(6, 5), read());
            }
        }
    }

    @Test
    void everyBitCounts() throws IOException {
        write(2);
        SimDisk good = disk;
        for (int i = 0; i < 100; i++) {
            disk = good.after(SimDisk.Loss.KEPT, random);
            // Both copies of the slot in force: what is found was written once, in this order.
            disk.flip(EpochsFile.NAME, 2 * BLOCK_BYTES + i % 58, random.nextInt(8));
            disk.flip(EpochsFile.NAME, 3 * BLOCK_BYTES + i % 58, random.nextInt(8));
            assertEquals(new Epochs(1, 0), read());
        }
    }

    @Test
    void neitherSlotIsGood() throws IOException {
        write(2);
        for (int block = 0; block < BLOCKS; block++) {
            overwrite(block, new byte[BLOCK_BYTES]);
        }
        assertThrows(DamagedException.class, this::read);
    }

    /// A block that the disk put elsewhere is older than it looks.
    @Test
    void blockInTheWrongPlaceDoesNotCount() throws IOException {
        write(2);
        byte[] content = disk.read(EpochsFile.NAME);
        byte[] first = java.util.Arrays.copyOf(content, BLOCK_BYTES);
        for (int block = 0; block < BLOCKS; block++) {
            overwrite(block, block < 2 ? new byte[BLOCK_BYTES] : first);
        }
        assertThrows(DamagedException.class, this::read);
    }

    @Test
    void readsAndReplacesWhatEarlierBuildsWrote() throws IOException {
        var values = new LinkedHashMap<String, String>();
        values.put("accepted", "12");
        values.put("current", "11");
        byte[] old = TextFile.bytes(1, values);
        assertEquals(
                "version 1\naccepted 12\ncurrent 11\ncrc32c 55e558c5\n",
                new String(old, StandardCharsets.UTF_8));
        try (Disk.File file = disk.create(EpochsFile.NAME)) {
            file.write(0, ByteBuffer.wrap(old));
            file.force();
        }
        assertEquals(new Epochs(12, 11), read());
        write(13, 11);
        assertEquals(new Epochs(13, 11), read());
        write(13, 13);
        assertEquals(new Epochs(13, 13), read());
    }
}
