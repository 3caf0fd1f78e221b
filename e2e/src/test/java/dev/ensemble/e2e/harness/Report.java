package dev.ensemble.e2e.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/// What a scenario did and measured, line by line, on standard output and in a file.
public final class Report {
    private final Path file;
    private final long beganNanos = System.nanoTime();
    private final StringBuilder lines = new StringBuilder();

    /// @param file is written anew with each line, so that a run that breaks off has left its
    ///   report
    public Report(Path file) {
        this.file = file;
        say("report in " + file);
    }

    /// Adds a line.
    public void say(String line) {
        double seconds = (System.nanoTime() - beganNanos) / 1e9;
        String stamped = String.format(Locale.ROOT, "%7.1f s  %s%n", seconds, line);
        System.out.print(stamped);
        lines.append(stamped);
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /// {@return a time for people}
    public static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
    }
}
