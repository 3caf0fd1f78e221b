package dev.ensemble.operator.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

final class SpecRulesTest {
    private static EnsembleSpec spec(String yaml) throws JsonProcessingException {
        return new ObjectMapper(new YAMLFactory()).readValue(yaml, EnsembleSpec.class);
    }

    @Test
    void theDefaultsAreValid() {
        assertEquals(List.of(), SpecRules.problems("orders", EnsembleSpec.defaults()));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{replicas: 2}                             | spec.replicas",
                "{replicas: 0}                             | spec.replicas",
                "{replicas: 11}                            | spec.replicas",
                "{firstMyid: 0}                            | spec.firstMyid",
                "{firstMyid: 99}                           | spec.firstMyid",
                "{config: {dataDir: /x}}                   | spec.config[dataDir]",
                "{config: {zookeeper.clientPort: '1'}}     | spec.config[zookeeper.clientPort]",
                "{config: {server.1: 'a:1:2'}}             | spec.config[server.1]",
                "{config: {metricsProvider.httpPort: '1'}} | spec.config[metricsProvider.httpPort]",
                "{config: {admin.serverPort: '1'}}         | spec.config[admin.serverPort]",
                "{config: {'a b': '1'}}                    | spec.config[a b]",
                "{config: {tickTime: '1\\2'}}              | spec.config[tickTime]",
                "{jvm: {maxRAMPercentage: 95}}             | spec.jvm.maxRAMPercentage",
                "{jvm: {options: ['-a -b']}}               | spec.jvm.options",
                "{storage: {log: {size: 8}}}               | spec.storage.log.size",
                "{update: {memberTimeout: soon}}           | spec.update.memberTimeout",
                "{version: '1', image: {tag: '2'}}         | spec.version",
                "{bootstrap: {fromBackup: {file: f}}}      | spec.bootstrap.fromBackup",
                "{bootstrap: {fromBackup: {file: f, s3: {bucket: v, secretName: k, prefix: p}}}}"
                        + "                                | spec.bootstrap.fromBackup",
                "{tls: {peer: {secretName: a, issuerRef: {name: b}}}} | spec.tls.peer.issuerRef",
                "{tls: {client: {secretName: a, issuerRef: {name: b}}}}"
                        + "                                | spec.tls.client.issuerRef"
            })
    void eachProblemNamesItsField(String yaml, String field) throws JsonProcessingException {
        var problems = SpecRules.problems("orders", spec(yaml));
        assertEquals(1, problems.size(), problems.toString());
        assertEquals(field, problems.getFirst().field());
        assertTrue(problems.getFirst().says().contains("valid"), problems.toString());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"Orders", "1orders", "orders-", "or_ders"})
    void namesMustFitIntoDns(String name) {
        assertEquals(
                "metadata.name",
                SpecRules.problems(name, EnsembleSpec.defaults()).getFirst().field());
    }

    @Test
    void aBucketOrAnIssuerMayBeNamed() throws JsonProcessingException {
        EnsembleSpec spec =
                spec(
                        "{bootstrap: {fromBackup: {file: f, s3: {bucket: v, secretName: k}}}, tls:"
                                + " {client: {clientAuth: Need, issuerRef: {name: a}}}}");
        assertEquals(List.of(), SpecRules.problems("orders", spec));
    }

    @Test
    void settingsThatTheOperatorDoesNotSetPass() throws JsonProcessingException {
        EnsembleSpec spec =
                spec("{config: {4lw.commands.whitelist: 'ruok,srvr', jute.maxbuffer: '2000000'}}");
        assertEquals(List.of(), SpecRules.problems("orders", spec));
    }
}
