package dev.ensemble.server.simulation;

import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;
import dev.ensemble.server.zab.History;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/// What one member has on disk, and what it has asked for and not got yet.
///
/// Operations are done in their order, a batch at a time; a crash keeps a prefix of the batch in
/// progress, as a torn tail that recovery cuts leaves it, and loses the rest.
final class SimulatedDisk {
    /// @param committed what the header of its batch says is committed
    record Entry(long zxid, Payload payload, long committed) {}

    /// A tree and the zxid that it stands for.
    record State(long zxid, Tree tree) {}

    /// Later than anything that happens.
    static final long NEVER = Long.MAX_VALUE / 2;

    private record Asked(long ticket, DiskOp op) {}

    private final int myid;
    private final Schedule schedule;
    private final Chance chance;
    private final Rules rules;
    private final Coverage coverage;
    private final Sabotage sabotage;

    // What survives a crash.
    private Identity identity;
    private long acceptedEpoch;
    private long currentEpoch;
    private State state = new State(Zxid.NONE, Tree.initial());
    private final List<Entry> log = new ArrayList<>();

    /// Entries up to here are in segments that were removed.
    private long removedUpTo;

    // What does not.
    private long recoveredEpoch;
    private final List<Entry> asked = new ArrayList<>();
    private long askedBase;
    private final ArrayDeque<Asked> queue = new ArrayDeque<>();
    private final List<Asked> writing = new ArrayList<>();
    private @Nullable State fetched;
    private long generation;
    private LongConsumer persisted = _ -> {};

    // What was there when the disk was lost: a quorum may have counted it, and said so afterwards.
    private long lostIncarnation = -1;
    private long lostEnd;

    private long meanNanos;
    private long fullSinceNanos = NEVER;
    private long acceptedBefore;
    private final Map<Long, Long> confirmedEarly = new HashMap<>();

    SimulatedDisk(
            int myid,
            long meanNanos,
            Identity identity,
            Schedule schedule,
            Chance chance,
            Rules rules,
            Coverage coverage,
            Sabotage sabotage) {
        this.myid = myid;
        this.meanNanos = meanNanos;
        this.identity = identity;
        this.schedule = schedule;
        this.chance = chance;
        this.rules = rules;
        this.coverage = coverage;
        this.sabotage = sabotage;
    }

    void slow(long mean) {
        meanNanos = mean;
    }

    /// There is little space left, or enough again.
    void full(boolean full) {
        if (full != isFull()) {
            fullSinceNanos = full ? schedule.nowNanos() : NEVER;
        }
    }

    boolean isFull() {
        return fullSinceNanos != NEVER;
    }

    /// {@return since when there is little space, [#NEVER] if there is enough}
    long fullSinceNanos() {
        return fullSinceNanos;
    }

    // While a process runs.

    /// A process starts on this disk.
    ///
    /// @param persisted hears of tickets that are on disk
    void open(Identity started, LongConsumer persisted) {
        identity = started;
        this.persisted = persisted;
        asked.clear();
        asked.addAll(log);
        askedBase = state.zxid;
    }

    void ask(long ticket, DiskOp op) {
        follow(op);
        queue.add(new Asked(ticket, op));
        if (writing.isEmpty()) {
            startBatch();
        }
    }

    /// Keeps the log as it will be, and checks that it may become so.
    private void follow(DiskOp op) {
        switch (op) {
            case DiskOp.Append(var zxid, var payload, var committed) -> {
                rules.onAppend(myid, askedEnd(), zxid, payload);
                asked.add(new Entry(zxid, payload, committed));
            }
            case DiskOp.Truncate(var zxid) -> {
                rules.onTruncate(myid, zxid, state.zxid, askedEnd());
                while (!asked.isEmpty() && asked.getLast().zxid > zxid) {
                    asked.removeLast();
                }
                rules.isTrue(
                        askedEnd() == zxid,
                        "member %d truncates to %s, which its log does not hold",
                        myid,
                        Rules.shown(zxid));
            }
            case DiskOp.Install(var zxid) -> {
                rules.onInstall(myid, zxid);
                asked.clear();
                askedBase = zxid;
            }
            case DiskOp.Epochs(var accepted, var current) ->
                    rules.isTrue(
                            current <= accepted,
                            "member %d stores current epoch %d above accepted epoch %d",
                            myid,
                            current,
                            accepted);
            case DiskOp.StoreIdentity _ -> {}
        }
    }

