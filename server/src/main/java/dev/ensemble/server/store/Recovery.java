package dev.ensemble.server.store;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// What is believed of a member's folder at its start: `safety.md` 1, 9, 10 and 11.
///
/// A crash at any point leaves a folder that opens. What a crash cannot explain is damage: then the
/// member does not pretend to hold what it acked, and begins anew with another incarnation.
final class Recovery {
    private static final String TEMPORARY = ".tmp";

    /// Says that what is here must not be believed, and why.
    private static final String DISTRUSTED = "distrusted";

    private static final String ASIDE = "aside.";

    private final Disk disk;
    private final StateEngine.Opener opener;
    private final StoreOptions options;
    private final int myid;
    private final HashKey key;
    private final @Nullable Rescue rescue;
    private final LongSupplier random;
    private final LogMetrics metrics;
    private final List<String> warnings = new ArrayList<>();

    /// What is open afterwards.
    record Opened(Recovered recovered, Current current, TxnLog log, StateStore states) {}

    Recovery(
            Disk disk,
            StateEngine.Opener opener,
            StoreOptions options,
            int myid,
            HashKey key,
            @Nullable Rescue rescue,
            LongSupplier random,
            LogMetrics metrics) {
        this.disk = disk;
        this.opener = opener;
        this.options = options;
        this.myid = myid;
        this.key = key;
        this.rescue = rescue;
        this.random = random;
        this.metrics = metrics;
    }

    /// Has the next start begin anew, with another incarnation. On disk when this returns.
    static void distrust(Disk disk, String reason) throws IOException {
        try (Disk.File file = disk.create(DISTRUSTED + TEMPORARY)) {
            file.write(0, ByteBuffer.wrap(reason.getBytes(StandardCharsets.UTF_8)));
            file.force();
        }
        disk.rename(DISTRUSTED + TEMPORARY, DISTRUSTED);
        disk.syncFolder(Disk.ROOT);
    }

    /// Opens what there is, or makes what a first start needs.
    ///
    /// @throws StoreException if a person has to look
    Opened open() throws IOException {
        for (String name : disk.list(Disk.ROOT)) {
            if (name.endsWith(TEMPORARY)) {
                disk.delete(name);
            }
        }
        makeRoom();
        Identity identity = started(identity());
        return rescue == null || rescue.id().equals(Rescue.done(disk))
                ? open(identity)
                : rescued(identity, rescue);
    }

    private Opened open(Identity identity) throws IOException {
        try {
            if (disk.exists(DISTRUSTED)) {
                byte[] reason = disk.read(DISTRUSTED);
                throw new DamagedException(new String(reason, StandardCharsets.UTF_8));
            }
            if (!disk.exists(Current.FILE.name())) {
                if (identity.state() == Identity.State.MEMBER) {
                    throw new DamagedException("the file CURRENT is lost");
                }
                makeEmpty();
            }
            return load(identity);
        } catch (DamagedException e) {
            return load(beginAnew(identity, e));
        }
    }

    /// Carries out a recovery, of which this disk knows nothing yet. After a crash it is done
    /// again: the survivor then is its own quorum in a later epoch, and the others are blank
    /// already.
    private Opened rescued(Identity identity, Rescue decided) throws IOException {
        Opened opened;
        if (identity.state() == Identity.State.BLANK) {
            opened = open(identity);
        } else if (decided.survivor() == myid) {
            opened = alone(open(identity), decided);
        } else {
            String reason =
                    "by the recovery "
                            + decided.id()
                            + " the ensemble goes on with the data of member "
                            + decided.survivor()
                            + " alone";
            opened = load(beginAnew(identity, new DamagedException(reason)));
        }
        decided.markDone(disk);
        return opened;
    }

