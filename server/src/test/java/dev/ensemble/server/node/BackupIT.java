package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A backup is taken while clients write, and a new ensemble begins with it.
@Timeout(300)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class BackupIT {
    @TempDir Path folder;

    private static void run(Path out, int expected, String... arguments) throws Exception {
        Process process =
                new ProcessBuilder(MemberProcesses.command(arguments))
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        assertEquals(expected, process.exitValue(), () -> read(out));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void aBackupUnderLoadBecomesANewEnsemble() throws Exception {
        Path file = folder.resolve("kept/orders.ensemble");
        Path report = folder.resolve("report");
        Path out = folder.resolve("out");
        // What was acknowledged, with its zxid.
        Map<String, Long> acknowledged = new ConcurrentHashMap<>();
        try (var members = new MemberProcesses(Files.createDirectory(folder.resolve("old")), 3)) {
            members.startAll().awaitAllSynced();
            int leader = members.awaitLeader();
            int follower = leader == 1 ? 2 : 1;
            try (ZooKeeper client = connect(members.connectString());
                    ZooKeeper session = connect(members.connectString())) {
                create(client, "/load", CreateMode.PERSISTENT);
                create(session, "/mine", CreateMode.EPHEMERAL);
                var stop = new CountDownLatch(1);
                Thread load = Thread.ofPlatform().start(() -> load(client, acknowledged, stop));
                members.await("some load", () -> acknowledged.size() > 200);
                refusals(members, leader, follower);
                run(
                        out,
                        0,
                        "backup",
                        file.toString(),
                        "--config",
                        members.configFile(follower).toString(),
                        "--report",
                        report.toString());
                int then = acknowledged.size();
                members.await("more load", () -> acknowledged.size() > then + 100);
                stop.countDown();
                load.join();
            }
            assertPermitted(members, follower);
        }
        run(out, 0, "inspect", "backup", file.toString());
        assertTrue(read(out).contains("1 of them ephemeral"), () -> read(out));

        long zxid =
                Long.parseLong(
                        String.valueOf(JSON.std.mapFrom(read(report)).get("zxid")).substring(2),
                        16);
        assertTrue(acknowledged.values().stream().anyMatch(each -> each > zxid));
        try (var members =
                new MemberProcesses(
                        Files.createDirectory(folder.resolve("new")), 3, 1, List.of())) {
            run(
                    out,
                    0,
                    "restore",
                    file.toString(),
                    "--config",
                    members.configFile(1).toString(),
                    "--myid",
                    "1");
            // Never over what is there.
            run(
                    out,
                    3,
                    "restore",
                    file.toString(),
                    "--config",
                    members.configFile(1).toString(),
                    "--myid",
                    "1");
            members.start(1);
            members.await("member 1 to lead", () -> members.awaitLeader() == 1);
            for (int id : List.of(2, 3)) {
                members.start(id);
                members.await("member " + id + " to be a voter", () -> join(members, id));
            }
            try (ZooKeeper client = connect("127.0.0.1:" + members.clientPort(3))) {
                client.sync("/", (_, _, _) -> {}, null);
                Map<String, Stat> found = new HashMap<>();
                for (String name : client.getChildren("/load", false)) {
                    found.put(name, client.exists("/load/" + name, false));
                }
                acknowledged.forEach((name, at) -> {
                    assertEquals(at <= zxid, found.containsKey(name), name + " of " + at);
                    if (at <= zxid) {
                        assertEquals(at, Objects.requireNonNull(found.get(name)).getCzxid());
                    }
                });
                found.values().forEach(each -> assertTrue(each.getCzxid() <= zxid));
                assertNull(client.exists("/mine", false), "its session has ended");
                create(client, "/load/after", CreateMode.PERSISTENT);
                Stat after = client.exists("/load/after", false);
                assertNotNull(after);
                assertTrue(after.getCzxid() > zxid);
            }
        }
    }

    private static void load(
            ZooKeeper client, Map<String, Long> acknowledged, CountDownLatch stop) {
        try {
            for (int i = 0; stop.getCount() > 0; i++) {
                var stat = new Stat();
                client.create(
                        "/load/" + i,
                        new byte[100],
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.PERSISTENT,
                        stat);
                acknowledged.put("" + i, stat.getCzxid());
            }
        } catch (KeeperException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Whoever has no token gets none, and a leader has none to give.
    private static void refusals(MemberProcesses members, int leader, int follower)
            throws Exception {
        assertEquals(401, members.get(follower, "/v1/backup").statusCode());
        HttpResponse<String> led =
                members.send(
                        leader,
                        "/v1/backup",
                        HttpRequest.newBuilder().header("Authorization", bearer(members, leader)));
        assertEquals(409, led.statusCode());
        assertTrue(led.body().contains("leads"), led::body);
    }

    /// Whoever shows what the permit was for, and nobody else.
    private void assertPermitted(MemberProcesses members, int follower) throws Exception {
        Path secret = folder.resolve("secret");
        Path hash = folder.resolve("hash");
        run(folder.resolve("out"), 0, "backup-secret", "" + secret, "--report", "" + hash);
        String body = "{\"sha256\":\"" + read(hash) + "\",\"seconds\":60}";
        HttpResponse<String> permitted =
                members.send(
                        follower,
                        "/v1/backup",
                        HttpRequest.newBuilder()
                                .header("Authorization", bearer(members, follower))
                                .POST(BodyPublishers.ofString(body)));
        assertEquals(200, permitted.statusCode(), permitted::body);
        HttpResponse<String> refused =
                members.send(
                        follower,
                        "/v1/backup",
                        HttpRequest.newBuilder()
                                .header("Authorization", bearer(members, follower))
                                .POST(BodyPublishers.ofString("{\"seconds\":99999}")));
        assertEquals(400, refused.statusCode());
        assertTrue(refused.body().contains("from 1 to 3600"), refused::body);
        Path wrong = Files.writeString(folder.resolve("wrong"), "open, sesame");
        String from = "http://127.0.0.1:" + members.adminPort(follower);
        Path out = folder.resolve("out");
        String file = folder.resolve("second.ensemble").toString();
        run(out, 1, "backup", file, "--from", from, "--secret-file", "" + wrong, "--patience", "0");
        assertTrue(read(out).contains("401"), () -> read(out));
        run(out, 0, "backup", file, "--from", from, "--secret-file", "" + secret);
    }

    private static String bearer(MemberProcesses members, int id) throws IOException {
        return "Bearer " + Token.read(members.tokenFile(id));
    }

    private static boolean join(MemberProcesses members, int id) {
        String body = "{\"joining\":[\"" + members.memberLine(id) + "\"]}";
        try {
            return members.send(
                                    1,
                                    "/v1/members",
                                    HttpRequest.newBuilder()
                                            .header("Authorization", bearer(members, 1))
                                            .POST(BodyPublishers.ofString(body)))
                            .statusCode()
                    == 200;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void create(ZooKeeper client, String path, CreateMode mode) throws Exception {
        client.create(
                path, "x".getBytes(StandardCharsets.UTF_8), ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static ZooKeeper connect(String servers) throws Exception {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        servers,
                        60_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        return client;
    }
}
