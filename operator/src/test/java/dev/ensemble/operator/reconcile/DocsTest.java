package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.plan.BackupReason;
import dev.ensemble.operator.plan.Reason;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The page on reasons, events and metrics has what the code has, and nothing else.
final class DocsTest {
    private static final Path PAGE = Path.of("docs/operator.md");

    private static List<String> rows(String heading) throws IOException {
        String page = Files.readString(PAGE);
        int from = page.indexOf("\n## " + heading + "\n");
        int to = page.indexOf("\n## ", from + 1);
        return page.substring(from, to).lines().filter(line -> line.startsWith("| `")).toList();
    }

    @Test
    void reasons() throws IOException {
        assertEquals(
                Arrays.stream(Reason.values())
                        .map(each -> "| `%s` | %s |".formatted(each, each.meaning()))
                        .toList(),
                rows("Reasons"));
    }

    @Test
    void reasonsOfBackups() throws IOException {
        assertEquals(
                Arrays.stream(BackupReason.values())
                        .map(each -> "| `%s` | %s |".formatted(each, each.meaning()))
                        .toList(),
                rows("Reasons of backups"));
    }

    @Test
    void events() throws IOException {
        assertEquals(
                Arrays.stream(Events.What.values())
                        .map(each ->
                                "| `%s` | %s | %s |".formatted(each, each.type(), each.meaning()))
                        .toList(),
                rows("Events"));
    }

    /// Each alert has a page that says what to do, and rests on figures that there are.
    @Test
    void alerts() throws IOException {
        String alerts = Files.readString(Path.of("../charts/ensemble-operator/alerts.yaml"));
        List<String> names = found("alert: (\\w+)", alerts);
        assertEquals(names, found("runbook_url: operator/docs/runbooks/(\\w+)\\.md", alerts));
        for (String name : names) {
            Path page = Path.of("docs/runbooks", name + ".md");
            assertTrue(Files.readString(page).startsWith("# "), name);
        }
        String metrics = String.join("\n", rows("Metrics"));
        for (String expression : found("expr: (.*)", alerts)) {
            List<String> used = found("(ensemble_\\w+)", expression);
            assertTrue(!used.isEmpty(), expression);
            used.forEach(each -> assertTrue(metrics.contains("| `" + each + "`"), each));
        }
    }

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().map(each -> each.group(1)).toList();
    }

    @Test
    void metrics() throws IOException {
        List<String> named = new ArrayList<>();
        for (String row : rows("Metrics")) {
            var name = Pattern.compile("^\\| `(\\w+?)(_total)?`").matcher(row);
            if (name.find()) {
                named.add(name.group(1));
            }
        }
        assertEquals(
                Stream.of(
                                Gauges.QUORUM,
                                Gauges.VOTERS,
                                Gauges.CAN_LOSE,
                                Gauges.CERTIFICATE,
                                Gauges.BACKUP_CURRENT,
                                Gauges.BACKUP_TIME,
                                Gauges.BACKUPS,
                                Gauges.WAITING,
                                Gauges.RESTARTS,
                                Gauges.LEADER_CHANGES,
                                Gauges.WRITES)
                        .toList(),
                named);
    }
}
