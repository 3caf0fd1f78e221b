package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A server alone, in this process: what its ports answer, and that it finds its data again.
@Timeout(120)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class ServerNodeTest {
    private static final String PROMETHEUS =
            """
            metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
            metricsProvider.httpHost=127.0.0.1
            metricsProvider.httpPort=0
            """;

    @TempDir Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    private Config config(String more) throws IOException, InvalidConfig {
        Path file = folder.resolve("zoo.cfg");
        Files.writeString(
                file,
                "dataDir="
                        + folder.resolve("d")
                        + "\nclientPort=0\nclientPortAddress=127.0.0.1\ntickTime=500\n"
                        + "admin.serverAddress=127.0.0.1\nadmin.serverPort=0\n"
                        + "4lw.commands.whitelist=*\n"
                        + more);
        return Config.load(file, OptionalInt.empty());
    }

    @Test
    void dataOutlivesTheProcess() throws Exception {
        byte[] data = {1, 2, 3};
        try (ServerNode node = ServerNode.start(config(""));
                ZooKeeper client = connect(node)) {
            client.create("/a", data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            client.create("/e", data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        }
        for (int restart = 0; restart < 2; restart++) {
            try (ServerNode node = ServerNode.start(config(""));
                    ZooKeeper client = connect(node)) {
                assertArrayEquals(data, client.getData("/a", false, null));
                assertNull(client.exists("/e", false), "closed with its session");
            }
        }
    }

    @Test
    void theAdminPortTellsOfAServerAlone() throws Exception {
        try (ServerNode node = ServerNode.start(config(PROMETHEUS));
                ZooKeeper client = connect(node)) {
            assertNotNull(client.exists("/", false));
            Map<String, Object> status = json(node, "/v1/status");
            assertEquals("leader", status.get("role"));
            assertEquals("true", "" + status.get("serving"));
            assertEquals(1, status.get("leader"));
            assertTrue(status.containsKey("learners"), "what is null is there all the same");
            assertTrue(("" + status.get("safeToStop")).contains("value=false"), "the only one");

            Map<String, Object> stats = json(node, "/commands/srvr");
            assertEquals("server_stats", stats.get("command"));
            assertNull(stats.get("error"));
            assertEquals(5, stats.get("node_count"));
            assertEquals("Unknown command: x", json(node, "/commands/x").get("error"));
            assertEquals("", json(node, "/commands/zabstate").get("zabstate"));
            assertTrue(get(node.ports().admin(), "/commands").body().contains("/commands/ruok"));

            HttpResponse<String> page = get(node.ports().metrics(), "/metrics");
            assertTrue(page.body().contains("\nznode_count 5\n"), page.body());
            assertTrue(page.body().contains("# TYPE commit_count counter\n"), page.body());
            assertTrue(page.body().contains("# TYPE readlatency summary\n"), page.body());
            assertTrue(page.body().contains("\nreadlatency{quantile=\"0.99\"} "), page.body());
            assertTrue(page.body().contains("\nreadlatency_count 1\n"), page.body());
            assertTrue(page.body().contains("\nfsynctime_sum "), page.body());
            assertTrue(
                    page.body().contains("\njvm_memory_bytes_used{area=\"heap\"} "), page.body());
            assertTrue(page.body().contains("jvm_memory_used_bytes"), page.body());
            assertEquals(404, get(node.ports().metrics(), "/").statusCode());

            assertTrue(word(node, "srvr").contains("\nMode: standalone\n"));
            assertTrue(word(node, "mntr").contains("\nzk_commit_count\t"));
            assertEquals("imok", word(node, "ruok"));
        }
    }

    /// A mark above all that the disk has: it is full from the start.
    @Test
    void aFullDiskRefusesGrowthAndLetsPeopleDelete() throws Exception {
        byte[] data = new byte[10];
        try (ServerNode node = ServerNode.start(config(""));
                ZooKeeper client = connect(node)) {
            client.create("/a", data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        }
        String full = "disk.lowWaterMegabytes=" + Integer.MAX_VALUE + "\n";
        try (ServerNode node = ServerNode.start(config(PROMETHEUS + full));
                ZooKeeper client = connect(node)) {
            waitFor(() -> page(node).contains("\ndisk_growth_refused 1\n"));
            assertThrows(
                    KeeperException.QuotaExceededException.class,
                    () ->
                            client.create(
                                    "/b",
                                    data,
                                    ZooDefs.Ids.OPEN_ACL_UNSAFE,
                                    CreateMode.PERSISTENT));
            assertThrows(
                    KeeperException.QuotaExceededException.class,
                    () -> client.setData("/a", new byte[11], -1));
            client.setData("/a", new byte[9], -1);
            client.delete("/a", -1);
            assertNull(client.exists("/a", false));
            String warnings = "" + json(node, "/v1/status").get("warnings");
            assertTrue(warnings.contains("the disk is nearly full: "), warnings);
            assertTrue(warnings.contains("refused with QuotaExceeded"), warnings);
            assertTrue(page(node).contains("\ndisk_low 1\n"), "the metrics say so");
            assertEquals(200, get(node.ports().admin(), "/livez").statusCode());
        }
    }

    private String page(ServerNode node) throws IOException, InterruptedException {
        return get(node.ports().metrics(), "/metrics").body();
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    /// The admin port asks what the peer thread tells ten times a second.
    private static void waitFor(Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < deadline, "it does not come true");
        }
    }

    @Test
    void aDrainWithoutATokenIsRefused() throws Exception {
        try (ServerNode node = ServerNode.start(config(""))) {
            URI uri = URI.create("http://127.0.0.1:" + node.ports().admin() + "/v1/drain");
            var post = HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.noBody());
            assertEquals(
                    403,
                    http.send(post.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
        }
        Path token = folder.resolve("token");
        try (ServerNode node = ServerNode.start(config("admin.tokenFile=" + token + "\n"))) {
            assertEquals(64, Token.read(token).length());
            assertEquals(
                    "rw-------",
                    java.nio.file.attribute.PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(token)));
            URI uri = URI.create("http://127.0.0.1:" + node.ports().admin() + "/v1/drain");
            var post =
                    HttpRequest.newBuilder(uri)
                            .header("Authorization", "Bearer " + "0".repeat(64))
                            .POST(HttpRequest.BodyPublishers.noBody());
            assertEquals(
                    401,
                    http.send(post.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }

    @Test
    void changesNeedATokenAndSense() throws Exception {
        try (ServerNode node = ServerNode.start(config(""))) {
            assertEquals(403, change(node, "/v1/members", "0", "{}").statusCode());
        }
        Path token = folder.resolve("token");
        Path keys = folder.resolve("keys.pem");
        KeyPair key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Files.writeString(keys, OperatorTokensTest.pem(key.getPublic()));
        String lines = "admin.tokenFile=" + token + "\nadmin.operatorKeys=" + keys + "\n";
        try (ServerNode node = ServerNode.start(config(lines))) {
            String secret = Token.read(token);
            assertEquals(405, get(node.ports().admin(), "/v1/members").statusCode());
            assertEquals(401, change(node, "/v1/members", "wrong", "{}").statusCode());
            for (String body :
                    List.of(
                            "[",
                            "[]",
                            "{\"joining\": 1}",
                            "{\"joining\": [\"server.300=h:1:2\"]}",
                            "{\"joining\": [\"server.2=h\"]}",
                            "{\"joining\": [\"h:1:2\"]}",
                            "{\"leaving\": [\"2\"]}",
                            "{\"leaving\": [0]}",
                            "{\"version\": 7}",
                            "{\"version\": \"0xfffffffffffffffff\"}",
                            "{\"leave\": [2]}")) {
                HttpResponse<String> refused = change(node, "/v1/members", secret, body);
                assertEquals(400, refused.statusCode(), body + " " + refused.body());
                assertTrue(refused.body().contains("reason"), refused.body());
            }
            connect(node).close(); // Its session follows the founding configuration.
            HttpResponse<String> none = change(node, "/v1/leadership:transfer", secret, "");
            assertEquals(409, none.statusCode(), none.body());
            assertTrue(none.body().contains("no other voter"), none.body());
            HttpResponse<String> last = change(node, "/v1/members", secret, "{\"leaving\": [1]}");
            assertEquals(409, last.statusCode(), last.body());
            HttpResponse<String> absent =
                    change(
                            node,
                            "/v1/members",
                            secret,
                            "{\"joining\": [\"server.2=127.0.0.1:1:2;3\"]}");
            assertEquals(409, absent.statusCode(), absent.body());
            assertTrue(absent.body().contains("not connected"), absent.body());
            HttpResponse<String> same = change(node, "/v1/members", secret, "{}");
            assertEquals(200, same.statusCode(), same.body());

            // And an operator's key, of this ensemble.
            String id = String.valueOf(json(node, "/v1/status").get("ensembleId"));
            String claims =
                    "{\"aud\":\"%s\",\"method\":\"POST\",\"path\":\"/v1/members\",\"exp\":%d,\"sha256\":\"%s\"}"
                            .formatted(
                                    id,
                                    System.currentTimeMillis() / 1000 + 50,
                                    Config.sha256("{}"));
            String signed = OperatorTokensTest.token(key, "{\"alg\":\"EdDSA\"}", claims);
            assertEquals(200, change(node, "/v1/members", signed, "{}").statusCode());
            assertEquals(401, change(node, "/v1/members", signed, "{ }").statusCode());
            assertEquals(401, change(node, "/v1/drain", signed, "{}").statusCode());
        }
    }

    private HttpResponse<String> change(ServerNode node, String path, String token, String body)
            throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + node.ports().admin() + path);
        return http.send(
                HttpRequest.newBuilder(uri)
                        .header("Authorization", "Bearer " + token)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void tooLargeARequestIsRefused() throws Exception {
        try (ServerNode node = ServerNode.start(config(""))) {
            URI uri = URI.create("http://127.0.0.1:" + node.ports().admin() + "/v1/drain");
            var post =
                    HttpRequest.newBuilder(uri)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[1 << 20]));
            assertEquals(
                    413,
                    http.send(post.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
            assertEquals(200, get(node.ports().admin(), "/livez").statusCode());
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Config config = config("admin.serverPort=" + taken.getLocalPort() + "\n");
            var failure = assertThrows(StartFailure.class, () -> ServerNode.start(config));
            assertEquals(ExitCode.ADMIN_SERVER_FAILED, failure.code());
            assertTrue(
                    String.valueOf(failure.getMessage()).contains("" + taken.getLocalPort()),
                    failure::toString);
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        Config config = config("dataDir=" + file.resolve("d") + "\n");
        var failure = assertThrows(StartFailure.class, () -> ServerNode.start(config));
        assertEquals(ExitCode.DATA_DIR_INACCESSIBLE, failure.code());
        assertTrue(
                String.valueOf(failure.getMessage()).contains(file.toString()), failure::toString);
    }

    @Test
    void twoProcessesDoNotShareAFolder() throws Exception {
        try (ServerNode node = ServerNode.start(config(""))) {
            assertFalse(node.ended().isDone());
            Config config = config("");
            var failure = assertThrows(StartFailure.class, () -> ServerNode.start(config));
            assertEquals(ExitCode.DATA_DIR_INACCESSIBLE, failure.code());
        }
    }

    private Map<String, Object> json(ServerNode node, String path)
            throws IOException, InterruptedException {
        HttpResponse<String> response = get(node.ports().admin(), path);
        assertEquals(200, response.statusCode());
        return JSON.std.mapFrom(response.body());
    }

    private HttpResponse<String> get(int port, String path)
            throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String word(ServerNode node, String word) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), node.ports().client())) {
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static ZooKeeper connect(ServerNode node) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        "127.0.0.1:" + node.ports().client(),
                        10_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        return client;
    }
}
