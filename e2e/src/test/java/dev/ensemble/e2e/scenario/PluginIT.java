package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What a person types: `kubectl wait`, `describe`, `explain`, and every command of `kubectl
/// ensemble`, against an ensemble that is well, one that cannot start, and one that is not there
/// (scenarios 53, 54, 56).
@Tag("long")
@ExtendWith(Stage.class)
class PluginIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void aPersonAsksAndActs(Story story) throws IOException {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.kubectl("wait", "--for=condition=Ready", "ens/orders", "--timeout=240s");
        story.well(ensemble, 3);
        var told = new Told(story, ensemble);
        told.conditionsAndEvents();
        told.looks();
        told.acts();
        told.whatIsWrong();
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble) {
        private static void says(String output, String... parts) {
            for (String part : parts) {
                assertTrue(output.contains(part), () -> "no '" + part + "' in: " + output);
            }
        }

        void conditionsAndEvents() throws IOException {
            Set<String> types = new TreeSet<>();
            long generation = ensemble.resource().path("metadata").path("generation").asLong();
            for (JsonNode condition : ensemble.status().path("conditions")) {
                types.add(condition.path("type").asText());
                assertEquals(
                        generation,
                        condition.path("observedGeneration").asLong(),
                        condition.toString());
            }
            assertEquals(documented(), types, "conditions");
            says(
                    story.kubectl("describe", "ens", ensemble.name()),
                    "Bootstrapped",
                    "Applied",
                    "AllMembersReady");
            says(story.kubectl("explain", "ens.spec.replicas"), "Number of voters");
        }

        /// {@return the conditions that `operator/docs/operator.md` has in its first table}
        private Set<String> documented() throws IOException {
            String page =
                    Files.readString(story.settings().home().resolve("operator/docs/operator.md"));
            String table =
                    page.substring(
                            page.indexOf("| Condition | True means |"), page.indexOf("## Reasons"));
            return Pattern.compile("^\\| `(\\w+)` \\|", Pattern.MULTILINE)
                    .matcher(table)
                    .results()
                    .map(row -> row.group(1))
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        void looks() throws IOException {
            String text = story.plugin("status", ensemble.name());
            story.report().say("kubectl ensemble status:\n" + text);
            says(text, "orders-0", "orders-1", "orders-2", "leader", "follower");
            JsonNode json = JSON.readTree(story.plugin("status", ensemble.name(), "-o", "json"));
            assertEquals("orders-2", json.path("members").path(2).path("name").asText());
            // With another exit code than 0 while there is something to say.
            Await.until(
                    "kubectl ensemble why to have nothing to say",
                    Story.PATIENCE,
                    () -> {
                        String why = story.plugin("why", ensemble.name());
                        return why.contains("All is well.") ? "" : why;
                    });
            says(story.plugin("logs", ensemble.name(), "0", "--tail=20"), "level=");
        }

        void acts() {
            story.plugin("cli", ensemble.name(), "create", "/greeting", "hello");
            says(story.plugin("cli", ensemble.name(), "get", "/greeting"), "hello");
            String successor =
                    ensemble.uids().keySet().stream()
                            .filter(pod -> !pod.equals(ensemble.leader()))
                            .findFirst()
                            .orElseThrow();
            says(
                    story.plugin(
                            "transfer-leader",
                            "--operator-namespace",
                            Operator.NAMESPACE,
                            ensemble.name(),
                            successor.substring(successor.lastIndexOf('-') + 1)),
                    successor + " leads now");
            Await.until(
                    successor + " to lead",
                    Story.PATIENCE,
                    () -> ensemble.leader().equals(successor) ? "" : ensemble.leader());
            Map<String, String> before = ensemble.uids();
            says(story.plugin("restart", ensemble.name()), "restartedAt");
            Await.until(
                    "all to be restarted",
                    Story.PATIENCE.multipliedBy(2),
                    () -> {
                        List<String> old = ensemble.kept(before);
                        if (!old.isEmpty()) {
                            return old + " are the old ones";
                        }
                        return ensemble.missingForCalm(3);
                    });
            says(story.kubectl("describe", "ens", ensemble.name()), "MemberEvicted", "HandOver");
            story.report().say("cli, transfer-leader and restart did what they say");
        }

        void whatIsWrong() {
            EnsembleView broken = story.apply("broken", "{replicas: 1, version: 0.0.0-none}");
            Await.until(
                    "the reason to be known",
                    Story.PATIENCE,
                    () -> broken.missing("Ready").contains("ImagePullFailed") ? "" : "not yet");
            String why = fails("why", "broken");
            story.report().say("kubectl ensemble why, without an image:\n" + why);
            says(why, "ended with 3", "ImagePullFailed", "0.0.0-none");
            says(fails("status", "nobody"), "there is no Ensemble nobody");
        }

        /// {@return what a command says that does not end with 0}
        private String fails(String... command) {
            return String.valueOf(
                    assertThrows(IllegalStateException.class, () -> story.plugin(command))
                            .getMessage());
        }
    }
}
