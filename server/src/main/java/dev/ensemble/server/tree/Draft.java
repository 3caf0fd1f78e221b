package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// The next version of a tree while it is made: by one transaction, or by loading a state. One
/// thread, used once.
///
/// It changes in place what it made itself, which its `edit` tells: greater than that of every
/// version it was made of. Two drafts of one version have the same `edit`, and never meet.
final class Draft {
    final NameHash hash;
    final long edit;
    Branch root;
    Acls acls;
    LongMap<Session> sessions;

    /// Paths by what [Owner#listedBy] gives for their owner, each set a [Trie] of bare leaves.
    LongMap<Trie> owned;

    Ensemble ensemble;
    int znodes;
    int ephemeralCount;

    /// How many znodes set limits, see [Quotas].
    int quotas;

    long dataSize;
    long digest;

    private final Trie.Editor tries;

    /// The way to the znode that was looked for last: `way[0]` is the root, `way[depth]` the znode
    /// or null.
    private @Nullable Object[] way = new @Nullable Object[8];

    private long[] hashes = new long[8];
    private int depth;

    Draft(Tree tree) {
        hash = tree.hash;
        edit = tree.edit + 1;
        root = tree.root;
        acls = tree.acls;
        sessions = tree.sessions;
        owned = tree.owned;
        ensemble = tree.ensemble();
        znodes = tree.znodeCount();
        ephemeralCount = tree.ephemeralCount();
        quotas = tree.quotaCount();
        dataSize = tree.approximateDataSize();
        digest = tree.digest();
        tries = new Trie.Editor(hash, edit);
    }

    /// What one change did to a znode.
    ///
    /// @param stat afterwards; of a deleted one, before
    /// @param acl its list, of a deleted one the last
    /// @param parentAcl null unless the parent changed too
    record Change(Stat stat, List<Acl> acl, @Nullable List<Acl> parentAcl) {}

    /// Makes a znode that does not exist, below a parent that does.
    Change create(
            String path, byte @Nullable [] data, List<Acl> acl, long owner, long zxid, long time) {
        byte[] p = bytes(path);
        if (find(p) != null || depth == 0) {
            throw new IllegalStateException("create of " + path + ", which exists");
        }
        acls = acls.adding(acl);
        int id = acls.id(acl);
        int from = nameFrom(p);
        byte[] leaf = Leaf.of(p, from, p.length, zxid, time, id, zxid, time, 0, owner, 0, data);
        Object parent = way[depth - 1];
        if (parent == null) {
            throw new IllegalStateException("create of " + path + ", which has no parent");
        }
        Branch was = Branch.of(parent);
        // The original's counter stops there too: the next sequential create finds its name taken.
        int created = was.created == Integer.MAX_VALUE ? was.created : was.created + 1;
        long above = Digest.bytes(p, 0, Math.max(1, from - 1));
        digest -= Digest.children(above, was.created, was.pzxid);
        digest += Digest.children(above, created, zxid);
        added(p, leaf, 0, zxid);
        Trie children = tries.put(was.children, leaf, hashes[depth]);
        children(depth - 1, was, children, was.childCount + 1, created, zxid);
        return new Change(Leaf.stat(leaf, 0, 0, zxid), acls.list(id), acl(was.record));
    }

    /// Removes a znode that exists and has no children.
    Change delete(String path, long zxid) {
        byte[] p = bytes(path);
        Object znode = find(p);
        if (znode == null || depth == 0 || Branch.of(znode).childCount > 0) {
            throw new IllegalStateException(
                    "delete of "
                            + path
                            + ", which is "
                            + (znode == null ? "missing" : "not empty"));
        }
        Branch was = parent();
        int from = nameFrom(p);
        long above = Digest.bytes(p, 0, Math.max(1, from - 1));
        digest -= Digest.children(above, was.created, was.pzxid);
        digest += Digest.children(above, was.created, zxid);
        var change = new Change(Tree.stat(znode), acl(Branch.record(znode)), acl(was.record));
        removed(p, Branch.of(znode));
        removeFrom(was, p, from, zxid);
        return change;
    }

    private Branch parent() {
        return (Branch) Objects.requireNonNull(way[depth - 1]);
    }

    private void removeFrom(Branch parent, byte[] p, int from, long pzxid) {
        Trie before = Objects.requireNonNull(parent.children);
        Trie children = tries.remove(before, hashes[depth], p, from, p.length);
        children(depth - 1, parent, children, parent.childCount - 1, parent.created, pzxid);
    }

