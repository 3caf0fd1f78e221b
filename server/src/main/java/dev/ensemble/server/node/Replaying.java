package dev.ensemble.server.node;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogEntry;
import dev.ensemble.server.store.LogReader;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.History;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/// Reads the log on disk for learners that lag more than memory reaches back, on a thread of its
/// own.
///
/// Only as long as it is cheaper than a snapshot. The peer thread asks, and hears of the end
/// through its inbox.
final class Replaying implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replaying.class);

    /// What is read, sent and acknowledged at once: small beside what a heartbeat can wait for.
    private static final int PIECE_BYTES = 1 << 20;

    /// What a znode takes in a snapshot besides its path and its data, about.
    private static final int ZNODE_BYTES = 64;

    /// So much log is never worth a snapshot.
    private static final long ALWAYS_BYTES = 32 << 20;

    private final Store store;
    private final Inbox<Input> inbox;
    private volatile double snapshotSizeFactor;
    private final Map<Integer, LogReader> readers = new HashMap<>();
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("log-read").daemon().factory());

    /// @param snapshotSizeFactor a log that is larger than the state times this is not read; 0 or
    ///   less: always a snapshot
    Replaying(Store store, Inbox<Input> inbox, double snapshotSizeFactor) {
        this.store = store;
        this.inbox = inbox;
        this.snapshotSizeFactor = snapshotSizeFactor;
    }

    /// From here on. Any thread.
    void snapshotSizeFactor(double now) {
        snapshotSizeFactor = now;
    }

    /// Begins to read. Peer thread.
    ///
    /// @param tree what a snapshot would carry
    void read(int learner, long epoch, long after, Tree tree) {
        store.keep(learner, after);
        try {
            thread.execute(() -> {
                List<History.Entry> found = List.of();
                try {
                    found = entries(learner, after, tree);
                } catch (IOException | IllegalArgumentException e) {
                    // A leader's log is looked after by others; a snapshot goes around it.
                    LOG.atWarn().log("the log cannot be read for a learner: {}", e.toString());
                    forget(learner);
                }
                inbox.add(new Input.OfPeer(new Event.LogRead(learner, epoch, after, found)));
            });
        } catch (RejectedExecutionException _) {
            LOG.debug("ending: nothing is read any more");
        }
    }

    private List<History.Entry> entries(int learner, long after, Tree tree) throws IOException {
        LogReader reader = readers.get(learner);
        boolean follows = reader != null && reader.last() == after;
        if (reader == null || !follows) {
            forget(learner);
            reader = store.reader();
            readers.put(learner, reader);
            long behind = reader.bytesBehind(after);
            if (behind < 0 || behind > worthwhile(tree)) {
                LOG.atInfo()
                        .addKeyValue("peer", learner)
                        .addKeyValue("behind", Zxid.text(after))
                        .addKeyValue("bytes", behind)
                        .log("the log does not serve: a snapshot");
                forget(learner);
                return List.of();
            }
            LOG.atInfo()
                    .addKeyValue("peer", learner)
                    .addKeyValue("behind", Zxid.text(after))
                    .addKeyValue("bytes", behind)
                    .log("sending from the log on disk");
        }
        List<LogEntry> read = reader.read(after, PIECE_BYTES);
        if (read.isEmpty()) {
            forget(learner);
        }
        return read.stream().map(each -> new History.Entry(each.zxid(), each.payload())).toList();
    }

    private double worthwhile(Tree tree) {
        double factor = snapshotSizeFactor;
        if (factor <= 0) {
            return -1;
        }
        double state = tree.approximateDataSize() + (double) ZNODE_BYTES * tree.znodeCount();
        return Math.max(ALWAYS_BYTES, state * factor);
    }

    private void forget(int learner) {
        try (LogReader closed = readers.remove(learner)) {
            assert closed == null || !readers.containsKey(learner);
        } catch (IOException e) {
            LOG.atDebug().setCause(e).log("closing a log file");
        }
    }

    /// The log behind this is needed next: a snapshot of it is on its way. Peer thread.
    void keep(int learner, long zxid) {
        store.keep(learner, zxid);
    }

    /// That learner is level, or gone. Peer thread.
    void end(int learner) {
        store.letGo(learner);
        try {
            thread.execute(() -> forget(learner));
        } catch (RejectedExecutionException _) {
            LOG.debug("ending: nothing is read any more");
        }
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
