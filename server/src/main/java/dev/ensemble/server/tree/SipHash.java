package dev.ensemble.server.tree;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// SipHash-1-3 (Aumasson and Bernstein, 2012): a keyed hash of which nobody who does not know the
/// key can find collisions.
final class SipHash implements NameHash {
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final long first;
    private final long second;

    SipHash(HashKey key) {
        first = key.first();
        second = key.second();
    }

    @Override
    public long of(byte[] name, int from, int to, int round) {
        // Each round has a key of its own, as unknown as the first.
        return hash(first + round * 0x9e37_79b9_7f4a_7c15L, second ^ round, name, from, to);
    }

    /// {@return SipHash-1-3 of `bytes[from, to)` under the key `k0`, `k1`}
    static long hash(long k0, long k1, byte[] bytes, int from, int to) {
        long v0 = k0 ^ 0x736f_6d65_7073_6575L;
        long v1 = k1 ^ 0x646f_7261_6e64_6f6dL;
        long v2 = k0 ^ 0x6c79_6765_6e65_7261L;
        long v3 = k1 ^ 0x7465_6462_7974_6573L;
        int at = from;
        // The last word holds the bytes that are left over, and the length in its top byte.
        for (boolean last = false; !last; ) {
            long word;
            if (to - at >= Long.BYTES) {
                word = (long) LONG.get(bytes, at);
                at += Long.BYTES;
            } else {
                word = (long) (to - from) << 56;
                for (int shift = 0; at < to; shift += 8) {
                    word |= (bytes[at++] & 0xffL) << shift;
                }
                last = true;
            }
            v3 ^= word;
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= word;
        }
        v2 ^= 0xff;
        for (int i = 0; i < 3; i++) {
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }
}
