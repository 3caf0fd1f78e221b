package dev.ensemble.server.node;

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

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The configuration of three processes changes while they run: each says when it is in force, and
/// a client notices nothing.
@Timeout(200)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class LiveConfigIT {
    @TempDir Path folder;

    @Test
    void membersTakeItOverWhileTheyRun() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            var connected = new CountDownLatch(1);
            try (var client =
                    new ZooKeeper(
                            members.connectString(),
                            10_000,
                            event -> {
                                if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                    connected.countDown();
                                }
                            })) {
                assertTrue(connected.await(60, TimeUnit.SECONDS));
                client.create("/e", new byte[1], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
                long session = client.getSessionId();
                long opened = Objects.requireNonNull(client.exists("/e", false)).getCzxid();
                Map<Integer, Object> before = new HashMap<>();
                for (int id : members.ids()) {
                    before.put(id, Objects.requireNonNull(members.status(id)).get("configHash"));
                    members.configure(id, "maxClientCnxns=33\nlog.retainHours=1\ntickTime=501\n");
                }
                for (int id : members.ids()) {
                    members.awaitStatus(
                            id,
                            "has the new limit and not the new tick",
                            status ->
                                    "{waiting=[tickTime], refused=null}"
                                            .equals("" + status.get("file")));
                    assertNotEquals(
                            before.get(id),
                            Objects.requireNonNull(members.status(id)).get("configHash"));
                    assertTrue(
                            members.get(id, "/commands/configuration").body().contains("33"),
                            "in force");
                    members.configure(id, "");
                }
                for (int id : members.ids()) {
                    members.awaitStatus(
                            id,
                            "goes by the old file again",
                            status -> Objects.equals(before.get(id), status.get("configHash")));
                }
                assertEquals(session, client.getSessionId());
                assertEquals(opened, Objects.requireNonNull(client.exists("/e", false)).getCzxid());
            }
        }
    }
}
