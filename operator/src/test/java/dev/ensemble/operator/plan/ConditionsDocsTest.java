package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The page on the conditions has those of the code, and nothing else.
final class ConditionsDocsTest {
    @Test
    void conditions() throws IOException {
        String page = Files.readString(Path.of("docs/operator.md"));
        assertEquals(
                Arrays.stream(Conditions.Type.values())
                        .map(each -> "| `%s` | %s |".formatted(each, each.meaning()))
                        .toList(),
                page.substring(0, page.indexOf("\n## "))
                        .lines()
                        .filter(line -> line.startsWith("| `"))
                        .toList());
    }
}
