package dev.ensemble.server.tree;

import org.jspecify.annotations.Nullable;

/// A znode that has, or once had, children. Any other is its [Leaf] alone.
///
/// It changes only in the [Draft] that made it: if its `children` are of that draft, so is the
/// branch itself. Whoever makes another root of children makes another branch around it.
final class Branch {
    byte[] record;
    @Nullable Trie children;
    int childCount;

    /// How many children were ever created, the built-in ones not counted: the number of the next
    /// sequential one.
    int created;

    long pzxid;

    Branch(byte[] record, @Nullable Trie children, int childCount, int created, long pzxid) {
        this.record = record;
        this.children = children;
        this.childCount = childCount;
        this.created = created;
        this.pzxid = pzxid;
    }

    /// {@return the record of a znode, which is a record or a branch}
    static byte[] record(Object znode) {
        return znode instanceof Branch branch ? branch.record : (byte[]) znode;
    }

    /// {@return the znode as a branch; for a record a new one, which stands for the same}
    static Branch of(Object znode) {
        if (znode instanceof Branch branch) {
            return branch;
        }
        byte[] record = (byte[]) znode;
        return new Branch(record, null, 0, 0, Leaf.czxid(record));
    }
}
