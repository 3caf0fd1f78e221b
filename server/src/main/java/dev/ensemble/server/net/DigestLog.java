package dev.ensemble.server.net;

import dev.ensemble.server.tree.Tree;

import java.util.ArrayDeque;
import java.util.List;

/// Digests of the tree at every 128th transaction, the newest 1024 of them: members can be compared
/// by it while they go on. The peer thread adds, any thread may read.
public final class DigestLog {
    /// @param digest of ours, which covers znodes and sessions
    public record Entry(long zxid, long digest) {}

    private static final int INTERVAL = 128;
    private static final int MOST = 1024;

    private final ArrayDeque<Entry> entries = new ArrayDeque<>();

    void applied(Tree tree) {
        if (tree.zxid() % INTERVAL == 0) {
            synchronized (entries) {
                entries.addLast(new Entry(tree.zxid(), tree.digest()));
                if (entries.size() > MOST) {
                    entries.removeFirst();
                }
            }
        }
    }

    List<Entry> entries() {
        synchronized (entries) {
            return List.copyOf(entries);
        }
    }
}
