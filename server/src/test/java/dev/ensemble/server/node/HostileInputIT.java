package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/// Frames that are not what they should be, thousands of them, against real members: no member
/// ends, nothing leaks, others are not disturbed, and all members have the same tree afterwards.
@Timeout(600)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class HostileInputIT {
    private static final int FRAMES = 50_000;
    private static final int ATTACKERS = 6;
    private static final long SEED = 20_261_121;

    /// Descriptors of a member at rest come and go by some: files of the store.
    private static final int FEW_DESCRIPTORS = 30;

    /// Little memory, so that a leak of it is an end; and every buffer is followed.
    private static final List<String> OPTIONS =
            List.of(
                    "-Xmx192m",
                    "-XX:MaxDirectMemorySize=96m",
                    "-XX:+ExitOnOutOfMemoryError",
                    "-Dio.netty.leakDetection.level=paranoid");

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void hostileFramesCostTheirConnectionAlone(int size) throws Exception {
        try (var members = new MemberProcesses(folder, size, OPTIONS);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int id : members.ids()) {
                Files.writeString(
                        members.configFile(id),
                        Files.readString(members.configFile(id))
                                + "maxClientCnxns=0\n"
                                + "extendedTypesEnabled=true\n"
                                + "enforceQuota=true\n");
            }
            members.startAll().awaitAllSynced();
            List<ZooKeeper> bystanders = new ArrayList<>();
            for (int id : members.ids()) {
                bystanders.add(bystander(members, id));
            }
            Map<Integer, Long> descriptors = new TreeMap<>();
            for (int id : members.ids()) {
                descriptors.put(id, descriptors(members, id));
            }
            var over = new AtomicBoolean();
            List<Future<Integer>> busy = new ArrayList<>();
            for (ZooKeeper each : bystanders) {
                busy.add(threads.submit(() -> useUntil(each, over)));
            }

            attack(members, threads);
            over.set(true);
            for (Future<Integer> each : busy) {
                assertTrue(each.get() > 0);
            }

            for (int id : members.ids()) {
                assertTrue(members.process(id).isAlive(), () -> members.logs());
                awaitRest(members, id, size, descriptors.getOrDefault(id, 0L));
            }
            assertSameTrees(members, bystanders.getFirst());
            for (int id : members.ids()) {
                String log = Files.readString(members.logFile(id));
                assertFalse(log.contains("LEAK"), log);
                assertFalse(log.contains("error of ours"), log);
                assertFalse(log.contains("OutOfMemory"), log);
            }
            for (ZooKeeper each : bystanders) {
                each.close();
            }
        }
    }

    private static void attack(MemberProcesses members, ExecutorService threads) throws Exception {
        List<Integer> ports = members.ids().stream().map(members::clientPort).toList();
        List<Future<?>> attacks = new ArrayList<>();
        for (int i = 0; i < ATTACKERS; i++) {
            var frames = new HostileFrames(SEED + i, ports);
            attacks.add(
                    threads.submit(() -> {
                        frames.send(FRAMES / ATTACKERS);
                        return true;
                    }));
        }
        for (Future<?> each : attacks) {
            each.get();
        }
    }

    private static ZooKeeper bystander(MemberProcesses members, int id) throws Exception {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        "127.0.0.1:" + members.clientPort(id),
                        40_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        client.addAuthInfo("digest", ("own" + id + ":x").getBytes(StandardCharsets.UTF_8));
        byte[] data = new byte[0];
        String path = "/own" + id;
        client.create(path, data, ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        client.create(path + "/x", data, ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        return client;
    }

    /// A client that notices whatever should not be. {@return how often it found all well}
    private static int useUntil(ZooKeeper client, AtomicBoolean over) throws Exception {
        String path =
                client.getChildren("/", false).stream()
                        .filter(name -> name.startsWith("own"))
                        .map(name -> "/" + name + "/x")
                        .filter(each -> mayRead(client, each))
                        .findFirst()
                        .get();
        long session = client.getSessionId();
        int rounds = 0;
        while (!over.get()) {
            byte[] data = ("" + rounds).getBytes(StandardCharsets.UTF_8);
            assertEquals(rounds + 1, client.setData(path, data, rounds).getVersion());
            assertArrayEquals(data, client.getData(path, false, null));
            rounds++;
        }
        assertEquals(session, client.getSessionId());
        return rounds;
    }

    private static boolean mayRead(ZooKeeper client, String path) {
        try {
            client.getData(path, false, null);
            return true;
        } catch (Exception _) {
            return false;
        }
    }

    /// Waits until nothing of the attack is left.
    private static void awaitRest(MemberProcesses members, int id, int clients, long descriptors)
            throws InterruptedException {
        members.awaitStatus(
                id,
                "has its own client alone",
                status ->
                        status.get("metrics") instanceof Map<?, ?> metrics
                                && Integer.valueOf(1).equals(metrics.get("connections"))
                                && Integer.valueOf(clients).equals(metrics.get("sessions")));
        members.await(
                "descriptors of member " + id + " as few as before",
                () -> descriptors(members, id) <= descriptors + FEW_DESCRIPTORS);
    }

    /// {@return how many the process has; 0 where the system does not tell}
    private static long descriptors(MemberProcesses members, int id) {
        Path open = Path.of("/proc/" + members.process(id).pid() + "/fd");
        try (Stream<Path> all = Files.list(open)) {
            return all.count();
        } catch (IOException _) {
            return 0;
        }
    }

    private static void assertSameTrees(MemberProcesses members, ZooKeeper client)
            throws Exception {
        // Members note the digest at every 128th transaction.
        for (int i = 0; i < 256; i++) {
            client.setData("/own1", new byte[] {(byte) i}, -1);
        }
        members.awaitAllSynced();
        long target = client.exists("/own1", false).getMzxid() / 128 * 128;
        Set<String> different = new java.util.HashSet<>();
        for (int id : members.ids()) {
            members.await(
                    "the digest at " + Long.toHexString(target),
                    () -> digests(members, id).containsKey(Long.toHexString(target)));
            different.add(digests(members, id).get(Long.toHexString(target)));
        }
        assertEquals(1, different.size(), () -> "trees differ: " + different);
    }

    private static Map<String, String> digests(MemberProcesses members, int id) {
        Map<String, String> digests = new TreeMap<>();
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), members.clientPort(id))) {
            socket.getOutputStream().write("hash".getBytes(StandardCharsets.US_ASCII));
            String text =
                    new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            text.lines()
                    .map(line -> line.split(": ", 2))
                    .filter(parts -> parts.length == 2)
                    .forEach(parts -> digests.put(parts[0], parts[1]));
        } catch (IOException _) {
            digests.clear(); // Asked again.
        }
        return digests;
    }
}