    /// Makes this member the only one of the ensemble, by a transaction behind all that it holds:
    /// what was not known to be committed is from now on.
    ///
    /// In an epoch of its own, so that no zxid of it is one that the lost members may have used.
    private Opened alone(Opened opened, Rescue decided) throws IOException {
        Recovered found = opened.recovered();
        Identity identity = found.identity();
        String objection =
                identity.state() == Identity.State.MEMBER
                        ? decided.objection(found)
                        : "it holds no data that it can trust";
        if (objection != null) {
            close(opened);
            throw new StoreException(
                    "this member was chosen to survive by the recovery "
                            + decided.id()
                            + ", but "
                            + objection
                            + ". Nothing was changed; decide again");
        }
        Ensemble only = found.tree().ensemble().alone(myid, identity.incarnation());
        long epoch = Math.max(found.acceptedEpoch(), found.currentEpoch()) + 1;
        long zxid = Zxid.of(epoch, 1);
        long time =
                found.log().isEmpty() ? 0 : found.log().getLast().payload().header().timeMillis();
        Payload last = new TxnCodec().encode(new Header(0, 0, 0, 0, time), new Txn.Configure(only));
        EpochsFile.write(disk, new Epochs(epoch, found.currentEpoch()));
        opened.log().append(List.of(new DiskOp.Append(zxid, last, zxid)));
        EpochsFile.write(disk, new Epochs(epoch, epoch));
        close(opened);
        warnings.add(
                "by the recovery "
                        + decided.id()
                        + " the ensemble goes on with the data of this member alone, from "
                        + Zxid.text(zxid)
                        + " on; what the other members held behind "
                        + Zxid.text(found.logEnd())
                        + " is lost");
        return load(identity);
    }

    private static void close(Opened opened) throws IOException {
        try (TxnLog log = opened.log();
                StateStore states = opened.states()) {
            assert log != null && states != null;
        }
    }

    /// A start needs a few small files; on a full disk they take the place of a part of the
    /// reserve.
    private void makeRoom() throws IOException {
        for (String name : disk.list(Disk.ROOT)) {
            if (Current.isLog(name)) {
                new Reserve(disk, options).makeRoom(name);
            }
        }
    }

    private Identity identity() throws IOException {
        if (!disk.exists(IdentityFile.FILE.name())) {
            for (String name : disk.list(Disk.ROOT)) {
                if (isData(name)) {
                    throw new StoreException(
                            "the data folder holds "
                                    + name
                                    + " but no file identity: whose data it is is not known. Empty"
                                    + " the folder to start as a new member");
                }
            }
            return new Identity(Identity.State.BLANK, "", myid, incarnation(), 0, Map.of());
        }
        Identity found;
        try {
            found = IdentityFile.read(disk);
        } catch (DamagedException e) {
            throw new StoreException(
                    e.getMessage()
                            + ": whose data this is is not known. Empty the folder to start as a"
                            + " new member");
        }
        if (found.myid() != myid) {
            throw new StoreException(
                    "the data folder belongs to the member with myid "
                            + found.myid()
                            + ", but this one has myid "
                            + myid);
        }
        return found;
    }

    private static boolean isData(String name) {
        return Current.isData(name)
                || name.equals(Current.FILE.name())
                || name.equals(EpochsFile.NAME)
                || name.equals(Restoration.MARKER.name());
    }

    /// Counts this start, on disk before anyone hears of it: a disk that went back in time is seen
    /// by it.
    private Identity started(Identity was) throws IOException {
        var now =
                new Identity(
                        was.state(),
                        was.ensembleId(),
                        was.myid(),
                        was.incarnation(),
                        was.starts() + 1,
                        was.voters());
        IdentityFile.write(disk, now);
        return now;
    }

    private long incarnation() {
        long random63 = random.getAsLong() >>> 1;
        return random63 == 0 ? 1 : random63;
    }

    private void makeEmpty() throws IOException {
        var current = new Current(1, 1);
        StateStore.create(disk, opener, current.stateFolder());
        TxnLog.create(disk, current.logFolder(), Zxid.NONE, options, random, metrics).close();
        EpochsFile.write(disk, Epochs.NONE);
        current.write(disk);
    }

