package dev.ensemble.operator.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

final class TlsStageTest {
    private static TlsStage stage(String text) {
        return Objects.requireNonNull(TlsStage.parse(text), text);
    }

    @ParameterizedTest(name = "{0} to {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "peers=Off: clients=Off: | peers=Required:operator clients=Required:operator"
                        + " | Accept:operator/Accept:operator Prefer:operator/Required:operator"
                        + " Required:operator/Required:operator",
                "peers=Required:operator clients=Required:operator | peers=Off: clients=Off:"
                        + " | Prefer:operator/Accept:operator Accept:operator/Off: Off:/Off:",
                "peers=Required:secret/a clients=Accept:secret/a"
                        + " | peers=Required:operator clients=Accept:operator"
                        + " | Prefer:secret/a/Accept:operator Accept:secret/a/Accept:operator"
                        + " Accept:operator/Accept:operator Prefer:operator/Accept:operator"
                        + " Required:operator/Accept:operator",
                "peers=Accept:secret/a clients=Off: | peers=Prefer:secret/b clients=Off:"
                        + " | Accept:secret/b/Off: Prefer:secret/b/Off:"
            })
    void oneStepAtATime(String from, String to, String way) {
        List<String> steps = new ArrayList<>();
        TlsStage at = stage(from);
        while (!at.equals(stage(to))) {
            at = at.next(stage(to));
            steps.add(
                    "%s:%s/%s:%s"
                            .formatted(
                                    at.peers().mode(),
                                    at.peers().source(),
                                    at.clients().mode(),
                                    at.clients().source()));
        }
        assertEquals(way, String.join(" ", steps));
        assertEquals(at, at.next(at));
        assertEquals(at, TlsStage.parse(at.text()));
    }

    /// Another issuer is another authority: members must trust it before they see it.
    @Test
    void eachIssuerHasASecretOfItsOwn() throws JsonProcessingException {
        TlsStage one = issued("{name: one}");
        TlsStage two = issued("{name: one, kind: ClusterIssuer}");
        String secret = String.valueOf(one.peers().secret());
        assertTrue(secret.matches("orders-tls-peer-[0-9a-f]{8}"), secret);
        assertTrue(String.valueOf(one.clients().secret()).matches("orders-tls-client-[0-9a-f]{8}"));
        assertEquals(one, issued("{name: one, kind: Issuer, group: cert-manager.io}"));
        assertNotEquals(secret, two.peers().secret());
        assertEquals(TlsStage.Mode.Prefer, one.next(two).peers().mode());
        assertEquals(one, TlsStage.parse(one.text()));
    }

    private static TlsStage issued(String issuer) throws JsonProcessingException {
        String yaml = "tls: {peer: {issuerRef: %1$s}, client: {issuerRef: %1$s}}".formatted(issuer);
        return TlsStage.target(
                "orders", new ObjectMapper(new YAMLFactory()).readValue(yaml, EnsembleSpec.class));
    }

    @Test
    void whatAnOlderOperatorMadeIsRecognised() {
        Map<String, String> secrets = Map.of("tls-peer", "a", "tls-client", "b");
        assertEquals(TlsStage.OFF, TlsStage.found("\nclientPort=1\n", Map.of()));
        assertEquals(
                stage("peers=Accept:secret/a clients=Accept:secret/b"),
                TlsStage.found(
                        "\nsslQuorum=false\nportUnification=true\nsecureClientPort=2281\n",
                        secrets));
        assertEquals(
                stage("peers=Prefer:secret/a clients=Off:"),
                TlsStage.found("\nsslQuorum=true\nportUnification=true\n", secrets));
        assertEquals(
                stage("peers=Required:secret/a clients=Off:"),
                TlsStage.found("\nsslQuorum=true\nportUnification=false\n", secrets));
    }

    @Test
    void whatIsNoStageIsNone() {
        assertNull(TlsStage.parse(""));
        assertNull(TlsStage.parse("peers=Soon:a clients=Off:"));
    }
}
