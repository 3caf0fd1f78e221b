package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/// The ACLs of a tree, each once, by a number that takes 4 bytes in a record. Immutable.
///
/// Numbers are a matter of this process: another member may have others. A list that no znode has
/// any more is dropped; the two that nearly all znodes have stay, so they need not be counted.
final class Acls {
    static final int OPEN = 0;
    private static final int READ_ONLY = 1;

    /// @param users how many znodes have it
    private record Entry(int id, List<Acl> list, long digest, int users) {}

    static final Acls INITIAL =
            new Acls(LongMap.empty(), LongMap.empty(), READ_ONLY + 1)
                    .with(new Entry(OPEN, Acl.OPEN, Digest.acl(Acl.OPEN), 1))
                    .with(new Entry(READ_ONLY, Acl.READ_ONLY, Digest.acl(Acl.READ_ONLY), 1));

    private final LongMap<Entry> byId;

    /// The ids of all lists with that digest: one, or more if somebody made them collide.
    private final LongMap<int[]> byDigest;

    private final int next;

    private Acls(LongMap<Entry> byId, LongMap<int[]> byDigest, int next) {
        this.byId = byId;
        this.byDigest = byDigest;
        this.next = next;
    }

    List<Acl> list(int id) {
        return entry(id).list;
    }

    long digest(int id) {
        return entry(id).digest;
    }

    /// {@return the number of a list that [#adding(List)] or the initial table put here}
    int id(List<Acl> list) {
        if (list.equals(Acl.OPEN)) {
            return OPEN;
        }
        Entry entry = find(list, Digest.acl(list));
        if (entry == null) {
            throw new IllegalStateException("not a list of this table: " + list);
        }
        return entry.id;
    }

    /// {@return the table with one more znode that has this list}
    Acls adding(List<Acl> list) {
        if (list.equals(Acl.OPEN) || list.equals(Acl.READ_ONLY)) {
            return this;
        }
        long digest = Digest.acl(list);
        Entry entry = find(list, digest);
        if (entry != null) {
            return counted(entry, 1);
        }
        int id = next;
        while (byId.get(id) != null) {
            id++;
        }
        return new Acls(byId, byDigest, id + 1).with(new Entry(id, List.copyOf(list), digest, 1));
    }

    /// {@return the table with one znode less that has this list}
    Acls removing(int id) {
        Entry entry = entry(id);
        if (id == OPEN || id == READ_ONLY) {
            return this;
        }
        if (entry.users > 1) {
            return counted(entry, -1);
        }
        int[] same = byDigest.get(entry.digest);
        int[] left = same == null ? new int[0] : Arrays.stream(same).filter(i -> i != id).toArray();
        return new Acls(
                byId.without(id),
                left.length == 0
                        ? byDigest.without(entry.digest)
                        : byDigest.with(entry.digest, left),
                next);
    }

    int size() {
        return byId.size();
    }

    private Entry entry(int id) {
        Entry entry = byId.get(id);
        if (entry == null) {
            throw new IllegalStateException("no ACL has the number " + id);
        }
        return entry;
    }

    private @Nullable Entry find(List<Acl> list, long digest) {
        int[] same = byDigest.get(digest);
        if (same != null) {
            for (int id : same) {
                Entry entry = entry(id);
                if (entry.list.equals(list)) {
                    return entry;
                }
            }
        }
        return null;
    }

    private Acls counted(Entry entry, int more) {
        var changed = new Entry(entry.id, entry.list, entry.digest, entry.users + more);
        return new Acls(byId.with(entry.id, changed), byDigest, next);
    }

    private Acls with(Entry entry) {
        int[] same = byDigest.get(entry.digest);
        int[] ids = same == null ? new int[1] : Arrays.copyOf(same, same.length + 1);
        ids[ids.length - 1] = entry.id;
        return new Acls(byId.with(entry.id, entry), byDigest.with(entry.digest, ids), next);
    }
}
