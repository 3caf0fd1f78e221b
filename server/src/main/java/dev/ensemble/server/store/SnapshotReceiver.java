package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// A snapshot on its way in: becomes a new state folder beside the one in force, and a tree.
///
/// Used by one thread at a time; [#abandon] may come from another one.
public final class SnapshotReceiver {
    /// How many pieces of the state are sorted and stored together.
    private static final int CHUNK_CHANGES = 8192;

    /// How many bytes of data they may have.
    private static final long CHUNK_BYTES = 8 << 20;

    private final Disk disk;
    private final long number;
    private final long zxid;
    private final StateEngine engine;
    private final Tree.Loader loader;
    private final List<StateChange> chunk = new ArrayList<>();

    private long chunkBytes;
    private @Nullable Tree tree;
    private boolean closed;

    private SnapshotReceiver(
            Disk disk, long number, long zxid, StateEngine engine, Tree.Loader loader) {
        this.disk = disk;
        this.number = number;
        this.zxid = zxid;
        this.engine = engine;
        this.loader = loader;
    }

    static SnapshotReceiver begin(
            Disk disk, StateEngine.Opener opener, HashKey key, long number, long zxid)
            throws IOException {
        String folder = Current.stateFolder(number);
        disk.delete(folder);
        disk.makeFolder(folder);
        return new SnapshotReceiver(disk, number, zxid, opener.open(folder), new Tree.Loader(key));
    }

    /// Takes the next piece, in the order in which [Tree#diff] gives them.
    ///
    /// @throws IllegalStateException if the snapshot has been abandoned or is complete
    public synchronized void accept(StateChange change) throws IOException {
        if (closed) {
            throw new IllegalStateException("the snapshot is complete or abandoned");
        }
        if (change instanceof StateChange.At(long at) && at != zxid) {
            throw new IOException("a snapshot of " + Zxid.text(at) + ", not of " + Zxid.text(zxid));
        }
        loader.accept(change);
        chunk.add(change);
        chunkBytes += change instanceof StateChange.PutNode node ? size(node.data()) : 0;
        if (chunk.size() >= CHUNK_CHANGES || chunkBytes >= CHUNK_BYTES) {
            store();
        }
    }

    private static int size(byte @Nullable [] data) {
        return data == null ? 0 : data.length;
    }

    private void store() throws IOException {
        engine.ingest(StateStore.sorted(chunk));
        chunk.clear();
        chunkBytes = 0;
    }

    /// Ends the snapshot. {@return the tree}; all of it is on disk, ready to be installed
    ///
    /// @throws IOException if the snapshot has no end
    public synchronized Tree finish() throws IOException {
        if (closed) {
            throw new IllegalStateException("the snapshot is complete or abandoned");
        }
        if (!chunk.isEmpty()) {
            store();
        }
        long found = StateStore.zxid(engine);
        closed = true;
        engine.close();
        disk.syncFolder(Current.stateFolder(number));
        disk.syncFolder(Disk.ROOT);
        if (found != zxid) {
            throw new IOException(
                    "the snapshot of "
                            + Zxid.text(zxid)
                            + " ended early: stored was "
                            + Zxid.text(found));
        }
        Tree whole = loader.finish();
        tree = whole;
        return whole;
    }

    /// Deletes what has arrived; the snapshot will not be installed.
    public synchronized void abandon() throws IOException {
        if (!closed) {
            closed = true;
            engine.close();
        }
        tree = null;
        disk.delete(Current.stateFolder(number));
    }

    public long zxid() {
        return zxid;
    }

    long number() {
        return number;
    }

    synchronized boolean isComplete() {
        return tree != null;
    }

    synchronized Tree tree() {
        if (tree == null) {
            throw new IllegalStateException("the snapshot is not complete");
        }
        return tree;
    }
}
