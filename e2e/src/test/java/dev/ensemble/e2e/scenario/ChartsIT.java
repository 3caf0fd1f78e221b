package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ensemble.e2e.harness.Helm;
import dev.ensemble.e2e.harness.Settings;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// What the charts make of values, against golden files. Needs Helm and no cluster.
///
/// Each golden file has beside it the values that it is made of. What was rendered is left in
/// `target/charts`, to be copied when a change is meant.
class ChartsIT {
    /// Of which Kubernetes a chart takes the cluster to be; it is not asked.
    private static final String KUBERNETES = "1.34.0";

    private final Settings settings = Settings.of(System.getenv());
    private final Path golden = settings.home().resolve("e2e/src/test/resources/charts");
    private final List<Helm> found = new ArrayList<>();

    @BeforeEach
    void findHelm() {
        Helm.find(settings).ifPresent(found::add);
        if (found.isEmpty()) {
            String reason = "there is no Helm: " + String.join(" ", settings.helm());
            System.out.println("ChartsIT is skipped: " + reason);
            abort(reason);
        }
    }

    private Helm helm() {
        return found.getFirst();
    }

    private String chart(String name) {
        return settings.home().resolve("charts").resolve(name).toString();
    }

    private Helm.Outcome render(String chart, String... more) {
        var arguments =
                new ArrayList<>(
                        List.of(
                                "template",
                                "orders",
                                chart(chart),
                                "--namespace",
                                "shop",
                                "--kube-version",
                                KUBERNETES));
        Collections.addAll(arguments, more);
        return helm().run(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({
        "ensemble-operator, default",
        "ensemble-operator, namespaced",
        "ensemble-operator, everything",
        "ensemble, default",
        "ensemble, custom",
    })
    void rendersAsTheGoldenFile(String chart, String name) throws IOException {
        Path values = golden.resolve(chart + "." + name + ".values.yaml");
        Helm.Outcome rendered = render(chart, "--values", values.toString());
        assertEquals(0, rendered.code(), rendered::errors);
        Path expected = golden.resolve(chart + "." + name + ".golden.yaml");
        Path kept = Files.createDirectories(settings.home().resolve("e2e/target/charts"));
        Files.writeString(kept.resolve(expected.getFileName()), rendered.output());
        assertEquals(
                Files.exists(expected) ? Files.readString(expected) : "",
                rendered.output(),
                () -> "%s differs; what was rendered is in %s".formatted(expected, kept));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ensemble-operator", "ensemble"})
    void lintFindsNoFault(String chart) {
        Helm.Outcome linted =
                helm().run("lint", "--strict", "--kube-version", KUBERNETES, chart(chart));
        assertEquals(0, linted.code(), linted::output);
    }

    /// A definition that went with the chart would take every Ensemble with it.
    @Test
    void definitionsAreKeptWhenTheChartGoes() {
        Helm.Outcome with = render("ensemble-operator", "--show-only", "templates/crds.yaml");
        assertEquals(0, with.code(), with::errors);
        long definitions = count(with.output(), "kind: CustomResourceDefinition");
        assertTrue(definitions > 0, "there are definitions");
        assertEquals(definitions, count(with.output(), "helm.sh/resource-policy: keep"));
        Helm.Outcome without = render("ensemble-operator", "--set", "crds.install=false");
        assertEquals(0, count(without.output(), "kind: CustomResourceDefinition"));
    }

    private static long count(String text, String line) {
        return text.lines().filter(each -> each.strip().equals(line)).count();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ensemble-operator | imagee.tag=1              | imagee",
                "ensemble-operator | image.digest=latest       | digest",
                "ensemble-operator | image.pullPolicy=Sometimes | pullPolicy",
                "ensemble-operator | watchNamespaces={UPPER}   | watchNamespaces",
                "ensemble-operator | replicas=-1               | replicas",
                "ensemble          | name=Upper                | name",
                "ensemble          | replicas=5                | replicas",
            })
    void wrongValuesAreRefusedByName(String chart, String value, String named) {
        Helm.Outcome refused = render(chart, "--set", value);
        assertNotEquals(0, refused.code(), "refused");
        assertTrue(refused.errors().contains(named), refused::errors);
    }

    @Test
    void aKubernetesThatIsTooOldIsRefused() {
        Helm.Outcome refused = render("ensemble-operator", "--kube-version", "1.28.0");
        assertNotEquals(0, refused.code(), "refused");
        assertTrue(refused.errors().contains("1.29"), refused::errors);
    }
}
