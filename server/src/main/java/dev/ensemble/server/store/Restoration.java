package dev.ensemble.server.store;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// Makes a member's data folder of a backup: that of the only voter of an ensemble, which others
/// then join.
///
/// The file `identity` is written last. Without it a folder that holds anything is refused by every
/// start, so a restore that ends in the middle leaves half a state that nobody believes; the file
/// `restoring` says whose leavings they are, and the next restore begins anew.
public final class Restoration {
    /// A restore was begun here.
    static final TextFile MARKER = new TextFile("restoring");

    private static final String DISTRUSTED = "distrusted";
    private static final String ASIDE = "aside.";

    /// Who the restored member is.
    ///
    /// @param ensembleId of the ensemble that begins with it
    /// @param self as its file declares it
    /// @param afterEpoch an epoch that clients may have seen zxids of: theirs must not be ahead of
    ///   ours
    /// @param recovery id of the recovery by which a folder that holds data may be put aside; null:
    ///   the folder must be blank
    public record Seed(
            String ensembleId, Ensemble.Member self, long afterEpoch, @Nullable String recovery) {}

    /// What came of it.
    ///
    /// @param zxid of the restored state: behind the backup's, in an epoch of its own; 0 if nothing
    ///   was done
    /// @param done false: this folder went through this recovery before, and nothing was changed
    public record Restored(long zxid, int znodes, int endedSessions, boolean done) {}

    private final Disk disk;
    private final StateEngine.Opener opener;
    private final HashKey key;
    private final StoreOptions options;
    private final LongSupplier random;

    Restoration(
            Disk disk,
            StateEngine.Opener opener,
            HashKey key,
            StoreOptions options,
            LongSupplier random) {
        this.disk = disk;
        this.opener = opener;
        this.key = key;
        this.options = options;
        this.random = random;
    }

    /// Restores into a data folder, of one part or two.
    ///
    /// @param stateFolder for the state alone
    /// @param logFolder for all the rest; the same one where there is no `dataLogDir`
    /// @throws StoreException if the folder is in use, or not blank
    public static Restored restore(
            Path stateFolder,
            Path logFolder,
            Tree backup,
            Seed seed,
            StoreOptions options,
            long timeMillis)
            throws IOException {
        var random = new SecureRandom();
        var key = new HashKey(random.nextLong(), random.nextLong());
        try (FolderDisk log = FolderDisk.lock(logFolder)) {
            if (stateFolder.equals(logFolder)) {
                return new Restoration(
                                log,
                                name -> RocksEngine.open(log.path(name)),
                                key,
                                options,
                                random::nextLong)
                        .restore(backup, seed, timeMillis);
            }
            try (FolderDisk state = FolderDisk.lock(stateFolder)) {
                return new Restoration(
                                TwoVolumes.of(log, state),
                                name -> RocksEngine.open(state.path(name)),
                                key,
                                options,
                                random::nextLong)
                        .restore(backup, seed, timeMillis);
            }
        }
    }

    Restored restore(Tree backup, Seed seed, long timeMillis) throws IOException {
        int myid = seed.self().myid();
        String recovery = seed.recovery();
        if (recovery != null && isDone(recovery, myid)) {
            return new Restored(Zxid.NONE, 0, 0, false);
        }
        if (recovery == null) {
            refuseUnlessBlank();
        } else {
            putAside(myid);
        }
        clear();
        MARKER.write(disk, Map.of("zxid", Long.toHexString(backup.zxid())));
        long incarnation = Math.max(1, random.getAsLong() >>> 1);
        Tree seeded = seeded(backup, seed, incarnation, timeMillis);
        var current = new Current(1, 1);
        store(seeded);
        TxnLog.create(disk, current.logFolder(), seeded.zxid(), options, random, new LogMetrics())
                .close();
        long epoch = Zxid.epoch(seeded.zxid());
        EpochsFile.write(disk, new Epochs(epoch, epoch));
        current.write(disk);
        verify(current, seeded);
        if (recovery != null) {
            new Rescue(recovery, myid, Zxid.NONE).markDone(disk);
        }
        // From here on it is a member, and all of it is on disk.
        IdentityFile.write(
                disk,
                new Identity(
                        Identity.State.MEMBER,
                        seed.ensembleId(),
                        myid,
                        incarnation,
                        0,
                        Map.of(myid, incarnation)));
        disk.delete(MARKER.name());
        disk.syncFolder(Disk.ROOT);
        return new Restored(seeded.zxid(), seeded.znodeCount(), backup.sessionCount(), true);
    }

    private boolean isDone(String recovery, int myid) throws IOException {
        if (!disk.exists(IdentityFile.FILE.name()) || !recovery.equals(Rescue.done(disk))) {
            return false;
        }
        Identity found = IdentityFile.read(disk);
        return found.myid() == myid;
    }

