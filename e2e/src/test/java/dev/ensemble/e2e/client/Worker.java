package dev.ensemble.e2e.client;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// One client: writes numbers to a znode of its own, creates a znode now and then, holds an
/// ephemeral, and watches the znode and the ephemeral of its neighbour. Each request is tried until
/// its outcome is known.
///
/// Runs on its own thread; watch events come on the client library's.
final class Worker implements Runnable {
    /// When the clients go from one thing to the next.
    ///
    /// @param stop reaches zero when no more writes should begin
    /// @param begun counts the clients that have made their znodes
    /// @param written counts the clients that write no more
    /// @param idle counts the clients that have nothing to do any more
    /// @param release reaches zero when the sessions may end
    record Phases(
            CountDownLatch stop,
            CountDownLatch begun,
            CountDownLatch written,
            CountDownLatch idle,
            CountDownLatch release) {}

    private static final int WRITES_FOR_EACH_CREATION = 10;
    private static final int RETRY_PAUSE_MILLIS = 50;

    private final int client;
    private final String root;
    private final String own;
    private final String ephemeral;
    private final String neighbour;
    private final String neighboursEphemeral;
    private final Servers servers;
    private final int pauseMillis;
    private final Recorder recorder;
    private final Phases phases;

    /// Events of the watch on the neighbour's znode: the next read sets it again.
    private final ConcurrentLinkedQueue<WatchedEvent> events = new ConcurrentLinkedQueue<>();

    private long watches;
    private boolean ended;

    Worker(
            int client,
            int neighbour,
            String root,
            Servers servers,
            int pauseMillis,
            Recorder recorder,
            Phases phases) {
        this.client = client;
        this.root = root;
        this.own = Findings.own(root, client);
        this.ephemeral = root + "/ephemeral-" + client;
        this.neighbour = Findings.own(root, neighbour);
        this.neighboursEphemeral = root + "/ephemeral-" + neighbour;
        this.servers = servers;
        this.pauseMillis = pauseMillis;
        this.recorder = recorder;
        this.phases = phases;
    }

    @Override
    public void run() {
        try {
            var zk = new Connected(servers);
            begin(zk.zk);
            phases.begun.countDown();
            phases.begun.await();
            work(zk.zk);
            recorder.record(new Entry.Stopping(recorder.now(), client));
            phases.written.countDown();
            phases.written.await();
            // Events come before what is read after them: once a read has shown the neighbour's
            // last write, all have come.
            attempt("exists", () -> read(zk.zk, neighbour));
            phases.idle.countDown();
            phases.release.await();
            zk.zk.close();
        } catch (InterruptedException | IOException e) {
            throw new IllegalStateException("client " + client, e);
        } finally {
            phases.begun.countDown();
            phases.written.countDown();
            phases.idle.countDown();
        }
    }

    private void begin(ZooKeeper zk) throws InterruptedException {
        create(zk, own, "0", CreateMode.PERSISTENT);
        create(zk, ephemeral, "", CreateMode.EPHEMERAL);
        Stat stat = attempt("exists", () -> zk.exists(ephemeral, false));
        if (stat != null) {
            recorder.record(
                    new Entry.Ephemeral(
                            recorder.now(),
                            client,
                            ephemeral,
                            Fleet.hex(stat.getEphemeralOwner()),
                            Fleet.hex(stat.getCzxid())));
        }
    }

    private void work(ZooKeeper zk) throws InterruptedException {
        watchEphemeral(zk);
        watchNeighbour(zk);
        long number = 0;
        while (!ended && !phases.stop.await(pauseMillis, TimeUnit.MILLISECONDS)) {
            number++;
            write(zk, number);
            if (number % WRITES_FOR_EACH_CREATION == 0) {
                String path = root + "/made-%d-%d".formatted(client, number);
                if (create(zk, path, "", CreateMode.PERSISTENT)) {
                    recorder.record(new Entry.Created(recorder.now(), client, path));
                }
            }
            if (events.poll() != null) {
                watchNeighbour(zk);
            }
        }
    }

    /// Writes a number on condition of the version before. If the answer does not come, looks what
    /// is there, and writes again if it is the number before.
    private void write(ZooKeeper zk, long number) throws InterruptedException {
        while (!ended) {
            long began = recorder.now();
            try {
                Stat stat = zk.setData(own, bytes(Long.toString(number)), (int) number - 1);
                recorder.record(
                        new Entry.Acked(
                                recorder.now(),
                                client,
                                number,
                                stat.getVersion(),
                                recorder.now() - began));
                return;
            } catch (KeeperException e) {
                failed("write", e, began);
            }
            Entry.Settled settled = attempt("settle", () -> look(zk));
            if (settled != null) {
                recorder.record(settled);
                if (settled.number() == number) {
                    return;
                }
            }
        }
    }

