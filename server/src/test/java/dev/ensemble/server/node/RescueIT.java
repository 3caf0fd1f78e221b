package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A majority is lost for good, and a person has the ensemble go on from what one member holds.
@Timeout(300)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class RescueIT {
    @TempDir Path folder;

    @Test
    void oneSurvivorGoesOnAndTheOthersFollow() throws Exception {
        byte[] data = "kept".getBytes(StandardCharsets.UTF_8);
        try (var members = new MemberProcesses(folder, 3)) {
            for (int id : members.ids()) {
                members.configure(id, "ensembleId=orders\n");
            }
            members.startAll().awaitAllSynced();
            try (ZooKeeper client = connect(members.clientPort(1))) {
                for (int i = 0; i < 20; i++) {
                    client.create(
                            "/" + i, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                }
            }
            Map<?, ?> end = (Map<?, ?>) field(members, 1, "zxid");
            members.kill(1, 2, 3);
            members.wipe(2);
            String decided = "2026-01-31.orders,1," + end.get("logged");

            // What is there no more cannot be chosen.
            members.start(2, "--recovery", "other,2," + end.get("logged"));
            members.start(1, "--recovery", decided);
            members.await("member 1 to lead", () -> "leader".equals(field(members, 1, "role")));
            assertEquals(1, voters(members));
            try (ZooKeeper client = connect(members.clientPort(1))) {
                assertArrayEquals(data, client.getData("/19", false, null));
                client.create("/after", data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            }

            // One that knows nothing of it, and one of another decision, reach nobody.
            members.start(3);
            members.await(
                    "member 3 to be refused",
                    () -> log(members, 3).contains("belongs to ensemble orders+2026-01-31.orders"));
            assertEquals("looking", field(members, 3, "role"));
            assertEquals("looking", field(members, 2, "role"));

            members.kill(2, 3);
            members.wipe(2);
            members.start(2, "--recovery", decided);
            members.start(3, "--recovery", decided);
            for (int id : List.of(2, 3)) {
                members.await(
                        "member " + id + " to follow",
                        () -> "learner".equals(field(members, id, "role")));
            }
            assertTrue(
                    Files.isDirectory(members.dataDir(3).resolve("data/aside.log.1")),
                    "the old data is kept");
            assertTrue(
                    String.valueOf(field(members, 3, "warnings")).contains("member 1 alone"),
                    "it says why");
        }
    }

    @Test
    void aWrongDecisionEndsTheStart() throws Exception {
        try (var members = new MemberProcesses(folder, 3)) {
            members.start(1, "--recovery", "once,1,7");
            assertEquals(ExitCode.INVALID_INVOCATION.number(), members.exitCode(1));
            members.start(2, "--recovery", "once,1,0x7");
            assertEquals(ExitCode.INVALID_INVOCATION.number(), members.exitCode(2));
            assertTrue(log(members, 1).contains("must be ID,MYID,0xZXID"));
            assertTrue(log(members, 2).contains("needs the key ensembleId"));
        }
    }

    private static Object field(MemberProcesses members, int id, String name)
            throws InterruptedException {
        Map<String, Object> status = members.status(id);
        Object value = status == null ? null : status.get(name);
        return value == null ? "unknown" : value;
    }

    private static String log(MemberProcesses members, int id) {
        try {
            return Files.readString(members.logFile(id));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int voters(MemberProcesses members) throws InterruptedException {
        return field(members, 1, "configuration") instanceof Map<?, ?> configuration
                        && configuration.get("members") instanceof List<?> all
                ? all.size()
                : 0;
    }

    private static ZooKeeper connect(int port) throws Exception {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        "127.0.0.1:" + port,
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
