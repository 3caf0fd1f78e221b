package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.store.StateEngine.Change;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

/// What every engine must do: RocksDB, and the one that the crash tests use in its place.
final class StateEngineTest {
    enum Kind {
        ROCKSDB,
        FILE
    }

    @TempDir Path folder;

    private StateEngine open(Kind kind) throws IOException {
        return switch (kind) {
            case ROCKSDB -> RocksEngine.open(folder.resolve("state.1"));
            case FILE -> FileEngine.open(FolderDisk.look(folder), "state.1");
        };
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<String> all(StateEngine engine) throws IOException {
        var all = new ArrayList<String>();
        engine.forEach((key, value) ->
                all.add(
                        new String(key, StandardCharsets.UTF_8)
                                + "="
                                + new String(value, StandardCharsets.UTF_8)));
        return all;
    }

    @ParameterizedTest
    @EnumSource
    void keepsWhatWasIngested(Kind kind) throws IOException {
        try (StateEngine engine = open(kind)) {
            assertEquals(List.of(), all(engine));
            assertNull(engine.get(bytes("a")));
            engine.ingest(
                    List.of(
                            new Change(bytes("a"), bytes("1")),
                            new Change(bytes("b"), bytes("2")),
                            new Change(bytes("ü"), bytes(""))));
            engine.ingest(
                    List.of(new Change(bytes("a"), null), new Change(bytes("c"), bytes("3"))));
        }
        try (StateEngine engine = open(kind)) {
            assertEquals(List.of("b=2", "c=3", "ü="), all(engine));
            assertNull(engine.get(bytes("a")));
            assertArrayEquals(bytes("3"), engine.get(bytes("c")));
        }
    }

    @ParameterizedTest
    @EnumSource
    void refusesWhatIsNotSorted(Kind kind) throws IOException {
        try (StateEngine engine = open(kind)) {
            var change = new Change(bytes("b"), bytes("1"));
            assertThrows(
                    IOException.class,
                    () -> engine.ingest(List.of(change, new Change(bytes("a"), bytes("1")))));
            assertThrows(IOException.class, () -> engine.ingest(List.of(change, change)));
            engine.ingest(List.of(change));
            assertArrayEquals(bytes("1"), engine.get(bytes("b")));
        }
    }

    /// Many overlapping ingests, so that RocksDB compacts, against a map.
    @ParameterizedTest
    @EnumSource
    void behavesAsAMap(Kind kind) throws IOException {
        var random = new Random(5);
        var map = new TreeMap<byte[], byte[]>(Arrays::compareUnsigned);
        StateEngine engine = open(kind);
        for (int round = 0; round < 40; round++) {
            var changes = new TreeMap<byte[], Change>(Arrays::compareUnsigned);
            for (int i = 0; i < 200; i++) {
                byte[] key = {(byte) random.nextInt(256), (byte) random.nextInt(8)};
                byte[] value = random.nextInt(4) == 0 ? null : new byte[random.nextInt(50)];
                if (value != null) {
                    random.nextBytes(value);
                }
                changes.put(key, new Change(key, value));
            }
            engine.ingest(List.copyOf(changes.values()));
            for (Change change : changes.values()) {
                byte[] value = change.value();
                if (value == null) {
                    map.remove(change.key());
                } else {
                    map.put(change.key(), value);
                }
            }
            if (round % 10 == 0) {
                engine.close();
                engine = open(kind);
            }
        }
        var found = new ArrayList<byte[]>();
        engine.forEach((key, value) -> {
            found.add(key);
            assertArrayEquals(map.get(key), value);
        });
        assertEquals(map.size(), found.size());
        engine.close();
    }

    @ParameterizedTest
    @EnumSource(names = "ROCKSDB")
    void damageIsTold(Kind kind) throws IOException {
        try (StateEngine engine = open(kind)) {
            engine.ingest(List.of(new Change(bytes("a"), new byte[10_000])));
        }
        try (var files = Files.list(folder.resolve("state.1"))) {
            for (Path file : files.toList()) {
                if (file.toString().endsWith(".sst")) {
                    byte[] content = Files.readAllBytes(file);
                    content[10] ^= 1;
                    Files.write(file, content);
                }
            }
        }
        try (StateEngine engine = open(kind)) {
            assertThrows(DamagedException.class, () -> engine.get(bytes("a")));
            assertThrows(DamagedException.class, () -> engine.forEach((_, _) -> {}));
        }
        Files.delete(folder.resolve("state.1/CURRENT"));
        Files.createFile(folder.resolve("state.1/CURRENT"));
        assertThrows(DamagedException.class, () -> open(kind).close());
    }
}
