package dev.ensemble.e2e.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;
import dev.ensemble.e2e.check.History;

import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The fleet against the original server, which is known to keep its promises: what is found here
/// is an error of the fleet or its judge.
class FleetTest {
    private static final int TICK_MILLIS = 200;

    @TempDir Path folder;

    @Test
    void findsNothingOnAServerThatDropsItsConnections() throws Exception {
        var factory = new NIOServerCnxnFactory();
        factory.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        factory.startup(
                new ZooKeeperServer(
                        folder.resolve("data").toFile(),
                        folder.resolve("log").toFile(),
                        TICK_MILLIS));
        try {
            Path file = folder.resolve("history.jsonl");
            Process fleet = start(file, factory.getLocalPort());
            awaitAcked(fleet, file, 100);
            factory.closeAll(
                    org.apache.zookeeper.server.ServerCnxn.DisconnectReason.SERVER_SHUTDOWN);
            awaitAcked(fleet, file, History.read(file).of(Entry.Acked.class).count() + 100);
            fleet.getOutputStream().close();
            assertTrue(fleet.waitFor(1, TimeUnit.MINUTES), "the fleet does not end");
            assertEquals(0, fleet.exitValue());

            Findings findings = Findings.of(History.read(file));
            assertEquals(List.of(), findings.broken());
            assertTrue(findings.acked() >= 200, findings::figures);
            assertTrue(findings.watches() > 0, findings::figures);
        } finally {
            factory.shutdown();
        }
    }

    private static Process start(Path output, int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Fleet.class.getName(),
                        "127.0.0.1:" + port,
                        "/fleet",
                        "3",
                        "4000",
                        "1")
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /// Waits by waiting for the process, which should not end.
    private static void awaitAcked(Process fleet, Path file, long writes)
            throws InterruptedException {
        long last = -1;
        for (int left = 600; last < writes; left--) {
            assertTrue(left > 0, "after a minute " + last + " writes are acknowledged");
            assertTrue(
                    !fleet.waitFor(100, TimeUnit.MILLISECONDS),
                    () -> "the fleet ended with " + fleet.exitValue());
            last = History.read(file).of(Entry.Acked.class).count();
        }
    }
}
