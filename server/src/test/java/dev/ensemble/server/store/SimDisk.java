package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/// A disk that can lose its power before any operation.
///
/// Knows what has been made durable and what has not, and gives the disk that a process would find
/// after a crash. Stricter than most file systems: without a sync each name and each sector may
/// survive or not, whatever the others do.
final class SimDisk implements Disk {
    /// What becomes of what was not synced.
    enum Loss {
        DROPPED,
        KEPT,
        TORN
    }

    /// The power went.
    static final class Crash extends Error {
        private static final long serialVersionUID = 1;

        Crash() {
            super("crash", null, false, false);
        }
    }

    private static final int SECTOR_BYTES = 512;

    private sealed interface Node {}

    private record Change(Map<String, @Nullable Node> names) {}

    private static final class Folder implements Node {
        final TreeMap<String, Node> names = new TreeMap<>();
        final TreeMap<String, Node> durable = new TreeMap<>();
        final List<Change> pending = new ArrayList<>();

        void change(Change change) {
            apply(change, names);
            pending.add(change);
        }

        static void apply(Change change, Map<String, Node> to) {
            change.names()
                    .forEach((name, node) -> {
                        if (node == null) {
                            to.remove(name);
                        } else {
                            to.put(name, node);
                        }
                    });
        }
    }

    private record Write(int position, byte[] bytes) {}

    private static final class Content implements Node {
        byte[] bytes = {};
        byte[] durable = {};
        final List<Write> pending = new ArrayList<>();
        long writtenMillis;
    }

    private final Folder root = new Folder();
    private long operations;
    private long crashAt = Long.MAX_VALUE;
    private long failAt = Long.MAX_VALUE;
    private long capacity = Long.MAX_VALUE;
    private long nowMillis;
    private boolean lying;

    /// Lets the power go before the operation after `count` more.
    void crashAfter(long count) {
        crashAt = operations + count;
    }

    /// Lets the operation after `count` more fail, and that one only.
    void failAfter(long count) {
        failAt = operations + count;
    }

    /// Lets time go by.
    void pass(long millis) {
        nowMillis += millis;
    }

    /// Leaves so many bytes that can still be written; what is deleted makes room again.
    void leave(long free) {
        capacity = used(root) + free;
    }

    private static long used(Node node) {
        return switch (node) {
            case Folder folder -> folder.names.values().stream().mapToLong(SimDisk::used).sum();
            case Content content -> content.bytes.length;
        };
    }

    /// From here on files are not synced when they should be.
    void ignoreForce() {
        lying = true;
    }

    /// {@return how many operations that change something there were}
    long operations() {
        return operations;
    }

    private void step() throws IOException {
        if (operations >= crashAt) {
            throw new Crash();
        }
        if (operations++ == failAt) {
            throw new IOException("the disk failed");
        }
    }

    /// {@return what is found when the power is back}
    SimDisk after(Loss loss, Random random) {
        var found = new SimDisk();
        copy(root, found.root, loss, random);
        found.capacity = capacity;
        return found;
    }

    private static void copy(Folder from, Folder to, Loss loss, Random random) {
        var names = new TreeMap<>(from.durable);
        for (Change change : from.pending) {
            if (survives(loss, random)) {
                Folder.apply(change, names);
            }
        }
        names.forEach((name, node) -> {
            Node copied =
                    switch (node) {
                        case Folder folder -> {
                            var copy = new Folder();
                            copy(folder, copy, loss, random);
                            yield copy;
                        }
                        case Content content -> copy(content, loss, random);
                    };
            to.names.put(name, copied);
            to.durable.put(name, copied);
        });
    }

    private static boolean survives(Loss loss, Random random) {
        return switch (loss) {
            case DROPPED -> false;
            case KEPT -> true;
            case TORN -> random.nextBoolean();
        };
    }

    private static Content copy(Content from, Loss loss, Random random) {
        byte[] bytes = from.durable.clone();
        for (Write write : from.pending) {
            int at = write.position();
            int end = at + write.bytes().length;
            while (at < end) {
                int next = Math.min(end, (at / SECTOR_BYTES + 1) * SECTOR_BYTES);
                if (survives(loss, random)) {
                    bytes = bytes.length < next ? Arrays.copyOf(bytes, next) : bytes;
                    System.arraycopy(write.bytes(), at - write.position(), bytes, at, next - at);
                }
                at = next;
            }
        }
        if (loss == Loss.TORN && bytes.length > from.durable.length && random.nextInt(4) == 0) {
            bytes = Arrays.copyOf(bytes, from.durable.length);
        }
        var to = new Content();
        to.bytes = bytes;
        to.durable = bytes.clone();
        return to;
    }

