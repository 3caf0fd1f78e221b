package dev.ensemble.server.node;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Looks every second at the files that people and Kubernetes change while a member runs: its
/// configuration, certificates, and who the superuser is.
///
/// All in one thread, which wakes once for all of them; of its own, since a file system that hangs
/// must hold up nothing else. Each compares what it reads, and no times: they may be kept, and a
/// mounted ConfigMap or Secret is a link to a folder that is replaced, which the notices of the
/// operating system do not tell on every file system.
final class FileWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FileWatch.class);
    private static final long LOOK_SECONDS = 1;

    /// What is looked at.
    interface Watched {
        /// Reads it, and does what is due if it has changed.
        void look() throws InterruptedException;
    }

    private final List<Watched> all;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread =
            Thread.ofPlatform().name("file-watch").daemon().unstarted(this::run);

    /// @param all to look at, in this order
    FileWatch(List<Watched> all) {
        this.all = List.copyOf(all);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!stop.await(LOOK_SECONDS, TimeUnit.SECONDS)) {
                for (Watched each : all) {
                    look(each);
                }
            }
        } catch (InterruptedException _) {
            // The end of the member.
        }
    }

    /// What goes wrong with one must not end the looks at the others.
    private static void look(Watched each) throws InterruptedException {
        try {
            each.look();
        } catch (RuntimeException e) {
            LOG.atError().setCause(e).log("a changed file is not used");
        }
    }

    @Override
    public void close() {
        stop.countDown();
        thread.interrupt(); // It may wait for the I/O threads.
    }
}
