package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Certificates;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// An ensemble that speaks TLS: between its members and with clients, from Secrets; then the
/// certificates are renewed while clients work, nobody restarts, and no request fails (scenarios
/// 43, 44).
@Tag("long")
@ExtendWith(Stage.class)
class SecureIT {
    private static final String NAME = "orders";
    private static final int SECURE_PORT = 2281;

    /// A busy machine needs the longer time-out between members.
    private static final String SPEC =
            """
            replicas: 3
            config: {heartbeatTimeoutMillis: "2000"}
            tls:
              peer: {secretName: orders-peer}
              client: {secretName: orders-client}
            """;

    @Test
    void membersAndClientsSpeakTlsAndCertificatesAreRenewed(Story story)
            throws IOException, GeneralSecurityException {
        new Told(
                        story,
                        new EnsembleView(story.client(), story.namespace(), NAME),
                        new Certificates(story.folder().resolve("keys")))
                .tell();
    }

    /// The story on a cluster.
    private record Told(Story story, EnsembleView ensemble, Certificates authority) {
        void tell() throws IOException, GeneralSecurityException {
            Map<String, String> peers =
                    authority.sign("*.%s-peers.%s.svc".formatted(NAME, story.namespace()));
            Map<String, String> forClients = authority.sign(host());
            secret("orders-peer", peers);
            secret("orders-client", forClients);
            story.apply(NAME, SPEC);
            story.report()
                    .say(
                            "from apply to Ready, with TLS: "
                                    + Report.seconds(story.well(ensemble, 3)));
            for (String pod : ensemble.uids().keySet()) {
                assertFalse(
                        ensemble.says(pod).path("warnings").toString().contains("plaintext"),
                        () -> "plaintext is accepted by " + pod);
            }
            var first = new AtomicReference<@Nullable X509Certificate>();
            Await.until(
                    "an answer by TLS",
                    Story.PATIENCE,
                    () -> {
                        try {
                            first.set(shown(forClients));
                            return "";
                        } catch (IOException | GeneralSecurityException e) {
                            return e.toString();
                        }
                    });
            story.report().say("a client spoke TLS and was answered");
            assertThrows(SSLException.class, () -> shown(otherAuthority()));
            Path trusted =
                    Files.write(
                            story.folder().resolve("trusted.pem"),
                            Base64.getDecoder()
                                    .decode(Objects.requireNonNull(forClients.get("ca.crt"))));
            try (Clients clients =
                    story.clients(ensemble, new Clients.How(Clients.SESSION_MILLIS, trusted))) {
                renew(Objects.requireNonNull(first.get()), clients);
                clients.finish();
            }
            story.sound(ensemble, 3, 0);
        }

        private String host() {
            return "%s-client.%s.svc.cluster.local".formatted(NAME, story.namespace());
        }

        private Map<String, String> otherAuthority() throws IOException {
            return new Certificates(story.folder().resolve("others")).sign("nobody");
        }

        private void renew(X509Certificate first, Clients clients) {
            Map<String, String> uids = ensemble.uids();
            Map<String, String> next = authority.sign(host());
            secret("orders-client", next);
            secret(
                    "orders-peer",
                    authority.sign("*.%s-peers.%s.svc".formatted(NAME, story.namespace())));
            Duration took =
                    Await.until(
                            "the renewed certificate",
                            Story.PATIENCE,
                            () -> {
                                try {
                                    return shown(next).equals(first) ? "the old one is shown" : "";
                                } catch (IOException | GeneralSecurityException e) {
                                    return e.toString();
                                }
                            });
            story.report().say("renewed certificates are in use after " + Report.seconds(took));
            Await.until("all well afterwards", Story.PATIENCE, () -> ensemble.missingForCalm(3));
            clients.goOn();
            assertEquals(uids, ensemble.uids(), "nobody restarts");
            assertEquals(0, clients.failed(), "failed requests");
        }

        /// {@return the certificate that a member shows to a client of that authority}
        private X509Certificate shown(Map<String, String> trusted)
                throws IOException, GeneralSecurityException {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            byte[] ca = Base64.getDecoder().decode(Objects.requireNonNull(trusted.get("ca.crt")));
            store.setCertificateEntry(
                    "ca",
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(ca)));
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(null, trust.getTrustManagers(), null);
            try (LocalPortForward to =
                            story.client()
                                    .pods()
                                    .inNamespace(story.namespace())
                                    .withName(NAME + "-0")
                                    .portForward(SECURE_PORT);
                    SSLSocket socket =
                            (SSLSocket)
                                    tls.getSocketFactory()
                                            .createSocket("127.0.0.1", to.getLocalPort())) {
                socket.setSoTimeout(10_000);
                socket.startHandshake();
                socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
                String answer =
                        new String(
                                socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                // On a machine that is too busy there may be no leader for a moment.
                if (!answer.contains("Zookeeper version")) {
                    throw new IOException("srvr: " + answer);
                }
                return (X509Certificate) socket.getSession().getPeerCertificates()[0];
            }
        }

        private void secret(String name, Map<String, String> data) {
            story.client()
                    .resource(
                            new SecretBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .withNamespace(story.namespace())
                                    .endMetadata()
                                    .withType("kubernetes.io/tls")
                                    .withData(data)
                                    .build())
                    .serverSideApply();
        }
    }
}
