package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.auth.Sasl;
import dev.ensemble.server.tls.ClientAuth;
import dev.ensemble.server.tls.TlsSettings;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;

/// The keys of TLS and of authentication.
final class SecurityConfigTest {
    private static final String STORES =
            """
            secureClientPort=2281
            ssl.keyStore.location=/tls/own.p12
            ssl.keyStore.password=secret
            ssl.trustStore.location=/tls/ca.crt
            """;

    @TempDir private Path dir = Path.of("");

    private Config load(String lines) throws IOException, InvalidConfig {
        Path file = dir.resolve("zoo.cfg");
        Files.writeString(file, "dataDir=" + dir + "\n" + lines);
        return Config.load(file, OptionalInt.empty());
    }

    private String refusal(String lines) {
        String message = assertThrows(InvalidConfig.class, () -> load(lines)).getMessage();
        assertFalse(Objects.requireNonNull(message).contains("\n"), message);
        assertFalse(message.contains("secret"), message);
        return message;
    }

    private static TlsSettings clients(Config config) {
        return Objects.requireNonNull(config.tls().clients());
    }

    @Test
    void nothingIsEncryptedUnlessAsked() throws Exception {
        assertEquals(
                new Config.Tls(null, false, null, false, false, null, Config.Https.NONE, false),
                load("clientPort=2181\n").tls());
    }

    @Test
    void aMemberMayBeWithoutAPortForPlaintext() throws Exception {
        String own = "secureClientPortOnly=true\nclientPort=2181\n";
        assertNull(load(STORES + own).clients().endpoint());
        assertEquals(
                "secureClientPortOnly=true is not valid: secureClientPort is not set beside it",
                refusal(own));
        assertEquals(
                "secureClientPortOnly=true is not valid: client.portUnification is true beside it",
                refusal(STORES + own + "client.portUnification=true\n"));
    }

    @Test
    void eachMemberMayHaveAFileOfItsOwn() throws Exception {
        Path file = dir.resolve("zoo.cfg");
        Files.writeString(
                file,
                "dataDir="
                        + dir
                        + "\nserver.1=a:1:2;3\nserver.2=b:1:2;3\nsecureClientPort=2281\n"
                        + "initLimit=5\nsyncLimit=5\nssl.clientAuth=none\n"
                        + "ssl.keyStore.location=/tls/{myid}.pem\n");
        assertEquals(
                Path.of("/tls/2.pem"),
                clients(Config.load(file, OptionalInt.of(2))).keyStore().location());
    }

    @Test
    void theTlsPortHasTheDefaultsOfZooKeeper() throws Exception {
        Config config = load(STORES);
        assertNull(config.clients().endpoint());
        assertEquals(new Endpoint("0.0.0.0", 2281), config.tls().secure());
        assertEquals(
                new TlsSettings(
                        "ssl.",
                        new TlsSettings.Store(
                                "ssl.keyStore.", Path.of("/tls/own.p12"), "PKCS12", "secret", null),
                        new TlsSettings.Store(
                                "ssl.trustStore.", Path.of("/tls/ca.crt"), "PEM", null, null),
                        List.of("TLSv1.3", "TLSv1.2"),
                        List.of(),
                        ClientAuth.NEED,
                        false,
                        false,
                        true,
                        false,
                        5000,
                        0,
                        false),
                clients(config));
        assertEquals(List.of(), config.warnings());
        assertNotNull(config.auth().x509(), "certificates are identities");
        assertFalse(config.text().contains("secret"), config.text());
        assertFalse(clients(config).toString().contains("secret"));
    }

    @Test
    void everyKeyCounts() throws Exception {
        Config config =
                load(
                        """
                        clientPort=2181
                        client.portUnification=true
                        zookeeper.client.certReload=true
                        zookeeper.ssl.keyStore.location=/tls/keys
                        zookeeper.ssl.keyStore.type=jks
                        zookeeper.ssl.keyStore.passwordPath=/tls/password
                        ssl.clientAuth=none
                        ssl.protocol=TLSv1.2
                        ssl.ciphersuites=TLS_A, TLS_B
                        ssl.crl=true
                        ssl.ocsp=true
                        ssl.hostnameVerification=false
                        ssl.handshakeDetectionTimeoutMillis=7
                        netty.server.outstandingHandshake.limit=9
                        """);
        assertTrue(config.tls().unified());
        assertEquals(
                new TlsSettings(
                        "ssl.",
                        new TlsSettings.Store(
                                "ssl.keyStore.",
                                Path.of("/tls/keys"),
                                "JKS",
                                null,
                                Path.of("/tls/password")),
                        null,
                        List.of("TLSv1.2"),
                        List.of("TLS_A", "TLS_B"),
                        ClientAuth.NONE,
                        true,
                        true,
                        false,
                        false,
                        7,
                        9,
                        true),
                clients(config));
    }

