package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// An ensemble with groups and weights, as stock clients see it.
@Timeout(180)
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class HierarchyBehaviourTest {
    private static final List<String> GROUPS = List.of("group.1=1:2:4", "group.2=3", "weight.3=0");

    private static String config(ZooKeeper zk) throws Exception {
        return new String(
                zk.getData("/zookeeper/config", false, new Stat()), StandardCharsets.UTF_8);
    }

    /// The members as the configuration has them; the ports for elections, which nobody uses, are
    /// told apart.
    private static List<String> members(ZooKeeper zk) throws Exception {
        return config(zk)
                .lines()
                .filter(line -> line.startsWith("server."))
                .map(line -> line.replace(":1:", ":1" + line.charAt(7) + ":"))
                .toList();
    }

    private static String joined(List<String> some, List<String> more) {
        return String.join("\n", some) + "\n" + String.join("\n", more);
    }

    @Test
    @DisplayName(
            "b244, b267, b278: groups by the file, then the majority, then groups again; an"
                    + " observer follows through it all, and who weighs nothing never leads")
    void through(@TempDir Path folder) throws Exception {
        try (Trio trio =
                        Trio.start(
                                folder,
                                "reconfigEnabled=true\nskipACL=yes\n" + String.join("\n", GROUPS));
                ZooKeeperAdmin admin =
                        new ZooKeeperAdmin(trio.connectString(1), 30_000, new Events())) {
            String weights = "group.1=1:2:4\ngroup.2=3\nweight.1=1\nweight.2=1\nweight.3=0\n";
            ZooKeeper observer = trio.client(Trio.OBSERVER);
            observer.create("/g", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            assertTrue(config(observer).contains(weights), config(observer));
            assertTrue(trio.ask(2, "conf").contains(weights), trio.ask(2, "conf"));
            assertNotEquals(3, trio.leader());
            List<String> members = members(observer);

            assertEquals(
                    Code.BADARGUMENTS,
                    code(() -> admin.reconfigure(null, "2", null, -1, new Stat())));
            admin.reconfigure(null, null, joined(members, List.of()), -1, new Stat());
            observer.sync("/");
            assertTrue(!config(observer).contains("group."), config(observer));

            // Three, of whom one weighs nothing, are a quorum without it and none with it alone.
            admin.reconfigure(null, null, joined(members, GROUPS), -1, new Stat());
            trio.stop(3);
            observer.create("/h", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            trio.start(3);
            assertTrue(config(observer).contains(weights), config(observer));

            assertEquals(
                    Code.BADARGUMENTS,
                    code(() ->
                            admin.reconfigure(
                                    null,
                                    null,
                                    joined(members, List.of("group.1=1:2")),
                                    -1,
                                    new Stat())));
        }
    }
}
