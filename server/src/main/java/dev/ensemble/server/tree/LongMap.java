package dev.ensemble.server.tree;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/// A persistent map by number: sessions, and whatever else a [Tree] keeps by id.
///
/// A hash trie as [Trie] is, but simpler: numbers are mixed by a function that maps no two to the
/// same, so none collide.
final class LongMap<V> {
    /// An element, or a node of the trie.
    private sealed interface Slot<V> {}

    private record Entry<V>(long key, V value) implements Slot<V> {}

    private record Node<V>(int bitmap, Slot<V>[] slots) implements Slot<V> {
        @Nullable Slot<V> at(int bit) {
            return (bitmap & bit) == 0 ? null : slots[index(bit)];
        }

        int index(int bit) {
            return Integer.bitCount(bitmap & (bit - 1));
        }
    }

    private final @Nullable Slot<V> root;
    private final int size;

    private LongMap(@Nullable Slot<V> root, int size) {
        this.root = root;
        this.size = size;
    }

    static <V> LongMap<V> empty() {
        return new LongMap<>(null, 0);
    }

    int size() {
        return size;
    }

    @Nullable V get(long key) {
        long h = mix(key);
        Slot<V> at = root;
        for (int shift = 0; at instanceof Node<V> node; shift += Trie.BITS) {
            at = node.at(bit(h, shift));
        }
        return at instanceof Entry<V> entry && entry.key == key ? entry.value : null;
    }

    LongMap<V> with(long key, V value) {
        boolean grows = get(key) == null;
        return new LongMap<>(put(root, new Entry<>(key, value), 0), grows ? size + 1 : size);
    }

    LongMap<V> without(long key) {
        return get(key) == null ? this : new LongMap<>(remove(root, mix(key), 0), size - 1);
    }

    /// Hands over every value, in no order that means anything.
    void forEach(Consumer<V> out) {
        each(root, entry -> out.accept(entry.value));
    }

    /// Tells what makes this map of `older`. What both share costs nothing.
    void diff(LongMap<V> older, Consumer<V> put, LongConsumer removed) {
        diff(older.root, root, put, removed);
    }

    /// The same object stands for the same content; two objects may too, and are told as a change.
    @SuppressWarnings("ReferenceEquality")
    private static <V> void diff(
            @Nullable Slot<V> was, @Nullable Slot<V> is, Consumer<V> put, LongConsumer removed) {
        if (was == is) {
            return;
        }
        if (was instanceof Node<V> before && is instanceof Node<V> after) {
            for (int bits = before.bitmap | after.bitmap; bits != 0; bits &= bits - 1) {
                int bit = Integer.lowestOneBit(bits);
                diff(before.at(bit), after.at(bit), put, removed);
            }
            return;
        }
        // One side is a single element or nothing.
        var before = new HashMap<Long, V>();
        each(was, entry -> before.put(entry.key, entry.value));
        each(
                is,
                entry -> {
                    if (before.remove(entry.key) != entry.value) {
                        put.accept(entry.value);
                    }
                });
        before.keySet().forEach(removed::accept);
    }

    private static <V> void each(@Nullable Slot<V> slot, Consumer<Entry<V>> out) {
        switch (slot) {
            case null -> {}
            case Entry<V> entry -> out.accept(entry);
            case Node<V> node -> {
                for (Slot<V> below : node.slots) {
                    each(below, out);
                }
            }
        }
    }

    private static <V> Slot<V> put(@Nullable Slot<V> slot, Entry<V> entry, int shift) {
        return switch (slot) {
            case null -> entry;
            case Entry<V> was when was.key == entry.key -> entry;
            case Entry<V> was -> {
                Slot<V>[] one = slots(1);
                one[0] = was;
                yield put(new Node<>(bit(mix(was.key), shift), one), entry, shift);
            }
            case Node<V> node -> {
                int bit = bit(mix(entry.key), shift);
                int index = node.index(bit);
                boolean there = (node.bitmap & bit) != 0;
                Slot<V>[] now = slots(node.slots.length + (there ? 0 : 1));
                System.arraycopy(node.slots, 0, now, 0, index);
                int rest = there ? index + 1 : index;
                System.arraycopy(node.slots, rest, now, index + 1, node.slots.length - rest);
                now[index] = put(node.at(bit), entry, shift + Trie.BITS);
                yield new Node<>(node.bitmap | bit, now);
            }
        };
    }

    private static <V> @Nullable Slot<V> remove(@Nullable Slot<V> slot, long h, int shift) {
        if (!(slot instanceof Node<V> node)) {
            return null;
        }
        int bit = bit(h, shift);
        int index = node.index(bit);
        Slot<V> left = remove(node.at(bit), h, shift + Trie.BITS);
        if (left != null) {
            if (node.slots.length == 1 && left instanceof Entry<V>) {
                return left;
            }
            Slot<V>[] now = node.slots.clone();
            now[index] = left;
            return new Node<>(node.bitmap, now);
        }
        if (node.slots.length == 1) {
            return null;
        }
        if (node.slots.length == 2 && node.slots[1 - index] instanceof Entry<V> last) {
            return last;
        }
        Slot<V>[] now = slots(node.slots.length - 1);
        System.arraycopy(node.slots, 0, now, 0, index);
        System.arraycopy(node.slots, index + 1, now, index, now.length - index);
        return new Node<>(node.bitmap & ~bit, now);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static <V> Slot<V>[] slots(int length) {
        return new Slot[length];
    }

    private static int bit(long h, int shift) {
        return 1 << (h >>> shift);
    }

    /// Maps every number to another one, no two to the same (the finalizer of MurmurHash3).
    private static long mix(long key) {
        long h = (key ^ key >>> 33) * 0xff51_afd7_ed55_8ccdL;
        h = (h ^ h >>> 33) * 0xc4ce_b9fe_1a85_ec53L;
        return h ^ h >>> 33;
    }
}
