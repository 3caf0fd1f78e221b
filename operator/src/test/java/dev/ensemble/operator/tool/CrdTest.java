package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The resource definition that is checked in is the one that the classes give.
final class CrdTest {
    private static final Path CHECKED_IN = Path.of("..", "crds", CrdMain.FILE);

    @Test
    void theCheckedInDefinitionIsCurrent() throws IOException {
        assertEquals(
                CrdMain.definition(),
                Files.readString(CHECKED_IN),
                "crds/ is out of date; write it anew with CrdMain (operator/docs/operator.md)");
    }

    /// Helm reads nothing outside of a chart's folder.
    @Test
    void theChartHasTheSame() throws IOException {
        assertEquals(
                Files.readString(CHECKED_IN),
                Files.readString(
                        Path.of("..", "charts/ensemble-operator/crds-source", CrdMain.FILE)));
    }

    /// `kubectl apply` keeps the whole object in an annotation, which may have 262,144 bytes.
    @Test
    void itIsSmallEnoughForKubectlApply() throws IOException {
        assertTrue(Files.size(CHECKED_IN) < 64 * 1024, "bytes: " + Files.size(CHECKED_IN));
    }

    @Test
    void columnsComeInTheOrderThatPeopleRead() throws IOException {
        List<String> normal =
                version().getAdditionalPrinterColumns().stream()
                        .filter(column -> column.getPriority() == null || column.getPriority() == 0)
                        .map(CustomResourceColumnDefinition::getName)
                        .toList();
        assertEquals(
                List.of("READY", "LEADER", "QUORUM", "CANLOSE", "VERSION", "PHASE", "AGE"), normal);
    }

    @Test
    void everyFieldIsDescribed() throws IOException {
        List<String> without = new ArrayList<>();
        JSONSchemaProps root = version().getSchema().getOpenAPIV3Schema();
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

    private static CustomResourceDefinitionVersion version() throws IOException {
        return new KubernetesSerialization()
                .unmarshal(Files.readString(CHECKED_IN), CustomResourceDefinition.class)
                .getSpec()
                .getVersions()
                .getFirst();
    }
}
