package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/// A real folder.
final class FolderDisk implements Disk {
    private static final String LOCK = "lock";

    private final Path root;
    private final @Nullable FileChannel lock;

    /// Kept, since to find it the mounts of the machine are read.
    private volatile @Nullable FileStore store;

    private FolderDisk(Path root, @Nullable FileChannel lock) {
        this.root = root;
        this.lock = lock;
    }

    /// Opens a folder for one process alone; it is made if it is missing.
    ///
    /// @throws StoreException if another process has it open
    static FolderDisk lock(Path root) throws IOException {
        Files.createDirectories(root);
        FileChannel channel =
                FileChannel.open(
                        root.resolve(LOCK),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        if (!isLocked(channel)) {
            String holder = new String(readAll(channel), StandardCharsets.US_ASCII).strip();
            channel.close();
            throw new StoreException(
                    "another process"
                            + (holder.isEmpty() ? "" : " (" + holder + ")")
                            + " has the data folder "
                            + root
                            + " open; two members cannot share one folder");
        }
        channel.truncate(0);
        channel.write(
                StandardCharsets.US_ASCII.encode("pid " + ProcessHandle.current().pid() + "\n"), 0);
        return new FolderDisk(root, channel);
    }

    /// Opens a folder beside whoever works in it, to look.
    static FolderDisk look(Path root) {
        return new FolderDisk(root, null);
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock held = channel.tryLock();
            return held != null;
        } catch (OverlappingFileLockException _) {
            return false; // By this process, which is no better.
        }
    }

    private static byte[] readAll(FileChannel channel) throws IOException {
        var content = ByteBuffer.allocate((int) Math.min(64, channel.size()));
        channel.read(content, 0);
        return content.array();
    }

    /// {@return where a name of this disk is in the file system: RocksDB works on files by itself}
    Path path(String name) {
        return root.resolve(name);
    }

    @Override
    public List<String> list(String folder) throws IOException {
        if (!Files.isDirectory(path(folder))) {
            return List.of();
        }
        try (Stream<Path> names = Files.list(path(folder))) {
            return names.map(each -> each.getFileName().toString())
                    .filter(each -> !(folder.isEmpty() && each.equals(LOCK)))
                    .sorted()
                    .toList();
        }
    }

    @Override
    public boolean exists(String name) {
        return Files.exists(path(name));
    }

    @Override
    public void makeFolder(String name) throws IOException {
        Files.createDirectories(path(name));
    }

    @Override
    public File create(String name) throws IOException {
        return new Channel(
                FileChannel.open(
                        path(name),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    @Override
    public void allocate(String name, long bytes) throws IOException {
        if (!Preallocation.allocate(path(name), bytes)) {
            try (File file = create(name)) {
                Zeroes.write(file, 0, bytes);
                file.force();
            }
        }
    }

    @Override
    public File open(String name) throws IOException {
        // One that only looks may have no right to write.
        return new Channel(
                lock == null
                        ? FileChannel.open(path(name), StandardOpenOption.READ)
                        : FileChannel.open(
                                path(name), StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(
                path(from),
                path(to),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void syncFolder(String name) throws IOException {
        try (FileChannel folder = FileChannel.open(path(name), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    @Override
    public long ageMillis(String name) throws IOException {
        long written = Files.getLastModifiedTime(path(name)).toMillis();
        return Math.max(0, System.currentTimeMillis() - written);
    }

    @Override
    public void delete(String name) throws IOException {
        if (!Files.exists(path(name))) {
            return;
        }
        Files.walkFileTree(
                path(name),
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e)
                            throws IOException {
                        if (e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                            throws IOException {
                        if (e != null) {
                            throw e;
                        }
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @Override
    public long freeBytes() throws IOException {
        return store().getUsableSpace();
    }

    @Override
    public long totalBytes() throws IOException {
        return store().getTotalSpace();
    }

    private FileStore store() throws IOException {
        FileStore known = store;
        if (known == null) {
            known = Files.getFileStore(root);
            store = known;
        }
        return known;
    }

    @Override
    public void close() throws IOException {
        if (lock != null) {
            lock.close();
        }
    }

    private record Channel(FileChannel channel) implements File {
        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void read(long position, ByteBuffer into) throws IOException {
            long at = position;
            while (into.hasRemaining()) {
                int count = channel.read(into, at);
                if (count < 0) {
                    return;
                }
                at += count;
            }
        }

        @Override
        public void write(long position, ByteBuffer from) throws IOException {
            long at = position;
            while (from.hasRemaining()) {
                at += channel.write(from, at);
            }
        }

        @Override
        public void force() throws IOException {
            channel.force(false);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