    private void startBatch() {
        int most = chance.happens(0.3) ? 1 : 64;
        while (!queue.isEmpty() && writing.size() < most) {
            writing.add(queue.remove());
        }
        if (sabotage == Sabotage.EPOCHS_OVERTAKE) {
            writing.sort((a, b) ->
                    Boolean.compare(b.op instanceof DiskOp.Epochs, a.op instanceof DiskOp.Epochs));
        }
        long now = generation;
        schedule.after(
                1 + chance.around(meanNanos),
                () -> {
                    if (now == generation) {
                        finishBatch();
                    }
                });
        if (sabotage == Sabotage.CONFIRMS_BEFORE_DURABLE) {
            confirm(writing.getLast().ticket);
        }
    }

    private void finishBatch() {
        for (Asked each : List.copyOf(writing)) {
            perform(each.op);
        }
        long last = writing.stream().mapToLong(Asked::ticket).max().orElse(0);
        writing.clear();
        confirm(last);
        if (!queue.isEmpty()) {
            startBatch();
        }
    }

    private void confirm(long ticket) {
        long now = generation;
        // A crash may fall between the disk and the news of it.
        schedule.after(
                chance.between(1, 200_000),
                () -> {
                    if (now == generation && confirmedEarly.getOrDefault(now, 0L) < ticket) {
                        confirmedEarly.put(now, ticket);
                        persisted.accept(ticket);
                    }
                });
    }

    private void perform(DiskOp op) {
        switch (op) {
            case DiskOp.Append(var zxid, var payload, var committed) ->
                    log.add(new Entry(zxid, payload, committed));
            case DiskOp.Truncate(var zxid) -> {
                while (!log.isEmpty() && log.getLast().zxid > zxid) {
                    log.removeLast();
                }
                if (sabotage == Sabotage.TRUNCATES_TOO_MUCH && log.size() > 1) {
                    log.removeLast();
                }
            }
            case DiskOp.Epochs(var accepted, var current) -> {
                acceptedBefore = acceptedEpoch;
                rules.isTrue(
                        accepted >= acceptedEpoch && current >= currentEpoch,
                        "member %d takes epochs back, from %d/%d to %d/%d",
                        myid,
                        acceptedEpoch,
                        currentEpoch,
                        accepted,
                        current);
                if (current > currentEpoch) {
                    rules.onCurrentEpoch(myid, current);
                }
                acceptedEpoch = accepted;
                currentEpoch = current;
            }
            case DiskOp.StoreIdentity(var next) -> {
                rules.onIdentity(myid, identity, next);
                identity = next;
            }
            case DiskOp.Install(var zxid) -> {
                State next = fetched;
                rules.isTrue(
                        next != null && next.zxid == zxid,
                        "member %d installs %s, which it has not fetched",
                        myid,
                        Rules.shown(zxid));
                if (next != null) {
                    state = next;
                    log.clear();
                    removedUpTo = zxid;
                    fetched = null;
                    coverage.count(Coverage.Of.SNAPSHOTS_INSTALLED);
                }
            }
        }
    }

    /// A snapshot has arrived beside the data in force.
    void fetched(long zxid, Tree tree) {
        fetched = new State(zxid, tree);
    }

    /// Stores a committed version, and perhaps drops the log in front of it.
    void flush(long zxid, Tree tree) {
        if (zxid > state.zxid && zxid <= durableEnd() && !isInstalling()) {
            state = new State(zxid, tree);
            coverage.count(Coverage.Of.FLUSHES);
            if (chance.happens(0.7)) {
                long kept = chance.happens(0.5) ? 0 : Math.min(3, Zxid.counter(zxid));
                removedUpTo = Math.max(removedUpTo, zxid - kept);
            }
        }
    }

    private boolean isInstalling() {
        return fetched != null
                || queue.stream().anyMatch(each -> each.op instanceof DiskOp.Install)
                || writing.stream().anyMatch(each -> each.op instanceof DiskOp.Install);
    }

    // A crash, and what is there afterwards.

    /// The process is gone.
    ///
    /// @param power whether the machine went too: what was not synced may be lost
    void crash(boolean power) {
        generation++;
        int kept = power ? chance.below(writing.size() + 1) : writing.size();
        if (sabotage == Sabotage.CONFIRMS_BEFORE_DURABLE) {
            kept = 0;
        }
        if (kept > 0 && kept < writing.size()) {
            coverage.count(Coverage.Of.TORN_TAILS);
        }
        for (Asked each : List.copyOf(writing.subList(0, kept))) {
            perform(each.op);
        }
        writing.clear();
        queue.clear();
        fetched = null;
        persisted = _ -> {};
        asked.clear();
        asked.addAll(log);
        askedBase = state.zxid;
        sabotageAtRecovery();
    }

