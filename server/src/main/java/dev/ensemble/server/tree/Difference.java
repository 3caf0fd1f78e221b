package dev.ensemble.server.tree;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/// What makes one version of an older one. Looks only at what the two do not share.
///
/// No recursion from parent to child: clients decide how deep a tree is.
final class Difference {
    private final @Nullable Tree older;
    private final Tree newer;
    private final Consumer<StateChange> out;

    /// Branches of which something below differs, parents first: a znode's path and both of its
    /// states.
    private final Deque<Pair> open = new ArrayDeque<>();

    /// Of these paths all that is below goes; from the last to the first a child stands before its
    /// parent.
    private final Deque<String> gone = new ArrayDeque<>();

    private record Pair(String path, @Nullable Trie was, @Nullable Trie is) {}

    Difference(@Nullable Tree older, Tree newer, Consumer<StateChange> out) {
        this.older = older;
        this.newer = newer;
        this.out = out;
    }

    void run() {
        if (older == null) {
            added(Paths.ROOT, newer.root);
        } else {
            changed(Paths.ROOT, older.root, newer.root);
        }
        while (!open.isEmpty()) {
            Pair next = open.pop();
            Trie.diff(next.was, next.is, new Below(next.path));
        }
        while (!gone.isEmpty()) {
            out.accept(new StateChange.RemoveNode(gone.pop()));
        }
        newer.sessions.diff(
                older == null ? LongMap.empty() : older.sessions,
                session -> out.accept(new StateChange.PutSession(session)),
                id -> out.accept(new StateChange.RemoveSession(id)));
        if (older == null || !older.ensemble().equals(newer.ensemble())) {
            out.accept(new StateChange.PutEnsemble(newer.ensemble()));
        }
        out.accept(new StateChange.At(newer.zxid()));
    }

    private void added(String path, Object is) {
        put(path, is);
        if (is instanceof Branch branch && branch.children != null) {
            open.push(new Pair(path, null, branch.children));
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private void changed(String path, Object was, Object is) {
        Branch before = Branch.of(was);
        Branch after = Branch.of(is);
        // A branch is copied whenever something below it changes; then the znode itself is as it
        // was.
        if (before.record != after.record
                || before.created != after.created
                || before.pzxid != after.pzxid) {
            put(path, is);
        }
        if (before.children != after.children) {
            open.push(new Pair(path, before.children, after.children));
        }
    }

    private void removed(String path, Object was) {
        gone.push(path);
        if (was instanceof Branch branch && branch.children != null) {
            open.push(new Pair(path, branch.children, null));
        }
    }

    private void put(String path, Object is) {
        byte[] record = Branch.record(is);
        Branch branch = Branch.of(is);
        out.accept(
                new StateChange.PutNode(
                        path,
                        Leaf.data(record),
                        newer.acl(is),
                        Leaf.czxid(record),
                        Leaf.mzxid(record),
                        branch.pzxid,
                        Leaf.ctime(record),
                        Leaf.mtime(record),
                        Leaf.version(record),
                        Leaf.aversion(record),
                        branch.created,
                        Leaf.owner(record)));
    }

    /// Takes the children of one znode.
    private final class Below implements Trie.Difference {
        private final String parent;

        Below(String parent) {
            this.parent = parent;
        }

        @Override
        public void changed(Object was, Object is) {
            Difference.this.changed(path(is), was, is);
        }

        @Override
        public void added(Object is) {
            Difference.this.added(path(is), is);
        }

        @Override
        public void removed(Object was) {
            Difference.this.removed(path(was), was);
        }

        private String path(Object znode) {
            return Paths.child(parent, Leaf.name(Branch.record(znode)));
        }
    }
}
