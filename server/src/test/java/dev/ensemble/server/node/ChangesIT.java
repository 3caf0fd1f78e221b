package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Real processes whose leader and whose membership change while stock clients write.
@Timeout(180)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class ChangesIT {
    @TempDir Path folder;

    /// A client that writes until it is told to stop.
    private static final class Writer {
        private final String prefix;
        private final ZooKeeper client;
        private final boolean retries;
        private final Set<String> acknowledged;
        private volatile boolean stopped;
        private long worstNanos;

        /// @param retries a connection may close; otherwise any error fails the test
        Writer(String server, String prefix, boolean retries, Set<String> acknowledged)
                throws Exception {
            this.prefix = prefix;
            this.retries = retries;
            this.acknowledged = acknowledged;
            this.client = connect(server);
        }

        long run() throws Exception {
            try (client) {
                for (int i = 0; !stopped; i++) {
                    long start = System.nanoTime();
                    write(prefix + i);
                    worstNanos = Math.max(worstNanos, System.nanoTime() - start);
                }
            }
            return worstNanos;
        }

        private void write(String path) throws Exception {
            while (true) {
                try {
                    client.create(
                            path,
                            new byte[100],
                            ZooDefs.Ids.OPEN_ACL_UNSAFE,
                            CreateMode.PERSISTENT);
                    acknowledged.add(path);
                    return;
                } catch (KeeperException.ConnectionLossException e) {
                    if (!retries) {
                        throw e;
                    }
                } catch (KeeperException.NodeExistsException e) {
                    if (!retries) {
                        throw e;
                    }
                    acknowledged.add(path); // By the try that was cut off.
                    return;
                }
            }
        }
    }

    private static ZooKeeper connect(String servers) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        servers,
                        40_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS), "no connection to " + servers);
        return client;
    }

    private HttpResponse<String> post(MemberProcesses members, int id, String path, String body)
            throws Exception {
        return members.send(
                id,
                path,
                HttpRequest.newBuilder()
                        .header("Authorization", "Bearer " + Token.read(members.tokenFile(id)))
                        .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /// Asks the leader, whoever it is, until it is done.
    private Map<String, Object> change(MemberProcesses members, String path, String body)
            throws Exception {
        List<HttpResponse<String>> last = new ArrayList<>();
        members.await(
                path + " " + body,
                () -> {
                    try {
                        last.add(post(members, members.awaitLeader(), path, body));
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                    return last.getLast().statusCode() == 200;
                });
        return JSON.std.mapFrom(last.getLast().body());
    }

    @Test
    void aHandOverFailsNoRequest() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            members.awaitAllSynced();
            Set<String> acknowledged = new ConcurrentSkipListSet<>();
            List<Writer> writers = new ArrayList<>();
            List<Future<Long>> worst = new ArrayList<>();
            for (int id : members.ids()) {
                String server = "127.0.0.1:" + members.clientPort(id);
                writers.add(new Writer(server, "/w" + id + "-", false, acknowledged));
            }
            writers.forEach(writer -> worst.add(threads.submit(writer::run)));
            for (int turn = 0; turn < 5; turn++) {
                int before = members.awaitLeader();
                int to = before % 3 + 1;
                int written = acknowledged.size();
                change(members, "/v1/leadership:transfer", "{\"to\": " + to + "}");
                members.await(
                        "writes under the next leader",
                        () -> acknowledged.size() > written + 30 && members.awaitLeader() == to);
            }
            HttpResponse<String> refused =
                    post(members, members.awaitLeader() % 3 + 1, "/v1/leadership:transfer", "{}");
            assertEquals(503, refused.statusCode(), refused.body());
            Object said = JSON.std.mapFrom(refused.body()).get("leader");
            assertEquals(members.awaitLeader(), said);

            writers.forEach(writer -> writer.stopped = true);
            for (Future<Long> each : worst) {
                System.out.printf("longest wait %.1f ms%n", each.get() / 1e6);
            }
            everyoneHas(members, members.ids(), acknowledged);
        }
    }

    private static void everyoneHas(
            MemberProcesses members, List<Integer> ids, Set<String> acknowledged) throws Exception {
        for (int id : ids) {
            try (ZooKeeper client = connect("127.0.0.1:" + members.clientPort(id))) {
                client.sync("/", (_, _, _) -> {}, null);
                Set<String> found = new ConcurrentSkipListSet<>(client.getChildren("/", false));
                List<String> lost =
                        acknowledged.stream()
                                .filter(path -> !found.contains(path.substring(1)))
                                .toList();
                assertEquals(List.of(), lost, "on member " + id);
            }
        }
    }

    /// Members come when the ensemble needs more and go when it needs fewer, the founder too.
    @Test
    void growsAndShrinksUnderLoad() throws Exception {
        try (var members = new MemberProcesses(folder, 5, 1, List.of());
                ExecutorService threads = Executors.newCachedThreadPool()) {
            members.start(1);
            members.awaitLeader();
            Set<String> acknowledged = new ConcurrentSkipListSet<>();
            List<Writer> writers = new ArrayList<>();
            List<Future<Long>> done = new ArrayList<>();
            String servers =
                    "127.0.0.1:" + members.clientPort(1) + ",127.0.0.1:" + members.clientPort(5);
            writers.add(new Writer(servers, "/w-", true, acknowledged));
            writers.forEach(writer -> done.add(threads.submit(writer::run)));
            @Nullable Object version = null;
            for (int id = 2; id <= 5; id++) {
                members.start(id);
                version = join(members, id, version);
            }
            HttpResponse<String> stale =
                    post(
                            members,
                            members.awaitLeader(),
                            "/v1/members",
                            "{\"leaving\": [2], \"version\": \"0x1\"}");
            assertEquals(409, stale.statusCode(), stale.body());
            assertEquals(version, JSON.std.mapFrom(stale.body()).get("version"), stale.body());
            assertVoters(change(members, "/v1/members", "{\"leaving\": [1, 2]}"), 3, 4, 5);
            members.kill(1, 2);
            int written = acknowledged.size();
            members.await("writes without the founder", () -> acknowledged.size() > written + 20);
            // As a stock client does it. If the leader goes by that, it hands over first.
            try (var admin =
                    new ZooKeeperAdmin("127.0.0.1:" + members.clientPort(5), 40_000, _ -> {})) {
                byte[] after = admin.reconfigure((String) null, "3,4", null, -1, null);
                String text = new String(after, StandardCharsets.UTF_8);
                assertTrue(text.startsWith(members.memberLine(5) + ":participant\nversion="), text);
            }
            members.kill(3, 4);
            int later = acknowledged.size();
            members.await("writes on the last", () -> acknowledged.size() > later + 20);
            writers.forEach(writer -> writer.stopped = true);
            for (Future<Long> each : done) {
                each.get();
            }
            everyoneHas(members, List.of(5), acknowledged);
            try (ZooKeeper client = connect("127.0.0.1:" + members.clientPort(5))) {
                String text = new String(client.getConfig(false, null), StandardCharsets.UTF_8);
                assertTrue(
                        text.matches(
                                "server\\.5=127\\.0\\.0\\.1:.*:participant\nversion=[0-9a-f]+"),
                        text);
            }
        }
    }

    /// Who asked may stop the others for good as soon as the answer is there, and nothing has to be
    /// written after the change for the last voter to know of it.
    @Test
    void theLastVoterComesBackAlone() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            int last = members.awaitLeader();
            List<Integer> leaving = new ArrayList<>(members.ids());
            leaving.remove((Object) last);
            assertVoters(change(members, "/v1/members", "{\"leaving\": " + leaving + "}"), last);
            members.kill(1, 2, 3);
            members.start(last);
            assertEquals(last, members.awaitLeader());
            try (ZooKeeper client = connect("127.0.0.1:" + members.clientPort(last))) {
                client.create(
                        "/alone", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            }
        }
    }

    private Object join(MemberProcesses members, int id, @Nullable Object before) throws Exception {
        String line = members.memberLine(id);
        Map<String, Object> after =
                change(members, "/v1/members", "{\"joining\": [\"" + line + "\"]}");
        assertTrue(!Objects.equals(before, after.get("version")));
        Integer[] all = new Integer[id];
        for (int each = 1; each <= id; each++) {
            all[each - 1] = each;
        }
        assertVoters(after, all);
        return Objects.requireNonNull(after.get("version"));
    }

    private static void assertVoters(Map<String, Object> configuration, Integer... voters) {
        List<Object> found = new ArrayList<>();
        if (configuration.get("members") instanceof List<?> list) {
            for (Object each : list) {
                if (each instanceof Map<?, ?> member) {
                    assertEquals("participant", member.get("role"));
                    found.add(member.get("myid"));
                }
            }
        }
        assertEquals(List.of((Object[]) voters), found);
    }
}
