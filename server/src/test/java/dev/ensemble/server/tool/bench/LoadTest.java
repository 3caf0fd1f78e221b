package dev.ensemble.server.tool.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.tool.OriginalServer;
import dev.ensemble.server.tool.client.ConnectString;

import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

final class LoadTest {
    private static Plan plan(String where, int readPercent, List<Long> pids) {
        return plan(where, readPercent, 0, pids);
    }

    private static Plan plan(String where, int readPercent, int rate, List<Long> pids) {
        return new Plan(
                ConnectString.parse(where),
                3,
                4,
                rate,
                readPercent,
                50,
                20,
                Duration.ZERO,
                Duration.ofMillis(300),
                1,
                pids,
                7);
    }

    @Test
    void readsAndWritesAreAnsweredAndCleanedUp(@TempDir Path dir) throws Exception {
        try (OriginalServer server = OriginalServer.start(dir)) {
            Result mixed =
                    Load.run(
                            plan(
                                    server.connectString(),
                                    50,
                                    List.of(ProcessHandle.current().pid())));
            assertTrue(mixed.isClean(), mixed.toString());
            assertTrue(mixed.reads().getTotalCount() > 0);
            assertTrue(mixed.writes().getTotalCount() > 0);
            assertTrue(mixed.figures().containsKey("cpuMicrosPerOperation"));
            Result readsOnly = Load.run(plan(server.connectString(), 100, List.of()));
            assertTrue(readsOnly.isClean(), readsOnly.toString());
            assertEquals(0, readsOnly.writes().getTotalCount());
            assertEquals(readsOnly.operations(), readsOnly.reads().getTotalCount());
            var client = new ZooKeeper(server.connectString(), 10_000, _ -> {});
            assertEquals(List.of("zookeeper"), client.getChildren("/", false));
            client.close();
        }
    }

    @Test
    void noMoreIsSentThanTheRate(@TempDir Path dir) throws Exception {
        try (OriginalServer server = OriginalServer.start(dir)) {
            long start = System.nanoTime();
            Result result = Load.run(plan(server.connectString(), 100, 100, List.of()));
            double seconds = (System.nanoTime() - start) / 1e9;
            assertTrue(result.isClean(), result.toString());
            // Each of three connections begins with one.
            assertTrue(result.operations() > 0, result.toString());
            assertTrue(result.operations() <= 100 * seconds + 3, result.toString());
        }
    }

    @Test
    void aProcessThatIsNotThereIsAnError() {
        assertThrows(IOException.class, () -> CpuTime.nanos(List.of(Long.MAX_VALUE)));
    }

    @Test
    void cpuTimeIsOfUserAndSystem() {
        String stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 100 1 1";
        assertEquals(3_000_000_000L, CpuTime.parse(stat));
    }
}
