package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Curator's recipes, all at once, on three real processes of which one after the other is killed
/// and started again under them. Each must hold what it promises; sessions outlive the kills.
@Timeout(240)
final class RecipesIT {
    private static final int SESSION_MILLIS = 60_000;
    private static final int ROUNDS = 20;

    @TempDir Path folder;

    @Test
    void promisesHoldWhileMembersAreKilled() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll();
                ExecutorService threads = Executors.newCachedThreadPool();
                CuratorFramework one = curator(members);
                CuratorFramework two = curator(members)) {
            int leader = members.awaitLeader();
            var underWay = new CountDownLatch(4 * ROUNDS / 2);
            List<Callable<Void>> recipes =
                    List.of(
                            () -> readWriteLock(threads, one, two, underWay),
                            () -> semaphore(threads, one, two, underWay),
                            () -> selector(one, two),
                            () -> cache(members, one, two, underWay),
                            () -> node(members, one, two),
                            () -> counts(one, two, underWay),
                            () -> queue(members, one, two),
                            () -> discovery(members, one, two),
                            () -> group(members, one, two),
                            () -> barrier(threads, one, two));
            List<Future<Void>> running = new ArrayList<>();
            for (Callable<Void> recipe : recipes) {
                running.add(threads.submit(recipe));
            }
            underWay.await();
            members.kill(leader);
            members.start(leader);
            members.awaitAllSynced();
            int next = members.awaitLeader();
            int follower = members.ids().stream().filter(id -> id != next).findFirst().get();
            members.kill(follower);
            members.start(follower);
            for (Future<Void> each : running) {
                each.get();
            }
        }
    }

    /// Under the write lock a pair changes in two steps; under the read lock it is a pair.
    private static Void readWriteLock(
            ExecutorService threads,
            CuratorFramework one,
            CuratorFramework two,
            CountDownLatch underWay)
            throws Exception {
        one.create().creatingParentsIfNeeded().forPath("/rw/a", bytes("0"));
        one.create().forPath("/rw/b", bytes("0"));
        Callable<Void> writer =
                () -> {
                    var lock = new InterProcessReadWriteLock(one, "/rw-lock").writeLock();
                    for (int i = 1; i <= ROUNDS; i++) {
                        lock.acquire();
                        try {
                            one.setData().forPath("/rw/a", bytes("" + i));
                            one.setData().forPath("/rw/b", bytes("" + i));
                        } finally {
                            lock.release();
                        }
                        underWay.countDown();
                    }
                    return null;
                };
        Callable<Void> reader =
                () -> {
                    var lock = new InterProcessReadWriteLock(two, "/rw-lock").readLock();
                    for (int i = 0; i < ROUNDS; i++) {
                        lock.acquire();
                        try {
                            assertEquals(
                                    text(two.getData().forPath("/rw/a")),
                                    text(two.getData().forPath("/rw/b")));
                        } finally {
                            lock.release();
                        }
                    }
                    return null;
                };
        all(threads, List.of(writer, reader));
        assertEquals("" + ROUNDS, text(two.getData().forPath("/rw/b")));
        return null;
    }

    /// Three want one of two leases.
    private static Void semaphore(
            ExecutorService threads,
            CuratorFramework one,
            CuratorFramework two,
            CountDownLatch underWay)
            throws Exception {
        var inside = new AtomicInteger();
        List<Callable<Void>> users = new ArrayList<>();
        for (CuratorFramework client : List.of(one, two, one)) {
            var semaphore = new InterProcessSemaphoreV2(client, "/semaphore", 2);
            users.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    Lease lease = semaphore.acquire();
                    try {
                        int now = inside.incrementAndGet();
                        assertTrue(now <= 2, now + " hold one of two leases");
                        client.checkExists().forPath("/");
                    } finally {
                        inside.decrementAndGet();
                        semaphore.returnLease(lease);
                    }
                    underWay.countDown();
                }
                return null;
            });
        }
        all(threads, users);
        return null;
    }

    /// Leads for a moment, again and again, and never beside another.
    private static final class Reign extends LeaderSelectorListenerAdapter {
        private final AtomicInteger leaders;
        private final CountDownLatch turns = new CountDownLatch(4);

        private Reign(AtomicInteger leaders) {
            this.leaders = leaders;
        }

        @Override
        public void takeLeadership(CuratorFramework client) throws Exception {
            if (leaders.incrementAndGet() == 1) {
                client.checkExists().forPath("/");
                turns.countDown();
            }
            leaders.decrementAndGet();
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) {
            // A session outlives a member, and its lead with it.
            if (state == ConnectionState.LOST) {
                super.stateChanged(client, state);
            }
        }
    }

    private static Void selector(CuratorFramework one, CuratorFramework two) throws Exception {
        var leaders = new AtomicInteger();
        var first = new Reign(leaders);
        var second = new Reign(leaders);
        try (var a = new LeaderSelector(one, "/selector", first);
                var b = new LeaderSelector(two, "/selector", second)) {
            a.autoRequeue();
            b.autoRequeue();
            a.start();
            b.start();
            assertTrue(first.turns.await(120, TimeUnit.SECONDS), "the first never leads");
            assertTrue(second.turns.await(120, TimeUnit.SECONDS), "the second never leads");
        }
        return null;
    }

    /// What one client's cache holds in the end is what the other has written.
    private static Void cache(
            MemberProcesses members,
            CuratorFramework one,
            CuratorFramework two,
            CountDownLatch underWay)
            throws Exception {
        try (CuratorCache cache = CuratorCache.build(two, "/cache")) {
            cache.start();
            Map<String, String> written = new HashMap<>();
            one.create().forPath("/cache", bytes(""));
            for (int i = 0; i < 2 * ROUNDS; i++) {
                String path = "/cache/n" + i % 7;
                if (i % 5 == 4 && written.containsKey(path)) {
                    one.delete().quietly().forPath(path);
                    written.remove(path);
                } else {
                    one.create().orSetData().forPath(path, bytes("v" + i));
                    written.put(path, "v" + i);
                }
                underWay.countDown();
            }
            written.put("/cache", "");
            members.await(
                    "cache as written",
                    () -> {
                        Map<String, String> held = new HashMap<>();
                        cache.stream().forEach(data -> hold(held, data));
                        return held.equals(written);
                    });
        }
        return null;
    }

    private static void hold(Map<String, String> held, ChildData data) {
        held.put(data.getPath(), text(data.getData()));
    }

    /// Comes back when somebody deletes it.
    private static Void node(MemberProcesses members, CuratorFramework one, CuratorFramework two)
            throws Exception {
        try (var node =
                new PersistentNode(one, CreateMode.EPHEMERAL, false, "/node", bytes("here"))) {
            node.start();
            assertTrue(node.waitForInitialCreate(120, TimeUnit.SECONDS));
            for (int i = 0; i < 3; i++) {
                two.delete().quietly().forPath("/node");
                members.await("node again", () -> isThere(two, "/node"));
            }
        }
        return null;
    }

    /// A count that is set only where it was not changed meanwhile, and one that only grows.
    private static Void counts(CuratorFramework one, CuratorFramework two, CountDownLatch underWay)
            throws Exception {
        var added = new DistributedAtomicLong(two, "/added", new RetryNTimes(1000, 10));
        int changed = 0;
        try (var count = new SharedCount(one, "/count", 0)) {
            count.start();
            for (int i = 0; i < ROUNDS; i++) {
                if (count.trySetCount(count.getVersionedValue(), count.getCount() + 1)) {
                    changed++;
                }
                assertTrue(added.increment().succeeded());
                underWay.countDown();
            }
            // A set whose answer was lost with its member was repeated, and then refused.
            int last = toInt(two.getData().forPath("/count"));
            assertTrue(last >= changed && last <= ROUNDS, changed + " sets made " + last);
        }
        assertTrue(added.get().postValue() >= ROUNDS, "increments were lost");
        return null;
    }

    private static int toInt(byte[] data) {
        return java.nio.ByteBuffer.wrap(data).getInt();
    }

    /// Takes what comes, and says so.
    private static final class Taken implements QueueConsumer<String> {
        private final Set<String> items = new ConcurrentSkipListSet<>();

        @Override
        public void consumeMessage(String message) {
            items.add(message);
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) {
            // The queue goes on by itself.
        }
    }

    private static final class Text implements QueueSerializer<String> {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] bytes) {
            return text(bytes);
        }
    }

    /// What goes in comes out.
    private static Void queue(MemberProcesses members, CuratorFramework one, CuratorFramework two)
            throws Exception {
        var taken = new Taken();
        try (DistributedQueue<String> in =
                        QueueBuilder.builder(one, null, new Text(), "/items").buildQueue();
                DistributedQueue<String> out =
                        QueueBuilder.builder(two, taken, new Text(), "/items")
                                .lockPath("/item-locks")
                                .buildQueue()) {
            in.start();
            out.start();
            Set<String> put = new ConcurrentSkipListSet<>();
            for (int i = 0; i < ROUNDS; i++) {
                in.put("item-" + i);
                put.add("item-" + i);
            }
            members.await("items taken", () -> taken.items.equals(put));
        }
        return null;
    }

    private static Void discovery(
            MemberProcesses members, CuratorFramework one, CuratorFramework two) throws Exception {
        ServiceInstance<Void> service =
                ServiceInstance.<Void>builder().name("shop").address("127.0.0.1").port(80).build();
        try (ServiceDiscovery<Void> here =
                        ServiceDiscoveryBuilder.builder(Void.class)
                                .client(one)
                                .basePath("/services")
                                .thisInstance(service)
                                .build();
                ServiceDiscovery<Void> there =
                        ServiceDiscoveryBuilder.builder(Void.class)
                                .client(two)
                                .basePath("/services")
                                .build()) {
            here.start();
            there.start();
            members.await(
                    "service found",
                    () -> ask(() -> there.queryForInstances("shop").size()).equals(1));
            here.unregisterService(service);
            members.await(
                    "service gone",
                    () -> ask(() -> there.queryForInstances("shop").size()).equals(0));
        }
        return null;
    }

    private static Void group(MemberProcesses members, CuratorFramework one, CuratorFramework two)
            throws Exception {
        try (var first = new GroupMember(one, "/group", "first")) {
            first.start();
            try (var second = new GroupMember(two, "/group", "second")) {
                second.start();
                members.await("both", () -> first.getCurrentMembers().size() == 2);
            }
            members.await("one", () -> first.getCurrentMembers().size() == 1);
        }
        return null;
    }

    private static Void barrier(ExecutorService threads, CuratorFramework one, CuratorFramework two)
            throws Exception {
        var barrier = new DistributedBarrier(one, "/gate");
        barrier.setBarrier();
        var waiting =
                threads.submit(() ->
                        new DistributedBarrier(two, "/gate").waitOnBarrier(120, TimeUnit.SECONDS));
        one.sync().forPath("/gate");
        barrier.removeBarrier();
        assertTrue(waiting.get(), "nobody opens the gate");
        return null;
    }

    private static void all(ExecutorService threads, List<Callable<Void>> tasks) throws Exception {
        for (Future<Void> each : threads.invokeAll(tasks)) {
            each.get();
        }
    }

    private static boolean isThere(CuratorFramework client, String path) {
        return ask(() -> client.checkExists().forPath(path) != null).equals(true);
    }

    /// {@return what is found; false while there is no such znode}
    private static Object ask(Callable<Object> question) {
        try {
            return question.call();
        } catch (KeeperException.NoNodeException _) {
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static CuratorFramework curator(MemberProcesses members) {
        CuratorFramework client =
                CuratorFrameworkFactory.builder()
                        .connectString(members.connectString())
                        .sessionTimeoutMs(SESSION_MILLIS)
                        .connectionTimeoutMs(SESSION_MILLIS)
                        .retryPolicy(new RetryForever(50))
                        .build();
        client.start();
        return client;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] data) {
        return new String(data, StandardCharsets.UTF_8);
    }
}
