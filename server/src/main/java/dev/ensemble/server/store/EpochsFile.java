package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// The file `epochs`. An election waits for four writes of it one after the other, so a write costs
/// one sync of a file that has its bytes, instead of the three that replacing a file takes.
///
/// There are two slots, written in turn; the valid one that was written last counts. So a write
/// that is cut off leaves what was there before. A slot holds the same block twice: one block that
/// the disk lost does not take a promise back.
///
/// Builds before this one wrote lines as [TextFile] does; the next write replaces them.
final class EpochsFile {
    static final String NAME = "epochs";

    private static final TextFile FILE = new TextFile(NAME);
    private static final int VERSION = 2;
    private static final String OLD = "version 1\n";
    private static final int SLOTS = 2;
    private static final int COPIES = 2;

    /// What a disk or a file system may lose at once.
    private static final int BLOCK_BYTES = 4096;

    private static final int SLOT_BYTES = COPIES * BLOCK_BYTES;

    /// What a block says.
    private record Written(long sequence, Epochs epochs) {
        byte[] bytes() {
            Map<String, String> values = new LinkedHashMap<>();
            values.put("sequence", Long.toString(sequence));
            values.put("accepted", Long.toString(epochs.accepted()));
            values.put("current", Long.toString(epochs.current()));
            return TextFile.bytes(VERSION, values);
        }

        long position() {
            return slot(sequence) * SLOT_BYTES;
        }

        ByteBuffer content() {
            byte[] block = bytes();
            var slot = ByteBuffer.allocate(SLOT_BYTES);
            for (int copy = 0; copy < COPIES; copy++) {
                slot.put(copy * BLOCK_BYTES, block);
            }
            return slot;
        }
    }

    private EpochsFile() {}

    private static long slot(long sequence) {
        return sequence % SLOTS;
    }

    /// Stores epochs; they are durable afterwards.
    static void write(Disk disk, Epochs epochs) throws IOException {
        Written last = disk.exists(NAME) ? newest(disk.read(NAME)) : null;
        if (last == null) {
            var first = new Written(0, epochs);
            FILE.replace(
                    disk,
                    ByteBuffer.allocate(SLOTS * SLOT_BYTES)
                            .put((int) first.position(), first.content().array())
                            .clear());
            return;
        }
        var next = new Written(last.sequence + 1, epochs);
        try (Disk.File file = disk.open(NAME)) {
            file.write(next.position(), next.content());
            file.force();
        }
    }

    /// {@return what is stored}
    ///
    /// @throws DamagedException if neither slot is as it was written
    static Epochs read(Disk disk) throws IOException {
        byte[] content = disk.read(NAME);
        if (isOld(content)) {
            Map<String, String> values = FILE.parse(1, new String(content, StandardCharsets.UTF_8));
            return new Epochs(
                    FILE.number(values, "accepted", 10), FILE.number(values, "current", 10));
        }
        Written newest = newest(content);
        if (newest == null) {
            throw new DamagedException("the file epochs does not fit its checksum");
        }
        return newest.epochs;
    }

    /// Shows the file, damaged or not. {@return whether it is good}
    static boolean show(Disk disk, PrintWriter out) throws IOException {
        byte[] content = disk.read(NAME);
        if (content.length != SLOTS * SLOT_BYTES) {
            new String(content, StandardCharsets.UTF_8)
                    .lines()
                    .forEach(line -> out.println("  " + line));
        } else {
            for (int slot = 0; slot < SLOTS; slot++) {
                for (int copy = 0; copy < COPIES; copy++) {
                    int at = slot * SLOT_BYTES + copy * BLOCK_BYTES;
                    Written block = block(content, at);
                    String what = "empty";
                    if (block != null) {
                        what =
                                "sequence "
                                        + block.sequence
                                        + ", accepted "
                                        + block.epochs.accepted()
                                        + ", current "
                                        + block.epochs.current();
                    } else if (!isEmpty(content, at)) {
                        what = "cut off while it was written, or damaged; the others count";
                    }
                    out.println("  slot " + slot + " copy " + copy + ": " + what);
                }
            }
        }
        try {
            Epochs epochs = read(disk);
            out.println("  accepted " + epochs.accepted());
            out.println("  current " + epochs.current());
            return true;
        } catch (DamagedException | StoreException e) {
            out.println("  BAD: " + e.getMessage());
            return false;
        }
    }

    private static boolean isOld(byte[] content) {
        byte[] old = OLD.getBytes(StandardCharsets.UTF_8);
        return content.length >= old.length
                && content.length < BLOCK_BYTES
                && Arrays.equals(content, 0, old.length, old, 0, old.length);
    }

    private static boolean isEmpty(byte[] content, int at) {
        for (int i = at; i < at + BLOCK_BYTES; i++) {
            if (content[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /// {@return what was written last, as far as it can be read; null if nothing can, or if it is
    /// of an earlier build}
    private static @Nullable Written newest(byte[] content) throws IOException {
        Written newest = null;
        for (int at = 0; at + BLOCK_BYTES <= content.length; at += BLOCK_BYTES) {
            Written block = block(content, at);
            if (block != null && (newest == null || block.sequence > newest.sequence)) {
                newest = block;
            }
        }
        return newest;
    }

    private static @Nullable Written block(byte[] content, int at) throws IOException {
        int length = 0;
        while (length < BLOCK_BYTES && content[at + length] != 0) {
            length++;
        }
        String text = new String(content, at, length, StandardCharsets.UTF_8);
        try {
            Map<String, String> values = FILE.parse(VERSION, text);
            var block =
                    new Written(
                            FILE.number(values, "sequence", 10),
                            new Epochs(
                                    FILE.number(values, "accepted", 10),
                                    FILE.number(values, "current", 10)));
            // One that lies where it does not belong is not what was written there.
            return at / SLOT_BYTES == slot(block.sequence) ? block : null;
        } catch (DamagedException _) {
            return null;
        }
    }
}
