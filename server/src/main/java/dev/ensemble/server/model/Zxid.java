package dev.ensemble.server.model;

/// Transaction ids: the epoch in the high 32 bits, a counter in the low 32.
///
/// A zxid is a plain `long` wherever many of them move; this class is the one place that knows the
/// layout. Epochs stay below 2^31, so zxids are positive and compare as numbers.
public final class Zxid {
    /// The zxid before any transaction.
    public static final long NONE = 0;

    /// The last counter of an epoch that may be used; at the next one a new epoch must begin.
    public static final long MAX_COUNTER = 0xffff_ffffL;

    private Zxid() {}

    /// {@return the zxid of the transaction `counter` of `epoch`; counter 0 is the start of the
    /// epoch, never a transaction}
    public static long of(long epoch, long counter) {
        return (epoch << 32) | (counter & MAX_COUNTER);
    }

    /// {@return the epoch of the leader that proposed it}
    public static long epoch(long zxid) {
        return zxid >>> 32;
    }

    /// {@return its number within the epoch, from 1}
    public static long counter(long zxid) {
        return zxid & MAX_COUNTER;
    }

    /// {@return whether `next` may stand right behind `last` in a log: the next counter, or the
    /// first of a later epoch}
    public static boolean follows(long last, long next) {
        return epoch(last) == epoch(next) ? next == last + 1 : next > last && counter(next) == 1;
    }

    /// {@return as ZooKeeper prints it, `0x100000001`}
    public static String text(long zxid) {
        return "0x" + Long.toHexString(zxid);
    }
}
