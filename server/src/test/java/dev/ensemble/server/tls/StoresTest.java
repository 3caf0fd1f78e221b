package dev.ensemble.server.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// Key and trust stores: every type, and what is said of one that cannot be used.
final class StoresTest {
    @TempDir private Path folder = Path.of("");
    private Authority authority;
    private Authority.Issued issued;

    @BeforeEach
    void makeStores() throws Exception {
        authority = new Authority("authority");
        issued = authority.issue("CN=server", "dns:localhost");
        issued.pem(folder.resolve("own.pem"));
        issued.pair(folder, "tls");
        issued.store(folder.resolve("own.jks"), "JKS", "secret");
        issued.store(folder.resolve("own.p12"), "PKCS12", "secret");
        authority.pem(folder.resolve("trusted.pem"));
        authority.trustStore(folder.resolve("trusted.jks"), "JKS", "secret");
        authority.trustStore(folder.resolve("trusted.p12"), "PKCS12", "secret");
        Files.writeString(folder.resolve("password"), "secret\n");
    }

    private TlsSettings settings(TlsSettings.Store keys, TlsSettings.@Nullable Store trusted) {
        return new TlsSettings(
                "ssl.",
                keys,
                trusted,
                List.of("TLSv1.3"),
                List.of(),
                trusted == null ? ClientAuth.NONE : ClientAuth.NEED,
                false,
                false,
                true,
                false,
                5000,
                0,
                false);
    }

    private TlsSettings.Store store(
            String key, String file, String type, @Nullable String password) {
        return new TlsSettings.Store(key, folder.resolve(file), type, password, null);
    }

    private String refusal(TlsSettings settings) {
        String message = assertThrows(TlsFailure.class, () -> Tls.load(settings)).getMessage();
        assertFalse(Objects.requireNonNull(message).contains("secret"), message);
        return message;
    }

    @ParameterizedTest
    @CsvSource({
        "own.pem, PEM, trusted.pem, PEM,",
        "tls.crt, PEM, trusted.pem, PEM,",
        "own.jks, JKS, trusted.jks, JKS, secret",
        "own.p12, PKCS12, trusted.p12, PKCS12, secret",
        "own.p12, PKCS12, trusted.pem, PEM, secret",
    })
    void eachTypeIsRead(
            String keys, String keyType, String trusted, String trustType, String password)
            throws Exception {
        Tls tls =
                Tls.load(
                        settings(
                                store("ssl.keyStore.", keys, keyType, password),
                                store("ssl.trustStore.", trusted, trustType, password)));
        assertEquals(issued.certificate(), tls.certificate());
    }

    @Test
    void aPasswordCanBeInAFile() throws Exception {
        var fromFile =
                new TlsSettings.Store(
                        "ssl.keyStore.",
                        folder.resolve("own.p12"),
                        "PKCS12",
                        "not this one",
                        folder.resolve("password"));
        assertEquals(issued.certificate(), Tls.load(settings(fromFile, null)).certificate());
        var missing =
                new TlsSettings.Store(
                        "ssl.keyStore.",
                        folder.resolve("own.p12"),
                        "PKCS12",
                        null,
                        folder.resolve("nowhere"));
        assertEquals(
                "ssl.keyStore.passwordPath="
                        + folder.resolve("nowhere")
                        + " cannot be used: the file does not exist",
                refusal(settings(missing, null)));
    }

    @Test
    void aPrivateKeyMayBeEncrypted() throws Exception {
        issued.encryptedPem(folder.resolve("own.pem"), "secret");
        assertEquals(
                issued.certificate(),
                Tls.load(settings(store("ssl.keyStore.", "own.pem", "PEM", "secret"), null))
                        .certificate());
        assertTrue(
                refusal(settings(store("ssl.keyStore.", "own.pem", "PEM", "sekret"), null))
                        .contains("the password of the private key is wrong"));
    }

