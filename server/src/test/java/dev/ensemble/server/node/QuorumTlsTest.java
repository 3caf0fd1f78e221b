package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import dev.ensemble.server.tls.Authority;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Predicate;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// TLS between three members in this process, and on their admin ports.
@Timeout(240)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class QuorumTlsTest {
    private static final int SIZE = 3;

    @TempDir private Path folder = Path.of("");

    private final ServerNode[] nodes = new ServerNode[SIZE + 1];
    private int[] peerPorts;
    private int[] clientPorts;

    @BeforeEach
    void makeKeys() throws Exception {
        var authority = new Authority("authority");
        authority.pem(folder.resolve("ca.pem"));
        authority.trustStore(folder.resolve("ca.jks"), "JKS", "secret");
        for (int myid = 1; myid <= SIZE; myid++) {
            authority.issue("CN=zk-" + myid, "ip:127.0.0.1").pair(folder, "zk-" + myid);
        }
        authority.issue("CN=admin").store(folder.resolve("admin.p12"), "PKCS12", "secret");
        peerPorts = freePorts();
        clientPorts = freePorts();
    }

    private static int[] freePorts() throws IOException {
        int[] ports = new int[SIZE + 1];
        List<ServerSocket> sockets = new ArrayList<>();
        for (int i = 1; i <= SIZE; i++) {
            sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            ports[i] = sockets.getLast().getLocalPort();
        }
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return ports;
    }

    @AfterEach
    void stop() {
        for (ServerNode node : nodes) {
            if (node != null) {
                node.close();
            }
        }
    }

    private void start(int myid, String tls) throws Exception {
        var text = new StringBuilder();
        text.append("dataDir=").append(folder.resolve("d" + myid)).append('\n');
        text.append(
                """
                tickTime=500
                initLimit=60
                syncLimit=20
                heartbeatTimeoutMillis=5000
                admin.serverAddress=127.0.0.1
                admin.serverPort=0
                """);
        for (int i = 1; i <= SIZE; i++) {
            text.append("server.").append(i).append("=127.0.0.1:").append(peerPorts[i]);
            text.append(":1:participant;127.0.0.1:").append(clientPorts[i]).append('\n');
        }
        text.append("ssl.quorum.keyStore.location=")
                .append(folder.resolve("zk-{myid}.crt"))
                .append('\n');
        text.append("ssl.quorum.trustStore.location=")
                .append(folder.resolve("ca.pem"))
                .append('\n');
        text.append(tls);
        Path file = Files.writeString(folder.resolve("zoo-" + myid + ".cfg"), text);
        nodes[myid] = ServerNode.start(Config.load(file, OptionalInt.of(myid)));
    }

    private void write(ZooKeeper zk, String path) throws Exception {
        while (true) {
            try {
                zk.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                return;
            } catch (KeeperException.ConnectionLossException
                    | KeeperException.SessionExpiredException e) {
                // With the next member.
            } catch (KeeperException.NodeExistsException e) {
                return;
            }
        }
    }

    /// Waits until the member serves and has seen a write.
    private void awaitPath(int myid, String path) throws Exception {
        try (var zk = new ZooKeeper("127.0.0.1:" + clientPorts[myid], 30_000, _ -> {})) {
            while (true) {
                try {
                    if (zk.exists(path, false) != null) {
                        return;
                    }
                } catch (KeeperException.ConnectionLossException e) {
                    // It does not serve yet.
                }
            }
        }
    }

    /// {@return who shows a certificate at the member's port for others}
    private String speaker(int myid) throws Exception {
        try (var socket =
                (SSLSocket)
                        context(true)
                                .getSocketFactory()
                                .createSocket(InetAddress.getLoopbackAddress(), peerPorts[myid])) {
            socket.setSoTimeout(60_000);
            socket.startHandshake();
            return socket.getSession().getPeerPrincipal().getName();
        }
    }

    @Test
    void anEnsembleMovesToTlsOneMemberAtATime() throws Exception {
        String[] steps = {
            "",
            "portUnification=true\n",
            "portUnification=true\nsslQuorum=true\n",
            "sslQuorum=true\nsslQuorumReloadCertFiles=true\n",
        };
        String all =
                "127.0.0.1:"
                        + clientPorts[1]
                        + ",127.0.0.1:"
                        + clientPorts[2]
                        + ",127.0.0.1:"
                        + clientPorts[3];
        for (int myid = 1; myid <= SIZE; myid++) {
            start(myid, steps[0]);
        }
        try (var zk = new ZooKeeper(all, 30_000, _ -> {})) {
            write(zk, "/start");
            for (int step = 1; step < steps.length; step++) {
                for (int myid = 1; myid <= SIZE; myid++) {
                    nodes[myid].close();
                    String path = "/step-" + step + "-without-" + myid;
                    write(zk, path); // The other two have a quorum.
                    start(myid, steps[step]);
                    awaitPath(myid, path);
                }
            }
            // Each has found links that are encrypted with both others.
            write(zk, "/end");
            for (int myid = 1; myid <= SIZE; myid++) {
                awaitPath(myid, "/end");
                assertEquals("CN=zk-" + myid, speaker(myid));
            }
        }
    }

    private SSLContext context(boolean withKey) throws Exception {
        KeyStore keys = load("admin.p12", "PKCS12");
        var keyManagers = KeyManagerFactory.getInstance("SunX509");
        keyManagers.init(keys, "secret".toCharArray());
        var trustManagers = TrustManagerFactory.getInstance("PKIX");
        trustManagers.init(load("ca.jks", "JKS"));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                withKey ? keyManagers.getKeyManagers() : null,
                trustManagers.getTrustManagers(),
                null);
        return context;
    }

    private KeyStore load(String name, String type) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        try (InputStream in = Files.newInputStream(folder.resolve(name))) {
            store.load(in, "secret".toCharArray());
        }
        return store;
    }

    private int status(String scheme, boolean withKey) throws Exception {
        URI uri = URI.create(scheme + "://127.0.0.1:" + nodes[1].ports().admin() + "/livez");
        try (HttpClient http = HttpClient.newBuilder().sslContext(context(withKey)).build()) {
            return http.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString())
                    .statusCode();
        }
    }

    @Test
    void theAdminPortSpeaksHttpsToo() throws Exception {
        start(1, "admin.portUnification=true\n");
        assertEquals(200, status("http", false));
        assertEquals(200, status("https", false));
    }

    @Test
    void theAdminPortSpeaksHttpsOnly() throws Exception {
        start(1, "admin.forceHttps=true\nadmin.needClientAuth=true\n");
        assertThrows(IOException.class, () -> status("http", false));
        assertThrows(IOException.class, () -> status("https", false));
        assertEquals(200, status("https", true));
    }

    @Test
    void aCertificateIsAnIdentityForTheAdminPort() throws Exception {
        start(
                1,
                "admin.portUnification=true\nadmin.needClientAuth=true\nauthProvider.1="
                        + "org.apache.zookeeper.server.auth.X509AuthenticationProvider\n");
        assertEquals("Not authenticated", command("http", false).get("error"));
        Map<String, Object> answer = command("https", true);
        assertEquals(7, answer.get("tracemask"), answer::toString);
    }

    /// {@return the answer of a command that changes something, asked as whom a certificate names}
    private Map<String, Object> command(String scheme, boolean withKey) throws Exception {
        URI uri =
                URI.create(
                        scheme
                                + "://127.0.0.1:"
                                + nodes[1].ports().admin()
                                + "/commands/stmk?traceMask=7");
        HttpRequest request = HttpRequest.newBuilder(uri).header("Authorization", "x509").build();
        try (HttpClient http = HttpClient.newBuilder().sslContext(context(withKey)).build()) {
            while (true) {
                String body = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
                if (!body.contains("not currently serving")) { // It has only just started.
                    return JSON.std.mapFrom(body);
                }
            }
        }
    }

    /// {@return what the status tells of the links' certificates, once it is as wanted}
    private Map<?, ?> links(Predicate<Map<?, ?>> wanted) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + nodes[1].ports().admin() + "/v1/status");
        try (HttpClient http = HttpClient.newHttpClient()) {
            while (true) {
                String body =
                        http.send(
                                        HttpRequest.newBuilder(uri).build(),
                                        HttpResponse.BodyHandlers.ofString())
                                .body();
                if (JSON.std.mapFrom(body).get("tls") instanceof Map<?, ?> tls
                        && tls.get("members") instanceof Map<?, ?> members
                        && wanted.test(members)) {
                    assertNull(tls.get("clients"));
                    return members;
                }
            }
        }
    }

    private static int trusted(Map<?, ?> links) {
        return Objects.requireNonNull((List<?>) links.get("trusted")).size();
    }

    @Test
    void theStatusTellsWhatIsInUse() throws Exception {
        start(1, "sslQuorum=true\nsslQuorumReloadCertFiles=true\n");
        Map<?, ?> first = links(_ -> true);
        assertEquals(1, trusted(first));
        assertTrue(Instant.parse("" + first.get("notAfter")).isAfter(Instant.now()));

        var other = new Authority("other");
        String both = Files.readString(folder.resolve("ca.pem"));
        other.pem(folder.resolve("ca.pem"));
        Files.writeString(
                folder.resolve("ca.pem"), both + Files.readString(folder.resolve("ca.pem")));
        Map<?, ?> second = links(each -> trusted(each) == 2);
        assertEquals(first.get("fingerprint"), second.get("fingerprint"));

        other.issue("CN=zk-1", "ip:127.0.0.1").pair(folder, "zk-1");
        links(each -> !Objects.equals(first.get("fingerprint"), each.get("fingerprint")));

        Files.writeString(folder.resolve("ca.pem"), "nothing");
        Map<?, ?> refused = links(each -> each.get("refused") != null);
        assertTrue(("" + refused.get("refused")).contains("there is no certificate in it"));
        assertEquals(2, trusted(refused));
        Files.writeString(folder.resolve("ca.pem"), both);
        Map<?, ?> back = links(each -> trusted(each) == 1);
        assertNull(back.get("refused"));
    }

    @Test
    void keysThatCannotBeReadStopTheStart() throws Exception {
        Files.writeString(folder.resolve("zk-1.key"), "nothing");
        StartFailure failure = assertThrows(StartFailure.class, () -> start(1, "sslQuorum=true\n"));
        assertEquals(ExitCode.INVALID_INVOCATION, failure.code());
        assertTrue(
                ("" + failure.getMessage())
                        .startsWith(
                                "ssl.quorum.keyStore.location="
                                        + folder.resolve("zk-1.crt")
                                        + " cannot be used: there is no private key"));
    }
}
