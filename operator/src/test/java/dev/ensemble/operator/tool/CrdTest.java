package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// The resource definition that is checked in is the one that the classes give.
final class CrdTest {
    private static final Path CHECKED_IN = Path.of("..", "crds", "ensembles.ensemble.dev-v1.yaml");

    private static Path checkedIn(String file) {
        return Path.of("..", "crds", file);
    }

    static Set<String> files() {
        return CrdMain.FILES.keySet();
    }

    @ParameterizedTest
    @MethodSource("files")
    void theCheckedInDefinitionIsCurrent(String file) throws IOException {
        assertEquals(
                CrdMain.definition(Objects.requireNonNull(CrdMain.FILES.get(file))),
                Files.readString(checkedIn(file)),
                "crds/ is out of date; write it anew with CrdMain (operator/docs/operator.md)");
    }

    /// Helm reads nothing outside of a chart's folder.
    @ParameterizedTest
    @MethodSource("files")
    void theChartHasTheSame(String file) throws IOException {
        assertEquals(
                Files.readString(checkedIn(file)),
                Files.readString(Path.of("..", "charts/ensemble-operator/crds-source", file)));
    }

    /// `kubectl apply` keeps the whole object in an annotation, which may have 262,144 bytes.
    @Test
    void itIsSmallEnoughForKubectlApply() throws IOException {
        assertTrue(Files.size(CHECKED_IN) < 64 * 1024, "bytes: " + Files.size(CHECKED_IN));
    }

    @Test
    void columnsComeInTheOrderThatPeopleRead() throws IOException {
        List<String> normal =
                version(CHECKED_IN).getAdditionalPrinterColumns().stream()
                        .filter(column -> column.getPriority() == null || column.getPriority() == 0)
                        .map(CustomResourceColumnDefinition::getName)
                        .toList();
        assertEquals(
                List.of("READY", "LEADER", "QUORUM", "CANLOSE", "VERSION", "PHASE", "AGE"), normal);
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyFieldIsDescribed(String file) throws IOException {
        List<String> without = new ArrayList<>();
        JSONSchemaProps root = version(checkedIn(file)).getSchema().getOpenAPIV3Schema();
        collect("", root, without);
        assertEquals(List.of(), without);
    }

    private static void collect(String path, JSONSchemaProps schema, List<String> without) {
        if (schema.getDescription() == null) {
            without.add(path);
        }
        if (schema.getProperties() != null) {
            schema.getProperties()
                    .forEach((name, each) -> collect(path + "." + name, each, without));
        }
        if (schema.getItems() != null && schema.getItems().getSchema().getProperties() != null) {
            schema.getItems()
                    .getSchema()
                    .getProperties()
                    .forEach((name, each) -> collect(path + "[]." + name, each, without));
        }
    }

    private static CustomResourceDefinitionVersion version(Path file) throws IOException {
        return new KubernetesSerialization()
                .unmarshal(Files.readString(file), CustomResourceDefinition.class)
                .getSpec()
                .getVersions()
                .getFirst();
    }
}
