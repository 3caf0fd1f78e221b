package dev.ensemble.server.differential;

import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// Takes away what a program leaves, in the same order on every server: the next one finds what it
/// would find on a new server, but for the counters of the root.
final class Cleaning {
    private static final List<String> BUILT_IN =
            List.of("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config");

    private final ZooKeeper client;

    Cleaning(int port) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        client =
                new ZooKeeper(
                        "127.0.0.1:" + port,
                        40_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        connected.await();
        client.addAuthInfo("digest", Programs.SUPER.getBytes(StandardCharsets.UTF_8));
    }

    void clean() throws KeeperException, InterruptedException {
        for (String path : BUILT_IN) {
            deleteBelow(path);
            boolean readOnly = path.equals("/zookeeper/config");
            client.setACL(
                    path, readOnly ? ZooDefs.Ids.READ_ACL_UNSAFE : ZooDefs.Ids.OPEN_ACL_UNSAFE, -1);
            client.setData(path, new byte[0], -1);
        }
    }

    private void deleteBelow(String path) throws KeeperException, InterruptedException {
        List<String> names = client.getChildren(path, false);
        Collections.sort(names);
        for (String name : names) {
            String child = path.equals("/") ? "/" + name : path + "/" + name;
            deleteBelow(child);
            if (!BUILT_IN.contains(child)) {
                client.delete(child, -1);
            }
        }
    }

    void end() {
        try {
            client.close();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
