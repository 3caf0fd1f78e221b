package dev.ensemble.server.store;

/// How the store works, as far as somebody may want it otherwise.
///
/// @param segmentBytes a segment of the log that would grow beyond this is followed by the next one
/// @param growBytes by how much a segment is filled with zeroes ahead of what is written: writing
///   into bytes that are there syncs faster than growing a file
/// @param batchBytes how much one fsync gathers at most; a single larger transaction goes by itself
/// @param queueOps how many operations may wait for the log thread
/// @param tail how much of the log behind the stored state stays
/// @param reserveSegments how many segments have their space for certain, for when there is no
///   other (`safety.md` 13)
public record StoreOptions(
        int segmentBytes,
        int growBytes,
        int batchBytes,
        int queueOps,
        Tail tail,
        int reserveSegments) {
    public static final StoreOptions DEFAULT =
            new StoreOptions(64 << 20, 1 << 20, 4 << 20, 1 << 16, new Tail(1, 0, 0), 2);

    /// What stays of the log though the state holds it: full segments for which one of these holds.
    /// Learners that lag find in it what they lack. On a disk that is nearly full nothing stays.
    ///
    /// @param segments the newest so many
    /// @param bytes the newest that have at most so many bytes together
    /// @param millis those that were written to within this time
    public record Tail(int segments, long bytes, long millis) {
        static final Tail NONE = new Tail(0, 0, 0);

        public Tail {
            require(segments >= 0, "segments", segments, "at least 0");
            require(bytes >= 0, "bytes", bytes, "at least 0");
            require(millis >= 0, "millis", millis, "at least 0");
        }
    }

    public StoreOptions {
        require(segmentBytes >= 4096, "segmentBytes", segmentBytes, "at least 4096");
        require(
                growBytes >= 64 && growBytes % 8 == 0 && growBytes <= segmentBytes,
                "growBytes",
                growBytes,
                "a multiple of 8, from 64 to segmentBytes");
        require(batchBytes >= 1, "batchBytes", batchBytes, "at least 1");
        require(queueOps >= 1, "queueOps", queueOps, "at least 1");
        require(reserveSegments >= 0, "reserveSegments", reserveSegments, "at least 0");
    }

    /// {@return the same, but for what stays of the log}
    public StoreOptions with(Tail other) {
        return new StoreOptions(
                segmentBytes, growBytes, batchBytes, queueOps, other, reserveSegments);
    }

    private static void require(boolean holds, String name, long value, String valid) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + ", must be " + valid);
        }
    }
}