    Change setData(String path, byte @Nullable [] data, int version, long zxid, long time) {
        byte[] p = bytes(path);
        byte[] was = Branch.record(existing(path, p));
        return setRecord(p, was, Leaf.withData(was, data, version, zxid, time));
    }

    /// {@return the znode as it is now, or null}
    @Nullable Object znode(String path) {
        return find(bytes(path.isEmpty() ? Paths.ROOT : path));
    }

    /// Gives a znode other data and leaves its Stat as it is, but for the length.
    void rewrite(String path, byte[] data) {
        byte[] p = bytes(path);
        byte[] was = Branch.record(existing(path, p));
        var _ =
                setRecord(
                        p,
                        was,
                        Leaf.withData(
                                was, data, Leaf.version(was), Leaf.mzxid(was), Leaf.mtime(was)));
    }

    Change setAcl(String path, List<Acl> acl, int aversion) {
        byte[] p = bytes(path);
        byte[] was = Branch.record(existing(path, p));
        acls = acls.adding(acl);
        Change change = setRecord(p, was, Leaf.withAcl(was, acls.id(acl), aversion));
        acls = acls.removing(Leaf.acl(was));
        return change;
    }

    /// Makes a znode as it was stored: new, or in the place of the one that is there, whose
    /// children stay.
    void load(StateChange.PutNode node) {
        byte[] p = bytes(node.path());
        Object znode = find(p);
        acls = acls.adding(node.acl());
        int from = depth == 0 ? p.length : nameFrom(p);
        byte[] record =
                Leaf.of(
                        p,
                        from,
                        p.length,
                        node.czxid(),
                        node.ctime(),
                        acls.id(node.acl()),
                        node.mzxid(),
                        node.mtime(),
                        node.version(),
                        node.owner(),
                        node.aversion(),
                        node.data());
        Branch was = znode == null ? null : Branch.of(znode);
        boolean plain = node.created() == 0 && node.pzxid() == node.czxid();
        Object now =
                plain && (was == null || was.children == null) && depth > 0
                        ? record
                        : new Branch(
                                record,
                                was == null ? null : was.children,
                                was == null ? 0 : was.childCount,
                                node.created(),
                                node.pzxid());
        if (was != null) {
            removed(p, was);
            added(p, record, node.created(), node.pzxid());
            replace(depth, now);
            return;
        }
        Object above = way[depth - 1];
        if (above == null) {
            throw new IllegalArgumentException("stored znode without a parent: " + node.path());
        }
        Branch parent = Branch.of(above);
        added(p, record, node.created(), node.pzxid());
        Trie children = tries.put(parent.children, now, hashes[depth]);
        children(depth - 1, parent, children, parent.childCount + 1, parent.created, parent.pzxid);
    }

    /// Takes a znode away as [#load] puts one: its parent is not changed otherwise.
    void unload(String path) {
        byte[] p = bytes(path);
        Object znode = find(p);
        if (znode == null || depth == 0 || Branch.of(znode).childCount > 0) {
            throw new IllegalArgumentException(
                    "cannot take away the znode "
                            + path
                            + ", which is "
                            + (znode == null ? "missing" : "not empty"));
        }
        Branch parent = parent();
        removed(p, Branch.of(znode));
        removeFrom(parent, p, nameFrom(p), parent.pzxid);
    }

    void putSession(Session session) {
        Session was = sessions.get(session.id());
        digest += Digest.session(session) - (was == null ? 0 : Digest.session(was));
        sessions = sessions.with(session.id(), session);
    }

    void removeSession(long id) {
        Session was = sessions.get(id);
        if (was != null) {
            digest -= Digest.session(was);
            sessions = sessions.without(id);
        }
    }

    void putEnsemble(Ensemble now) {
        digest += Digest.ensemble(now) - Digest.ensemble(ensemble);
        ensemble = now;
    }

    private List<Acl> acl(byte[] record) {
        return acls.list(Leaf.acl(record));
    }

    private Object existing(String path, byte[] p) {
        Object znode = find(p);
        if (znode == null) {
            throw new IllegalStateException("change of " + path + ", which is missing");
        }
        return znode;
    }

