package dev.ensemble.server.store;

/// How the store works, as far as somebody may want it otherwise.
///
/// @param segmentBytes a segment of the log that would grow beyond this is followed by the next one
/// @param growBytes by how much a segment is filled with zeroes ahead of what is written: writing
///   into bytes that are there syncs faster than growing a file
/// @param batchBytes how much one fsync gathers at most; a single larger transaction goes by itself
/// @param queueOps how many operations may wait for the log thread
/// @param tailSegments how many full segments behind the stored state stay
/// @param reserveSegments how many segments have their space for certain, for when there is no
///   other (`safety.md` 13)
public record StoreOptions(
        int segmentBytes,
        int growBytes,
        int batchBytes,
        int queueOps,
        int tailSegments,
        int reserveSegments) {
    public static final StoreOptions DEFAULT =
            new StoreOptions(64 << 20, 1 << 20, 4 << 20, 1 << 16, 1, 2);

    public StoreOptions {
        require(segmentBytes >= 4096, "segmentBytes", segmentBytes, "at least 4096");
        require(
                growBytes >= 64 && growBytes % 8 == 0 && growBytes <= segmentBytes,
                "growBytes",
                growBytes,
                "a multiple of 8, from 64 to segmentBytes");
        require(batchBytes >= 1, "batchBytes", batchBytes, "at least 1");
        require(queueOps >= 1, "queueOps", queueOps, "at least 1");
        require(tailSegments >= 0, "tailSegments", tailSegments, "at least 0");
        require(reserveSegments >= 0, "reserveSegments", reserveSegments, "at least 0");
    }

    private static void require(boolean holds, String name, int value, String valid) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + ", must be " + valid);
        }
    }
}
