package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.function.ObjLongConsumer;
import java.util.zip.CRC32C;

/// The bytes of a log segment: a header, then one batch for each fsync, each on a multiple of
/// eight; zeroes behind.
///
/// Every checksum covers the segment's random id and the batch's own offset, so bytes of another
/// file, another time or another place are never taken for a batch (`safety.md` 8).
final class LogFormat {
    static final int SEGMENT_HEADER_BYTES = 64;
    static final int BATCH_HEADER_BYTES = 64;
    static final int ALIGNMENT = 8;

    /// In front of each entry: its zxid and its length.
    static final int ENTRY_HEADER_BYTES = 12;

    private static final int VERSION = 1;
    private static final int SEGMENT_MAGIC = 0x454e5347; // ENSG
    static final int BATCH_MAGIC = 0x454e5342; // ENSB

    private LogFormat() {}

    /// The first bytes of a segment.
    ///
    /// @param id random, so that no two segments ever share one
    /// @param previous zxid in front of the first entry
    record SegmentHeader(long id, long previous) {
        void put(ByteBuffer to) {
            int start = to.position();
            to.putInt(SEGMENT_MAGIC).putInt(VERSION).putLong(id).putLong(previous);
            putZeroes(to, SEGMENT_HEADER_BYTES - 4 - (to.position() - start));
            to.putInt(checksum(to, start, SEGMENT_HEADER_BYTES - 4));
        }

        /// {@return the header at the start of `from`, or null if there is no good one}
        static @Nullable SegmentHeader parse(ByteBuffer from) {
            if (from.limit() < SEGMENT_HEADER_BYTES
                    || from.getInt(0) != SEGMENT_MAGIC
                    || from.getInt(SEGMENT_HEADER_BYTES - 4)
                            != checksum(from, 0, SEGMENT_HEADER_BYTES - 4)
                    || from.getInt(4) != VERSION) {
                return null;
            }
            return new SegmentHeader(from.getLong(8), from.getLong(16));
        }
    }

    /// What stands in front of a batch. It has a checksum of its own, so that it is proof of what
    /// was synced before it even if the entries behind it are torn.
    ///
    /// @param segment id of the segment
    /// @param offset of this header in the segment
    /// @param synced everything below this offset was known to be on disk; 0 for the first batch of
    ///   a segment, which is synced together with the segment's header
    /// @param previous zxid in front of the first entry
    /// @param committed the highest zxid known to be committed
    /// @param length of the entries in bytes
    record BatchHeader(
            long segment,
            long offset,
            long synced,
            long previous,
            long committed,
            int count,
            int length,
            int bodyChecksum) {
        void put(ByteBuffer to) {
            int start = to.position();
            to.putInt(BATCH_MAGIC).putInt(bodyChecksum).putLong(segment).putLong(offset);
            to.putLong(synced).putLong(previous).putLong(committed).putInt(count).putInt(length);
            putZeroes(to, BATCH_HEADER_BYTES - 4 - (to.position() - start));
            to.putInt(checksum(to, start, BATCH_HEADER_BYTES - 4));
        }

        /// {@return the header at index `at`, or null if there is no good one}
        ///
        /// @param offset of index `at` in the segment
        static @Nullable BatchHeader parse(ByteBuffer from, int at, long offset) {
            if (at + BATCH_HEADER_BYTES > from.limit()
                    || from.getInt(at) != BATCH_MAGIC
                    || from.getLong(at + 16) != offset
                    || from.getInt(at + BATCH_HEADER_BYTES - 4)
                            != checksum(from, at, BATCH_HEADER_BYTES - 4)) {
                return null;
            }
            return new BatchHeader(
                    from.getLong(at + 8),
                    offset,
                    from.getLong(at + 24),
                    from.getLong(at + 32),
                    from.getLong(at + 40),
                    from.getInt(at + 48),
                    from.getInt(at + 52),
                    from.getInt(at + 4));
        }

        /// {@return the offset of what follows the batch}
        long end() {
            return aligned(offset + BATCH_HEADER_BYTES + length);
        }
    }

    static long aligned(long offset) {
        return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /// {@return bytes of a batch with its header and its padding}
    static int batchBytes(int length) {
        return Math.toIntExact(aligned((long) BATCH_HEADER_BYTES + length));
    }

    static void putEntry(ByteBuffer to, long zxid, byte[] payload) {
        to.putLong(zxid).putInt(payload.length).put(payload);
    }

    /// Hands over each entry of a batch. {@return whether they are `count` and fill the body}
    static boolean entries(ByteBuffer body, int count, ObjLongConsumer<byte[]> each) {
        for (int i = 0; i < count; i++) {
            if (body.remaining() < ENTRY_HEADER_BYTES) {
                return false;
            }
            long zxid = body.getLong();
            int length = body.getInt();
            if (length < 0 || length > body.remaining()) {
                return false;
            }
            byte[] payload = new byte[length];
            body.get(payload);
            each.accept(payload, zxid);
        }
        return !body.hasRemaining();
    }

    static int checksum(ByteBuffer of, int from, int length) {
        var crc = new CRC32C();
        crc.update(of.slice(from, length));
        return (int) crc.getValue();
    }

    static void putZeroes(ByteBuffer to, int count) {
        for (int i = 0; i < count; i++) {
            to.put((byte) 0);
        }
    }
}
