package dev.ensemble.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;

/// Zeroes in a file: what is written ahead, and what takes the place of what is cut.
final class Zeroes {
    private static final int CHUNK_BYTES = 64 << 10;
    private static final ByteBuffer CHUNK = ByteBuffer.allocateDirect(CHUNK_BYTES);

    private Zeroes() {}

    static void write(Disk.File file, long from, long to) throws IOException {
        for (long at = from; at < to; at += CHUNK_BYTES) {
            file.write(at, CHUNK.slice(0, (int) Math.min(CHUNK_BYTES, to - at)));
        }
    }

    /// Writes zeroes unless they are there. {@return whether anything was written}
    static boolean fill(Disk.File file, long from, long to) throws IOException {
        boolean written = false;
        for (long at = from; at < to; at += CHUNK_BYTES) {
            int length = (int) Math.min(CHUNK_BYTES, to - at);
            var there = ByteBuffer.allocate(length);
            file.read(at, there);
            if (there.hasRemaining() || there.flip().mismatch(CHUNK.slice(0, length)) >= 0) {
                write(file, at, at + length);
                written = true;
            }
        }
        return written;
    }
}