    /// Changes one byte behind everyone's back.
    void flip(String name, int position, int bit) throws IOException {
        Content content = content(name);
        content.bytes[position] ^= (byte) (1 << bit);
        content.durable = content.bytes.clone();
    }

    private @Nullable Node find(String name) {
        Node at = root;
        for (String part : name.isEmpty() ? List.<String>of() : List.of(name.split("/", -1))) {
            at = at instanceof Folder folder ? folder.names.get(part) : null;
            if (at == null) {
                return null;
            }
        }
        return at;
    }

    private Folder parent(String name) throws IOException {
        String path = name.substring(0, Math.max(0, name.lastIndexOf('/')));
        if (find(path) instanceof Folder folder) {
            return folder;
        }
        throw new NoSuchFileException(path);
    }

    private static String own(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private Content content(String name) throws IOException {
        if (find(name) instanceof Content content) {
            return content;
        }
        throw new NoSuchFileException(name);
    }

    @Override
    public List<String> list(String folder) {
        return find(folder) instanceof Folder found ? List.copyOf(found.names.keySet()) : List.of();
    }

    @Override
    public boolean exists(String name) {
        return find(name) != null;
    }

    @Override
    public void makeFolder(String name) throws IOException {
        if (find(name) == null) {
            step();
            parent(name).change(single(own(name), new Folder()));
        }
    }

    private static Change single(String name, @Nullable Node node) {
        var names = new TreeMap<String, @Nullable Node>();
        names.put(name, node);
        return new Change(names);
    }

    @Override
    public File create(String name) throws IOException {
        step();
        var content = new Content();
        parent(name).change(single(own(name), content));
        return new Opened(content);
    }

    @Override
    public void allocate(String name, long bytes) throws IOException {
        try (File file = create(name)) {
            file.write(0, ByteBuffer.allocate((int) bytes));
            file.force();
        }
    }

    @Override
    public File open(String name) throws IOException {
        return new Opened(content(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Node node = find(from);
        if (node == null) {
            throw new NoSuchFileException(from);
        }
        if (parent(from) != parent(to)) {
            throw new IOException("renames between folders are not what the store needs");
        }
        step();
        var names = new TreeMap<String, @Nullable Node>();
        names.put(own(from), null);
        names.put(own(to), node);
        parent(from).change(new Change(names));
    }

    @Override
    public void syncFolder(String name) throws IOException {
        if (!(find(name) instanceof Folder folder)) {
            throw new NoSuchFileException(name);
        }
        step();
        folder.pending.clear();
        folder.durable.clear();
        folder.durable.putAll(folder.names);
    }

    @Override
    public long ageMillis(String name) throws IOException {
        return nowMillis - content(name).writtenMillis;
    }

    @Override
    public void delete(String name) throws IOException {
        if (find(name) != null) {
            step();
            parent(name).change(single(own(name), null));
        }
    }

    @Override
    public long freeBytes() {
        return Math.max(0, capacity - used(root));
    }

    @Override
    public long totalBytes() {
        return capacity;
    }

    @Override
    public void close() {}

    private final class Opened implements File {
        private final Content content;

        Opened(Content content) {
            this.content = content;
        }

        @Override
        public long size() {
            return content.bytes.length;
        }

        @Override
        public void read(long position, ByteBuffer into) {
            int length = Math.clamp(content.bytes.length - position, 0, into.remaining());
            if (length > 0) {
                into.put(content.bytes, (int) position, length);
            }
        }

        @Override
        public void write(long position, ByteBuffer from) throws IOException {
            step();
            byte[] bytes = new byte[from.remaining()];
            from.get(bytes);
            int end = (int) position + bytes.length;
            if (content.bytes.length < end) {
                if (end - content.bytes.length > freeBytes()) {
                    throw new IOException("no space left on device");
                }
                content.bytes = Arrays.copyOf(content.bytes, end);
            }
            System.arraycopy(bytes, 0, content.bytes, (int) position, bytes.length);
            content.pending.add(new Write((int) position, bytes));
            content.writtenMillis = nowMillis;
        }

        @Override
        public void force() throws IOException {
            step();
            if (!lying) {
                content.durable = content.bytes.clone();
                content.pending.clear();
            }
        }

        @Override
        public void close() {}
    }
}
