package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PauseMonitorTest {
    @Test
    void everyPauseIsMeasured() {
        var monitor = new PauseMonitor(new Config.Pauses(500, 1000, 10_000));
        monitor.woken(0);
        monitor.woken(1500);
        monitor.woken(20_000);
        assertEquals(3, monitor.millis().count());
        assertEquals(21_500, monitor.millis().sum());
        assertEquals(20_000, monitor.millis().max());
    }

    @Test
    void itLooksAgainAndAgainUntilItIsStopped() throws InterruptedException {
        var monitor = new PauseMonitor(new Config.Pauses(1, 100_000, 100_000));
        monitor.start();
        while (monitor.millis().count() < 3) {
            Thread.onSpinWait();
        }
        monitor.stop();
        assertTrue(monitor.millis().count() >= 3);
    }
}
