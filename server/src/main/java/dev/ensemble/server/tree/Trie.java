package dev.ensemble.server.tree;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Consumer;

/// A persistent hash trie of znodes by name: the children of one znode. Also sets of names
/// ([Leaf#bare(byte[])]).
///
/// A slot holds a [Trie], a record or a [Branch]. Each level takes 5 bits of the hash; when 60 are
/// used up, the next level begins with another hash of the name, so names that hash alike need no
/// node of their own kind.
final class Trie {
    static final int BITS = 5;

    /// How many levels one hash lasts.
    static final int LEVELS = 60 / BITS;

    /// The number of the draft that made this node and alone may change it.
    final long edit;

    int bitmap;
    Object[] slots;

    Trie(long edit, int bitmap, Object... slots) {
        this.edit = edit;
        this.bitmap = bitmap;
        this.slots = slots;
    }

    /// {@return the znode with the name `path[from, to)`}
    ///
    /// @param h the hash of that name in round 0
    static @Nullable Object find(
            @Nullable Trie trie, NameHash hash, long h, byte[] path, int from, int to) {
        int level = 0;
        int shift = 0;
        while (trie != null) {
            int bit = 1 << (h >>> shift);
            if ((trie.bitmap & bit) == 0) {
                return null;
            }
            Object znode = trie.slots[trie.index(bit)];
            if (!(znode instanceof Trie below)) {
                return Leaf.isNamed(Branch.record(znode), path, from, to) ? znode : null;
            }
            trie = below;
            shift += BITS;
            if (++level % LEVELS == 0) {
                h = hash.of(path, from, to, level / LEVELS);
                shift = 0;
            }
        }
        return null;
    }

    /// {@return the bit of a name in a node of this level}
    static int bit(long h, int level) {
        return 1 << (h >>> (BITS * (level % LEVELS)));
    }

    int index(int bit) {
        return Integer.bitCount(bitmap & (bit - 1));
    }

    /// Hands over every znode, in no order that means anything.
    static void forEach(@Nullable Object trie, Consumer<Object> out) {
        if (trie instanceof Trie node) {
            for (Object slot : node.slots) {
                forEach(slot, out);
            }
        } else if (trie != null) {
            out.accept(trie);
        }
    }

    /// Hands out every znode, one at a time, in no order that means anything.
    static final class Walk implements Iterator<Object> {
        private final Deque<Object> open = new ArrayDeque<>();

        Walk(@Nullable Trie trie) {
            if (trie != null) {
                open.push(trie);
            }
        }

        @Override
        public boolean hasNext() {
            // No trie is empty.
            return !open.isEmpty();
        }

        @Override
        public Object next() {
            Object top = open.pop();
            while (top instanceof Trie trie) {
                for (Object slot : trie.slots) {
                    open.push(slot);
                }
                top = open.pop();
            }
            return top;
        }
    }

    /// {@return how many znodes are in the trie}
    ///
    /// @param below gets the children of each that has some
    static int count(Trie trie, Deque<Trie> below) {
        int count = 0;
        for (Object slot : trie.slots) {
            if (slot instanceof Trie node) {
                count += count(node, below);
            } else {
                count++;
                if (slot instanceof Branch branch && branch.children != null) {
                    below.push(branch.children);
                }
            }
        }
        return count;
    }

    /// What [Trie#diff] finds.
    interface Difference {
        /// A znode that both have, as two different objects.
        void changed(Object was, Object is);

        void added(Object is);

        void removed(Object was);
    }

    /// Tells what makes `is` of `was`. What both share, the same object, costs nothing.
    @SuppressWarnings("ReferenceEquality")
    static void diff(@Nullable Object was, @Nullable Object is, Difference out) {
        if (was == is) {
            return;
        }
        if (was instanceof Trie before && is instanceof Trie after) {
            for (int bits = before.bitmap | after.bitmap; bits != 0; bits &= bits - 1) {
                int bit = Integer.lowestOneBit(bits);
                diff(before.slot(bit), after.slot(bit), out);
            }
        } else if (was instanceof Trie before) {
            diffOne(before, is, out, false);
        } else if (is instanceof Trie after) {
            diffOne(after, was, out, true);
        } else if (was != null && is != null && sameName(was, is)) {
            out.changed(was, is);
        } else {
            if (was != null) {
                out.removed(was);
            }
            if (is != null) {
                out.added(is);
            }
        }
    }

    /// One side is a single znode or nothing, the other a trie, which may hold that znode too.
    private static void diffOne(Trie many, @Nullable Object one, Difference out, boolean grew) {
        @Nullable Object[] same = new Object[1];
        forEach(
                many,
                each -> {
                    if (one != null && sameName(one, each)) {
                        same[0] = each;
                    } else if (grew) {
                        out.added(each);
                    } else {
                        out.removed(each);
                    }
                });
        diff(grew ? one : same[0], grew ? same[0] : one, out);
    }

