package dev.ensemble.e2e.client;

import dev.ensemble.e2e.check.Entry;
import dev.ensemble.e2e.check.History;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;

/// Writes the history, one line for each entry, as it happens. Any thread may record.
final class Recorder {
    private final PrintStream out;
    private final long beganNanos = System.nanoTime();

    /// What comes after the last entry belongs to the end of the sessions, and to no history.
    private boolean finished;

    /// @param out each entry is flushed to it, so that a history that breaks off shows where
    Recorder(PrintStream out) {
        this.out = out;
    }

    /// {@return milliseconds since the fleet began}
    long now() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
    }

    synchronized void record(Entry entry) {
        if (finished) {
            return;
        }
        out.println(History.line(entry));
        out.flush();
        finished = entry instanceof Entry.Finished;
    }
}