    /// Goes down to a znode and keeps the way.
    private @Nullable Object find(byte[] p) {
        depth = 0;
        way[0] = root;
        for (int from = 1; from < p.length; ) {
            int to = Paths.segmentEnd(p, from);
            if (++depth == way.length) {
                way = Arrays.copyOf(way, 2 * depth);
                hashes = Arrays.copyOf(hashes, 2 * depth);
            }
            hashes[depth] = hash.of(p, from, to, 0);
            way[depth] =
                    way[depth - 1] instanceof Branch above
                            ? Trie.find(above.children, hash, hashes[depth], p, from, to)
                            : null;
            from = to + 1;
        }
        return way[depth];
    }

    /// Gives the znode at `level` of the way other children.
    @SuppressWarnings("ReferenceEquality")
    private void children(
            int level, Branch was, @Nullable Trie children, int count, int created, long pzxid) {
        if (children != null && was.children == children) {
            was.childCount = count;
            was.created = created;
            was.pzxid = pzxid;
        } else {
            replace(level, new Branch(was.record, children, count, created, pzxid));
        }
    }

    /// Gives the znode that was looked for last another record.
    private Change setRecord(byte[] p, byte[] was, byte[] is) {
        long path = Digest.bytes(p, 0, p.length);
        digest -= Digest.record(path, was, acls.digest(Leaf.acl(was)));
        digest += Digest.record(path, is, acls.digest(Leaf.acl(is)));
        dataSize += Leaf.dataLength(is) - Leaf.dataLength(was);
        Object znode = Objects.requireNonNull(way[depth]);
        Object now = is;
        if (znode instanceof Branch branch) {
            if (branch.children != null && branch.children.edit == edit) {
                branch.record = is;
                return new Change(Tree.stat(branch), acl(is), null);
            }
            now = new Branch(is, branch.children, branch.childCount, branch.created, branch.pzxid);
        }
        replace(depth, now);
        return new Change(Tree.stat(now), acl(is), null);
    }

    /// Puts a znode at `level` of the way, in the place of the one that is there, and copies what
    /// is above as far as it belongs to older versions.
    @SuppressWarnings("ReferenceEquality")
    private void replace(int level, Object znode) {
        Object now = znode;
        for (int i = level; i > 0; i--) {
            Branch above = (Branch) Objects.requireNonNull(way[i - 1]);
            Trie children = tries.put(above.children, now, hashes[i]);
            if (children == above.children) {
                return;
            }
            now = new Branch(above.record, children, above.childCount, above.created, above.pzxid);
        }
        root = (Branch) now;
    }

    private void added(byte[] p, byte[] record, int created, long pzxid) {
        long path = Digest.bytes(p, 0, p.length);
        digest += Digest.record(path, record, acls.digest(Leaf.acl(record)));
        digest += Digest.children(path, created, pzxid);
        znodes++;
        dataSize += p.length + Leaf.dataLength(record);
        long owner = Leaf.owner(record);
        if (owner != Owner.NONE) {
            ephemeralCount += Owner.isSession(owner) ? 1 : 0;
            long key = Owner.listedBy(owner);
            Trie paths = tries.put(owned.get(key), Leaf.bare(p), hash.of(p, 0, p.length, 0));
            owned = owned.with(key, paths);
        }
        quotas += Quotas.isLimits(p) ? 1 : 0;
    }

    private void removed(byte[] p, Branch znode) {
        byte[] record = znode.record;
        long path = Digest.bytes(p, 0, p.length);
        digest -= Digest.record(path, record, acls.digest(Leaf.acl(record)));
        digest -= Digest.children(path, znode.created, znode.pzxid);
        znodes--;
        dataSize -= p.length + Leaf.dataLength(record);
        acls = acls.removing(Leaf.acl(record));
        long owner = Leaf.owner(record);
        if (owner != Owner.NONE) {
            ephemeralCount -= Owner.isSession(owner) ? 1 : 0;
            long key = Owner.listedBy(owner);
            Trie paths = Objects.requireNonNull(owned.get(key));
            Trie left = tries.remove(paths, hash.of(p, 0, p.length, 0), p, 0, p.length);
            owned = left == null ? owned.without(key) : owned.with(key, left);
        }
        quotas -= Quotas.isLimits(p) ? 1 : 0;
    }

    private static int nameFrom(byte[] p) {
        int from = p.length;
        while (p[from - 1] != '/') {
            from--;
        }
        return from;
    }

    private static byte[] bytes(String path) {
        return path.getBytes(StandardCharsets.UTF_8);
    }
}
