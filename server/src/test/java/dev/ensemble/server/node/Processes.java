package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Members that are processes on this machine: ours, or the original's.
abstract class Processes implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final int size;
    private final Map<Integer, Process> running = new HashMap<>();

    Processes(int size) {
        this.size = size;
    }

    abstract int clientPort(int id);

    /// Starts a member, or starts it again with the data that it had.
    abstract void start(int id) throws IOException;

    /// {@return the leader, once there is one that serves}
    abstract int awaitLeader() throws InterruptedException;

    /// Waits until every member is in sync with the leader and serves.
    abstract void awaitAllSynced() throws InterruptedException;

    /// {@return where a member's output goes}
    abstract Path logFile(int id);

    List<Integer> ids() {
        return IntStream.rangeClosed(1, size).boxed().toList();
    }

    void run(int id, List<String> command) throws IOException {
        running.put(
                id,
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile(id).toFile()))
                        .start());
    }

    Process process(int id) {
        Process process = running.get(id);
        if (process == null) {
            throw new IllegalStateException("member " + id + " was never started");
        }
        return process;
    }

    /// `kill -9`.
    void kill(Integer... ids) throws InterruptedException {
        for (int id : ids) {
            process(id).destroyForcibly();
        }
        for (int id : ids) {
            process(id).waitFor();
        }
    }

    /// SIGSTOP or SIGCONT.
    void signal(int id, String name) throws IOException, InterruptedException {
        signal(process(id), name);
    }

    static void signal(Process process, String name) throws IOException, InterruptedException {
        Process sent =
                new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .inheritIO()
                        .start();
        assertTrue(
                sent.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) && sent.exitValue() == 0,
                "kill -" + name);
    }

    /// SIGTERM. {@return the exit code}
    int terminate(int id) throws InterruptedException {
        process(id).destroy();
        return exitCode(id);
    }

    /// {@return the exit code of a member that ends}
    int exitCode(int id) throws InterruptedException {
        assertTrue(
                process(id).waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS),
                () -> "still there:\n" + log(id));
        return process(id).exitValue();
    }

    String logs() {
        return ids().stream().map(this::log).collect(Collectors.joining("\n"));
    }

    /// {@return the last lines of a member's output}
    private String log(int id) {
        try {
            List<String> lines = Files.readAllLines(logFile(id));
            return lines.subList(Math.max(0, lines.size() - 40), lines.size()).stream()
                    .map(line -> id + " " + line.substring(0, Math.min(600, line.length())))
                    .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// {@return what a client connects to}
    String connectString() {
        return ids().stream()
                .map(id -> "127.0.0.1:" + clientPort(id))
                .collect(Collectors.joining(","));
    }

    /// {@return the process ids}
    List<Long> pids() {
        return ids().stream().map(id -> process(id).pid()).toList();
    }

    @Override
    public void close() {
        running.values().forEach(Process::destroyForcibly);
        running.values().forEach(process -> process.onExit().join());
    }
}
