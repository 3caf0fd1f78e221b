package dev.ensemble.server.store;

/// One file of the log, as far as it is good. Owned by its log.
final class Segment {
    private static final String SUFFIX = ".log";

    final String name;
    final long id;

    /// The zxid in front of its first entry.
    final long previous;

    /// The zxid of its last entry.
    long last;

    /// Where the next batch goes.
    long end;

    Segment(String name, long id, long previous, long last, long end) {
        this.name = name;
        this.id = id;
        this.previous = previous;
        this.last = last;
        this.end = end;
    }

    static boolean isName(String name) {
        return name.endsWith(SUFFIX) && name.length() == 16 + SUFFIX.length();
    }

    /// {@return the name of the segment that begins with that zxid}
    static String name(long firstZxid) {
        return String.format("%016x", firstZxid) + SUFFIX;
    }
}
