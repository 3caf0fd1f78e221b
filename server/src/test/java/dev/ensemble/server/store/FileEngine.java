package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A state folder with one file that is replaced as a whole: small and real, for disks that crash.
final class FileEngine implements StateEngine {
    private static final String FILE = "all";

    private final Disk disk;
    private final String folder;
    private final TreeMap<byte[], byte[]> values = new TreeMap<>(Arrays::compareUnsigned);
    private boolean closed;

    private FileEngine(Disk disk, String folder) {
        this.disk = disk;
        this.folder = folder;
    }

    static FileEngine open(Disk disk, String folder) throws IOException {
        var engine = new FileEngine(disk, folder);
        disk.makeFolder(folder);
        if (disk.exists(folder + "/" + FILE)) {
            var content = ByteBuffer.wrap(disk.read(folder + "/" + FILE));
            while (content.hasRemaining()) {
                byte[] key = new byte[content.getInt()];
                content.get(key);
                byte[] value = new byte[content.getInt()];
                content.get(value);
                engine.values.put(key, value);
            }
        }
        return engine;
    }

    @Override
    public void ingest(List<Change> sorted) throws IOException {
        checkOpen();
        byte @Nullable [] before = null;
        for (Change change : sorted) {
            if (before != null && Arrays.compareUnsigned(before, change.key()) >= 0) {
                throw new IOException("keys are not sorted, or not once each");
            }
            before = change.key();
            byte[] value = change.value();
            if (value == null) {
                values.remove(change.key());
            } else {
                values.put(change.key(), value);
            }
        }
        int size = 0;
        for (Map.Entry<byte[], byte[]> each : values.entrySet()) {
            size += 8 + each.getKey().length + each.getValue().length;
        }
        var content = ByteBuffer.allocate(size);
        values.forEach((key, value) ->
                content.putInt(key.length).put(key).putInt(value.length).put(value));
        try (Disk.File file = disk.create(folder + "/" + FILE + ".tmp")) {
            file.write(0, content.flip());
            file.force();
        }
        disk.rename(folder + "/" + FILE + ".tmp", folder + "/" + FILE);
        disk.syncFolder(folder);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        checkOpen();
        return values.get(key);
    }

    @Override
    public void forEach(Visitor visitor) throws IOException {
        checkOpen();
        for (Map.Entry<byte[], byte[]> each : values.entrySet()) {
            visitor.accept(each.getKey(), each.getValue());
        }
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the engine of " + folder + " is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
