package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.DataTree;
import org.apache.zookeeper.server.persistence.FileSnap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// ZooKeeper's admin commands over HTTP (`admin` section 2.2), against a server alone with one
/// client.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class AdminCommandsTest {
    private static final byte[] DATA = {1, 2, 3};

    private final Path folder;

    /// What needs an identity.
    private static final Set<String> CHANGING =
            Set.of(
                    "connection_stat_reset",
                    "crst",
                    "observer_connection_stat_reset",
                    "orst",
                    "set_trace_mask",
                    "stmk",
                    "stat_reset",
                    "srst");

    private final ServerNode node;
    private final ZooKeeper client;
    private final HttpClient http = HttpClient.newHttpClient();

    AdminCommandsTest(@TempDir Path folder) throws Exception {
        this.folder = folder;
        node = start("d", 0);
        client = connect();
        client.create("/a", DATA, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.create("/a/null", null, ZooDefs.Ids.READ_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.create("/gone", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.delete("/gone", -1);
        client.setData("/a", DATA, 0);
        client.create("/e", DATA, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        client.exists("/a", true);
        client.exists("/b", true);
    }

    private ServerNode start(String name, int limitMillis) throws Exception {
        Path file = folder.resolve(name + ".cfg");
        Files.writeString(
                file,
                "dataDir="
                        + folder.resolve(name)
                        + "\nclientPort=0\nclientPortAddress=127.0.0.1\n"
                        + "admin.serverAddress=127.0.0.1\nadmin.serverPort=0\n"
                        + "admin.rateLimiterIntervalInMS="
                        + limitMillis
                        + "\n");
        return ServerNode.start(Config.load(file, OptionalInt.empty()));
    }

    @AfterAll
    void stop() throws Exception {
        client.close();
        node.close();
    }

    private ZooKeeper connect() throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        var zooKeeper =
                new ZooKeeper(
                        "127.0.0.1:" + node.ports().client(),
                        40_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        return zooKeeper;
    }

    private HttpRequest.Builder request(String path) {
        return request(node, path);
    }

    private static HttpRequest.Builder request(ServerNode node, String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + node.ports().admin() + path));
    }

    private HttpResponse<byte[]> send(HttpRequest.Builder request)
            throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private Map<String, Object> json(String command) throws IOException, InterruptedException {
        HttpRequest.Builder request = request("/commands/" + command);
        if (CHANGING.contains(command.split("\\?", 2)[0])) {
            assertEquals(401, send(request).statusCode());
            request.header("Authorization", "ip");
        }
        HttpResponse<byte[]> response = send(request);
        assertEquals(200, response.statusCode());
        assertEquals("application/json", response.headers().firstValue("content-type").orElse(""));
        return JSON.std.mapFrom(response.body());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "configuration | conf config | client_port client_port_listen_backlog data_dir"
                        + " data_log_dir max_client_cnxns max_session_timeout min_session_timeout"
                        + " server_id tick_time",
                "connections | cons | connections secure_connections",
                "connection_stat_reset | crst | ''",
                "hash | '' | digests",
                "dirs | '' | datadir_size logdir_size",
                "dump | '' | expiry_time_to_session_ids session_id_to_ephemeral_paths",
                "environment | env envi | host.name java.class.path java.compiler java.home"
                        + " java.io.tmpdir java.library.path java.vendor java.version os.arch"
                        + " os.memory.free os.memory.max os.memory.total os.name os.version"
                        + " user.dir user.home user.name zookeeper.version",
                "get_trace_mask | gtmk | tracemask",
                "initial_configuration | icfg | initial_configuration",
                "is_read_only | isro | read_only",
                "last_snapshot | lsnp | timestamp zxid",
                "leader | lead | ''",
                "observers | obsr | observers synced_observers",
                "observer_connection_stat_reset | orst | ''",
                "ruok | '' | ''",
                "server_stats | srvr | client_response node_count read_only server_stats version",
                "stats | stat | client_response connections node_count read_only"
                        + " secure_connections server_stats version",
                "stat_reset | srst | ''",
                "voting_view | '' | current_config",
                "watches | wchc | session_id_to_watched_paths",
                "watches_by_path | wchp | path_to_session_ids",
                "watch_summary | wchs | num_connections num_paths num_total_watches",
                "zabstate | '' | voting zabstate",
            })
    void aCommandHasItsFields(String name, String aliases, String fields) throws Exception {
        Set<String> expected = new TreeSet<>(words(fields));
        expected.add("command");
        expected.add("error");
        assertEquals(expected, new TreeSet<>(json(name).keySet()));
        for (String alias : words(aliases)) {
            Map<String, Object> answer = json(alias);
            assertEquals(expected, new TreeSet<>(answer.keySet()));
            assertEquals(name, answer.get("command"));
        }
    }

    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : Arrays.asList(text.split(" ", -1));
    }

    @Test
    void theIndexNamesEveryCommand() throws Exception {
        String page = new String(send(request("/commands/")).body(), StandardCharsets.UTF_8);
        assertEquals(28, page.split("<br/>", -1).length - 1, page);
        assertTrue(page.contains("<a href=\"/commands/snapshot\">snapshot</a><br/>"), page);
    }

    @Test
    void aConnectionIsDescribed() throws Exception {
        var all = (List<?>) json("connections").get("connections");
        assertNotNull(all);
        assertEquals(1, all.size());
        var one = (Map<?, ?>) all.getFirst();
        assertEquals(
                Set.of(
                        "remote_socket_address",
                        "interest_ops",
                        "outstanding_requests",
                        "packets_received",
                        "packets_sent",
                        "session_id",
                        "last_operation",
                        "established",
                        "session_timeout",
                        "last_cxid",
                        "last_zxid",
                        "last_response_time",
                        "last_latency",
                        "min_latency",
                        "avg_latency",
                        "max_latency"),
                one.keySet());
        assertEquals(client.getSessionId(), one.get("session_id"));
    }

    @Test
    void watchesAndEphemeralsAreToldBySession() throws Exception {
        String session = Long.toString(client.getSessionId());
        assertEquals(
                Map.of(session, List.of("/a", "/b")),
                json("watches").get("session_id_to_watched_paths"));
        List<Long> watchers = List.of(client.getSessionId());
        assertEquals(
                Map.of("/a", watchers, "/b", watchers),
                json("watches_by_path").get("path_to_session_ids"));
        assertEquals(2, json("watch_summary").get("num_total_watches"));
        Map<String, Object> dump = json("dump");
        assertEquals(Map.of(session, List.of("/e")), dump.get("session_id_to_ephemeral_paths"));
        var expiring = (Map<?, ?>) dump.get("expiry_time_to_session_ids");
        assertNotNull(expiring);
        assertEquals(1, expiring.size());
    }

    @Test
    void aTraceMaskIsSet() throws Exception {
        assertEquals(12, json("set_trace_mask?traceMask=12").get("tracemask"));
        assertEquals(12, json("get_trace_mask").get("tracemask"));
        assertNotNull(json("stmk").get("error"));
        assertNotNull(json("stmk?traceMask=x").get("error"));
    }

    @Test
    void aWrongMethodIsRefused() throws Exception {
        var nothing = HttpRequest.BodyPublishers.noBody();
        assertEquals(405, send(request("/commands/stat").POST(nothing)).statusCode());
        assertEquals(405, send(request("/commands/stat").method("TRACE", nothing)).statusCode());
        assertEquals(405, send(request("/commands/restore")).statusCode());
    }

    @ParameterizedTest
    @CsvSource({
        "'', 401, Auth info is missing for the command",
        "digest, 401, Not authenticated",
        "nothing x, 401, Not authenticated",
        "digest super:secret, 200, ''",
        "ip, 200, ''",
    })
    void aSnapshotNeedsAnIdentity(String header, int status, String error) throws Exception {
        var request = request("/commands/snapshot");
        if (!header.isEmpty()) {
            request.header("Authorization", header);
        }
        HttpResponse<byte[]> response = send(request);
        assertEquals(status, response.statusCode());
        if (status != 200) {
            assertEquals(error, JSON.std.mapFrom(response.body()).get("error"));
        }
    }

    @Test
    void anIdentityThatMayNotDoEverythingWithTheRootIsRefused() throws Exception {
        client.addAuthInfo("digest", "u:p".getBytes(StandardCharsets.UTF_8));
        List<ACL> before = client.getACL("/", new Stat());
        client.setACL("/", ZooDefs.Ids.CREATOR_ALL_ACL, -1);
        try {
            var other = request("/commands/snapshot").header("Authorization", "digest o:p");
            assertEquals(403, send(other).statusCode());
            var owner = request("/commands/snapshot").header("Authorization", "digest u:p");
            assertEquals(200, send(owner).statusCode());
        } finally {
            client.setACL("/", before, -1);
        }
    }

    @Test
    void aRestoreIsRefusedWithAReason() throws Exception {
        var post =
                request("/commands/restore")
                        .header("Authorization", "ip")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(DATA));
        HttpResponse<byte[]> response = send(post);
        assertEquals(503, response.statusCode());
        assertTrue(("" + JSON.std.mapFrom(response.body()).get("error")).contains("not supported"));
    }

    @Test
    void theOriginalReadsASnapshot() throws Exception {
        HttpResponse<byte[]> response =
                send(request("/commands/snapshot").header("Authorization", "ip"));
        assertEquals(
                "application/octet-stream",
                response.headers().firstValue("content-type").orElse(""));
        assertEquals(
                "" + response.body().length,
                response.headers().firstValue("snapshot_size").orElse(""));
        String zxid = response.headers().firstValue("last_zxid").orElse("0x").substring(2);
        Path copy = Files.createDirectories(folder.resolve("copy"));
        Files.write(copy.resolve("snapshot." + zxid), response.body());

        var tree = new DataTree();
        var sessions = new HashMap<Long, Integer>();
        long found = new FileSnap(copy.toFile()).deserialize(tree, sessions);
        assertEquals(zxid, Long.toHexString(found));
        assertEquals(Map.of(client.getSessionId(), client.getSessionTimeout()), sessions);
        assertEquals(Set.of("/e"), tree.getEphemerals(client.getSessionId()));
        for (String path : new String[] {"/", "/a", "/a/null", "/e", "/zookeeper/quota"}) {
            var ours = new Stat();
            byte[] data = client.getData(path, false, ours);
            var theirs = new Stat();
            byte[] copied = tree.getData(path, theirs, null);
            assertEquals(ours, theirs, path);
            assertArrayEquals(data, copied, path);
            assertEquals(client.getACL(path, new Stat()), tree.getACL(path, new Stat()), path);
        }
    }

    @Test
    void aSnapshotMayStayOnTheServer() throws Exception {
        HttpResponse<byte[]> response =
                send(request("/commands/snapshot?streaming=false").header("Authorization", "ip"));
        assertEquals(200, response.statusCode());
        assertNull(JSON.std.mapFrom(response.body()).get("error"));
        String zxid = response.headers().firstValue("last_zxid").orElse("0x").substring(2);
        assertTrue(Files.size(folder.resolve("d").resolve("snapshot." + zxid)) > 0);
        try (var files = Files.list(folder.resolve("d"))) {
            assertFalse(files.anyMatch(file -> file.toString().endsWith(".tmp")));
        }
    }

    @Test
    void snapshotsAreLimited() throws Exception {
        try (ServerNode limited = start("limited", 1_000_000)) {
            var request = request(limited, "/commands/snapshot").header("Authorization", "ip");
            while (send(request).headers().firstValue("snapshot_size").isEmpty()) {
                Thread.onSpinWait(); // It does not serve yet.
            }
            assertEquals(429, send(request).statusCode());
        }
    }
}
