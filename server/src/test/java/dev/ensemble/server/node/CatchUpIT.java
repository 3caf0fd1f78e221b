package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// A member that was away for longer than its leader's memory reaches back comes level from the log
/// on disk, while clients write as fast as they can.
///
/// Prints how fast, beside the rate of those writes. More of it: `mvn -pl server verify
/// -Dit.test=CatchUpIT -Dsurefire.skip=true -Densemble.transactions=1000000`.
@Timeout(600)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class CatchUpIT {
    /// More than the 100,000 that a leader keeps in memory.
    private static final long TRANSACTIONS = Long.getLong("ensemble.transactions", 105_000);

    private static final int IN_FLIGHT = 2000;

    @TempDir Path folder;

    private final AtomicLong written = new AtomicLong();
    private final AtomicBoolean stop = new AtomicBoolean();

    @Test
    void comesLevelFromTheLogOnDisk() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            int leader = members.awaitLeader();
            int away = members.ids().stream().filter(id -> id != leader).findFirst().orElseThrow();
            try (ZooKeeper client = connect(members.clientPort(leader))) {
                client.create("/a", data(0), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                members.kill(away);
                Thread writer = Thread.ofVirtual().start(() -> write(client));
                members.await("writes", this::enough, 300);

                members.start(away);
                members.awaitStatus(away, "has its log", status -> logged(status) > 0);
                long began = System.nanoTime();
                long from = logged(status(members, away));
                long writtenThen = written.get();
                members.await("catching up", () -> lag(members, leader, away) < 5000, 300);
                double seconds = (System.nanoTime() - began) / 1e9;
                double caughtUp = (logged(status(members, away)) - from) / seconds;
                double writes = (written.get() - writtenThen) / seconds;
                System.out.printf(
                        "caught up %.0f transactions/s beside %.0f writes/s, ratio %.1f, in %.1f"
                                + " s%n",
                        caughtUp, writes, caughtUp / writes, seconds);
                stop.set(true);
                writer.join();
            }
            members.awaitAllSynced();
            members.await("the same log", () -> lag(members, leader, away) == 0, 60);
            Map<String, Object> figures =
                    JSON.std.mapFrom(members.get(leader, "/commands/monitor").body());
            assertEquals("0", "" + figures.get("snap_count"), "no snapshot was needed");
            assertTrue(written.get() >= TRANSACTIONS);
        }
    }

    private boolean enough() {
        return written.get() >= TRANSACTIONS;
    }

    private void write(ZooKeeper client) {
        var room = new Semaphore(IN_FLIGHT);
        long count = 0;
        while (!stop.get()) {
            room.acquireUninterruptibly();
            client.setData(
                    "/a",
                    data(count++),
                    -1,
                    (_, _, _, _) -> {
                        written.incrementAndGet();
                        room.release();
                    },
                    null);
        }
        room.acquireUninterruptibly(IN_FLIGHT);
    }

    private static byte[] data(long count) {
        return Long.toString(count).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    }

    private static Map<String, Object> status(MemberProcesses members, int id)
            throws InterruptedException {
        Map<String, Object> status = members.status(id);
        return status == null ? Map.of() : status;
    }

    private static long lag(MemberProcesses members, int leader, int away)
            throws InterruptedException {
        long there = logged(status(members, leader));
        long here = logged(status(members, away));
        return here == 0 ? Long.MAX_VALUE : there - here;
    }

    private static long logged(Map<String, Object> status) {
        return status.get("zxid") instanceof Map<?, ?> zxid
                ? Long.decode("" + zxid.get("synced"))
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
