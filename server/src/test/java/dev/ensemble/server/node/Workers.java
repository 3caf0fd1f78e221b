package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Stock clients that write and read while members fail, and a check of what they were told.
///
/// Each has a node of its own, which only it writes: one write after the other, each repeated until
/// it is acknowledged. The version of that node counts how often it was written, so a version that
/// is too low is an acknowledged write that was lost, and one that is too high is a write that was
/// applied twice. All increment one counter, each time on condition that nobody else did in
/// between: its value is compared with what was acknowledged. Every session sees versions and zxids
/// that never go back, on whichever member it is.
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class Workers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
    private static final String COUNTER = "/counter";
    private static final int SESSION_MILLIS = 40_000;
    private static final int PAUSE_MILLIS = 100;

    private final List<Worker> workers = new ArrayList<>();
    private final AtomicLong increments = new AtomicLong();
    private final AtomicLong unknownIncrements = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong repeated = new AtomicLong();
    private final AtomicLong lostByPausing = new AtomicLong();
    private final CountDownLatch never = new CountDownLatch(1);
    private volatile boolean stopping;

    /// @param hasty how many of them never pause; the others do, as most clients, for some
    ///   milliseconds
    Workers(int count, int hasty, String servers) throws Exception {
        for (int i = 0; i < count; i++) {
            workers.add(new Worker(i, i < hasty, servers));
        }
        workers.forEach(Thread::start);
    }

    static ZooKeeper connect(String servers) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        servers,
                        SESSION_MILLIS,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS), "no connection to " + servers);
        return client;
    }

    private interface Operation<T> {
        T run() throws KeeperException, InterruptedException;
    }

    /// Reads only what was written, in its order, and says what it was told.
    private final class Worker extends Thread {
        private final ZooKeeper client;
        private final long session;
        private final String path;
        private final String ephemeral;
        private final boolean hasty;

        /// What the node's version must be at least and may be at most.
        private int atLeast;

        private int atMost;
        private long lastZxid;
        private volatile @Nullable Throwable failure;

        Worker(int number, boolean hasty, String servers) throws Exception {
            super("worker-" + number);
            this.hasty = hasty;
            client = connect(servers);
            path = "/worker-" + number;
            ephemeral = "/ephemeral-" + number;
            create(path, CreateMode.PERSISTENT);
            create(COUNTER, CreateMode.PERSISTENT);
            create(ephemeral, CreateMode.EPHEMERAL);
            session = client.getSessionId();
        }

        private void lost() {
            LOG.debug("{} has lost a request", getName());
            lost.incrementAndGet();
            if (!hasty) {
                lostByPausing.incrementAndGet();
            }
        }

        private void create(String node, CreateMode mode) throws Exception {
            retried(
                    () -> {
                        try {
                            byte[] zero = "0".getBytes(StandardCharsets.UTF_8);
                            return client.create(node, zero, ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
                        } catch (KeeperException.NodeExistsException _) {
                            return node; // By another worker, or by an attempt that was cut off.
                        }
                    },
                    () -> {});
        }

        /// The only failure that a member's end may cause is the loss of the connection.
        private <T> T retried(Operation<T> operation, Runnable onLoss)
                throws KeeperException, InterruptedException {
            for (int losses = 0; ; losses++) {
                try {
                    return operation.run();
                } catch (KeeperException.ConnectionLossException _) {
                    lost();
                    if (losses > 0) {
                        repeated.incrementAndGet();
                    }
                    onLoss.run();
                    // The client drops what it is asked while it takes its connection down.
                    assertFalse(never.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
                }
            }
        }

        @Override
        public void run() {
            try {
                while (!stopping) {
                    write();
                    pause();
                    read();
                    increment();
                    pause();
                }
            } catch (Throwable e) {
                failure = e;
            }
        }

        private void pause() throws InterruptedException {
            if (!hasty) {
                assertFalse(never.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
            }
        }

        private void write() throws Exception {
            byte[] data = Integer.toString(atMost).getBytes(StandardCharsets.UTF_8);
            atMost++;
            // One that was cut off may have been applied, or not, but not twice.
            Stat stat = retried(() -> client.setData(path, data, -1), () -> atMost++);
            assertTrue(stat.getVersion() > atLeast, () -> told(stat) + ": a write was lost");
            assertTrue(stat.getVersion() <= atMost, () -> told(stat) + ": a write came twice");
            atLeast = stat.getVersion();
            atMost = stat.getVersion();
            acknowledged.incrementAndGet();
            seen(stat);
        }

        private void read() throws Exception {
            var stat = new Stat();
            retried(() -> client.getData(path, false, stat), () -> {});
            assertEquals(atLeast, stat.getVersion(), () -> told(stat) + ": not its own write");
            seen(stat);
        }

        private void seen(Stat stat) {
            assertTrue(stat.getMzxid() >= lastZxid, () -> told(stat) + ": back in time");
            lastZxid = stat.getMzxid();
        }

        private String told(Stat stat) {
            return path
                    + " has version "
                    + stat.getVersion()
                    + " of 0x"
                    + Long.toHexString(stat.getMzxid())
                    + "; acknowledged were "
                    + atLeast
                    + ", sent "
                    + atMost
                    + ", seen was 0x"
                    + Long.toHexString(lastZxid);
        }

        private void increment() throws Exception {
            var stat = new Stat();
            byte[] old = retried(() -> client.getData(COUNTER, false, stat), () -> {});
            int next = Integer.parseInt(new String(old, StandardCharsets.UTF_8)) + 1;
            byte[] data = Integer.toString(next).getBytes(StandardCharsets.UTF_8);
            try {
                client.setData(COUNTER, data, stat.getVersion());
                increments.incrementAndGet();
            } catch (KeeperException.BadVersionException _) {
                // Another one was faster.
            } catch (KeeperException.ConnectionLossException _) {
                lost();
                unknownIncrements.incrementAndGet();
            }
        }

        private void check() throws Exception {
            Throwable found = failure;
            if (found != null) {
                throw new AssertionError(getName(), found);
            }
            assertEquals(session, client.getSessionId(), "the session of " + getName());
            Stat own = retried(() -> client.exists(ephemeral, false), () -> {});
            assertTrue(
                    own != null && own.getEphemeralOwner() == session,
                    () -> ephemeral + " has gone with its session: " + own);
        }

        /// Another client, on a certain member.
        private void checkOn(ZooKeeper other, int member) throws Exception {
            Stat stat = other.exists(path, false);
            assertTrue(
                    stat.getVersion() >= atLeast && stat.getVersion() <= atMost,
                    () -> told(stat) + ", on member " + member);
        }
    }

    /// {@return how many writes have been acknowledged so far}
    long acknowledged() {
        return acknowledged.get();
    }

    /// {@return how many requests were cut off with their connection}
    long lost() {
        return lost.get();
    }

    /// {@return how many of these were of clients that pause}
    long lostByPausing() {
        return lostByPausing.get();
    }

    /// {@return how many of these were repetitions of one that was cut off}
    long lostAgain() {
        return repeated.get();
    }

    /// {@return whether one of them has already found something wrong}
    boolean haveFailed() {
        return workers.stream().anyMatch(worker -> worker.failure != null);
    }

    /// Ends the load, and compares what the workers were told with what every member holds.
    void stopAndCheck(MemberProcesses members) throws Exception {
        stopping = true;
        for (Worker worker : workers) {
            worker.join(TimeUnit.SECONDS.toMillis(120));
            assertTrue(!worker.isAlive(), () -> worker.getName() + " waits for ever");
        }
        for (Worker worker : workers) {
            worker.check();
        }
        for (int id : members.ids()) {
            try (ZooKeeper client = connect("127.0.0.1:" + members.clientPort(id))) {
                var synced = new CountDownLatch(1);
                client.sync("/", (_, _, _) -> synced.countDown(), null);
                synced.await();
                for (Worker worker : workers) {
                    worker.checkOn(client, id);
                }
                long count =
                        Long.parseLong(
                                new String(
                                        client.getData(COUNTER, false, null),
                                        StandardCharsets.UTF_8));
                assertTrue(
                        count >= increments.get()
                                && count <= increments.get() + unknownIncrements.get(),
                        () ->
                                "the counter is "
                                        + count
                                        + "; acknowledged were "
                                        + increments
                                        + ", unknown are "
                                        + unknownIncrements);
            }
        }
    }

    @Override
    public void close() {
        stopping = true;
        try {
            for (Worker worker : workers) {
                worker.client.close();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
