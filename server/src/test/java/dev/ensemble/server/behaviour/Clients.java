package dev.ensemble.server.behaviour;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.Stat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// What tests do with the original's own client.
final class Clients {
    private Clients() {}

    /// What a client may be refused.
    @FunctionalInterface
    interface Action {
        Object run() throws KeeperException, InterruptedException;
    }

    /// Something that takes some time to become so.
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    static ZooKeeper connect(String address, int timeoutMillis, Events events) throws Exception {
        return connect(address, timeoutMillis, events, false);
    }

    static ZooKeeper connect(String address, int timeoutMillis, Events events, boolean readOnly)
            throws Exception {
        var client = new ZooKeeper(address, timeoutMillis, events, readOnly, new ZKClientConfig());
        events.awaitConnected();
        return client;
    }

    /// {@return the code that the client gets, OK if all goes well}
    static Code code(Action action) throws InterruptedException {
        try {
            action.run();
            return Code.OK;
        } catch (KeeperException e) {
            return e.code();
        }
    }

    static String make(ZooKeeper client, String path) throws Exception {
        return make(client, path, CreateMode.PERSISTENT);
    }

    static String make(ZooKeeper client, String path, CreateMode mode) throws Exception {
        return make(client, path, "", mode);
    }

    static String make(ZooKeeper client, String path, String data, CreateMode mode)
            throws Exception {
        return client.create(path, data.getBytes(StandardCharsets.UTF_8), Acls.OPEN, mode);
    }

    static Stat set(ZooKeeper client, String path, String data) throws Exception {
        return client.setData(path, data.getBytes(StandardCharsets.UTF_8), -1);
    }

    static String text(ZooKeeper client, String path) throws Exception {
        return new String(client.getData(path, false, null), StandardCharsets.UTF_8);
    }

    static Stat stat(ZooKeeper client, String path) throws Exception {
        Stat stat = client.exists(path, false);
        if (stat == null) {
            throw new AssertionError(path + " is missing");
        }
        return stat;
    }

    static boolean exists(ZooKeeper client, String path) throws Exception {
        return client.exists(path, false) != null;
    }

    /// Waits until what this client was sent before has been handed to its watchers.
    static void settle(ZooKeeper client) throws Exception {
        var done = new CountDownLatch(1);
        client.sync("/", (_, _, _) -> done.countDown(), null);
        assertTrue(done.await(30, TimeUnit.SECONDS), "no answer to a sync");
    }

    /// Waits for what comes by itself.
    static void await(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        var pause = new CountDownLatch(1);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, "never: " + what);
            var _ = pause.await(20, TimeUnit.MILLISECONDS);
        }
    }

    static BooleanSupplier closed(ZooKeeper client) {
        return () -> !client.getState().isAlive();
    }
}
