package dev.ensemble.server.net;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Dials one member whenever there is no link to it: at once after a loss, then with growing
/// pauses.
///
/// Owned by the link thread. Names are resolved at each dial, since pods change their addresses,
/// and on a thread of their own, since a resolver may take seconds.
final class Dial {
    private static final Logger LOG = LoggerFactory.getLogger(Dial.class);

    /// How long a link lasts at least if nothing is wrong with it.
    private static final long LASTING_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final int myid;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final Links.Timing timing;
    private final BooleanSupplier linked;

    private Links.@Nullable Address address;
    private @Nullable Channel connecting;
    private @Nullable Future<?> next;
    private int attempts;

    /// Which of several addresses is next: each failure goes on to the next one.
    private int turns;

    private long linkedNanos;

    /// A dial that began with another number has been given up.
    private int turn;

    private boolean busy;
    private boolean stopped;

    Dial(
            int myid,
            EventLoop loop,
            Bootstrap bootstrap,
            Links.Timing timing,
            BooleanSupplier linked) {
        this.myid = myid;
        this.loop = loop;
        this.bootstrap = bootstrap;
        this.timing = timing;
        this.linked = linked;
    }

    Links.@Nullable Address address() {
        return address;
    }

    /// The member is at this address from now on.
    void at(Links.Address now) {
        if (!now.equals(address)) {
            address = now;
            attempts = 0;
            dialIn(0);
        }
    }

    void stop() {
        stopped = true;
        giveUp();
    }

    /// There is a link, by this connection or another.
    void linked(Channel link) {
        linkedNanos = System.nanoTime();
        if (link.equals(connecting)) {
            connecting = null;
        }
        giveUp();
    }

    /// The link is gone. One that has just been made is dialed again like one that failed: whatever
    /// ends every link at once would otherwise keep both sides busy for ever.
    void lost() {
        if (System.nanoTime() - linkedNanos < LASTING_NANOS) {
            again();
            return;
        }
        attempts = 0;
        dialIn(0);
    }

    /// A connection ended before it was a link.
    void failed(Channel channel) {
        if (channel.equals(connecting)) {
            again();
        }
    }

    private void giveUp() {
        turn++;
        busy = false;
        if (next != null) {
            next.cancel(false);
        }
        Channel open = connecting;
        connecting = null;
        if (open != null) {
            var _ = open.close();
        }
    }

    private void again() {
        connecting = null;
        busy = false;
        attempts++;
        turns++;
        long ceiling =
                Math.min(
                        timing.maxRedialMillis(),
                        (long) timing.redialMillis() << Math.min(attempts - 1, 16));
        dialIn(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1));
    }

    private void dialIn(long millis) {
        if (next != null) {
            next.cancel(false);
        }
        next = loop.schedule(this::dial, millis, TimeUnit.MILLISECONDS);
    }

    private void dial() {
        Links.Address target = address;
        if (stopped || busy || target == null || linked.getAsBoolean()) {
            return;
        }
        busy = true;
        int now = ++turn;
        List<Links.Address> all = target.all();
        Links.Address one = all.get(Math.floorMod(turns, all.size()));
        resolving(one, attempts / all.size(), now);
    }

    /// @param round how often all addresses were tried
    private void resolving(Links.Address target, int round, int now) {
        Thread.ofVirtual()
                .name("resolve-" + target.host())
                .start(() -> resolve(target, round, now));
    }

    private void resolve(Links.Address target, int round, int began) {
        InetAddress[] all;
        try {
            all = InetAddress.getAllByName(target.host());
        } catch (UnknownHostException _) {
            all = new InetAddress[0];
        }
        InetAddress[] found = all;
        try {
            loop.execute(() -> connect(target, found, round, began));
        } catch (RejectedExecutionException _) {
            // The links were closed meanwhile.
        }
    }

    private void connect(Links.Address target, InetAddress[] all, int round, int began) {
        if (began != turn || stopped || linked.getAsBoolean()) {
            return;
        }
        if (all.length == 0) {
            LOG.atDebug().addKeyValue("peer", myid).log("no address for {}", target.host());
            again();
            return;
        }
        InetAddress one = all[round % all.length];
        connecting = bootstrap.connect(new InetSocketAddress(one, target.port())).channel();
    }
}