    private void sabotageAtRecovery() {
        switch (sabotage) {
            case RECOVERY_CUTS_TOO_MUCH -> {
                if (!log.isEmpty() && log.getLast().zxid > state.zxid) {
                    log.removeLast();
                }
            }
            case PROMISE_FORGOTTEN -> acceptedEpoch = Math.max(acceptedBefore, currentEpoch);
            default -> {}
        }
        asked.clear();
        asked.addAll(log);
    }

    /// Everything on it is gone.
    void lose(Identity blank) {
        generation++;
        lostIncarnation = identity.incarnation();
        lostEnd = durableEnd();
        writing.clear();
        queue.clear();
        log.clear();
        asked.clear();
        fetched = null;
        askedBase = Zxid.NONE;
        state = new State(Zxid.NONE, Tree.initial());
        removedUpTo = Zxid.NONE;
        acceptedEpoch = 0;
        currentEpoch = 0;
        identity = blank;
    }

    /// {@return the highest zxid that this disk knows to be committed (`safety.md` 1)}
    long knownCommitted() {
        if (sabotage == Sabotage.COMMIT_POINT_TOO_HIGH) {
            return durableEnd();
        }
        long known = state.zxid;
        for (Entry entry : log) {
            known = Math.max(known, entry.committed);
        }
        return Math.min(known, durableEnd());
    }

    /// {@return the entries behind the stored state}
    List<Entry> behindState() {
        return log.subList(firstAfter(log, state.zxid), log.size());
    }

    /// {@return a few entries behind `after`, the first right behind it; none if they are no longer
    /// there, or not yet}
    List<History.Entry> readBehind(long after) {
        List<Entry> there = retained();
        int first = firstAfter(there, after);
        boolean reachesBack = after >= removedUpTo && (first > 0 || after == removedUpTo);
        if (!reachesBack || (first > 0 && there.get(first - 1).zxid != after)) {
            return List.of();
        }
        int most = chance.between(1, 10) > 9 ? 200 : 20;
        return there.subList(first, Math.min(there.size(), first + most)).stream()
                .map(each -> new History.Entry(each.zxid, each.payload))
                .toList();
    }

    /// {@return how many entries in front of the stored state were kept too}
    List<Entry> retained() {
        return log.subList(firstAfter(log, removedUpTo), log.size());
    }

    /// {@return the incarnation that was lost last, -1 for none}
    long lostIncarnation() {
        return lostIncarnation;
    }

    /// {@return the end of the log that was lost}
    long lostEnd() {
        return lostEnd;
    }

    State state() {
        return state;
    }

    Identity identity() {
        return identity;
    }

    /// {@return the epochs as recovery finds them (`safety.md` 10)}
    long recoveredCurrentEpoch() {
        long epoch = Math.max(currentEpoch, Zxid.epoch(durableEnd()));
        rules.isTrue(
                epoch <= acceptedEpoch,
                "member %d finds epoch %d on disk, above accepted epoch %d",
                myid,
                epoch,
                acceptedEpoch);
        recoveredEpoch = epoch;
        return epoch;
    }

    /// {@return the current epoch as the running process may claim it}
    long claimedEpoch() {
        return Math.max(currentEpoch, recoveredEpoch);
    }

    long acceptedEpoch() {
        return acceptedEpoch;
    }

    long currentEpoch() {
        return currentEpoch;
    }

    /// {@return the end of the log, or the zxid of the state if nothing is behind it}
    long durableEnd() {
        return log.isEmpty() ? state.zxid : Math.max(state.zxid, log.getLast().zxid);
    }

    /// {@return the end of the log once everything asked for is done}
    long askedEnd() {
        return asked.isEmpty() ? askedBase : Math.max(askedBase, asked.getLast().zxid);
    }

    /// {@return whether a crash would leave this transaction}
    boolean holds(long zxid) {
        return zxid <= state.zxid || contains(log, zxid);
    }

    /// {@return whether the log holds this transaction, or will}
    boolean askedHolds(long zxid) {
        return zxid <= askedBase || contains(asked, zxid);
    }

    private static boolean contains(List<Entry> entries, long zxid) {
        int at = firstAfter(entries, zxid - 1);
        return at < entries.size() && entries.get(at).zxid == zxid;
    }

    private static int firstAfter(List<Entry> entries, long zxid) {
        int low = 0;
        int high = entries.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (entries.get(middle).zxid <= zxid) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
