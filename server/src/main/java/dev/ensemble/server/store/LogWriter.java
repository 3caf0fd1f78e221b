package dev.ensemble.server.store;

import dev.ensemble.server.zab.DiskOp;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/// The log thread: does what the peer orders, in order, and says what is on disk.
///
/// Each turn takes all that has gathered, so cost per transaction falls as load rises. A write or
/// fsync that failed is never tried again: what the disk holds is not known then, and only a
/// restart finds out.
public final class LogWriter implements AutoCloseable {
    /// Who is told. Called on the log thread; must not wait for a thread that may be waiting in
    /// [#submit].
    public interface Listener {
        /// Everything with a ticket up to this one is on disk.
        void persisted(long ticket);

        /// The disk failed or an order made no sense. The process must stop; nothing is confirmed
        /// any more.
        void failed(Throwable cause);
    }

    private record End() {}

    private static final int TURN_JOBS = 4096;

    private final DiskWork work;
    private final Listener listener;
    private final BlockingQueue<Object> queue;
    private final Thread thread;
    private volatile boolean ended;
    private volatile long turnSinceNanos;

    LogWriter(DiskWork work, StoreOptions options, Listener listener) {
        this.work = work;
        this.listener = listener;
        this.queue = new ArrayBlockingQueue<>(options.queueOps());
        this.thread = Thread.ofPlatform().name("ensemble-log").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// Orders something to be done on disk. Waits while the queue is full.
    ///
    /// @param ticket grows with each order
    public void submit(long ticket, DiskOp op) throws InterruptedException {
        put(new DiskWork.Ordered(ticket, op));
    }

    /// {@return how many orders may be given before [#submit] waits}
    public int room() {
        return queue.remainingCapacity();
    }

    /// {@return for how long the thread has been at what it does now; 0 if it waits for work}
    public long busyNanos(long nowNanos) {
        long since = turnSinceNanos;
        return since == 0 ? 0 : nowNanos - since;
    }

    /// {@return the zxid up to which the log is on disk}
    public long synced() {
        return work.synced();
    }

    /// The state holds everything up to `zxid`, as was read back from it: what the log holds of
    /// that may go.
    void stored(long zxid) throws InterruptedException {
        put(new DiskWork.Stored(zxid));
    }

    /// Makes what is missing of the reserve, in its turn.
    void refill() throws InterruptedException {
        put(new DiskWork.Refill());
    }

    private void put(Object job) throws InterruptedException {
        // In pieces, so that one who waits does not wait for a thread that has ended.
        while (!ended && !queue.offer(job, 100, TimeUnit.MILLISECONDS)) {}
    }

    private void run() {
        try {
            while (turn()) {}
        } catch (IOException | RuntimeException | Error e) {
            ended = true;
            queue.clear();
            listener.failed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            listener.failed(e);
        } finally {
            ended = true;
        }
    }

    /// {@return whether there will be another turn}
    private boolean turn() throws IOException, InterruptedException {
        var taken = new ArrayList<Object>();
        turnSinceNanos = 0;
        taken.add(queue.take());
        turnSinceNanos = System.nanoTime() | 1;
        queue.drainTo(taken, TURN_JOBS);
        List<DiskWork.Job> jobs = new ArrayList<>(taken.size());
        boolean more = true;
        for (Object each : taken) {
            if (each instanceof DiskWork.Job job) {
                jobs.add(job);
            } else {
                more = false;
            }
        }
        work.perform(jobs, listener::persisted);
        return more;
    }

    /// Does what was ordered, then ends the thread.
    @Override
    public void close() {
        boolean interrupted = false;
        // Whoever closes files under a thread that writes them gains nothing: wait, and say
        // afterwards that there was an
        // interrupt.
        while (true) {
            try {
                put(new End());
                thread.join();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
