package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// A member's data folder, open: what it said at the start, the log's thread, and the state behind
/// the log.
///
/// One process at a time. Each method says which thread may call it; what the peer orders goes
/// through [#startLog].
public final class Store implements AutoCloseable {
    private final Disk disk;
    private final StoreOptions options;
    private final LogMetrics metrics;
    private final Recovery.Opened opened;
    private final DiskWork work;
    private final AtomicLong flushedBytes;

    private volatile @Nullable LogWriter writer;

    private Store(
            Disk disk,
            StoreOptions options,
            LogMetrics metrics,
            Recovery.Opened opened,
            LongSupplier random) {
        this.disk = disk;
        this.options = options;
        this.metrics = metrics;
        this.opened = opened;
        this.work =
                new DiskWork(
                        disk,
                        options,
                        random,
                        opened.states(),
                        metrics,
                        opened.current(),
                        opened.log());
        // What was found in the log has not been flushed either.
        long found = 0;
        for (LogEntry entry : opened.recovered().log()) {
            found += entry.payload().bytes().length;
        }
        this.flushedBytes = new AtomicLong(-found);
    }

    /// Opens the data folder of a member and recovers what it holds; a folder that is missing or
    /// empty becomes that of a blank member.
    ///
    /// @param hashKey of the trees of this process
    /// @throws StoreException if the folder is another member's, in use, or in a state that a
    ///   person has to look at
    public static Store open(Path folder, int myid, HashKey hashKey, StoreOptions options)
            throws IOException {
        return open(folder, myid, hashKey, options, null);
    }

    /// The same.
    ///
    /// @param rescue a recovery to carry out if this folder has not done so; null if there was none
    /// @throws StoreException also if this member is to survive and its data is not what was meant
    public static Store open(
            Path folder, int myid, HashKey hashKey, StoreOptions options, @Nullable Rescue rescue)
            throws IOException {
        FolderDisk disk = FolderDisk.lock(folder);
        var random = new SecureRandom();
        return open(
                disk,
                name -> RocksEngine.open(disk.path(name)),
                myid,
                hashKey,
                options,
                rescue,
                random::nextLong);
    }

