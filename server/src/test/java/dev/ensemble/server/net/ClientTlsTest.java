package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.auth.X509;
import dev.ensemble.server.tls.Authority;
import dev.ensemble.server.tls.ClientAuth;
import dev.ensemble.server.tls.Tls;
import dev.ensemble.server.tls.TlsSettings;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// TLS with clients: ZooKeeper's own Java client, and sockets that do what it would not.
@Timeout(120)
final class ClientTlsTest {
    private static final InetSocketAddress ANY_PORT =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String[] HERE = {"ip:127.0.0.1", "dns:localhost"};
    private static final String ALICE = "CN=alice,O=tests";

    @TempDir private Path folder = Path.of("");

    private final List<AutoCloseable> open = new ArrayList<>();
    private Authority authority;
    private ServedClients served;
    private final LinkedBlockingQueue<String> log = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() throws Exception {
        authority = new Authority("authority");
        authority.pem(folder.resolve("trusted.pem"));
        authority.issue("CN=server", HERE).pem(folder.resolve("server.pem"));
        authority.issue(ALICE, "uri:zk://alice").store(folder.resolve("alice.p12"), "PKCS12", "pw");
        authority.trustStore(folder.resolve("trusted.jks"), "JKS", "trusted");
        served = served(new X509(null, null));
        listenToLog();
    }

    private ServedClients served(X509 x509) throws IOException {
        var schemes = new Schemes(false, new Digest("SHA1", null), x509, null, null, Set.of());
        var all = new ServedClients(ServedClients.SETTINGS, true, schemes);
        open.add(all);
        return all;
    }