    @Test
    void membersHaveStoresOfTheirOwn() throws Exception {
        Config config =
                load(
                        """
                        clientPort=2181
                        sslQuorum=true
                        sslQuorumReloadCertFiles=true
                        ssl.quorum.keyStore.location=/tls/tls.crt
                        ssl.quorum.trustStore.location=/tls/ca.pem
                        admin.portUnification=true
                        """);
        TlsSettings members = Objects.requireNonNull(config.tls().members());
        assertNull(config.tls().clients());
        assertTrue(config.tls().quorum());
        assertFalse(config.tls().quorumBoth());
        assertTrue(members.reload());
        assertTrue(members.verifyServer());
        assertTrue(members.verifyClient());
        assertEquals(Config.Https.BOTH, config.tls().admin());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    secureClientPort=x|secureClientPort=x is not valid: it must be a whole number from 0 to 65535
                    ssl.keyStore.type=BCFKS|ssl.keyStore.type=BCFKS is not valid: it must be JKS or PEM or PKCS12
                    ssl.keyStore.location=/tls/own|ssl.keyStore.location=/tls/own is not valid: its ending does not say what it is; set ssl.keyStore.type to JKS or PEM or PKCS12
                    ssl.clientAuth=maybe|ssl.clientAuth=maybe is not valid: it must be need or want or none
                    ssl.crl=yes|ssl.crl=yes is not valid: it must be true or false
                    ssl.trustStore.location=|ssl.trustStore.location is not set: it must be a file with the certificates of those who are trusted, or ssl.clientAuth must be none
                    ssl.keyStore.location=|ssl.keyStore.location is not set: TLS needs a file with a private key and its certificate
                    ssl.context.supplier.class=a.B|ssl.context.supplier.class=a.B is not valid: classes of others are not loaded; remove the line and give key and trust stores
                    ssl.authProvider=custom|ssl.authProvider=custom is not valid: it must be x509
                    client.portUnification=true|client.portUnification=true is not valid: clientPort is not set beside it
                    sslQuorum=true|ssl.quorum.keyStore.location is not set: TLS needs a file with a private key and its certificate
                    X509AuthenticationProvider.clientCertIdType=CN|X509AuthenticationProvider.clientCertIdType=CN is not valid: it must be SAN, or the line be removed for the subject
                    """)
    void aBadValueIsNamedWithWhatIsValid(String line, String expected) {
        assertEquals(expected, refusal(STORES + line));
    }

    @Test
    void anAddressNeedsItsPort() {
        assertEquals(
                "secureClientPortAddress=10.0.0.1 is not valid: secureClientPort is not set beside"
                        + " it",
                refusal("clientPort=2181\nsecureClientPortAddress=10.0.0.1\n"));
    }

    // Authentication.

    private String jaas(String text) throws IOException {
        return "clientPort=2181\njava.security.auth.login.config="
                + Files.writeString(dir.resolve("jaas.conf"), text)
                + "\n";
    }

    private String users() throws IOException {
        return jaas(
                """
                Server {
                  org.apache.zookeeper.server.auth.DigestLoginModule required
                  user_super="adminsecret"
                  user_bob="bobsecret";
                };
                """);
    }

    @Test
    void usersAreInAJaasFile() throws Exception {
        Config config =
                load(
                        users()
                                + "superUser=super\nsuperUser.1=root\nletAnySaslUserDoX=any\n"
                                + "sessionRequireClientSASLAuth=true\n");
        Sasl sasl = Objects.requireNonNull(config.auth().sasl());
        assertEquals(Map.of("super", "adminsecret", "bob", "bobsecret"), sasl.users());
        assertEquals(Set.of("super", "root"), sasl.superUsers());
        assertEquals("any", sasl.anyone());
        assertEquals(Set.of("sasl"), config.auth().enforced());
        assertEquals(List.of(), config.warnings());
    }

    @Test
    void aJaasFileMustSayWhoMayCome() throws Exception {
        assertEquals(
                "java.security.auth.login.config=/nowhere is not valid: it must be a JAAS file"
                        + " that can be read",
                refusal("clientPort=2181\njava.security.auth.login.config=/nowhere\n"));
        String file = "java.security.auth.login.config=" + dir.resolve("jaas.conf");
        String other = jaas("Other { a.B required; };\n");
        assertEquals(
                file + " is not valid: it must have a section Mine",
                refusal(other + "sasl.serverconfig=Mine\n"));
        Config clientOnly = load(other);
        assertNull(clientOnly.auth().sasl());
        assertEquals(
                List.of(file + " has no section Server: nobody can use SASL here"),
                clientOnly.warnings());
        assertTrue(
                refusal(jaas("Server { a.B required; };\n"))
                        .contains("the section Server names a.B, where only"));
        assertTrue(refusal(jaas("Server {\n")).startsWith(file + " is not valid: it must be"));
        assertTrue(refusal(users() + "fips-mode=true\n").startsWith("fips-mode=true is not valid"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sessionRequireClientSASLAuth=true",
                "enforce.auth.enabled=true\nenforce.auth.schemes=sasl",
                "enforce.auth.enabled=true\nenforce.auth.schemes=digest,nosuch",
                "enforce.auth.enabled=true",
                "authProvider.1=org.apache.zookeeper.server.auth.KeyAuthenticationProvider",
            })
    void whatNobodyCouldSatisfyIsRefused(String lines) {
        assertTrue(refusal("clientPort=2181\n" + lines).contains("must be"));
    }

    @Test
    void providersOfZooKeeperAreBuiltIn() throws Exception {
        String package_ = "org.apache.zookeeper.server.auth.";
        Config.Auth auth =
                load("clientPort=2181\nauthProvider.1="
                                + package_
                                + "X509AuthenticationProvider\nauthProvider.sasl="
                                + package_
                                + "SASLAuthenticationProvider\nauthProvider.3="
                                + package_
                                + "EnsembleAuthenticationProvider\n"
                                + "ensembleAuthName=a, b\nenforce.auth.enabled=true\n"
                                + "enforce.auth.schemes=x509,digest\n")
                        .auth();
        assertNotNull(auth.x509());
        assertNull(Objects.requireNonNull(auth.sasl()).users());
        assertEquals(Set.of("a", "b"), auth.ensembles());
        assertEquals(Set.of("digest", "x509"), auth.enforced());
    }
}
