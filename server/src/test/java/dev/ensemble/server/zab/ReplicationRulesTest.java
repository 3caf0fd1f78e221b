package dev.ensemble.server.zab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// `server/docs/replication-rules.md` has every rule, and names tests that exist.
final class ReplicationRulesTest {
    private static final Pattern NAMED = Pattern.compile("`(\\w+)#(\\w+)`");

    private static List<String> rows() throws IOException {
        return Files.readAllLines(Path.of("docs", "replication-rules.md")).stream()
                .filter(line -> line.matches("\\| [BCS]\\d+ \\|.*"))
                .toList();
    }

    @Test
    void everyRuleIsThereOnce() throws IOException {
        List<String> wanted = new ArrayList<>();
        IntStream.rangeClosed(1, 20).forEach(i -> wanted.add("B" + i));
        IntStream.rangeClosed(1, 26).forEach(i -> wanted.add("C" + i));
        IntStream.rangeClosed(1, 15).forEach(i -> wanted.add("S" + i));
        assertEquals(
                wanted, rows().stream().map(row -> row.substring(2, row.indexOf(" |"))).toList());
    }

    @Test
    void everyNamedTestExists() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
            for (Path file : files.filter(it -> it.toString().endsWith(".java")).toList()) {
                String name = file.getFileName().toString();
                sources.put(name.substring(0, name.length() - 5), Files.readString(file));
            }
        }
        List<String> missing = new ArrayList<>();
        for (String row : rows()) {
            Matcher named = NAMED.matcher(row);
            assertFalse(named.results().findAny().isEmpty(), row);
            named.reset();
            while (named.find()) {
                String source = sources.getOrDefault(named.group(1), "");
                boolean found =
                        Pattern.compile(
                                        "@(?:Parameterized)?Test\\b(?:(?!\\bvoid\\b).)*void "
                                                + named.group(2)
                                                + "\\(",
                                        Pattern.DOTALL)
                                .matcher(source)
                                .find();
                if (!found) {
                    missing.add(named.group());
                }
            }
        }
        assertEquals(List.of(), missing);
    }
}
