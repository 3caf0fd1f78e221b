package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.Findings;
import dev.ensemble.e2e.check.History;
import dev.ensemble.e2e.client.Fleet;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A fleet of stock clients at work on an ensemble, and what they have seen so far.
public final class Clients implements AutoCloseable {
    /// How many there are.
    public static final int NUMBER = 4;

    /// What sessions take without a word from their client, where a story does not say more.
    public static final int SESSION_MILLIS = 15_000;

    /// The most that servers grant by default. A client needs more than `SESSION_MILLIS` if its
    /// member falls silent without closing connections: it notices after two thirds of this time.
    public static final int LONG_SESSION_MILLIS = 40_000;

    private static final int PAUSE_MILLIS = 10;
    private static final int SOME_WRITES = 100;

    private final Report report;
    private final Path history;
    private final Cluster.Program program;

    /// How clients connect.
    ///
    /// @param sessionMillis time-out of their sessions
    /// @param trusted file with the authorities in PEM that they trust, read anew for each
    ///   connection; null for plaintext
    public record How(int sessionMillis, @Nullable Path trusted) {
        /// Plaintext, and short sessions.
        public static final How PLAIN = new How(SESSION_MILLIS, null);
    }

    Clients(
            Cluster cluster,
            Report report,
            Path folder,
            EnsembleView ensemble,
            String id,
            How how) {
        this.report = report;
        this.history =
                folder.resolve("history-%s.jsonl".formatted(id.substring(id.indexOf('-') + 1)));
        try {
            Files.createDirectories(folder);
            Files.deleteIfExists(history);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path trusted = how.trusted();
        var arguments =
                new ArrayList<>(
                        List.of(
                                trusted == null
                                        ? ensemble.connectString()
                                        : ensemble.secureConnectString(),
                                "/fleet-" + id,
                                Integer.toString(NUMBER),
                                Integer.toString(how.sessionMillis()),
                                Integer.toString(PAUSE_MILLIS)));
        if (trusted != null) {
            arguments.add(trusted.toString());
        }
        program = cluster.start("fleet-" + id, history, Fleet.class.getName(), arguments);
        Await.until(
                "clients at work",
                Duration.ofMinutes(2),
                () -> {
                    assertTrue(program.running(), program::errors);
                    return acked() >= SOME_WRITES ? "" : acked() + " writes acknowledged";
                });
        report.say(
                "%d clients write, watch and hold an ephemeral each%s"
                        .formatted(NUMBER, trusted == null ? "" : ", by TLS"));
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
