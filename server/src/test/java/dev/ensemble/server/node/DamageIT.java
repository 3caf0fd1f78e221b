package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A member that cannot prove what it acked, because its log is damaged or its disk went back in
/// time, believes nothing of it: it keeps the files, says so, and gets all from the others.
@Timeout(300)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class DamageIT {
    /// Behind the header of the first segment and that of its first batch.
    private static final int IN_FIRST_ENTRY = 140;

    @TempDir Path folder;

    @Test
    void aDamagedLogIsPutAsideAndFetchedAgain() throws Exception {
        byte[] data = "kept".getBytes(StandardCharsets.UTF_8);
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            int leader = members.awaitLeader();
            int damaged =
                    members.ids().stream().filter(id -> id != leader).findFirst().orElseThrow();
            try (ZooKeeper client = connect(members.clientPort(leader))) {
                for (int i = 0; i < 20; i++) {
                    client.create(
                            "/" + i, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                }
            }
            Map<?, ?> before = identity(members, damaged);
            members.kill(damaged);
            Path data0 = members.dataDir(damaged).resolve("data");
            flip(firstSegment(data0.resolve("log.1")));

            members.start(damaged);
            members.awaitAllSynced();
            Map<?, ?> after = identity(members, damaged);
            assertEquals("member", after.get("state"));
            assertNotEquals(before.get("incarnation"), after.get("incarnation"));
            assertTrue(Files.isDirectory(data0.resolve("aside.log.1")), "the bad file is kept");
            String status = members.get(damaged, "/v1/status").body();
            assertTrue(status.contains("the log is corrupted: log.1/"), status);
            String metrics = members.get(damaged, "/commands/monitor").body();
            assertTrue(metrics.contains("\"data_put_aside\" : 1"), metrics);
            String well = members.get(leader, "/commands/monitor").body();
            assertTrue(well.contains("\"data_put_aside\" : 0"), well);

            // It holds everything, and counts: with it, one of the others may go.
            members.kill(leader);
            try (ZooKeeper client = connect(members.clientPort(damaged))) {
                assertArrayEquals(data, client.getData("/19", false, null));
                client.setData("/19", data, 0);
            }
        }
    }

    /// A volume is put back as it was before the last start. Seen to fail where a refused member
    /// goes on asking, and where the numbers of starts alone are compared.
    @Test
    void aDiskThatWentBackInTimeBeginsAnew() throws Exception {
        byte[] data = "kept".getBytes(StandardCharsets.UTF_8);
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            int leader = members.awaitLeader();
            int back = members.ids().stream().filter(id -> id != leader).findFirst().orElseThrow();
            Map<?, ?> before = identity(members, back);
            members.kill(back);
            Path copy = folder.resolve("copy");
            copy(members.dataDir(back), copy);
            members.start(back);
            members.awaitAllSynced();
            try (ZooKeeper client = connect(members.clientPort(back))) {
                client.create("/acked", data, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            }
            members.kill(back);
            members.wipe(back);
            copy(copy, members.dataDir(back));

            members.start(back);
            members.exitCode(back);
            members.start(back);
            members.awaitAllSynced();
            Map<?, ?> after = identity(members, back);
            assertEquals("member", after.get("state"));
            assertNotEquals(before.get("incarnation"), after.get("incarnation"));
            String status = members.get(back, "/v1/status").body();
            assertTrue(status.contains("the disk went back in time: this is start 2"), status);
            Path aside = members.dataDir(back).resolve("data/aside.log.1");
            assertTrue(Files.isDirectory(aside), "the old log is kept");
            try (ZooKeeper client = connect(members.clientPort(back))) {
                assertArrayEquals(data, client.getData("/acked", false, null));
            }
        }
    }

    private static void copy(Path from, Path to) throws Exception {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path there = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(there);
                } else {
                    Files.copy(file, there);
                }
            }
        }
    }

    private static Path firstSegment(Path log) throws Exception {
        try (Stream<Path> files = Files.list(log)) {
            List<Path> segments =
                    files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
            return segments.getFirst();
        }
    }

    private static void flip(Path file) throws Exception {
        try (var content = new RandomAccessFile(file.toFile(), "rw")) {
            content.seek(IN_FIRST_ENTRY);
            int was = content.read();
            content.seek(IN_FIRST_ENTRY);
            content.write(was ^ 1);
        }
    }

    private static Map<?, ?> identity(MemberProcesses members, int id) throws Exception {
        Map<String, Object> status = members.status(id);
        if (status == null || !(status.get("identity") instanceof Map<?, ?> identity)) {
            throw new AssertionError("no identity in " + status);
        }
        return identity;
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
