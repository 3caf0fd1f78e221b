package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;
import dev.ensemble.e2e.check.History;
import dev.ensemble.e2e.client.Fleet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A fleet of stock clients at work on an ensemble, and what they have seen so far.
public final class Clients implements AutoCloseable {
    /// How many there are.
    public static final int NUMBER = 4;

    private static final int SESSION_MILLIS = 15_000;
    private static final int PAUSE_MILLIS = 10;
    private static final int SOME_WRITES = 100;

    private final Report report;
    private final Path history;
    private final Cluster.Program program;

    Clients(Cluster cluster, Report report, Path folder, EnsembleView ensemble, String id) {
        this.report = report;
        this.history =
                folder.resolve("history-%s.jsonl".formatted(id.substring(id.indexOf('-') + 1)));
        try {
            Files.createDirectories(folder);
            Files.deleteIfExists(history);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        program =
                cluster.start(
                        "fleet-" + id,
                        history,
                        Fleet.class.getName(),
                        List.of(
                                ensemble.connectString(),
                                "/fleet-" + id,
                                Integer.toString(NUMBER),
                                Integer.toString(SESSION_MILLIS),
                                Integer.toString(PAUSE_MILLIS)));
        Await.until(
                "clients at work",
                Duration.ofMinutes(2),
                () -> {
                    assertTrue(program.running(), program::errors);
                    return acked() >= SOME_WRITES ? "" : acked() + " writes acknowledged";
                });
        report.say(NUMBER + " clients write, watch and hold an ephemeral each");
    }

    /// {@return writes acknowledged so far}
    public long acked() {
        return History.read(history).of(Entry.Acked.class).count();
    }

    /// {@return requests that failed so far}
    public long failed() {
        return History.read(history).of(Entry.Failed.class).count();
    }

    /// {@return connections that ended so far}
    public long closed() {
        return Findings.closed(History.read(history));
    }

    /// Waits until they have gone on; what they lost is judged at the end.
    public void goOn() {
        long before = acked();
        Await.until(
                "clients go on",
                Duration.ofMinutes(2),
                () -> acked() >= before + SOME_WRITES ? "" : (acked() - before) + " more writes");
    }

    /// Lets them come to their end, and judges all that they saw: no acknowledged write lost, no
    /// session lost, no error but a connection that closed.
    public Findings finish() {
        program.finish();
        Findings findings = Findings.of(History.read(history));
        report.say("clients: " + findings.figures());
        findings.broken().forEach(broken -> report.say("BROKEN " + broken));
        assertEquals(List.of(), findings.broken());
        assertTrue(findings.watches() > 0, "no watch had to fire");
        return findings;
    }

    @Override
    public void close() {
        program.close();
    }
}