    private boolean isUnfinished() throws IOException {
        return disk.exists(MARKER.name()) && !disk.exists(IdentityFile.FILE.name());
    }

    private void refuseUnlessBlank() throws IOException {
        List<String> found =
                disk.list(Disk.ROOT).stream().filter(name -> !name.endsWith(".tmp")).toList();
        if (!found.isEmpty() && !isUnfinished()) {
            throw new StoreException(
                    "the data folder holds "
                            + String.join(", ", found)
                            + ": a backup is restored into an empty folder only");
        }
    }

    /// Keeps what is there, where nobody reads it. What an unfinished restore left is not worth
    /// keeping.
    private void putAside(int myid) throws IOException {
        if (isUnfinished()) {
            return;
        }
        if (disk.exists(IdentityFile.FILE.name())) {
            int found = IdentityFile.read(disk).myid();
            if (found != myid) {
                throw new StoreException(
                        "the data folder belongs to the member with myid "
                                + found
                                + ", but the backup is to be restored for myid "
                                + myid);
            }
        }
        // A member without CURRENT believes nothing that is here.
        disk.delete(Current.FILE.name());
        disk.syncFolder(Disk.ROOT);
        for (String name : disk.list(Disk.ROOT)) {
            if (Current.isData(name)) {
                disk.rename(name, free(ASIDE + name));
            }
        }
        disk.syncFolder(Disk.ROOT);
        MARKER.write(disk, Map.of("zxid", "0"));
        disk.delete(IdentityFile.FILE.name());
        disk.syncFolder(Disk.ROOT);
    }

    /// {@return a name that nothing has: what an earlier restore put aside stays too}
    private String free(String name) throws IOException {
        String found = name;
        for (int number = 2; disk.exists(found); number++) {
            found = name + "." + number;
        }
        return found;
    }

    private void clear() throws IOException {
        for (String name : disk.list(Disk.ROOT)) {
            if (Current.isData(name)
                    || name.equals(EpochsFile.NAME)
                    || name.equals(Current.FILE.name())
                    || name.equals(DISTRUSTED)) {
                disk.delete(name);
            }
        }
        disk.syncFolder(Disk.ROOT);
    }

    /// The sessions of the backup end, and their ephemerals go: a session that went on since would
    /// find again what it has deleted, and miss what it has made, and a client must hear of that by
    /// its session's end. Then this member is the only one, by a configuration behind all that was
    /// there.
    ///
    /// In an epoch of its own, so that no zxid is one that anybody has seen with another meaning.
    static Tree seeded(Tree backup, Seed seed, long incarnation, long timeMillis) {
        long epoch = Math.max(Zxid.epoch(backup.zxid()), seed.afterEpoch()) + 1;
        var sessions = new ArrayList<Session>();
        backup.forEachSession(sessions::add);
        sessions.sort(Comparator.comparingLong(Session::id));
        Tree tree = backup;
        long counter = 0;
        for (Session session : sessions) {
            var ending = new Header(session.id(), 0, 0, 0, timeMillis);
            tree =
                    tree.apply(
                                    Zxid.of(epoch, ++counter),
                                    ending,
                                    new Txn.CloseSession(tree.ephemerals(session.id())))
                            .tree();
        }
        Ensemble only =
                new Ensemble(
                        seed.ensembleId(),
                        0,
                        Map.of(
                                seed.self().myid(),
                                seed.self().voting().withIncarnation(incarnation)),
                        Groups.NONE,
                        backup.ensemble().level());
        return tree.apply(
                        Zxid.of(epoch, ++counter),
                        new Header(0, 0, 0, 0, timeMillis),
                        new Txn.Configure(only))
                .tree();
    }

    private void store(Tree seeded) throws IOException {
        SnapshotReceiver receiver = SnapshotReceiver.begin(disk, opener, key, 1, seeded.zxid());
        try {
            seeded.diff(
                    null,
                    change -> {
                        try {
                            receiver.accept(change);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        receiver.finish();
    }

    /// Reads back what was written.
    private void verify(Current current, Tree seeded) throws IOException {
        try (StateStore stored = StateStore.open(disk, opener, current.stateFolder(), key)) {
            Tree found = stored.tree();
            if (found.zxid() != seeded.zxid() || found.digest() != seeded.digest()) {
                throw new DamagedException(
                        "what was restored is not what was read back: digest "
                                + Long.toHexString(seeded.digest())
                                + " of "
                                + Zxid.text(seeded.zxid())
                                + ", and "
                                + Long.toHexString(found.digest())
                                + " of "
                                + Zxid.text(found.zxid()));
            }
        }
    }
}