    /// Opens a data folder whose log is somewhere else.
    ///
    /// @param stateFolder for the state alone
    /// @param logFolder for all the rest
    /// @param rescue a recovery to carry out if this folder has not done so; null if there was none
    /// @throws StoreException also if the two are not of one member
    public static Store open(
            Path stateFolder,
            Path logFolder,
            int myid,
            HashKey hashKey,
            StoreOptions options,
            @Nullable Rescue rescue)
            throws IOException {
        if (stateFolder.equals(logFolder)) {
            return open(stateFolder, myid, hashKey, options, rescue);
        }
        FolderDisk log = FolderDisk.lock(logFolder);
        try {
            FolderDisk state = FolderDisk.lock(stateFolder);
            try {
                Disk both = TwoVolumes.of(log, state);
                var random = new SecureRandom();
                return open(
                        both,
                        name -> RocksEngine.open(state.path(name)),
                        myid,
                        hashKey,
                        options,
                        rescue,
                        random::nextLong);
            } catch (IOException | RuntimeException e) {
                state.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            log.close();
            throw e;
        }
    }

    static Store open(
            Disk disk,
            StateEngine.Opener opener,
            int myid,
            HashKey hashKey,
            StoreOptions options,
            LongSupplier random)
            throws IOException {
        return open(disk, opener, myid, hashKey, options, null, random);
    }

    static Store open(
            Disk disk,
            StateEngine.Opener opener,
            int myid,
            HashKey hashKey,
            StoreOptions options,
            @Nullable Rescue rescue,
            LongSupplier random)
            throws IOException {
        var metrics = new LogMetrics();
        try {
            var recovery =
                    new Recovery(disk, opener, options, myid, hashKey, rescue, random, metrics);
            return new Store(disk, options, metrics, recovery.open(), random);
        } catch (IOException | RuntimeException e) {
            disk.close();
            throw e;
        }
    }

    /// {@return what the disk said at the start}
    public Recovered recovered() {
        return opened.recovered();
    }

    /// {@return the id of the recovery that this disk went through last; empty if there was none}
    public String recoveryId() throws IOException {
        return Rescue.done(disk);
    }

    /// Starts the log thread.
    ///
    /// @throws IllegalStateException if it has been started
    public synchronized LogWriter startLog(LogWriter.Listener listener) {
        if (writer != null) {
            throw new IllegalStateException("the log thread has been started");
        }
        var started = new LogWriter(work, options, listener);
        writer = started;
        started.start();
        return started;
    }

    /// There is little space on the disk, or enough again: as long as there is little, no more of
    /// the log is kept than is needed. Any thread.
    public void low(boolean now) {
        work.low(now);
    }

    /// What stays of the log though the state holds it, from here on. Any thread.
    public void tail(StoreOptions.Tail now) {
        work.tail(now);
    }

    /// {@return whether the reserve for a full disk was there when it was last looked at; any
    /// thread}
    public boolean isReserved() {
        return work.isReserved();
    }

    /// Makes what is missing of the reserve for a full disk, on the log thread.
    public void refillReserve() throws InterruptedException {
        LogWriter log = writer;
        if (log != null) {
            log.refill();
        }
    }

    /// For tests, which do the log thread's work themselves.
    DiskWork work() {
        return work;
    }

    /// Stores a version of the tree as the state on disk and lets go of the log below it. For any
    /// thread but peer and log; takes as long as what has changed since the last time is long.
    ///
    /// @param committed a version of the tree
    /// @return the zxid of the state on disk, read back
    /// @throws IllegalArgumentException if the member's own log on disk does not reach that far
    ///   (see [LogWriter#synced()])
    public long flush(Tree committed) throws IOException, InterruptedException {
        if (committed.zxid() > work.synced()) {
            throw new IllegalArgumentException(
                    "the tree of "
                            + Zxid.text(committed.zxid())
                            + " cannot be stored: the log on disk ends at "
                            + Zxid.text(work.synced()));
        }
        long bytes = metrics.bytes();
        long stored = opened.states().flush(committed);
        flushedBytes.set(bytes);
        LogWriter log = writer;
        if (log != null) {
            log.stored(stored);
        }
        return stored;
    }

    /// {@return the zxid of the state on disk; any thread, waits for a flush that is going on}
    public long stateZxid() {
        return opened.states().zxid();
    }

    /// {@return how many bytes went into the log since the last flush; any thread}
    public long bytesSinceFlush() {
        return metrics.bytes() - flushedBytes.get();
    }

    /// Begins to receive a snapshot beside the data in force, for
    /// [dev.ensemble.server.zab.DiskOp.Install]. What was received before and not installed is
    /// deleted.
    public SnapshotReceiver receive(long zxid) throws IOException {
        return opened.states().receive(zxid);
    }

    /// {@return a reader of the log, for a thread of its own}
    public LogReader reader() {
        return new LogReader(disk, work.logFolder());
    }

    /// Keeps the log behind `zxid` for a learner that needs it next, in place of what was kept for
    /// it before. Any thread.
    public void keep(int learner, long zxid) {
        work.keep(learner, zxid);
    }

    /// That learner needs no more. Any thread.
    public void letGo(int learner) {
        work.letGo(learner);
    }

    /// What this folder holds must not be believed any more: the next start puts it aside and
    /// begins anew with another incarnation (`safety.md` 9). The process must stop. Any thread.
    public void distrust(String reason) throws IOException {
        Recovery.distrust(disk, reason);
    }

    /// {@return what the log has done; any thread}
    public LogMetrics metrics() {
        return metrics;
    }

    /// {@return how many bytes may still be written to the folder's file system; any thread}
    public long freeBytes() throws IOException {
        return disk.freeBytes();
    }

    /// {@return how many bytes the folder's file system has; any thread}
    public long totalBytes() throws IOException {
        return disk.totalBytes();
    }

    /// Ends the log thread once it has done what was ordered, and lets go of the folder.
    @Override
    public void close() throws IOException {
        LogWriter log = writer;
        if (log != null) {
            log.close();
        }
        try (Disk closing = disk;
                StateStore states = opened.states();
                DiskWork last = work) {
            // In that order: log, state, folder with its lock.
            assert closing != null && states != null && last != null;
        }
    }
}
