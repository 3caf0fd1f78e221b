package dev.ensemble.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;

/// Space that nobody else can take: files as long as a segment, in the log's folder, full of zeroes
/// (`safety.md` 13).
///
/// When there is no other space, the log goes on in them, so that people can delete what is too
/// much; the last resort are the small files, which get the space of a deleted one. Owned by the
/// log thread, but for recovery.
final class Reserve {
    private static final String PREFIX = "reserve.";

    private final Disk disk;
    private final StoreOptions options;

    Reserve(Disk disk, StoreOptions options) {
        this.disk = disk;
        this.options = options;
    }

    /// {@return whether there is so little space that what must be written goes into the reserve}
    private boolean isTight(long bytes) throws IOException {
        return disk.freeBytes() < bytes + 4L * options.growBytes();
    }

    /// {@return whether `bytes` more should go into the reserve, and it is there}
    boolean isNeeded(String folder, long bytes) throws IOException {
        return isTight(bytes) && find(folder) != null;
    }

    private @org.jspecify.annotations.Nullable String find(String folder) throws IOException {
        for (int i = options.reserveSegments() - 1; i >= 0; i--) {
            String name = name(folder, i);
            if (disk.exists(name)) {
                return name;
            }
        }
        return null;
    }

    private static String name(String folder, int number) {
        return folder + "/" + PREFIX + number;
    }

    /// Gives a file of the reserve another name, if there is no space to make one. The caller syncs
    /// the folder.
    ///
    /// @return whether the file `name` is there now
    boolean take(String folder, String name, long bytes) throws IOException {
        String file = isTight(bytes) ? find(folder) : null;
        if (file == null) {
            return false;
        }
        disk.rename(file, name);
        return true;
    }

    /// Makes room for small files, if there is none, by deleting one of the reserve.
    void makeRoom(String folder) throws IOException {
        String file = isTight(0) ? find(folder) : null;
        if (file != null) {
            disk.delete(file);
            disk.syncFolder(folder);
        }
    }

    /// {@return whether all of it is there}
    boolean isFull(String folder) throws IOException {
        for (int i = 0; i < options.reserveSegments(); i++) {
            if (!isGood(name(folder, i))) {
                return false;
            }
        }
        return true;
    }

    /// Makes what is missing, unless that would take the last space from others.
    void fill(String folder) throws IOException {
        for (int i = 0; i < options.reserveSegments(); i++) {
            String name = name(folder, i);
            if (!isGood(name)) {
                disk.delete(name);
                if (isTight(options.segmentBytes())) {
                    return;
                }
                allocate(name);
                disk.syncFolder(folder);
            }
        }
    }

    private void allocate(String name) throws IOException {
        try {
            disk.allocate(name, options.segmentBytes());
        } catch (IOException _) {
            // Others were faster. Nobody counts on it yet, and the next time is soon.
            disk.delete(name);
        }
    }

    /// A crash may have given a used one its old name back, or left one half made.
    private boolean isGood(String name) throws IOException {
        if (!disk.exists(name)) {
            return false;
        }
        try (Disk.File file = disk.open(name)) {
            var start = ByteBuffer.allocate(LogFormat.SEGMENT_HEADER_BYTES);
            file.read(0, start);
            return file.size() == options.segmentBytes()
                    && !start.hasRemaining()
                    && start.flip().mismatch(ByteBuffer.allocate(start.limit())) < 0;
        }
    }
}
