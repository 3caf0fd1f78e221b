package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Looks that go on.
final class FileWatchTest {
    @Test
    void whatGoesWrongWithOneDoesNotEndTheLooksAtTheOthers() throws InterruptedException {
        var looks = new CountDownLatch(2);
        FileWatch.Watched broken =
                () -> {
                    throw new IllegalStateException("made up");
                };
        try (var watch = new FileWatch(List.of(broken, looks::countDown))) {
            watch.start();
            assertTrue(looks.await(60, TimeUnit.SECONDS));
        }
    }
}
