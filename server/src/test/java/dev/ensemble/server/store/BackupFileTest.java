package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/// A backup is read back as it was written, or not at all.
final class BackupFileTest {
    private static final HashKey OTHER = new HashKey(1, 2);

    private static byte[] written(Tree tree) throws IOException {
        var out = new ByteArrayOutputStream();
        BackupFile.write(tree, 3, 1_800_000_000_000L, out);
        return out.toByteArray();
    }

    private static BackupFile.Content read(byte[] bytes) throws IOException {
        return BackupFile.read(new ByteArrayInputStream(bytes), OTHER);
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws IOException {
        Tree tree = RestorationTest.tree(5000);
        byte[] bytes = written(tree);
        BackupFile.Content read = read(bytes);
        assertEquals(tree.digest(), read.tree().digest());
        assertEquals(tree.zxid(), read.tree().zxid());
        assertEquals(tree.znodeCount(), read.header().znodes());
        assertEquals(2, read.header().sessions());
        assertEquals("orders", read.header().ensembleId());
        assertEquals(3, read.header().member());
        assertEquals(1_800_000_000_000L, read.header().timeMillis());
        assertArrayEquals(tree.data("/a/17"), read.tree().data("/a/17"));
        assertEquals(read.header(), BackupFile.header(new ByteArrayInputStream(bytes)));
    }

    @Test
    void theLargestZnodeFits() throws IOException {
        Tree tree = RestorationTest.with(RestorationTest.tree(3), "/large", new byte[3 << 20]);
        assertEquals(tree.digest(), read(written(tree)).tree().digest());
    }

    @Test
    void everyCutIsFoundOut() throws IOException {
        byte[] bytes = written(RestorationTest.tree(3));
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(IOException.class, () -> read(cut), "cut to " + length);
        }
        assertThrows(IOException.class, () -> read(Arrays.copyOf(bytes, bytes.length + 1)));
    }

    @Test
    void everyFlippedBitIsFoundOut() throws IOException {
        byte[] bytes = written(RestorationTest.tree(3));
        for (int at = 0; at < bytes.length; at++) {
            byte[] flipped = bytes.clone();
            flipped[at] ^= (byte) (1 << (at % 8));
            assertThrows(IOException.class, () -> read(flipped), "byte " + at);
        }
    }

    @Test
    void anotherFileIsNamedAsSuch() {
        IOException refusal = assertThrows(IOException.class, () -> read(new byte[100]));
        assertTrue(String.valueOf(refusal.getMessage()).contains("no backup"), refusal::toString);
    }
}
