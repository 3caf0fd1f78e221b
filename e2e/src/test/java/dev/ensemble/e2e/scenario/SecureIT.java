package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Caller;
import dev.ensemble.e2e.harness.Certificates;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.SSLException;

/// An ensemble that speaks TLS and nothing else: between its members and with clients, from
/// Secrets. Who comes in plaintext, without a certificate, with one of another authority or, as a
/// member, with one that is no member's, is refused. Then the certificates are renewed while
/// clients work, nobody restarts, and no request fails (scenarios 43, 44).
@Tag("long")
@ExtendWith(Stage.class)
class SecureIT {
    private static final String NAME = "orders";
    private static final int PLAIN_PORT = 2181;
    private static final int SECURE_PORT = 2281;
    private static final int PEER_PORT = 2888;
    private static final String STRANGER = "stranger.example";

    /// A busy machine needs the longer time-out between members. The impostor has the file of a
    /// member, whose address is not its own.
    private static final String SPEC =
            """
            replicas: 3
            config: {heartbeatTimeoutMillis: "2000", quorumListenOnAllIPs: "true"}
            tls:
              peer: {secretName: orders-peer}
              client: {secretName: orders-client, mode: Required, clientAuth: Want}
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
            clientsRefused(forClients);
            membersRefused(peers);
            impostorRefused();
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

        /// {@return a certificate for this name, of an authority of the same name}
        private Map<String, String> otherAuthority(String name) throws IOException {
            return new Certificates(story.folder().resolve("others")).sign(name);
        }

        private Caller caller(Map<String, String> trusted, @Nullable Map<String, String> own) {
            return new Caller(story.client(), story.namespace(), trusted, own);
        }

        private static boolean greets(Caller caller, int port) {
            try {
                caller.greet(NAME + "-0", port);
                return true;
            } catch (IOException | GeneralSecurityException e) {
                return false;
            }
        }

        private static void greeted(Caller caller, int port) {
            Await.until(
                    "the right certificate to be accepted",
                    Story.PATIENCE,
                    () -> greets(caller, port) ? "" : "it is not");
        }

        private void clientsRefused(Map<String, String> forClients) throws IOException {
            Map<String, String> others = otherAuthority(host());
            assertThrows(SSLException.class, () -> shown(others), "a client sees a foreign one");
            greeted(caller(forClients, forClients), SECURE_PORT);
            assertFalse(greets(caller(forClients, others), SECURE_PORT), "a foreign certificate");
            greeted(caller(forClients, forClients), SECURE_PORT);
            for (int port : new int[] {PLAIN_PORT, SECURE_PORT}) {
                String answer = caller(forClients, null).askPlainly(NAME + "-0", port);
                assertFalse(answer.contains("Zookeeper"), answer);
            }
            story.report()
                    .say("clients refused: with a foreign certificate, and without TLS at all");
        }

        private void membersRefused(Map<String, String> peers) throws IOException {
            Map<String, String> others =
                    otherAuthority("*.%s-peers.%s.svc".formatted(NAME, story.namespace()));
            greeted(caller(peers, peers), PEER_PORT);
            assertFalse(greets(caller(peers, others), PEER_PORT), "a foreign certificate");
            assertFalse(greets(caller(peers, null), PEER_PORT), "no certificate");
            greeted(caller(peers, peers), PEER_PORT);
            assertEquals("", caller(peers, null).askPlainly(NAME + "-0", PEER_PORT));
            story.report()
                    .say(
                            "refused at the members' port: a foreign certificate, none, and no TLS"
                                    + " at all");
        }

        /// A pod with the members' image, file and authority says that it is one of them.
        private void impostorRefused() {
            secret("impostor", authority.sign(STRANGER));
            Pod member =
                    story.client()
                            .pods()
                            .inNamespace(story.namespace())
                            .withName(NAME + "-1")
                            .require();
            PodSpec spec =
                    new PodSpecBuilder(member.getSpec())
                            .withNodeName(null)
                            .withHostname(null)
                            .withSubdomain(null)
                            .editMatchingVolume(each -> each.getName().equals("data"))
                            .withPersistentVolumeClaim(null)
                            .withNewEmptyDir()
                            .endEmptyDir()
                            .endVolume()
                            .editMatchingVolume(each -> each.getName().equals("tls-peer"))
                            .editSecret()
                            .withSecretName("impostor")
                            .endSecret()
                            .endVolume()
                            .build();
            story.client()
                    .resource(
                            new PodBuilder()
                                    .withNewMetadata()
                                    .withName("impostor")
                                    .withNamespace(story.namespace())
                                    .addToLabels("apps.kubernetes.io/pod-index", "1")
                                    .endMetadata()
                                    .withSpec(spec)
                                    .build())
                    .create();
            refused("member 2 is linked with another disk");
            // While the real one is away, its certificate is what tells.
            story.faults().deleteAtOnce(NAME + "-1");
            refused("the certificate of member 2 is for " + STRANGER);
            story.client()
                    .pods()
                    .inNamespace(story.namespace())
                    .withName("impostor")
                    .withGracePeriod(0)
                    .delete();
            Await.until("all well afterwards", Story.PATIENCE, () -> ensemble.missingForCalm(3));
            assertEquals(3, ensemble.voters());
            story.report().say("a pod with the certificate of another name is no member");
        }

        /// Waits until the impostor says why others refuse it.
        private void refused(String why) {
            Await.until(
                    "the impostor to be told: " + why,
                    Story.PATIENCE,
                    () -> {
                        String log = story.kubectl("logs", "impostor");
                        return log.contains(why) ? "" : "its log: " + log;
                    });
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
            return caller(trusted, null).ask(NAME + "-0", SECURE_PORT);
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
