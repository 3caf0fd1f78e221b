package dev.ensemble.server.node;

import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Measures how long nobody's write is acknowledged when the leader of three is killed: real
/// processes on this machine, a stock client on each member, each with one write in flight.
///
/// `dev.ensemble.server.node.FailOver [kills]`; see `server/docs/testing.md`.
final class FailOver {
    private static final int MEMBERS = 3;

    /// What must be acknowledged around a kill, so that it happens under load.
    private static final int WRITES = 50;

    private final MemberProcesses members;

    private FailOver(MemberProcesses members) {
        this.members = members;
    }

    /// One client of one member, writing without a pause.
    private static final class Writer implements AsyncCallback.StatCallback {
        private final ZooKeeper client;
        private final String path;
        private final AtomicLong acknowledged = new AtomicLong();
        private volatile long killedNanos;
        private volatile long gapNanos;
        private volatile boolean stopped;
        private long lastNanos = System.nanoTime();

        Writer(String server, String path) throws Exception {
            this.path = path;
            var connected = new CountDownLatch(1);
            client =
                    new ZooKeeper(
                            server,
                            40_000,
                            event -> {
                                if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                    connected.countDown();
                                }
                            });
            if (!connected.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("no connection to " + server);
            }
            try {
                client.create(
                        path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            } catch (KeeperException.NodeExistsException e) {
                lastNanos = System.nanoTime(); // Of an earlier round.
            }
            write();
        }

        private void write() {
            client.setData(path, new byte[100], -1, this, null);
        }

        /// On the client's thread, in order.
        @Override
        public void processResult(int code, String of, Object context, Stat stat) {
            long now = System.nanoTime();
            if (code == KeeperException.Code.OK.intValue()) {
                // The longest silence that ended after the kill, from the kill on.
                if (killedNanos != 0) {
                    gapNanos = Math.max(gapNanos, now - Math.max(lastNanos, killedNanos));
                }
                lastNanos = now;
                acknowledged.incrementAndGet();
            }
            if (!stopped && client.getState().isAlive()) {
                write();
            }
        }

        void close() throws InterruptedException {
            stopped = true;
            client.close();
        }
    }

    /// {@return the milliseconds until the first write was acknowledged again, by either survivor}
    private double kill() throws Exception {
        members.awaitAllSynced();
        int leader = members.awaitLeader();
        List<Writer> writers = new ArrayList<>();
        try {
            for (int id : members.ids()) {
                if (id != leader) {
                    writers.add(new Writer("127.0.0.1:" + members.clientPort(id), "/w" + id));
                }
            }
            awaitWrites(writers);
            long killed = System.nanoTime();
            writers.forEach(writer -> writer.killedNanos = killed);
            members.kill(leader);
            awaitWrites(writers);
        } finally {
            for (Writer writer : writers) {
                writer.close();
            }
        }
        members.start(leader);
        return writers.stream().mapToLong(writer -> writer.gapNanos).min().orElseThrow() / 1e6;
    }

    private void awaitWrites(List<Writer> writers) throws InterruptedException {
        List<Long> before = writers.stream().map(writer -> writer.acknowledged.get()).toList();
        members.await(
                "acknowledged writes",
                () -> {
                    for (int i = 0; i < before.size(); i++) {
                        if (writers.get(i).acknowledged.get() < before.get(i) + WRITES) {
                            return false;
                        }
                    }
                    return true;
                });
    }

    public static void main(String[] args) throws Exception {
        int kills = args.length == 0 ? 20 : Integer.parseInt(args[0]);
        Path folder = Files.createTempDirectory("fail-over");
        System.out.println("members' logs: " + folder);
        List<Double> gaps = new ArrayList<>();
        try (var members = new MemberProcesses(folder, MEMBERS).startAll()) {
            var failOver = new FailOver(members);
            for (int i = 0; i < kills; i++) {
                gaps.add(failOver.kill());
                System.out.printf("kill %d: %.1f ms%n", i + 1, gaps.getLast());
            }
        }
        Collections.sort(gaps);
        System.out.printf(
                "%d kills: median %.1f ms, worst %.1f ms%n",
                kills, gaps.get(kills / 2), gaps.getLast());
    }
}