    @ParameterizedTest
    @CsvSource({"own.jks, JKS", "own.p12, PKCS12"})
    void aWrongPasswordIsSaid(String file, String type) {
        assertEquals(
                "ssl.keyStore.location="
                        + folder.resolve(file)
                        + " cannot be used: the password in ssl.keyStore.password is wrong",
                refusal(settings(store("ssl.keyStore.", file, type, "sekret"), null)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PEM", "JKS", "PKCS12"})
    void aMissingFileIsSaid(String type) {
        assertEquals(
                "ssl.keyStore.location="
                        + folder.resolve("nowhere")
                        + " cannot be used: the file does not exist (read as "
                        + type
                        + ")",
                refusal(settings(store("ssl.keyStore.", "nowhere", type, "secret"), null)));
    }

    @Test
    void whatHasNoKeyIsNoKeyStore() throws Exception {
        assertTrue(
                refusal(settings(store("ssl.keyStore.", "trusted.pem", "PEM", null), null))
                        .endsWith("there is no private key in it"));
        assertTrue(
                refusal(settings(store("ssl.keyStore.", "trusted.p12", "PKCS12", "secret"), null))
                        .endsWith("there is no private key in it"));
        Files.writeString(
                folder.resolve("old.pem"),
                Authority.block("EC PRIVATE KEY", new byte[] {1})
                        + Authority.block("CERTIFICATE", issued.certificate().getEncoded()));
        assertTrue(
                refusal(settings(store("ssl.keyStore.", "old.pem", "PEM", null), null))
                        .contains("openssl pkcs8 -topk8"));
    }

    @Test
    void aKeyMustFitToItsCertificate() throws Exception {
        authority.issue("CN=server").pair(folder, "other");
        Files.copy(
                folder.resolve("other.key"),
                folder.resolve("tls.key"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertTrue(
                refusal(settings(store("ssl.keyStore.", "tls.crt", "PEM", null), null))
                        .endsWith("its private key does not belong to its first certificate"));
    }

    @Test
    void anEmptyTrustStoreIsRefused() throws Exception {
        Files.writeString(folder.resolve("trusted.pem"), "nothing\n");
        assertEquals(
                "ssl.trustStore.location="
                        + folder.resolve("trusted.pem")
                        + " cannot be used: there is no certificate in it",
                refusal(
                        settings(
                                store("ssl.keyStore.", "own.pem", "PEM", null),
                                store("ssl.trustStore.", "trusted.pem", "PEM", null))));
    }

    @Test
    void unknownProtocolsAndCiphersAreNamed() {
        TlsSettings from = settings(store("ssl.keyStore.", "own.pem", "PEM", null), null);
        assertTrue(
                refusal(with(from, List.of("TLSv1.3", "TLSv9"), List.of()))
                        .startsWith(
                                "ssl.enabledProtocols=TLSv1.3,TLSv9 cannot be used: TLSv9 is"
                                        + " unknown; this Java knows"));
        assertTrue(
                refusal(with(from, List.of("TLSv1.3"), List.of("TLS_NONE")))
                        .startsWith("ssl.ciphersuites=TLS_NONE cannot be used"));
    }

    private static TlsSettings with(
            TlsSettings from, List<String> protocols, List<String> ciphers) {
        return new TlsSettings(
                from.prefix(),
                from.keyStore(),
                from.trustStore(),
                protocols,
                ciphers,
                from.clientAuth(),
                from.crl(),
                from.ocsp(),
                from.verifyServer(),
                from.verifyClient(),
                from.detectionMillis(),
                from.maxHandshakes(),
                from.reload());
    }

    @ParameterizedTest
    @CsvSource({
        "dns:zk-1.example, zk-1.example, true",
        "dns:zk-1.example, ZK-1.Example., true",
        "dns:zk-1.example, zk-2.example, false",
        "dns:*.zk.example, zk-1.zk.example, true",
        "dns:*.zk.example, a.zk-1.zk.example, false",
        "dns:*.zk.example, zk.example, false",
        "ip:10.0.0.1, 10.0.0.1, true",
        "ip:10.0.0.1, 10.0.0.2, false",
        "dns:10.0.0.1, 10.0.0.1, false",
        "uri:ensemble://e/1, server, false",
        ", server, true",
        ", other, false",
    })
    void aCertificateIsForTheHostsThatItNames(String name, String host, boolean matches)
            throws Exception {
        var certificate =
                name == null
                        ? issued("CN=server,O=tests")
                        : authority.issue("CN=server,O=tests", name).certificate();
        assertEquals(matches, CertificateNames.of(certificate).hasHost(host));
    }

    private java.security.cert.X509Certificate issued(String subject) throws Exception {
        return authority.issue(subject).certificate();
    }
}