    /// Puts aside what cannot be trusted and makes the member another one, that holds nothing and
    /// has promised nothing.
    ///
    /// The file CURRENT goes first: a member without it ends up here again, so a crash at any point
    /// of this changes nothing.
    private Identity beginAnew(Identity was, DamagedException damage) throws IOException {
        disk.delete(Current.FILE.name());
        disk.syncFolder(Disk.ROOT);
        putAside();
        disk.delete(EpochsFile.NAME);
        disk.delete(DISTRUSTED);
        disk.syncFolder(Disk.ROOT);
        var next =
                new Identity(
                        Identity.State.BLANK,
                        was.ensembleId(),
                        was.myid(),
                        incarnation(),
                        was.starts(),
                        was.voters());
        IdentityFile.write(disk, next);
        makeEmpty();
        warnings.add(
                damage.getMessage()
                        + ". This member no longer proves what it acked: it is a new, blank one"
                        + " with incarnation "
                        + Long.toHexString(next.incarnation())
                        + " instead of "
                        + Long.toHexString(was.incarnation())
                        + ". The old data is in the folders "
                        + ASIDE
                        + "*; delete them when nobody needs them any more");
        return next;
    }

    private void putAside() throws IOException {
        List<String> data = disk.list(Disk.ROOT).stream().filter(Current::isData).toList();
        for (String name : data) {
            disk.delete(ASIDE + name);
            disk.rename(name, ASIDE + name);
        }
        disk.syncFolder(Disk.ROOT);
    }

    private Opened load(Identity identity) throws IOException {
        Current current = Current.read(disk);
        current.deleteOthers(disk);
        Epochs epochs = epochs(identity);
        StateStore states = StateStore.open(disk, opener, current.stateFolder(), key);
        @Nullable TxnLog log = null;
        try {
            var entries = new ArrayList<LogEntry>();
            log = openLog(current, states.zxid(), entries);
            epochs = epochs.with(log.end());
            long base = states.zxid();
            long committed = Math.max(base, Math.min(log.committed(), log.end()));
            var recovered =
                    new Recovered(
                            identity,
                            epochs.accepted(),
                            epochs.current(),
                            base,
                            states.tree().ensemble(),
                            replay(states.tree(), entries, committed),
                            entries,
                            committed,
                            warnings);
            return new Opened(recovered, current, log, states);
        } catch (IOException | RuntimeException e) {
            if (log != null) {
                log.close();
            }
            states.close();
            throw e;
        }
    }

    private Epochs epochs(Identity identity) throws IOException {
        if (disk.exists(EpochsFile.NAME)) {
            Epochs found = EpochsFile.read(disk);
            // A process that was killed may have left what is not on disk yet, and a block may have
            // been lost: after this both slots are good and durable, in the format of this build.
            EpochsFile.write(disk, found);
            return found;
        }
        if (identity.state() == Identity.State.MEMBER) {
            throw new DamagedException("the file epochs is lost");
        }
        return Epochs.NONE;
    }

    private TxnLog openLog(Current current, long after, List<LogEntry> entries) throws IOException {
        var codec = new TxnCodec();
        return TxnLog.open(
                disk,
                current.logFolder(),
                after,
                (zxid, bytes) -> entries.add(new LogEntry(zxid, decode(codec, zxid, bytes))),
                options,
                random,
                metrics);
    }

    private static Payload decode(TxnCodec codec, long zxid, byte[] bytes) throws IOException {
        try {
            return codec.decode(bytes);
        } catch (IllegalArgumentException e) {
            // Its checksum is good: this is what was written, by a release that knew more.
            throw new StoreException(
                    "the log's transaction "
                            + Zxid.text(zxid)
                            + " cannot be read: "
                            + e.getMessage()
                            + ". A newer release may have written it");
        }
    }

    private static Tree replay(Tree state, List<LogEntry> entries, long committed) {
        Tree tree = state;
        for (LogEntry entry : entries) {
            if (entry.zxid() > committed) {
                break;
            }
            tree = tree.apply(entry.zxid(), entry.payload().header(), entry.payload().txn()).tree();
        }
        return tree;
    }
}
