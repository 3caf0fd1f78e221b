package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// An ensemble comes from plaintext to TLS by an authority that the operator keeps, while clients
/// work; then the certificates are signed anew, and the authority is replaced, while others work by
/// TLS: nobody restarts, and no request fails. At last the port for plaintext closes (scenarios 43,
/// 44).
@Tag("long")
@ExtendWith(Stage.class)
class OwnAuthorityIT {
    private static final String NAME = "orders";

    /// A busy machine needs the longer time-out between members.
    private static final String SPEC =
            """
            replicas: 3
            config: {heartbeatTimeoutMillis: "2000"}
            update: {minReadySeconds: 2}
            """;

    @Test
    void anAuthorityOfItsOwnIsRotatedUnderLoad(Story story) throws IOException {
        EnsembleView ensemble = story.apply(NAME, SPEC);
        story.report().say("from apply to Ready: " + Report.seconds(story.well(ensemble, 3)));
        var told = new Told(story, ensemble, story.folder().resolve("trusted.pem"));
        try (Clients clients = story.clients(ensemble)) {
            told.toTls(clients);
            clients.finish();
        }
        told.trust();
        var secure = new Clients.How(Clients.SESSION_MILLIS, told.trustFile());
        try (Clients clients = story.clients(ensemble, secure)) {
            told.signAnew(clients);
            told.replaceAuthority(clients);
            told.closePlaintext(clients);
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    /// The story on a cluster.
    ///
    /// @param trustFile whom clients trust
    private record Told(Story story, EnsembleView ensemble, Path trustFile) {
        void toTls(Clients clients) {
            tls("{\"peer\": {}, \"client\": {}, \"authority\": {\"overlap\": \"0s\"}}");
            Duration took = secured("from plaintext");
            clients.goOn();
            story.report().say("from plaintext to TLS in " + Report.seconds(took));
            for (String pod : ensemble.uids().keySet()) {
                assertFalse(
                        ensemble.says(pod).path("warnings").toString().contains("plaintext"),
                        () -> "plaintext is accepted by " + pod);
            }
        }

        void signAnew(Clients clients) {
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
                                Set<String> old = new TreeSet<>(now);
                                old.retainAll(before);
                                return now.size() == before.size() && old.isEmpty()
                                        ? ""
                                        : "of " + now + " are old " + old;
                            });
            clients.goOn();
            assertEquals(uids, ensemble.uids(), "nobody restarts");
            assertEquals(0, clients.failed(), "failed requests");
            story.report().say("certificates signed anew, in use after " + Report.seconds(took));
        }

        void replaceAuthority(Clients clients) {
            Map<String, String> uids = ensemble.uids();
            String before = trust();
            tls(
                    "{\"peer\": {}, \"client\": {}, \"authority\": {\"overlap\": \"0s\","
                            + " \"rotatedAt\": \"2026-01-01T00:00:00Z\"}}");
            Duration took =
                    Await.until(
                            "another authority alone",
                            Story.PATIENCE.multipliedBy(2),
                            () -> {
                                String now = trust();
                                int number = now.split("BEGIN CERTIFICATE", -1).length - 1;
                                return now.equals(before) || number != 1
                                        ? number + " authorities are trusted"
                                        : tlsReady("CertificatesInUse");
                            });
            clients.goOn();
            assertEquals(uids, ensemble.uids(), "nobody restarts");
            assertEquals(0, clients.failed(), "failed requests");
            story.report().say("the authority was replaced in " + Report.seconds(took));
        }

        void closePlaintext(Clients clients) {
            tls("{\"peer\": {}, \"client\": {\"mode\": \"Required\"}}");
            Duration took = secured("to TLS only");
            clients.goOn();
            Await.until(
                    "the Service to have no port for plaintext",
                    Story.PATIENCE,
                    () -> ports().equals(List.of("secure-client")) ? "" : ports().toString());
            for (String pod : ensemble.uids().keySet()) {
                assertTrue(
                        ensemble.says(pod).path("tls").path("clients").isObject(),
                        () -> pod + " has no TLS for clients");
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

        /// Has clients trust whom they have to: they read the file whenever they connect.
        ///
        /// @return that
        String trust() {
            String trusted =
                    Objects.requireNonNull(
                            story.client()
                                    .configMaps()
                                    .inNamespace(story.namespace())
                                    .withName(NAME + "-ca")
                                    .require()
                                    .getData()
                                    .get("ca.crt"));
            try {
                Path next = trustFile.resolveSibling("trusted.next");
                Files.writeString(next, trusted);
                Files.move(next, trustFile, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return trusted;
        }
    }
}
