package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The state behind the log: the tree as of some committed zxid, in the folder `state.N` that
/// `CURRENT` names.
///
/// A flush writes the difference between the version stored last and a newer one. Any thread may
/// flush and one other may receive a snapshot; the log thread installs it. One lock, since each is
/// rare and long.
final class StateStore implements Closeable {
    private final Disk disk;
    private final StateEngine.Opener opener;
    private final HashKey key;

    private String folder;
    private StateEngine engine;
    private Tree stored;
    private @Nullable SnapshotReceiver fetched;
    private boolean closed;

    private StateStore(
            Disk disk,
            StateEngine.Opener opener,
            HashKey key,
            String folder,
            StateEngine engine,
            Tree stored) {
        this.disk = disk;
        this.opener = opener;
        this.key = key;
        this.folder = folder;
        this.engine = engine;
        this.stored = stored;
    }

    /// Makes the state of a member that holds nothing, durable.
    static void create(Disk disk, StateEngine.Opener opener, String folder) throws IOException {
        disk.delete(folder);
        disk.makeFolder(folder);
        opener.open(folder).close();
        disk.syncFolder(folder);
        disk.syncFolder(Disk.ROOT);
    }

    /// Opens and loads the state in `folder`.
    ///
    /// @throws DamagedException if it is missing or not as it was written
    static StateStore open(Disk disk, StateEngine.Opener opener, String folder, HashKey key)
            throws IOException {
        if (!disk.exists(folder)) {
            throw new DamagedException("the state is lost: there is no folder " + folder);
        }
        StateEngine engine = opener.open(folder);
        try {
            return new StateStore(disk, opener, key, folder, engine, load(engine, folder, key));
        } catch (IOException | RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    private static Tree load(StateEngine engine, String folder, HashKey hashKey)
            throws IOException {
        var loader = new Tree.Loader(hashKey);
        engine.forEach((key, value) -> {
            StateChange change;
            try {
                change = StateCodec.change(key, value);
            } catch (IllegalArgumentException e) {
                // Its blocks have checksums: more likely a newer release wrote this than that it
                // broke.
                throw new StoreException(
                        "the state in " + folder + " cannot be read: " + e.getMessage());
            }
            loader.accept(change);
        });
        return loader.finish();
    }

    /// {@return the version of the tree that is stored}
    synchronized Tree tree() {
        return stored;
    }

    /// {@return the zxid that is stored}
    long zxid() {
        return tree().zxid();
    }

    /// Stores a newer version, in place of the one stored last. Nothing happens if it is not newer.
    ///
    /// @param newer committed and, as log, on this disk
    /// @return the zxid that the state on disk has now, read back from it
    synchronized long flush(Tree newer) throws IOException {
        checkOpen();
        if (newer.zxid() > stored.zxid()) {
            engine.ingest(sorted(changes(stored, newer)));
            stored = newer;
        }
        long found = zxid(engine);
        if (found != stored.zxid()) {
            throw new IOException(
                    "stored the state of "
                            + Zxid.text(stored.zxid())
                            + " in "
                            + folder
                            + " and read back "
                            + Zxid.text(found));
        }
        return found;
    }

    private static List<StateChange> changes(Tree older, Tree newer) {
        var changes = new ArrayList<StateChange>();
        newer.diff(older, changes::add);
        return changes;
    }

    /// {@return the changes as an engine takes them}
    static List<StateEngine.Change> sorted(List<StateChange> changes) {
        var sorted = new ArrayList<StateEngine.Change>(changes.size());
        for (StateChange change : changes) {
            sorted.add(new StateEngine.Change(StateCodec.key(change), StateCodec.value(change)));
        }
        sorted.sort(Comparator.comparing(StateEngine.Change::key, Arrays::compareUnsigned));
        return sorted;
    }

    /// {@return the zxid in an engine; 0 if it holds nothing}
    static long zxid(StateEngine engine) throws IOException {
        byte[] value = engine.get(StateCodec.ZXID_KEY);
        if (value == null) {
            return Zxid.NONE;
        }
        return StateCodec.change(StateCodec.ZXID_KEY, value) instanceof StateChange.At(long zxid)
                ? zxid
                : Zxid.NONE;
    }

    /// Begins to receive a snapshot beside the state in force; one that was received before and not
    /// installed is deleted.
    synchronized SnapshotReceiver receive(long zxid) throws IOException {
        checkOpen();
        if (fetched != null) {
            fetched.abandon();
        }
        long number = 1;
        for (String name : disk.list(Disk.ROOT)) {
            number = Math.max(number, Current.stateNumber(name) + 1);
        }
        fetched = SnapshotReceiver.begin(disk, opener, key, number, zxid);
        return fetched;
    }

    /// {@return the number of the folder that holds the received snapshot}
    ///
    /// @throws IllegalStateException if the snapshot of `zxid` has not been received to its end
    synchronized long fetched(long zxid) {
        if (fetched == null || !fetched.isComplete() || fetched.zxid() != zxid) {
            throw new IllegalStateException(
                    "the snapshot of " + Zxid.text(zxid) + " is not there to be installed");
        }
        return fetched.number();
    }

    /// Goes over to the received snapshot, which is in force on disk by now, and deletes the old
    /// state.
    synchronized void install(long zxid) throws IOException {
        long number = fetched(zxid);
        SnapshotReceiver received = java.util.Objects.requireNonNull(fetched);
        fetched = null;
        engine.close();
        disk.delete(folder);
        folder = Current.stateFolder(number);
        engine = opener.open(folder);
        stored = received.tree();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the store is closed");
        }
    }

    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        if (fetched != null) {
            fetched.abandon();
            fetched = null;
        }
        engine.close();
    }
}
