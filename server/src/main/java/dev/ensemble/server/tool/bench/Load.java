package dev.ensemble.server.tool.bench;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tool.client.Answer;
import dev.ensemble.server.tool.client.Client;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;

import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// One run: makes znodes, connects, warms up, measures, and takes away what it made.
///
/// Without a rate it is a closed loop: a server that stands still is asked nothing meanwhile, so a
/// long stop counts once for each request that was in flight, and not for those that could not be
/// sent. With a rate every request has a time at which it is due, and its latency counts from
/// there, whenever it was sent: nothing is left out while the server stands still.
public final class Load {
    static final int SESSION_TIMEOUT_MILLIS = 30_000;
    private static final int PREPARING = 1000;
    private static final int MAX_FRAME_BYTES = 4 << 20;

    private final Plan plan;
    private final String[] paths;
    private final String root;
    private final CountDownLatch connecting;
    private final CountDownLatch closing;
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();
    private final LongAdder errors = new LongAdder();
    private final Histogram reads = new ConcurrentHistogram(TimeUnit.MINUTES.toNanos(1), 3);
    private final Histogram writes = new ConcurrentHistogram(TimeUnit.MINUTES.toNanos(1), 3);
    private volatile boolean sending = true;
    private volatile boolean measuring;

    private Load(Plan plan) {
        this.plan = plan;
        this.root = "/bench-" + Long.toHexString(System.nanoTime());
        this.paths = new String[plan.znodes()];
        for (int i = 0; i < paths.length; i++) {
            paths[i] = root + "/" + i;
        }
        this.connecting = new CountDownLatch(plan.connections());
        this.closing = new CountDownLatch(plan.connections());
    }

    /// Runs the plan.
    ///
    /// @throws IOException if the servers cannot be reached or refuse to be prepared
    public static Result run(Plan plan) throws IOException, InterruptedException {
        return new Load(plan).run();
    }

    private Result run() throws IOException, InterruptedException {
        try (Client client = Client.start(plan.where(), SESSION_TIMEOUT_MILLIS, new Silent())) {
            client.awaitConnected(SESSION_TIMEOUT_MILLIS);
            prepare(client);
            try {
                return measure();
            } finally {
                removeAll(client);
            }
        }
    }

    private void prepare(Client client) throws IOException {
        byte[] data = new byte[plan.dataBytes()];
        create(client, root, data);
        var inFlight = new ArrayDeque<CompletableFuture<Answer>>();
        for (String path : paths) {
            if (inFlight.size() == PREPARING) {
                check(client.await(inFlight.remove()));
            }
            inFlight.add(client.send(createRequest(path, data)));
        }
        while (!inFlight.isEmpty()) {
            check(client.await(inFlight.remove()));
        }
    }

    private static void create(Client client, String path, byte[] data) throws IOException {
        check(client.call(createRequest(path, data)));
    }

    private static Request createRequest(String path, byte[] data) {
        return new Request.Create(Request.CreateOp.CREATE, path, data, Acl.OPEN, 0, 0);
    }

    private static void check(Answer answer) throws IOException {
        if (!answer.ok()) {
            throw new IOException("the server refuses to create znodes: " + answer.codeName());
        }
    }

    private void removeAll(Client client) throws IOException {
        var inFlight = new ArrayDeque<CompletableFuture<Answer>>();
        for (String path : paths) {
            if (inFlight.size() == PREPARING) {
                client.await(inFlight.remove());
            }
            inFlight.add(client.send(new Request.Delete(path, -1)));
        }
        inFlight.add(client.send(new Request.Delete(root, -1)));
        while (!inFlight.isEmpty()) {
            client.await(inFlight.remove());
        }
    }

    private Result measure() throws IOException, InterruptedException {
        var group = new MultiThreadIoEventLoopGroup(plan.threads(), NioIoHandler.newFactory());
        try {
            connect(group);
            if (!connecting.await(SESSION_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                    || refused.get() > 0) {
                throw new IOException("not every connection got a session");
            }
            TimeUnit.NANOSECONDS.sleep(plan.warmUp().toNanos());
            Map<Long, Long> cpuBefore = CpuTime.nanos(plan.pids());
            long start = System.nanoTime();
            measuring = true;
            TimeUnit.NANOSECONDS.sleep(plan.duration().toNanos());
            measuring = false;
            double seconds = (System.nanoTime() - start) / 1e9;
            var cpuNanos = new LinkedHashMap<Long, Long>();
            CpuTime.nanos(plan.pids())
                    .forEach((pid, after) ->
                            cpuNanos.put(pid, after - cpuBefore.getOrDefault(pid, 0L)));
            int lostByNow = lost.get();
            sending = false;
            // Those that end later than this are cut off, and say nothing about what was measured.
            boolean _ = closing.await(SESSION_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
            return new Result(
                    seconds, reads.copy(), writes.copy(), errors.sum(), lostByNow, cpuNanos);
        } finally {
            var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private void connect(MultiThreadIoEventLoopGroup group) {
        var random = new SplittableRandom(plan.seed());
        for (int i = 0; i < plan.connections(); i++) {
            InetSocketAddress address =
                    plan.where().addresses().get(i % plan.where().addresses().size());
            SplittableRandom choices = random.split();
            var _ =
                    new Bootstrap()
                            .group(group)
                            .channel(NioSocketChannel.class)
                            .option(ChannelOption.TCP_NODELAY, true)
                            .handler(
                                    new ChannelInitializer<Channel>() {
                                        @Override
                                        protected void initChannel(Channel channel) {
                                            channel.pipeline()
                                                    .addLast(
                                                            new LengthFieldBasedFrameDecoder(
                                                                    MAX_FRAME_BYTES, 0, 4, 0, 4),
                                                            new LoadConnection(Load.this, choices));
                                        }
                                    })
                            .connect(address)
                            .addListener(done -> {
                                if (!done.isSuccess()) {
                                    connected(false);
                                }
                            });
        }
    }

    Plan plan() {
        return plan;
    }

    String path(int index) {
        return paths[index];
    }

    boolean isSending() {
        return sending;
    }

    void connected(boolean hasSession) {
        if (!hasSession) {
            refused.incrementAndGet();
        }
        connecting.countDown();
    }

    void answered(boolean read, long fromNanos, boolean ok) {
        if (!measuring) {
            return;
        }
        if (!ok) {
            errors.increment();
            return;
        }
        long now = (System.nanoTime() << 1) >> 1; // As `fromNanos`, which gave a bit away.
        (read ? reads : writes)
                .recordValue(Math.min(TimeUnit.MINUTES.toNanos(1), Math.max(0, now - fromNanos)));
    }

    void disconnected() {
        if (sending) {
            lost.incrementAndGet();
        }
        closing.countDown();
    }

    private static final class Silent implements Client.Listener {
        @Override
        public void fired(int type, String path, long zxid) {}

        @Override
        public void changed(Client.State state) {}
    }
}
