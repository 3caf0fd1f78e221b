package dev.ensemble.server.node;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// Stores a committed version of the tree as the state behind the log, now and then, on a thread of
/// its own.
///
/// A change of the configuration is stored at once. That it is committed stands on disk otherwise
/// only with the next transaction, and a member that starts again before would need the quorum of
/// the voters who have gone.
///
/// A version is stored only once the member's own log on disk reaches that far (`safety.md` 2): a
/// commit may be known before. Owned by the peer thread but for [#micros] and [#hurry].
final class Flushing {
    private static final Logger LOG = LoggerFactory.getLogger(Flushing.class);

    /// So much log is stored as state in a fraction of a second.
    private static final long QUICK_BYTES = 8 << 20;

    /// On a disk with little space the log is stored so much earlier: then it can go.
    private static final long HURRY = 16;

    private final Store store;
    private final Consumer<Throwable> failed;
    private final long bytes;
    private final long nanos;
    private final Summary micros = new Summary();
    private final AtomicLong stored;
    private final AtomicLong storedSeconds = new AtomicLong(-1);

    private volatile boolean busy;
    private volatile boolean hurried;
    private @Nullable Tree candidate;
    private long lastNanos;

    /// @param bytes of log after which a flush is due, or `seconds` with any log at all
    /// @param failed told of an error, after which the process must stop
    Flushing(Store store, long bytes, int seconds, long nowNanos, Consumer<Throwable> failed) {
        this.store = store;
        this.failed = failed;
        this.bytes = bytes;
        this.nanos = TimeUnit.SECONDS.toNanos(seconds);
        this.lastNanos = nowNanos;
        this.stored = new AtomicLong(store.stateZxid());
    }

    /// Once a turn.
    ///
    /// @param synced how far the log is on disk
    void turn(Tree committed, long synced, long nowNanos) {
        if (busy) {
            return;
        }
        Tree due = candidate;
        if (due == null) {
            long pending = store.bytesSinceFlush();
            long hurry = hurried ? HURRY : 1;
            boolean late = pending > 0 && nowNanos - lastNanos >= nanos / hurry;
            boolean changed = committed.ensemble().version() > stored.get();
            if (changed
                    || ((pending >= bytes / hurry || late) && committed.zxid() > stored.get())) {
                candidate = committed;
            }
        } else if (due.zxid() <= synced) {
            candidate = null;
            lastNanos = nowNanos;
            begin(due);
        }
    }

    /// The disk has little space, or enough again. Any thread.
    void hurry(boolean now) {
        hurried = now;
    }

    /// Another tree is in force, and on disk: what was to be stored belongs to a history that has
    /// ended.
    void replaced(Tree tree) {
        candidate = null;
        stored.set(tree.zxid());
    }

    /// Stores what is committed before an orderly end, if that is quick: then the next start has
    /// nothing to replay. After the peer thread has ended.
    void last(Tree committed, long synced) throws IOException, InterruptedException {
        if (committed.zxid() > stored.get()
                && committed.zxid() <= synced
                && store.bytesSinceFlush() <= QUICK_BYTES) {
            stored.set(store.flush(committed));
        }
    }

    /// {@return how long each flush took, in microseconds}
    Reading micros() {
        return micros.read();
    }

    /// {@return when the state on disk was stored, in seconds of the wall clock; -1 if an earlier
    /// process has stored it}
    long storedSeconds() {
        return storedSeconds.get();
    }

    /// {@return the zxid of the state on disk}
    long storedZxid() {
        return stored.get();
    }

    private void begin(Tree tree) {
        busy = true;
        Thread.ofPlatform().name("flush").daemon().start(() -> flush(tree));
    }

    private void flush(Tree tree) {
        long began = System.nanoTime();
        try {
            stored.set(store.flush(tree));
            storedSeconds.set(System.currentTimeMillis() / 1000);
            long took = System.nanoTime() - began;
            micros.add(TimeUnit.NANOSECONDS.toMicros(took));
            LOG.atInfo()
                    .addKeyValue("zxid", Zxid.text(tree.zxid()))
                    .addKeyValue("millis", TimeUnit.NANOSECONDS.toMillis(took))
                    .log("state stored");
            busy = false;
        } catch (IOException | RuntimeException | Error e) {
            failed.accept(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
