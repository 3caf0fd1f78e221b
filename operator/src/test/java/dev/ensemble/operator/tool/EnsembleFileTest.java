package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;

final class EnsembleFileTest {
    private static final String HEAD =
            "apiVersion: ensemble.dev/v1alpha1\nkind: Ensemble\nmetadata: {name: orders}\n";

    @Test
    void theSampleOfTheRepositoryIsValid() {
        EnsembleFile sample = EnsembleFile.read(Path.of("..", "ensemble.yaml"));
        assertEquals(3, sample.spec().replicas());
        assertEquals("2000", sample.spec().settings().get("tickTime"));
    }

    @Test
    void whatIsLeftOutHasItsDefault() {
        EnsembleFile file = EnsembleFile.parse("x.yaml", HEAD);
        assertEquals(3, file.spec().replicas());
        assertEquals("8Gi", file.spec().storage().log().size());
        assertEquals(15, file.spec().update().minReadySeconds());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "spec: {replicas: 2}              | x.yaml: spec.replicas: '2' is not valid",
                "spec: {replicas: many}           | spec.replicas: 'many' is not valid",
                "spec: {storage: {lgo: {}}}       | spec.storage.lgo: there is no such field",
                "spec: {update: {strategy: Soon}} | valid: Automatic, Manual",
                "spec: []                         | spec: not of the right type (line 4); valid:"
                        + " fields",
                "spec: {                          | spec: while parsing a flow node (line 4)",
                "spec: {jvm: {options: {a: b}}}   | spec.jvm.options: not of the right type (line"
                        + " 4); valid: a list",
            })
    void anErrorNamesTheFieldAndWhatIsValid(String yaml, String says) {
        Refusal refusal =
                assertThrows(Refusal.class, () -> EnsembleFile.parse("x.yaml", HEAD + yaml));
        assertTrue(refusal.says().contains(says), refusal.says());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "'apiVersion: v1'                         | apiVersion: 'v1' is not valid",
                "'{apiVersion: ensemble.dev/v1alpha1, kind: Pod}' | kind: 'Pod' is not valid",
                "'{apiVersion: ensemble.dev/v1alpha1, kind: Ensemble}' | metadata.name is missing",
            })
    void whatIsNoEnsembleIsRefused(String yaml, String says) {
        Refusal refusal = assertThrows(Refusal.class, () -> EnsembleFile.parse("x.yaml", yaml));
        assertTrue(refusal.says().contains(says), refusal.says());
    }
}
