package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// One version of the replicated state: znodes, sessions and the configuration, as one transaction
/// left them.
///
/// It never changes; any thread may read it and hold it, with no lock. [#apply] makes the next
/// version, which shares with this one what did not change. Each znode's children are a hash trie
/// by name; a znode without children is one array of bytes (`design/tree.md` has the measurements
/// behind this).
public final class Tree {
    final NameHash hash;

    /// Greater than that of every version that this one was made of, see [Draft].
    final long edit;

    final Branch root;
    final Acls acls;
    final LongMap<Session> sessions;

    /// Paths by what [Owner#listedBy] gives for their owner.
    final LongMap<Trie> owned;

    private final long zxid;

    /// How [#digest()] is made. Another way has another number: only what was made alike may be
    /// compared.
    public static final int DIGEST_VERSION = 1;

    private final Ensemble ensemble;
    private final int znodes;
    private final int ephemeralCount;
    private final int quotas;
    private final long dataSize;
    private final long digest;

    Tree(Draft draft, long zxid) {
        this.zxid = zxid;
        hash = draft.hash;
        edit = draft.edit;
        root = draft.root;
        acls = draft.acls;
        sessions = draft.sessions;
        owned = draft.owned;
        ensemble = draft.ensemble;
        znodes = draft.znodes;
        ephemeralCount = draft.ephemeralCount;
        quotas = draft.quotas;
        dataSize = draft.dataSize;
        digest = draft.digest;
    }

    /// Only a root, and its digest.
    private Tree(NameHash hash) {
        byte[] record = Leaf.of(new byte[0], 0, 0, 0, 0, Acls.OPEN, 0, 0, 0, 0, 0, new byte[0]);
        long path = Digest.text(Paths.ROOT);
        this.hash = hash;
        edit = 0;
        root = new Branch(record, null, 0, 0, 0);
        acls = Acls.INITIAL;
        sessions = LongMap.empty();
        owned = LongMap.empty();
        zxid = Zxid.NONE;
        ensemble = new Ensemble("", 0, Map.of());
        znodes = 1;
        ephemeralCount = 0;
        quotas = 0;
        dataSize = 1;
        digest =
                Digest.record(path, record, Digest.acl(Acl.OPEN))
                        + Digest.children(path, 0, 0)
                        + Digest.ensemble(ensemble);
    }

    /// {@return the tree before any transaction, for tests and simulations: with [HashKey#KNOWN]}
    public static Tree initial() {
        return initial(HashKey.KNOWN);
    }

    /// {@return the tree before any transaction: the four znodes that always exist}
    public static Tree initial(HashKey key) {
        return initial(new SipHash(key));
    }

    static Tree initial(NameHash hash) {
        var draft = new Draft(new Tree(hash));
        draft.load(builtIn(Paths.SYSTEM, Acl.OPEN, 0));
        draft.load(builtIn(Paths.QUOTA, Acl.OPEN, 0));
        draft.load(builtIn(Paths.CONFIG, Acl.READ_ONLY, -1));
        return new Tree(draft, Zxid.NONE);
    }

    private static StateChange.PutNode builtIn(String path, List<Acl> acl, int aversion) {
        return new StateChange.PutNode(
                path, new byte[0], acl, 0, 0, 0, 0, 0, 0, aversion, 0, Owner.NONE);
    }

    /// {@return the last transaction in this version}
    public long zxid() {
        return zxid;
    }

    /// {@return the version that this transaction makes of this one, and what else it does}
    ///
    /// @throws IllegalStateException if it was not prepared against this version: our own state is
    ///   wrong
    public Applied apply(long zxid, Header header, Txn txn) {
        return new Application(this, zxid, header).apply(txn);
    }

    public @Nullable Session session(long id) {
        return sessions.get(id);
    }

    public int sessionCount() {
        return sessions.size();
    }

    /// Hands over every session, in no order that means anything.
    public void forEachSession(Consumer<Session> out) {
        sessions.forEach(out);
    }

    /// {@return the committed configuration; one without members and with version 0 before the
    /// first}
    public Ensemble ensemble() {
        return ensemble;
    }

    /// {@return the Stat of a znode, or null if there is none}
    public @Nullable Stat stat(String path) {
        Object znode = find(path);
        return znode == null ? null : stat(znode);
    }

    /// {@return a copy of the data of a znode; null if it is null or there is no such znode}
    public byte @Nullable [] data(String path) {
        Object znode = find(path);
        return znode == null ? null : Leaf.data(Branch.record(znode));
    }

    /// {@return the ACL of a znode, or null if there is none}
    public @Nullable List<Acl> acl(String path) {
        Object znode = find(path);
        return znode == null ? null : acl(znode);
    }

    /// {@return the names of a znode's children, sorted, or null if there is no such znode}
    public @Nullable List<String> children(String path) {
        Object znode = find(path);
        if (znode == null) {
            return null;
        }
        List<String> names = names(znode);
        Collections.sort(names);
        return names;
    }

    /// {@return the paths of a session's ephemerals, sorted}
    public List<String> ephemerals(long session) {
        List<String> paths = new ArrayList<>();
        Trie.forEach(owned.get(session), leaf -> paths.add(Leaf.name(Branch.record(leaf))));
        Collections.sort(paths);
        return paths;
    }

    /// {@return the paths of all containers and TTL nodes of this version, in no order that means
    /// anything, found as they are asked for}
    public Iterator<String> removable() {
        var containers = new Trie.Walk(owned.get(Owner.CONTAINER));
        var timed = new Trie.Walk(owned.get(Owner.ttl()));
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return containers.hasNext() || timed.hasNext();
            }

