package dev.ensemble.server.node;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.net.Pulse;
import dev.ensemble.server.store.LogWriter;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.zab.Event;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Looks around twice a second: how much space the disk has (`safety.md` 13), and whether the
/// threads turn that others depend on.
///
/// On a thread of its own, since asking a disk that hangs hangs too. Its findings may be read by
/// any.
final class Upkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
    private static final long ROUND_MILLIS = 500;

    /// I/O threads are asked for a sign of life every so many rounds, since that wakes them.
    private static final int PULSE_ROUNDS = 4;

    /// An fsync that takes longer than any healthy disk needs under any load.
    private static final long LOG_STUCK_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long IO_STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);

    /// How the disk was when it was last looked at.
    ///
    /// @param low there is less than there should be
    record Space(long freeBytes, long lowWaterBytes, boolean low) {}

    private final Store store;
    private final LogWriter log;
    private final List<Pulse> pulses;
    private final Inbox<Input> inbox;
    private final Flushing flushing;
    private volatile long lowWaterBytes;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread = Thread.ofPlatform().name("upkeep").daemon().unstarted(this::run);
    private volatile Space space;

    /// @param lowWaterBytes less than this is too little; negative: as the volume is large, see
    ///   `docs/storage.md`
    /// @param pulses of the I/O threads
    Upkeep(
            Store store,
            LogWriter log,
            List<Pulse> pulses,
            Inbox<Input> inbox,
            Flushing flushing,
            long lowWaterBytes)
            throws IOException {
        this.store = store;
        this.log = log;
        this.pulses = pulses;
        this.inbox = inbox;
        this.flushing = flushing;
        this.lowWaterBytes = mark(store, lowWaterBytes);
        this.space = new Space(store.freeBytes(), this.lowWaterBytes, false);
    }

    private static long mark(Store store, long wanted) throws IOException {
        return wanted < 0
                ? Math.min(Config.Storage.LOW_WATER_BYTES, store.totalBytes() / 8)
                : wanted;
    }

    /// From the next look on, as in the constructor. Any thread.
    void lowWater(long bytes) throws IOException {
        lowWaterBytes = mark(store, bytes);
    }

    /// Looks once, so that a member on a full disk knows it when it begins, then now and then.
    void start() {
        look();
        thread.start();
    }

    private void run() {
        try {
            for (int round = 0; !stop.await(ROUND_MILLIS, TimeUnit.MILLISECONDS); round++) {
                look();
                if (round % PULSE_ROUNDS == 0) {
                    for (Pulse pulse : pulses) {
                        pulse.ask(System.nanoTime());
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            long free = store.freeBytes();
            // Some more than the mark before it counts as enough, so that it does not go to and
            // fro.
            long wanted = lowWaterBytes;
            long mark = space.low() ? wanted + wanted / 4 : wanted;
            Space now = new Space(free, wanted, free < mark);
            boolean changed = now.low() != space.low();
            space = now;
            if (changed) {
                tell(now);
            }
            if (!now.low() && !store.isReserved()) {
                store.refillReserve();
            }
        } catch (IOException e) {
            LOG.atWarn().log("cannot ask for free space: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void tell(Space now) {
        LOG.atWarn()
                .addKeyValue("freeBytes", now.freeBytes())
                .addKeyValue("lowWaterBytes", now.lowWaterBytes())
                .log(now.low() ? "the disk is nearly full" : "the disk has space again");
        store.low(now.low());
        flushing.hurry(now.low());
        inbox.add(new Input.OfPeer(new Event.Space(now.low())));
    }

    Space space() {
        return space;
    }

    /// {@return which thread no longer turns, null if all do}
    @Nullable String stuck(long nowNanos) {
        if (log.busyNanos(nowNanos) > LOG_STUCK_NANOS) {
            return "the log thread is stuck";
        }
        for (Pulse pulse : pulses) {
            if (pulse.quietNanos(nowNanos) > IO_STUCK_NANOS) {
                return "an I/O thread is stuck";
            }
        }
        return null;
    }

    @Override
    public void close() {
        stop.countDown();
    }
}
