package dev.ensemble.e2e.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// Helm on this machine, for what needs no cluster.
public final class Helm {
    /// What a run of Helm came to.
    ///
    /// @param output what it printed, errors apart
    /// @param errors what it said of errors
    public record Outcome(int code, String output, String errors) {}

    private final List<String> command;

    private Helm(List<String> command) {
        this.command = command;
    }

    /// {@return Helm, if it is there}
    public static Optional<Helm> find(Settings settings) {
        try {
            Helm helm = new Helm(settings.helm());
            return helm.start("version", "--short").code() == 0
                    ? Optional.of(helm)
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Runs it to its end.
    public Outcome run(String... arguments) {
        try {
            return start(arguments);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + String.join(" ", command), e);
        }
    }

    private Outcome start(String... arguments) throws IOException {
        Process process = new ProcessBuilder(Commands.with(command, arguments)).start();
        process.getOutputStream().close();
        // Errors are a few lines, which fit into the pipe while the output is read.
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            return new Outcome(process.waitFor(), output, errors);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