            @Override
            public String next() {
                Object leaf = containers.hasNext() ? containers.next() : timed.next();
                return Leaf.name(Branch.record(leaf));
            }
        };
    }

    /// {@return whether the znode is a container or a TTL node whose time has come: it has no
    /// children, and a container had some or was never used for long, a TTL node was not changed
    /// for its time}
    ///
    /// @param neverUsedMillis how long a container may wait for its first child; 0: for ever
    public boolean isSpent(String path, long wallMillis, long neverUsedMillis) {
        Object znode = find(path);
        if (znode == null) {
            return false;
        }
        Branch branch = Branch.of(znode);
        long owner = Leaf.owner(branch.record);
        long idleMillis = wallMillis - Leaf.mtime(branch.record);
        if (branch.childCount > 0) {
            return false;
        }
        if (owner == Owner.CONTAINER) {
            return branch.created > 0 || (neverUsedMillis > 0 && idleMillis > neverUsedMillis);
        }
        return Owner.isTtl(owner) && idleMillis > Owner.ttlMillis(owner);
    }

    /// {@return how many znodes limit what is below some path}
    public int quotaCount() {
        return quotas;
    }

    /// {@return how many znodes there are, the root and the other built-in ones included}
    public int znodeCount() {
        return znodes;
    }

    public int ephemeralCount() {
        return ephemeralCount;
    }

    /// {@return bytes of all paths and all data}
    public long approximateDataSize() {
        return dataSize;
    }

    /// {@return a number that two members have in common if, and almost only if, their znodes,
    /// sessions and configuration are the same}
    public long digest() {
        return digest;
    }

    /// Tells what makes this version of an older one, its [StateChange.At] last. A znode comes
    /// after its parent, and goes after its children; otherwise there is no order.
    ///
    /// @param older a version of the same process, or null for everything
    public void diff(@Nullable Tree older, Consumer<StateChange> out) {
        new Difference(older, this, out).run();
    }

    /// {@return the znode, a record or a [Branch], or null}
    @Nullable Object find(String path) {
        if (path.isEmpty()) {
            return root;
        }
        if (path.charAt(0) != '/') {
            return null;
        }
        // A lone surrogate, which no path from the wire holds, would become a question mark here.
        byte[] p = path.getBytes(StandardCharsets.UTF_8);
        if (p.length == 1) {
            return root;
        }
        Object at = root;
        int from = 1;
        do {
            if (!(at instanceof Branch branch)) {
                return null;
            }
            int to = Paths.segmentEnd(p, from);
            at = Trie.find(branch.children, hash, hash.of(p, from, to, 0), p, from, to);
            from = to + 1;
        } while (from <= p.length);
        return at;
    }

    static Stat stat(Object znode) {
        if (znode instanceof Branch branch) {
            return Leaf.stat(branch.record, branch.created, branch.childCount, branch.pzxid);
        }
        byte[] record = (byte[]) znode;
        return Leaf.stat(record, 0, 0, Leaf.czxid(record));
    }

    List<Acl> acl(Object znode) {
        return acls.list(Leaf.acl(Branch.record(znode)));
    }

    /// {@return the names of a znode's children in no order that means anything}
    static List<String> names(Object znode) {
        if (!(znode instanceof Branch branch)) {
            return new ArrayList<>(0);
        }
        List<String> names = new ArrayList<>(branch.childCount);
        Trie.forEach(branch.children, child -> names.add(Leaf.name(Branch.record(child))));
        return names;
    }

    /// {@return how many bytes of data are in this znode and below it}
    ///
    /// Takes as long as looking at each.
    static long dataBelow(Object znode) {
        long bytes = 0;
        Deque<Object> open = new ArrayDeque<>();
        open.push(znode);
        while (!open.isEmpty()) {
            Object next = open.pop();
            bytes += Leaf.dataLength(Branch.record(next));
            if (next instanceof Branch branch) {
                Trie.forEach(branch.children, open::push);
            }
        }
        return bytes;
    }

    /// {@return how many znodes are below this one, at any depth}
    ///
    /// Takes as long as looking at each that has children: the root, of which everything is below,
    /// is known.
    int descendants(Object znode) {
        boolean isRoot =
                znode instanceof Branch top && Leaf.nameFrom(top.record) == Leaf.nameTo(top.record);
        return isRoot ? znodes - 1 : countBelow(znode);
    }

    static int countBelow(Object znode) {
        if (!(znode instanceof Branch top) || top.children == null) {
            return 0;
        }
        int count = 0;
        Deque<Trie> open = new ArrayDeque<>();
        open.push(top.children);
        while (!open.isEmpty()) {
            count += Trie.count(open.pop(), open);
        }
        return count;
    }

    /// Makes a tree of a stored state.
    ///
    /// A znode must come after its parent; everything else may come in any order, and again.
    public static final class Loader {
        private final Draft draft;
        private long zxid = Zxid.NONE;

        /// For tests and simulations: with [HashKey#KNOWN].
        public Loader() {
            this(HashKey.KNOWN);
        }

        public Loader(HashKey key) {
            this(initial(key));
        }

        Loader(Tree tree) {
            draft = new Draft(tree);
        }

        /// @throws IllegalArgumentException if a znode has no parent: the state is damaged
        public void accept(StateChange change) {
            switch (change) {
                case StateChange.PutNode node -> draft.load(node);
                case StateChange.RemoveNode(String path) -> draft.unload(path);
                case StateChange.PutSession(Session session) -> draft.putSession(session);
                case StateChange.RemoveSession(long id) -> draft.removeSession(id);
                case StateChange.PutEnsemble(Ensemble is) -> draft.putEnsemble(is);
                case StateChange.At(long at) -> zxid = at;
            }
        }

        /// {@return the tree; the loader is used up}
        public Tree finish() {
            return new Tree(draft, zxid);
        }
    }
}
