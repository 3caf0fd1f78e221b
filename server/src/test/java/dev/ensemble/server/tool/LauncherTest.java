package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// The script `ensemble`, which knows by their names what commands are the server's.
final class LauncherTest {
    @Test
    void everyCommandOfTheServerIsReached() throws IOException {
        String words =
                Files.readAllLines(Path.of("..", "ensemble")).stream()
                        .filter(line -> line.matches(" *serve \\|.*\\| completion\\)"))
                        .findFirst()
                        .orElseThrow();
        Set<String> reached = new TreeSet<>(List.of(words.strip().replace(")", "").split(" \\| ")));
        assertEquals(new TreeSet<>(Main.commandLine().getSubcommands().keySet()), reached);
    }
}
