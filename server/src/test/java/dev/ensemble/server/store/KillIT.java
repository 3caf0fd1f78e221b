package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/// A process that writes is killed, again and again on one folder; what it said is on disk must be
/// there.
@Timeout(180)
final class KillIT {
    private static final int KILLS = 4;

    @TempDir Path folder;

    @Test
    void whatWasConfirmedSurvivesKill() throws Exception {
        var random = new Random(12);
        long flushed = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            long confirmed = runAndKill(1 + random.nextInt(600));
            try (Store store = Store.open(folder, 1, HashKey.KNOWN, KilledMember.OPTIONS)) {
                Recovered found = store.recovered();
                assertEquals(List.of(), found.warnings());
                assertTrue(
                        Zxid.counter(found.logEnd()) >= confirmed,
                        confirmed + " was confirmed, found " + found);
                assertEquals(1, found.currentEpoch());
                check(found);
                flushed = found.base();
            }
        }
        assertTrue(flushed > 0, "nothing was ever flushed");
    }

    private static void check(Recovered found) {
        for (LogEntry entry : found.log()) {
            assertArrayEquals(
                    KilledMember.payload(Zxid.counter(entry.zxid())).bytes(),
                    entry.payload().bytes());
        }
        Tree tree = Tree.initial();
        for (long i = 1; i <= Zxid.counter(found.committed()); i++) {
            tree = KilledMember.next(tree, i);
        }
        assertEquals(tree.digest(), found.tree().digest());
    }

    /// {@return the last ticket that was confirmed}
    private long runAndKill(int lines) throws Exception {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseCompactObjectHeaders",
                                "-XX:+UseSerialGC",
                                "-Xmx128m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                KilledMember.class.getName(),
                                folder.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        long confirmed = 0;
        try (var output = process.inputReader()) {
            for (int i = 0; i < lines; i++) {
                String line = output.readLine();
                assertTrue(line != null, "the process ended by itself");
                confirmed = Long.parseLong(line);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        return confirmed;
    }
}