    private static @Nullable Stat read(ZooKeeper zk, String path)
            throws InterruptedException, KeeperException {
        zk.sync(path, (_, _, _) -> {}, null);
        return zk.exists(path, false);
    }

    private Entry.Settled look(ZooKeeper zk) throws InterruptedException, KeeperException {
        zk.sync(own, (_, _, _) -> {}, null);
        var stat = new Stat();
        byte[] data = zk.getData(own, false, stat);
        return new Entry.Settled(
                recorder.now(),
                client,
                Long.parseLong(new String(data, StandardCharsets.UTF_8)),
                stat.getVersion());
    }

    /// {@return whether the znode was made; false only if the session ended}
    private boolean create(ZooKeeper zk, String path, String data, CreateMode mode)
            throws InterruptedException {
        Boolean made =
                attempt(
                        "create",
                        () -> {
                            try {
                                zk.create(path, bytes(data), ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
                            } catch (KeeperException.NodeExistsException e) {
                                // Ours: nobody else makes this path, so the answer to an earlier
                                // try was lost.
                            }
                            return true;
                        });
        return made != null;
    }

    private void watchNeighbour(ZooKeeper zk) throws InterruptedException {
        long watch = watches++;
        Watcher watcher =
                event -> {
                    if (event.getType() != Watcher.Event.EventType.None) {
                        fired(watch, event);
                        events.add(event);
                    }
                };
        var stat = new Stat();
        if (attempt("watch", () -> zk.getData(neighbour, watcher, stat)) != null) {
            recorder.record(
                    new Entry.Armed(recorder.now(), client, watch, neighbour, stat.getVersion()));
        }
    }

    private void watchEphemeral(ZooKeeper zk) throws InterruptedException {
        long watch = watches++;
        Watcher watcher =
                event -> {
                    if (event.getType() != Watcher.Event.EventType.None) {
                        fired(watch, event);
                    }
                };
        Stat stat = attempt("watch", () -> zk.exists(neighboursEphemeral, watcher));
        if (stat != null) {
            recorder.record(
                    new Entry.Armed(
                            recorder.now(), client, watch, neighboursEphemeral, stat.getVersion()));
        }
    }

    private void fired(long watch, WatchedEvent event) {
        recorder.record(new Entry.Fired(recorder.now(), client, watch, event.getType().name()));
    }

    @FunctionalInterface
    private interface Attempt<T> {
        @Nullable T get() throws InterruptedException, KeeperException;
    }

    /// {@return what the request gave, tried until it was answered; null if the session ended}
    private <T> @Nullable T attempt(String request, Attempt<T> attempt)
            throws InterruptedException {
        while (!ended) {
            long began = recorder.now();
            try {
                return attempt.get();
            } catch (KeeperException e) {
                failed(request, e, began);
            }
        }
        return null;
    }

    private void failed(String request, KeeperException e, long began) throws InterruptedException {
        long now = recorder.now();
        recorder.record(new Entry.Failed(now, client, request, e.code().name(), now - began));
        switch (e.code()) {
            case SESSIONEXPIRED, SESSIONMOVED, AUTHFAILED -> ended = true;
            default -> TimeUnit.MILLISECONDS.sleep(RETRY_PAUSE_MILLIS);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// The client's connection; its states go to the history.
    private final class Connected {
        private final CountDownLatch first = new CountDownLatch(1);
        private final ZooKeeper zk;

        Connected(Servers servers) throws IOException, InterruptedException {
            var made = new CountDownLatch(1);
            var self = new ZooKeeper[1];
            zk =
                    servers.open(event -> {
                        await(made);
                        recorder.record(
                                new Entry.Connection(
                                        recorder.now(),
                                        client,
                                        event.getState().name(),
                                        Fleet.hex(self[0].getSessionId())));
                        if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                            first.countDown();
                        }
                    });
            self[0] = zk;
            made.countDown();
            if (!first.await(60, TimeUnit.SECONDS)) {
                zk.close();
                throw new IOException("client " + client + ": no connection within 60 s");
            }
        }

        /// The library may call back before its constructor has returned.
        private static void await(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
