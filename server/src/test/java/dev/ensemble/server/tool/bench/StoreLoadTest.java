package dev.ensemble.server.tool.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

final class StoreLoadTest {
    @Test
    void measuresAndLeavesNothingBehind(@TempDir Path dir) throws Exception {
        // It compares what it loads with what it stored, and fails if they differ.
        Map<String, Object> figures = new StoreLoad(dir, 2500, 10, 1).run();
        assertEquals(Set.of("logPreallocated", "logGrowing", "state"), figures.keySet());
        assertTrue(
                figures.get("state") instanceof Map<?, ?> state && state.size() == 5,
                figures::toString);
        assertTrue(
                figures.get("logGrowing") instanceof Map<?, ?> log
                        && log.get("batchesOf64") instanceof Map<?, ?> batches
                        && batches.get("microsPerSync") instanceof Long micros
                        && micros > 0,
                figures::toString);
        try (Stream<Path> left = Files.list(dir)) {
            assertEquals(0, left.count());
        }
    }
}
