package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Certificates;
import dev.ensemble.e2e.harness.Cluster;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Remains;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Settings;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.LocalPortForward;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// An ensemble that speaks TLS: between its members and with clients, from Secrets; then the
/// certificates are renewed, and nobody restarts.
@Tag("long")
class SecureIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String NAME = "orders";
    private static final String RELEASE = "ensemble-e2e";
    private static final String SYSTEM = "ensemble-e2e-system";
    private static final int SECURE_PORT = 2281;

    private final Settings settings = Settings.of(System.getenv());
    private final Path folder = settings.home().resolve("e2e/target/secure");
    private final String id = Long.toString(System.nanoTime() & 0xffffff, 36);
    private final String namespace = "secure-" + id;

    @Test
    void membersAndClientsSpeakTlsAndCertificatesAreRenewed() throws Exception {
        switch (Cluster.find(settings)) {
            case Cluster.Found.None(String reason) -> {
                System.out.println("SecureIT is skipped: " + reason);
                abort(reason);
            }
            case Cluster.Found.Here(Cluster cluster) -> {
                try (cluster) {
                    var story = new Story(cluster);
                    try {
                        story.tell();
                    } catch (Exception | AssertionError failure) {
                        story.keepRemains(failure);
                        throw failure;
                    } finally {
                        story.cleanUp();
                    }
                }
            }
        }
    }

    /// The story on a cluster.
    private final class Story {
        private final Cluster cluster;
        private final KubernetesClient client;
        private final EnsembleView ensemble;
        private final Report report;
        private final Certificates authority;

        Story(Cluster cluster) throws IOException {
            this.cluster = cluster;
            this.client = cluster.client();
            this.ensemble = new EnsembleView(client, namespace, NAME);
            Files.createDirectories(folder);
            this.report = new Report(folder.resolve("report.txt"));
            this.authority = new Certificates(folder.resolve("keys"));
            report.say("cluster: " + cluster.name());
        }

        void tell() throws IOException, GeneralSecurityException {
            loadImages();
            installOperator();
            Map<String, String> peers =
                    authority.sign("*.%s-peers.%s.svc".formatted(NAME, namespace));
            Map<String, String> clients = authority.sign(NAME + "-client");
            secret("orders-peer", peers);
            secret("orders-client", clients);
            applyAndWait();
            for (String pod : ensemble.uids().keySet()) {
                assertFalse(
                        ensemble.says(pod).path("warnings").toString().contains("plaintext"),
                        () -> "plaintext is accepted by " + pod);
            }
            var first = new AtomicReference<@Nullable X509Certificate>();
            Await.until(
                    "an answer by TLS",
                    PATIENCE,
                    () -> {
                        try {
                            first.set(shown(clients));
                            return "";
                        } catch (IOException | GeneralSecurityException e) {
                            return e.toString();
                        }
                    });
            report.say("a client spoke TLS and was answered");
            assertThrows(SSLException.class, () -> shown(otherAuthority()));
            renew(Objects.requireNonNull(first.get()));
        }

        private Map<String, String> otherAuthority() throws IOException {
            return new Certificates(folder.resolve("others")).sign("nobody");
        }

        private void renew(X509Certificate first) {
            Map<String, String> uids = ensemble.uids();
            Map<String, String> next = authority.sign(NAME + "-client");
            secret("orders-client", next);
            secret("orders-peer", authority.sign("*.%s-peers.%s.svc".formatted(NAME, namespace)));
            Duration took =
                    Await.until(
                            "the renewed certificate",
                            PATIENCE,
                            () -> {
                                try {
                                    return shown(next).equals(first) ? "the old one is shown" : "";
                                } catch (IOException | GeneralSecurityException e) {
                                    return e.toString();
                                }
                            });
            report.say("renewed certificates are in use after " + Report.seconds(took));
            Await.until("all well afterwards", PATIENCE, () -> ensemble.missingForCalm(3));
            assertEquals(uids, ensemble.uids(), "nobody restarts");
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
                            client.pods()
                                    .inNamespace(namespace)
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
            client.resource(
                            new SecretBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .withNamespace(namespace)
                                    .endMetadata()
                                    .withType("kubernetes.io/tls")
                                    .withData(data)
                                    .build())
                    .serverSideApply();
        }

        private void loadImages() throws IOException {
            for (String image : List.of("ensemble-server", "ensemble-operator")) {
                Path archive = settings.image(image);
                cluster.load(archive);
                double megabytes = Files.size(archive) / 1e6;
                report.say("image %s: %.1f MB compressed".formatted(image, megabytes));
                assertTrue(megabytes < 120, () -> image + " should be under 120 MB, compressed");
            }
        }

        private void installOperator() {
            namespace(SYSTEM);
            namespace(namespace);
            cluster.helm(
                    "install",
                    RELEASE,
                    settings.chart().toString(),
                    "--namespace",
                    SYSTEM,
                    "--set",
                    "image.tag=" + settings.version(),
                    "--wait",
                    "--timeout",
                    "120s");
            report.say("operator installed by its chart");
        }

        private void namespace(String name) {
            client.resource(
                            new NamespaceBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                                    .endMetadata()
                                    .build())
                    .create();
        }

        private void applyAndWait() {
            String yaml =
                    """
                    apiVersion: ensemble.dev/v1alpha1
                    kind: Ensemble
                    metadata:
                      name: %s
                      namespace: %s
                    spec:
                      replicas: 3
                      version: "%s"
                      storage:
                        log: {size: 1Gi}
                      config: {heartbeatTimeoutMillis: "2000"}
                      tls:
                        peer: {secretName: orders-peer}
                        client: {secretName: orders-client}
                      podTemplate:
                        spec:
                          resources:
                            requests: {cpu: 100m, memory: 512Mi}
                            limits: {memory: 512Mi}
                    """
                            .formatted(NAME, namespace, settings.version());
            client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                    .inNamespace(namespace)
                    .serverSideApply();
            Duration ready =
                    Await.until(
                            "Ready after apply",
                            PATIENCE,
                            () -> {
                                String missing = ensemble.missing("Ready");
                                return missing.isEmpty() ? ensemble.missingForCalm(3) : missing;
                            });
            report.say("from apply to Ready, with TLS: " + Report.seconds(ready));
        }

        void keepRemains(Throwable failure) {
            report.say("FAILED " + failure);
            try {
                Remains.keep(client, namespace, folder.resolve("remains"));
                Remains.keep(client, SYSTEM, folder.resolve("remains-operator"));
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }

        void cleanUp() {
            try {
                cluster.helm("uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found");
            } finally {
                for (String name : List.of(namespace, SYSTEM)) {
                    var there = client.namespaces().withName(name);
                    there.delete();
                    // The next run makes it again, which fails while it is going.
                    there.waitUntilCondition(Objects::isNull, 2, TimeUnit.MINUTES);
                }
            }
        }
    }
}