    private @Nullable Object slot(int bit) {
        return (bitmap & bit) == 0 ? null : slots[index(bit)];
    }

    static boolean sameName(Object one, Object other) {
        byte[] a = Branch.record(one);
        byte[] b = Branch.record(other);
        return Leaf.isNamed(a, b, Leaf.nameFrom(b), Leaf.nameTo(b));
    }

    /// Changes tries on behalf of one draft: in place what it made itself, a copy of everything
    /// else.
    static final class Editor {
        private final NameHash hash;
        private final long edit;

        Editor(NameHash hash, long edit) {
            this.hash = hash;
            this.edit = edit;
        }

        /// {@return the trie with this znode, which replaces one of the same name; the same object
        /// if it is this draft's}
        ///
        /// @param h the hash of its name in round 0
        Trie put(@Nullable Trie trie, Object znode, long h) {
            return put(trie, znode, h, 0);
        }

        private Trie put(@Nullable Trie trie, Object znode, long h, int level) {
            int bit = bit(h, level);
            if (trie == null) {
                return new Trie(edit, bit, znode);
            }
            int index = trie.index(bit);
            if ((trie.bitmap & bit) == 0) {
                Object[] slots = new Object[trie.slots.length + 1];
                System.arraycopy(trie.slots, 0, slots, 0, index);
                slots[index] = znode;
                System.arraycopy(trie.slots, index, slots, index + 1, trie.slots.length - index);
                return with(trie, trie.bitmap | bit, slots);
            }
            Object was = trie.slots[index];
            if (was instanceof Trie below) {
                return with(trie, index, put(below, znode, next(znode, h, level), level + 1));
            }
            return with(
                    trie,
                    index,
                    sameName(was, znode)
                            ? znode
                            : pair(was, znode, next(znode, h, level), level + 1));
        }

        private Trie pair(Object one, Object other, long h, int level) {
            int first = bit(hash(one, level / LEVELS), level);
            int second = bit(h, level);
            if (first == second) {
                return new Trie(edit, first, pair(one, other, next(other, h, level), level + 1));
            }
            return Integer.compareUnsigned(first, second) < 0
                    ? new Trie(edit, first | second, one, other)
                    : new Trie(edit, first | second, other, one);
        }

        /// {@return the trie without the znode named `path[from, to)`, which it has; null if it was
        /// the only one}
        ///
        /// @param h the hash of that name in round 0
        @Nullable Trie remove(Trie trie, long h, byte[] path, int from, int to) {
            // A root stays a trie, even around one znode.
            return (Trie) remove(trie, h, 0, path, from, to);
        }

        private @Nullable Object remove(
                Trie trie, long h, int level, byte[] path, int from, int to) {
            int bit = bit(h, level);
            int index = trie.index(bit);
            if (trie.slots[index] instanceof Trie below) {
                long next =
                        (level + 1) % LEVELS == 0
                                ? hash.of(path, from, to, (level + 1) / LEVELS)
                                : h;
                Object left = remove(below, next, level + 1, path, from, to);
                if (left != null) {
                    return level > 0 && trie.slots.length == 1 && !(left instanceof Trie)
                            ? left
                            : with(trie, index, left);
                }
            }
            if (trie.slots.length == 1) {
                return null;
            }
            if (level > 0 && trie.slots.length == 2 && !(trie.slots[1 - index] instanceof Trie)) {
                return trie.slots[1 - index];
            }
            Object[] slots = Arrays.copyOf(trie.slots, trie.slots.length - 1);
            System.arraycopy(trie.slots, index + 1, slots, index, slots.length - index);
            return with(trie, trie.bitmap & ~bit, slots);
        }

        @SuppressWarnings("ReferenceEquality")
        private Trie with(Trie trie, int index, Object now) {
            if (trie.slots[index] == now) {
                return trie;
            }
            if (trie.edit == edit) {
                trie.slots[index] = now;
                return trie;
            }
            Object[] slots = trie.slots.clone();
            slots[index] = now;
            return new Trie(edit, trie.bitmap, slots);
        }

        private Trie with(Trie trie, int bitmap, Object[] slots) {
            if (trie.edit == edit) {
                trie.bitmap = bitmap;
                trie.slots = slots;
                return trie;
            }
            return new Trie(edit, bitmap, slots);
        }

        /// {@return the hash for the level below}
        private long next(Object znode, long h, int level) {
            return (level + 1) % LEVELS == 0 ? hash(znode, (level + 1) / LEVELS) : h;
        }

        private long hash(Object znode, int round) {
            byte[] record = Branch.record(znode);
            return hash.of(record, Leaf.nameFrom(record), Leaf.nameTo(record), round);
        }
    }
}