    private void listenToLog() {
        var logger = (Logger) LoggerFactory.getLogger(ClientFrames.class);
        var appender =
                new AppenderBase<ILoggingEvent>() {
                    @Override
                    protected void append(ILoggingEvent event) {
                        log.add(event.getFormattedMessage() + " " + event.getKeyValuePairs());
                    }
                };
        appender.setContext(logger.getLoggerContext());
        appender.start();
        logger.addAppender(appender);
        logger.setLevel(Level.INFO);
        open.add(() -> logger.detachAppender(appender));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private TlsSettings settings(ClientAuth clientAuth) {
        return new TlsSettings(
                "ssl.",
                store("ssl.keyStore.", "server.pem", "PEM", null),
                store("ssl.trustStore.", "trusted.pem", "PEM", null),
                List.of("TLSv1.3", "TLSv1.2"),
                List.of(),
                clientAuth,
                false,
                false,
                true,
                false,
                5000,
                0,
                true);
    }

    private TlsSettings.Store store(
            String key, String file, String type, @Nullable String password) {
        return new TlsSettings.Store(key, folder.resolve(file), type, password, null);
    }

    private int listen(TlsSettings settings, boolean plainToo) throws Exception {
        return listen(Tls.load(settings), plainToo);
    }

    private int listen(Tls tls, boolean plainToo) throws Exception {
        return served.server.bind(ANY_PORT, tls, plainToo).getPort();
    }

    private ZKClientConfig secure(boolean withKey) {
        var config = new ZKClientConfig();
        config.setProperty(
                ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET,
                "org.apache.zookeeper.ClientCnxnSocketNetty");
        config.setProperty(ZKClientConfig.SECURE_CLIENT, "true");
        config.setProperty(
                "zookeeper.ssl.trustStore.location", folder.resolve("trusted.jks").toString());
        config.setProperty("zookeeper.ssl.trustStore.password", "trusted");
        if (withKey) {
            config.setProperty(
                    "zookeeper.ssl.keyStore.location", folder.resolve("alice.p12").toString());
            config.setProperty("zookeeper.ssl.keyStore.password", "pw");
        }
        return config;
    }

    private ZooKeeper client(int port, ZKClientConfig config) throws Exception {
        var connected = new CountDownLatch(1);
        var zk =
                new ZooKeeper(
                        "127.0.0.1:" + port,
                        20_000,
                        event -> {
                            if (event.getState() == KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        },
                        config);
        open.add(zk);
        assertTrue(connected.await(60, TimeUnit.SECONDS), "the client does not connect");
        return zk;
    }

    /// A TLS connection with the keys of `alice.p12`, or without.
    private SSLSocket socket(int port, boolean withKey) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve("alice.p12"))) {
            keys.load(in, "pw".toCharArray());
        }
        var keyManagers = KeyManagerFactory.getInstance("SunX509");
        keyManagers.init(keys, "pw".toCharArray());
        KeyStore trusted = KeyStore.getInstance("JKS");
        try (InputStream in = Files.newInputStream(folder.resolve("trusted.jks"))) {
            trusted.load(in, "trusted".toCharArray());
        }
        var trustManagers = TrustManagerFactory.getInstance("PKIX");
        trustManagers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                withKey ? keyManagers.getKeyManagers() : null,
                trustManagers.getTrustManagers(),
                null);
        var socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
        socket.setSoTimeout(60_000);
        open.add(socket);
        return socket;
    }

    private static String ask(Socket socket, String word) throws IOException {
        socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String logged(String part) throws InterruptedException {
        while (true) {
            String line = log.poll(60, TimeUnit.SECONDS);
            assertNotNull(line, "nothing is logged of " + part);
            if (line.contains(part)) {
                return line;
            }
        }
    }

    @Test
    void theStockClientIsWhoItsCertificateSays() throws Exception {
        ZooKeeper zk = client(listen(settings(ClientAuth.NEED), false), secure(true));
        var x509 = zk.whoAmI().stream().filter(each -> each.getAuthScheme().equals("x509"));
        assertEquals(List.of(ALICE), x509.map(ClientInfo::getUser).toList());
        // The client looks for null in it, which an immutable list does not stand.
        List<ACL> own = Arrays.asList(new ACL(ZooDefs.Perms.ALL, new Id("x509", ALICE)));
        byte[] large = new byte[500_000];
        zk.create("/own", large, own, CreateMode.PERSISTENT);
        assertEquals(large.length, zk.getData("/own", false, null).length);
        ZooKeeper plain = client(served.address.getPort(), new ZKClientConfig());
        assertThrows(
                KeeperException.NoAuthException.class, () -> plain.getData("/own", false, null));
        zk.create("/auth", large, ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        assertEquals(own.getFirst().getId(), zk.getACL("/auth", null).getFirst().getId());
    }

    @Test
    void theSuperUserMayDoAnything() throws Exception {
        served = served(new X509(ALICE, null));
        ZooKeeper zk = client(listen(settings(ClientAuth.NEED), false), secure(true));
        List<ACL> nobody = Arrays.asList(new ACL(0, ZooDefs.Ids.ANYONE_ID_UNSAFE));
        zk.create("/a", new byte[0], nobody, CreateMode.PERSISTENT);
        zk.setData("/a", new byte[1], -1);
    }

    @Test
    void plaintextAndTlsShareAPort() throws Exception {
        int port = listen(settings(ClientAuth.NEED), true);
        ZooKeeper secure = client(port, secure(true));
        ZooKeeper plain = client(port, new ZKClientConfig());
        secure.create("/a", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        plain.sync("/a", (_, _, _) -> {}, null);
        assertNotNull(plain.exists("/a", false));
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertEquals("imok", ask(socket, "ruok"));
        }
        assertEquals("imok", ask(socket(port, true), "ruok"));
    }

    @Test
    void aStrangersCertificateIsRefusedAndTheReasonLogged() throws Exception {
        int port = listen(settings(ClientAuth.NEED), false);
        // Of the same name, or the client would not even try.
        new Authority("authority").issue(ALICE).store(folder.resolve("alice.p12"), "PKCS12", "pw");
        SSLSocket stranger = socket(port, true);
        assertThrows(IOException.class, () -> fail(stranger));
        String line = logged("a client's TLS handshake failed");
        assertTrue(line.contains("PKIX path"), line);
    }

    private static void fail(SSLSocket socket) throws IOException {
        String answer = ask(socket, "ruok");
        if (answer.isEmpty()) {
            throw new IOException("closed without an answer");
        }
    }

    @Test
    void aMissingCertificateIsRefusedOnlyIfOneIsNeeded() throws Exception {
        SSLSocket refused = socket(listen(settings(ClientAuth.NEED), false), false);
        assertThrows(IOException.class, () -> fail(refused));
        assertTrue(logged("handshake failed").toLowerCase(java.util.Locale.ROOT).contains("empty"));
        SSLSocket wanted = socket(listen(settings(ClientAuth.WANT), false), false);
        assertEquals("imok", ask(wanted, "ruok"));
        SSLSocket unasked = socket(listen(settings(ClientAuth.NONE), false), false);
        assertEquals("imok", ask(unasked, "ruok"));
    }

    @Test
    void plaintextOnATlsPortIsClosed() throws Exception {
        int port = listen(settings(ClientAuth.NEED), false);
        try (var raw = new Socket(InetAddress.getLoopbackAddress(), port)) {
            raw.setSoTimeout(60_000);
            raw.getOutputStream().write("ruok\n\n".getBytes(StandardCharsets.US_ASCII));
            // At most an alert, and no answer.
            byte[] told = raw.getInputStream().readAllBytes();
            assertTrue(told.length <= 7, () -> new String(told, StandardCharsets.UTF_8));
        }
        logged("it speaks plaintext where TLS is spoken");
    }

    @Test
    void changedCertificatesAreUsedWithoutARestart() throws Exception {
        Tls tls = Tls.load(settings(ClientAuth.NEED));
        int port = listen(tls, false);
        ZooKeeper connected = client(port, secure(true));
        BigInteger first = serial(port);
        authority.issue("CN=server", HERE).pem(folder.resolve("next.pem"));
        Files.writeString(folder.resolve("server.pem"), "-----BEGIN CERTIFICATE-----\nhalf");
        tls.look();
        assertNotNull(tls.refused());
        assertEquals(first, serial(port), "what was there before stays in use");
        Files.copy(
                folder.resolve("next.pem"),
                folder.resolve("server.pem"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        tls.look();
        assertNull(tls.refused());
        assertNotEquals(first, serial(port));
        assertNotNull(connected.exists("/", false), "a connection outlives the reload");
    }

    private BigInteger serial(int port) throws Exception {
        try (SSLSocket socket = socket(port, true)) {
            socket.startHandshake();
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSerialNumber();
        }
    }

    @Test
    void aRevokedCertificateIsRefused() throws Exception {
        Authority.Issued revoked = authority.issue(ALICE);
        authority.pemWithout(folder.resolve("trusted.pem"), List.of(revoked.certificate()));
        TlsSettings from = settings(ClientAuth.NEED);
        int port =
                listen(
                        new TlsSettings(
                                from.prefix(),
                                from.keyStore(),
                                from.trustStore(),
                                from.protocols(),
                                from.ciphers(),
                                from.clientAuth(),
                                true,
                                false,
                                true,
                                false,
                                5000,
                                0,
                                false),
                        false);
        assertEquals("imok", ask(socket(port, true), "ruok"));
        revoked.store(folder.resolve("alice.p12"), "PKCS12", "pw");
        SSLSocket socket = socket(port, true);
        assertThrows(IOException.class, () -> fail(socket));
        assertTrue(logged("handshake failed").contains("revoked"));
    }

    @Test
    void handshakesThatDoNotEndAreLimited() throws Exception {
        TlsSettings from = settings(ClientAuth.NEED);
        Tls tls =
                Tls.load(
                        new TlsSettings(
                                from.prefix(),
                                from.keyStore(),
                                from.trustStore(),
                                List.of("TLSv1.2"),
                                List.of(),
                                from.clientAuth(),
                                false,
                                false,
                                true,
                                false,
                                5000,
                                1,
                                false));
        int port = listen(tls, false);
        try (var silent = new Socket(InetAddress.getLoopbackAddress(), port)) {
            while (tls.handshakes() == 0) {
                Thread.onSpinWait();
            }
            try (var second = new Socket(InetAddress.getLoopbackAddress(), port)) {
                second.setSoTimeout(60_000);
                assertEquals(-1, second.getInputStream().read());
            }
            assertEquals(1, tls.exceeded());
            assertTrue(silent.isConnected());
            client(served.address.getPort(), new ZKClientConfig());
        }
        while (tls.handshakes() > 0) {
            Thread.onSpinWait();
        }
        SSLSocket socket = socket(port, true);
        assertEquals("imok", ask(socket, "ruok"));
        assertEquals("TLSv1.2", socket.getSession().getProtocol());
        SSLSocket newer = socket(port, true);
        newer.setEnabledProtocols(new String[] {"TLSv1.3"});
        assertThrows(SSLException.class, newer::startHandshake);
    }
}
