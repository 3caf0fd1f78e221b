package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.JsonNode;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.ServicePort;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// An ensemble comes from plaintext to TLS by an authority that the operator keeps; then the
/// certificates are signed anew, and the authority is replaced, while clients work: nobody
/// restarts, and no request fails. At last the port for plaintext closes.
@Tag("long")
@ExtendWith(Stage.class)
class OwnAuthorityIT {
    private static final String NAME = "orders";

    /// A busy machine needs the longer time-out between members.
    private static final String SPEC =
            """
            replicas: 3
            config: {heartbeatTimeoutMillis: "2000"}
            update: {minReadySeconds: 0}
            """;

    @Test
    void anAuthorityOfItsOwnIsRotatedUnderLoad(Story story) {
        EnsembleView ensemble = story.apply(NAME, SPEC);
        story.report().say("from apply to Ready: " + Report.seconds(story.well(ensemble, 3)));
        new Told(story, ensemble).tell();
        story.sound(ensemble, 3, 0);
    }

    /// The story on a cluster.
    private record Told(Story story, EnsembleView ensemble) {
        void tell() {
            tls("{\"peer\": {}, \"client\": {}, \"authority\": {\"overlap\": \"0s\"}}");
            story.report()
                    .say("from plaintext to TLS in " + Report.seconds(secured("from plaintext")));
            for (String pod : ensemble.uids().keySet()) {
                assertEquals(
                        "",
                        ensemble.says(pod).path("warnings").toString().contains("plaintext")
                                ? "plaintext is accepted by " + pod
                                : "");
            }
            try (Clients clients = story.clients(ensemble)) {
                signAnew(clients);
                replaceAuthority(clients);
                clients.finish();
            }
            closePlaintext();
        }

        private void signAnew(Clients clients) {
            Map<String, String> uids = ensemble.uids();
            Set<String> before = shown();
            story.client()
                    .secrets()
                    .inNamespace(story.namespace())
                    .withName(NAME + "-tls")
                    .delete();
            Duration took =
                    Await.until(
                            "other certificates in use",
                            Story.PATIENCE,
                            () -> {
                                Set<String> now = shown();
                                now.retainAll(before);
                                return now.isEmpty() && !shown().isEmpty() ? "" : now + " are old";
                            });
            clients.goOn();
            assertEquals(uids, ensemble.uids(), "nobody restarts");
            assertEquals(0, clients.failed(), "failed requests");
            story.report().say("certificates signed anew, in use after " + Report.seconds(took));
        }

        private void replaceAuthority(Clients clients) {
            Map<String, String> uids = ensemble.uids();
            String before = trusted();
            tls(
                    "{\"peer\": {}, \"client\": {}, \"authority\": {\"overlap\": \"0s\","
                            + " \"rotatedAt\": \"2026-01-01T00:00:00Z\"}}");
            Duration took =
                    Await.until(
                            "another authority alone",
                            Story.PATIENCE.multipliedBy(2),
                            () -> {
                                String now = trusted();
                                int number = now.split("BEGIN CERTIFICATE", -1).length - 1;
                                return now.equals(before) || number != 1
                                        ? number + " authorities are trusted"
                                        : tlsReady("CertificatesInUse");
                            });
            clients.goOn();
            assertEquals(uids, ensemble.uids(), "nobody restarts");
            assertEquals(0, clients.failed(), "failed requests");
            assertNotEquals(before, trusted());
            story.report().say("the authority was replaced in " + Report.seconds(took));
        }

        private void closePlaintext() {
            tls("{\"peer\": {}, \"client\": {\"mode\": \"Required\"}}");
            Duration took = secured("to TLS only");
            Await.until(
                    "the Service to have no port for plaintext",
                    Story.PATIENCE,
                    () -> ports().equals(List.of("secure-client")) ? "" : ports().toString());
            for (String pod : ensemble.uids().keySet()) {
                assertEquals(
                        "TLS",
                        ensemble.says(pod).path("tls").path("clients").isObject()
                                ? "TLS"
                                : "plaintext");
            }
            story.report().say("the port for plaintext is closed after " + Report.seconds(took));
        }

        private List<String> ports() {
            return story
                    .client()
                    .services()
                    .inNamespace(story.namespace())
                    .withName(NAME + "-client")
                    .get()
                    .getSpec()
                    .getPorts()
                    .stream()
                    .map(ServicePort::getName)
                    .toList();
        }

        private void tls(String json) {
            ensemble.set("tls", json);
        }

        /// Waits for the end of a way that takes several restarts of each member.
        private Duration secured(String way) {
            return Await.until(
                    way,
                    Story.PATIENCE.multipliedBy(3),
                    () -> {
                        String missing = tlsReady("CertificatesInUse");
                        return missing.isEmpty() ? ensemble.missing("Ready") : missing;
                    });
        }

        private String tlsReady(String reason) {
            JsonNode resource = ensemble.resource();
            long generation = resource.path("metadata").path("generation").asLong();
            for (JsonNode condition : resource.path("status").path("conditions")) {
                if (condition.path("type").asText().equals("TLSReady")) {
                    return condition.path("reason").asText().equals(reason)
                                    && condition.path("observedGeneration").asLong() == generation
                            ? ""
                            : condition.toString();
                }
            }
            return "no condition TLSReady";
        }

        /// {@return fingerprints of the certificates in use}
        private Set<String> shown() {
            Set<String> shown = new TreeSet<>();
            ensemble.status()
                    .path("certificates")
                    .forEach(each -> shown.add(each.path("fingerprint").asText()));
            return shown;
        }

        /// {@return whom clients have to trust}
        private String trusted() {
            return Objects.requireNonNull(
                    story.client()
                            .configMaps()
                            .inNamespace(story.namespace())
                            .withName(NAME + "-ca")
                            .get()
                            .getData()
                            .get("ca.crt"));
        }
    }
}
