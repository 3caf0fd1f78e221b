package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// An observer that is a process of its own: it joins, serves, and never votes, until a stock
/// client's reconfig makes a voter of it, and back.
///
/// To see [#observesAndVotesWhenPromoted] fail: let `PeerConfig` count observers among the voters.
@Timeout(180)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class ObserverIT {
    private static final int OBSERVER = 4;

    /// How often it is seen that there is no leader. An election takes a fraction of one of them.
    private static final int LOOKS = 100;

    @TempDir Path folder;

    @Test
    void observesAndVotesWhenPromoted() throws Exception {
        try (var members = new MemberProcesses(folder, OBSERVER, OBSERVER - 1, List.of())) {
            members.startAll();
            members.awaitLeader();
            reconfigure(members, "observer");
            awaitRole(members, "observer");
            awaitVoters(members, 3);
            try (ZooKeeper elsewhere = Workers.connect("127.0.0.1:" + members.clientPort(1));
                    ZooKeeper here = Workers.connect("127.0.0.1:" + members.clientPort(OBSERVER))) {
                servesReadsWritesAndWatches(elsewhere, here);
            }
            isNoQuorumWithOneVoter(members);
            reconfigure(members, "participant");
            awaitRole(members, "follower");
            awaitVoters(members, 4);
            isNeededOnceItVotes(members);
            reconfigure(members, "observer");
            awaitRole(members, "observer");
            awaitVoters(members, 3);
        }
    }

    private static void servesReadsWritesAndWatches(ZooKeeper elsewhere, ZooKeeper here)
            throws Exception {
        create(here, "/written-here", CreateMode.PERSISTENT);
        create(here, "/ephemeral", CreateMode.EPHEMERAL);
        var fired = new CountDownLatch(1);
        here.getData(
                "/written-here",
                event -> {
                    if (event.getType() == Watcher.Event.EventType.NodeDataChanged) {
                        fired.countDown();
                    }
                },
                null);
        byte[] data = "elsewhere".getBytes(StandardCharsets.UTF_8);
        elsewhere.sync("/", (_, _, _) -> {}, null);
        elsewhere.setData("/written-here", data, 0);
        assertTrue(fired.await(60, TimeUnit.SECONDS), "the watch has not fired");
        assertArrayEquals(data, here.getData("/written-here", false, new Stat()));
        assertEquals(
                here.getSessionId(), elsewhere.exists("/ephemeral", false).getEphemeralOwner());
    }

    private static void create(ZooKeeper client, String path, CreateMode mode) throws Exception {
        client.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
    }

    /// Two of three voters are gone: that voter and the observer are two of four members, and elect
    /// nobody.
    private static void isNoQuorumWithOneVoter(MemberProcesses members) throws Exception {
        members.kill(2, 3);
        for (int id : List.of(1, OBSERVER)) {
            members.awaitStatus(id, "without a leader", status -> !isServing(status));
        }
        var pause = new CountDownLatch(1);
        for (int look = 0; look < LOOKS; look++) {
            for (int id : List.of(1, OBSERVER)) {
                Map<String, Object> status = members.status(id);
                assertTrue(status == null || !isServing(status), () -> "serves: " + status);
            }
            assertFalse(pause.await(10, TimeUnit.MILLISECONDS));
        }
        members.start(2);
        members.start(3);
        members.awaitLeader();
        writes(members);
    }

    /// With four voters, three are a quorum: without two of them nobody serves, and the fourth is
    /// as good a third as any.
    private static void isNeededOnceItVotes(MemberProcesses members) throws Exception {
        int leader = members.awaitLeader();
        int other = leader == 1 ? 2 : 1;
        members.kill(other);
        writes(members);
        members.start(other);
        awaitRole(members, members.awaitLeader() == OBSERVER ? "leader" : "follower");
    }

    private static void writes(MemberProcesses members) throws Exception {
        try (ZooKeeper client =
                Workers.connect("127.0.0.1:" + members.clientPort(members.awaitLeader()))) {
            var written = new CompletableFuture<Integer>();
            client.create(
                    "/n",
                    new byte[0],
                    ZooDefs.Ids.OPEN_ACL_UNSAFE,
                    CreateMode.PERSISTENT_SEQUENTIAL,
                    (code, _, _, _) -> written.complete(code),
                    null);
            assertEquals(0, written.get(60, TimeUnit.SECONDS));
        }
    }

    private static boolean isServing(Map<String, Object> status) {
        return Boolean.TRUE.equals(status.get("serving"));
    }

    private static void reconfigure(MemberProcesses members, String role) throws Exception {
        String line = members.memberLine(OBSERVER) + ":" + role;
        String leader = "127.0.0.1:" + members.clientPort(members.awaitLeader());
        try (var admin = new ZooKeeperAdmin(leader, 40_000, _ -> {})) {
            members.await("a change to " + role, () -> isDone(admin, line));
        }
    }

    /// A change is refused while who shall vote is not level yet.
    private static boolean isDone(ZooKeeperAdmin admin, String line) throws InterruptedException {
        try {
            byte[] after = admin.reconfigure(line, null, null, -1, null);
            return new String(after, StandardCharsets.UTF_8).contains(line);
        } catch (KeeperException.NewConfigNoQuorum | KeeperException.ReconfigInProgress _) {
            return false;
        } catch (KeeperException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitRole(MemberProcesses members, String role)
            throws InterruptedException {
        members.awaitStatus(
                OBSERVER,
                "as " + role,
                status -> role.equals(status.get("role")) && isServing(status));
    }

    /// What a member tells of itself is a moment old.
    private static void awaitVoters(MemberProcesses members, int voters)
            throws InterruptedException {
        members.await(
                voters + " voters",
                () -> {
                    Map<String, Object> status = members.status(members.awaitLeader());
                    return status != null
                            && status.get("quorum") instanceof Map<?, ?> quorum
                            && Integer.valueOf(voters).equals(quorum.get("configured"));
                });
    }
}
