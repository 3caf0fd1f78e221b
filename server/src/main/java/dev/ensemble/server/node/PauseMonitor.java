package dev.ensemble.server.node;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Notices when the whole process stands still, as in a long collection of garbage: a thread that
/// asks to be woken after a while, and sees how late that is (`jvm.pause.monitor`).
final class PauseMonitor {
    private static final Logger LOG = LoggerFactory.getLogger(PauseMonitor.class);

    private final Config.Pauses settings;
    private final Summary millis = new Summary();
    private final Thread thread =
            Thread.ofPlatform().name("pause-monitor").daemon().unstarted(this::run);
    private volatile boolean stopping;

    PauseMonitor(Config.Pauses settings) {
        this.settings = settings;
    }

    void start() {
        thread.start();
    }

    /// {@return how late it was woken each time, in ms}
    Reading millis() {
        return millis.read();
    }

    private void run() {
        long sleepNanos = TimeUnit.MILLISECONDS.toNanos(settings.sleepMillis());
        while (!stopping) {
            long began = System.nanoTime();
            long until = began + sleepNanos;
            for (long left = sleepNanos; left > 0 && !stopping; left = until - System.nanoTime()) {
                LockSupport.parkNanos(this, left);
            }
            if (!stopping) {
                woken(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - until));
            }
        }
    }

    void woken(long lateMillis) {
        millis.add(lateMillis);
        if (lateMillis > settings.warnMillis()) {
            LOG.warn("this process stood still for about {} ms", lateMillis);
        } else if (lateMillis > settings.infoMillis()) {
            LOG.info("this process stood still for about {} ms", lateMillis);
        }
    }

    void stop() throws InterruptedException {
        stopping = true;
        LockSupport.unpark(thread);
        thread.join();
    }
}
