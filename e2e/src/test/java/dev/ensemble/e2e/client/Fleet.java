package dev.ensemble.e2e.client;

import dev.ensemble.e2e.check.Entry;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/// Several clients of an ensemble, each a stock `ZooKeeper` with a session of its own, that work
/// until standard input ends.
///
/// The history goes to standard output, the log to standard error. Arguments: connect string, root
/// path (created), number of clients, session time-out in milliseconds, pause between two writes of
/// a client in milliseconds; for TLS a file with the certificates to trust, in PEM.
public final class Fleet {
    private static final String USAGE =
            "usage: Fleet CONNECT ROOT CLIENTS SESSION_TIMEOUT_MILLIS PAUSE_MILLIS [TRUSTED_PEM]";

    private Fleet() {}

    /// Runs the fleet, to the end of standard input and then to the end of its work.
    public static void main(String[] args) throws Exception {
        if (args.length != 5 && args.length != 6) {
            System.err.println(USAGE);
            System.exit(2);
        }
        String root = args[1];
        int number = Integer.parseInt(args[2]);
        var servers =
                new Servers(args[0], Integer.parseInt(args[3]), args.length == 6 ? args[5] : "");
        int pauseMillis = Integer.parseInt(args[4]);
        var recorder = new Recorder(System.out);

        ZooKeeper first = connect(servers);
        try {
            ensure(first, root);
        } finally {
            first.close();
        }
        var stop = new CountDownLatch(1);
        var begun = new CountDownLatch(number);
        var written = new CountDownLatch(number);
        var idle = new CountDownLatch(number);
        var release = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i : IntStream.range(0, number).toArray()) {
            var worker =
                    new Worker(
                            i,
                            (i + 1) % number,
                            root,
                            servers,
                            pauseMillis,
                            recorder,
                            new Worker.Phases(stop, begun, written, idle, release));
            threads.add(Thread.ofPlatform().daemon().name("client-" + i).start(worker));
        }
        while (System.in.read() >= 0) {
            // Whoever started the fleet holds its input open for as long as the fleet should work.
        }
        stop.countDown();
        // The sessions stay open until what is there has been read: their ephemerals belong to it.
        boolean quiet = idle.await(60, TimeUnit.SECONDS);
        ZooKeeper last = connect(servers);
        try {
            whatIsThere(last, root, recorder).forEach(recorder::record);
        } finally {
            last.close();
        }
        if (quiet) {
            recorder.record(new Entry.Finished(recorder.now(), -1));
        }
        release.countDown();
        for (Thread thread : threads) {
            thread.join(10_000);
        }
        System.exit(quiet ? 0 : 1);
    }

    private static List<Entry> whatIsThere(ZooKeeper zk, String root, Recorder recorder)
            throws InterruptedException, KeeperException {
        for (int left = 30; ; left--) {
            try {
                zk.sync(root, (_, _, _) -> {}, null);
                List<Entry> there = new ArrayList<>();
                for (String child : zk.getChildren(root, false)) {
                    String path = root + "/" + child;
                    var stat = new Stat();
                    byte[] data = zk.getData(path, false, stat);
                    there.add(
                            new Entry.Final(
                                    recorder.now(),
                                    -1,
                                    path,
                                    new String(data, StandardCharsets.UTF_8),
                                    stat.getVersion(),
                                    hex(stat.getEphemeralOwner()),
                                    hex(stat.getCzxid())));
                }
                return there;
            } catch (KeeperException.ConnectionLossException e) {
                if (left == 0) {
                    throw e;
                }
                TimeUnit.SECONDS.sleep(1);
            }
        }
    }

    static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }

    private static ZooKeeper connect(Servers servers) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        ZooKeeper zk =
                servers.open(event -> {
                    if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                });
        if (!connected.await(60, TimeUnit.SECONDS)) {
            zk.close();
            throw new IOException("no connection to " + servers + " within 60 s");
        }
        return zk;
    }

    private static void ensure(ZooKeeper zk, String path)
            throws InterruptedException, KeeperException {
        try {
            zk.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        } catch (KeeperException.NodeExistsException e) {
            throw new IllegalStateException(path + " exists: a fleet needs a root of its own", e);
        }
    }
}
