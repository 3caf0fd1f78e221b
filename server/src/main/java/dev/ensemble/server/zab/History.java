package dev.ensemble.server.zab;

import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Zxid;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// The newest part of the log, in memory: everything that is not committed and as much in front of
/// it as is kept for learners that lag. The log on disk may reach further back.
///
/// Entries are contiguous (B13). Owned by the peer thread.
public final class History {
    /// A transaction and its place in the order.
    public record Entry(long zxid, Payload payload) {}

    private final List<Entry> entries = new ArrayList<>();

    /// The last zxid of each epoch that the log holds or held, the newest epochs only. A log that
    /// holds a transaction of an epoch holds that epoch's whole initial history, so two logs that
    /// both hold some of an epoch are equal up to the lower of their ends of it.
    private final NavigableMap<Long, Long> epochEnds = new TreeMap<>();

    private final int keepEntries;
    private final long keepBytes;
    private int first;
    private long bytes;
    private long base;
    private long committed;

    /// @param base the zxid in front of the first entry: of the stored state
    /// @param keepEntries how many committed entries stay at most, and `keepBytes` how many bytes
    ///   of them
    public History(long base, int keepEntries, long keepBytes) {
        this.keepEntries = keepEntries;
        this.keepBytes = keepBytes;
        reset(base);
    }

    /// Forgets everything: the state as of `zxid`, committed, is all there is.
    void reset(long zxid) {
        entries.clear();
        epochEnds.clear();
        first = 0;
        bytes = 0;
        base = zxid;
        committed = zxid;
        noteEnd(zxid);
    }

    /// @throws IllegalStateException if `zxid` does not follow the last one
    void append(long zxid, Payload payload) {
        if (!Zxid.follows(last(), zxid)) {
            throw new IllegalStateException(
                    Zxid.text(zxid) + " does not follow " + Zxid.text(last()));
        }
        entries.add(new Entry(zxid, payload));
        bytes += payload.bytes().length;
        noteEnd(zxid);
    }

    /// Removes everything behind `zxid`, which must not be in front of what is committed.
    void truncate(long zxid) {
        if (zxid < committed) {
            throw new IllegalStateException(
                    "truncation to "
                            + Zxid.text(zxid)
                            + " below committed "
                            + Zxid.text(committed));
        }
        while (entries.size() > first && entries.getLast().zxid() > zxid) {
            bytes -= entries.removeLast().payload().bytes().length;
        }
        epochEnds.values().removeIf(end -> end > zxid);
        noteEnd(last());
    }

    /// Moves the commit point and hands over what lies between, in order.
    ///
    /// @param zxid at most [#last()]
    void commit(long zxid, Consumer<Entry> deliver) {
        int at = indexAfter(committed);
        while (at < entries.size() && entries.get(at).zxid() <= zxid) {
            Entry entry = entries.get(at++);
            committed = entry.zxid();
            deliver.accept(entry);
        }
        forget();
    }

    private void forget() {
        while (first < entries.size()
                && entries.get(first).zxid() <= committed
                && (entries.size() - first > keepEntries || bytes > keepBytes)) {
            Entry gone = entries.get(first);
            bytes -= gone.payload().bytes().length;
            base = gone.zxid();
            first++;
        }
        // In one go, now and then: removing from the front of a list costs its length.
        if (first > 1024 && first > entries.size() / 2) {
            entries.subList(0, first).clear();
            first = 0;
        }
    }

    private void noteEnd(long zxid) {
        if (zxid != Zxid.NONE) {
            epochEnds.put(Zxid.epoch(zxid), zxid);
            if (epochEnds.size() > Message.AckEpoch.MAX_EPOCH_ENDS) {
                epochEnds.pollFirstEntry();
            }
        }
    }

    /// {@return the log end: of the last entry, committed or not}
    public long last() {
        return entries.size() > first ? entries.getLast().zxid() : base;
    }

    /// {@return the commit point}
    public long committed() {
        return committed;
    }

    /// {@return the zxid in front of the first entry}
    long base() {
        return base;
    }

    /// {@return the entries behind `zxid`, a view that the next change ends}
    List<Entry> after(long zxid) {
        return entries.subList(indexAfter(zxid), entries.size());
    }

    /// {@return what is logged and not committed}
    public List<Entry> uncommitted() {
        return after(committed);
    }

    /// {@return see [Message.AckEpoch]}
    List<Long> epochEnds() {
        return List.copyOf(epochEnds.values());
    }

    private int indexAfter(long zxid) {
        int low = first;
        int high = entries.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (entries.get(middle).zxid() <= zxid) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /// {@return the last zxid of an epoch in this log; null if it holds nothing of it, or what it
    /// holds is long ago}
    @Nullable Long endOf(long epoch) {
        return epochEnds.get(epoch);
    }

    /// How a learner gets from its log to this one.
    ///
    /// Where the original compares one zxid with a window and guesses at epoch borders, the ends of
    /// the learner's epochs say exactly how far both logs agree (B15): they share the newest epoch
    /// that both hold something of, up to the lower end of it.
    ///
    /// @param ends of the learner, ascending
    /// @param learnerLast its log end
    CatchUp catchUp(List<Long> ends, long learnerLast) {
        for (long end : ends.reversed()) {
            Long own = epochEnds.get(Zxid.epoch(end));
            if (own != null) {
                return from(Math.min(own, end), learnerLast);
            }
        }
        // Nothing in common: only a log that reaches back to the very beginning can be sent.
        boolean whole = base == Zxid.NONE && ends.isEmpty();
        return whole ? from(Zxid.NONE, learnerLast) : new CatchUp.Snap();
    }

    private CatchUp from(long common, long learnerLast) {
        if (common < base) {
            return new CatchUp.Replay(common, common != learnerLast);
        }
        return common == learnerLast ? new CatchUp.Diff(common) : new CatchUp.Trunc(common);
    }
}
