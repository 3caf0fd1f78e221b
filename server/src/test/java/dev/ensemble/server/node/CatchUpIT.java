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

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// Members that were away for longer than their leader's memory reaches back come level from the
/// log on disk, while clients write as fast as they can.
///
/// Prints how fast, and the rate of those writes before and meanwhile. `docs/storage.md` says how
/// to run more of it.
@Timeout(1800)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class CatchUpIT {
    /// More than the 100,000 that a leader keeps in memory.
    private static final long TRANSACTIONS = Long.getLong("ensemble.transactions", 105_000);

    /// How many are away at once, a minority.
    private static final int AWAY = Integer.getInteger("ensemble.away", 1);

    private static final int IN_FLIGHT = 2000;
    private static final int NEAR = 5000;

    /// However long the log is, it is kept and sent.
    private static final String KEEP =
            "log.retainMegabytes=1000000\nsnapshotSizeFactor=1000000000\n";

    @TempDir Path folder;

    private final AtomicLong written = new AtomicLong();
    private final AtomicBoolean stop = new AtomicBoolean();

    @Test
    void comesLevelFromTheLogOnDisk() throws Exception {
        try (var members = new MemberProcesses(folder, 2 * AWAY + 1)) {
            for (int id : members.ids()) {
                Files.writeString(members.configFile(id), KEEP, StandardOpenOption.APPEND);
            }
            members.startAll().awaitAllSynced();
            int leader = members.awaitLeader();
            Integer[] away =
                    members.ids().stream()
                            .filter(id -> id != leader)
                            .limit(AWAY)
                            .toArray(Integer[]::new);
            try (ZooKeeper client = connect(members.clientPort(leader))) {
                client.create("/a", data(0), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                members.kill(away);
                Thread writer = Thread.ofVirtual().start(() -> write(client));
                members.await("half of the writes", () -> written.get() >= TRANSACTIONS / 2, 900);
                double before = rate(() -> written.get() >= TRANSACTIONS, members);
                catchUp(members, leader, List.of(away), before);
                stop.set(true);
                writer.join();
            }
            members.awaitAllSynced();
            for (int each : away) {
                members.await("the same log", () -> lag(members, leader, each) == 0);
            }
            Map<String, Object> figures =
                    JSON.std.mapFrom(members.get(leader, "/commands/monitor").body());
            assertEquals("0", "" + figures.get("snap_count"), "no snapshot was needed");
            assertTrue(written.get() >= TRANSACTIONS);
        }
    }

    /// {@return writes per second until then}
    private double rate(MemberProcesses.Condition end, MemberProcesses members)
            throws InterruptedException {
        long began = System.nanoTime();
        long then = written.get();
        members.await("writes", end, 900);
        return (written.get() - then) * 1e9 / (System.nanoTime() - began);
    }

    private void catchUp(MemberProcesses members, int leader, List<Integer> away, double before)
            throws Exception {
        for (int each : away) {
            members.start(each);
        }
        for (int each : away) {
            members.awaitStatus(each, "has its log", status -> logged(status) > 0);
        }
        int last = away.getLast();
        long began = System.nanoTime();
        long from = logged(status(members, last));
        double writes =
                rate(
                        () -> {
                            for (int each : away) {
                                if (lag(members, leader, each) >= NEAR) {
                                    return false;
                                }
                            }
                            return true;
                        },
                        members);
        double seconds = (System.nanoTime() - began) / 1e9;
        double caughtUp = (logged(status(members, last)) - from) / seconds;
        System.out.printf(
                "%d members caught up %.0f transactions/s each beside %.0f writes/s (%.0f before"
                        + " that), ratio %.1f, in %.1f s%n",
                away.size(), caughtUp, writes, before, caughtUp / writes, seconds);
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
