package dev.ensemble.operator.tool;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// The member processes that this process has started. Every method may be called by any thread:
/// the command's own thread starts and watches, and the shutdown hook stops.
final class Members {
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);

    private final Program program;
    private final LocalDir dir;
    private final LocalDir.Identity identity;
    private final Map<Integer, Process> processes = new TreeMap<>();
    private final BlockingQueue<Exit> exits = new LinkedBlockingQueue<>();
    private boolean stopping;

    /// How a member is started.
    interface Program {
        /// {@return the command line}
        List<String> command(Path configFile, int myid);

        /// {@return what is added to its environment}
        Map<String, String> environment();
    }

    /// A member's process has ended.
    record Exit(int myid, long pid, int code, Duration after) {}

    Members(Program program, LocalDir dir, LocalDir.Identity identity) {
        this.program = program;
        this.dir = dir;
        this.identity = identity;
    }

    /// Starts a member, unless everything is being stopped.
    synchronized void start(int myid) {
        if (stopping) {
            return;
        }
        Path config = dir.configFile(myid).toAbsolutePath();
        List<String> command = program.command(config, myid);
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(nothing()))
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(dir.logFile(myid).toFile()));
        builder.environment().putAll(program.environment());
        long started = System.nanoTime();
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new Refusal("cannot start " + command.getFirst() + ": " + Refusal.reason(e));
        }
        processes.put(myid, process);
        dir.running(new LocalDir.Running(LocalDir.Pid.of(ProcessHandle.current()), pids()));
        // A thread of its own: the common pool, where Process.onExit would run, may be busy or
        // small.
        Thread.ofVirtual().start(() -> report(myid, process, started));
    }

    private void report(int myid, Process process, long startedNanos) {
        try {
            int code = process.waitFor();
            Duration after = Duration.ofNanos(System.nanoTime() - startedNanos);
            exits.add(new Exit(myid, process.pid(), code, after));
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts this thread", e);
        }
    }

    private static java.io.File nothing() {
        return Path.of("/dev/null").toFile();
    }

    private Map<Integer, LocalDir.Pid> pids() {
        Map<Integer, LocalDir.Pid> pids = new TreeMap<>();
        processes.forEach((myid, process) -> pids.put(myid, LocalDir.Pid.of(process.toHandle())));
        return pids;
    }

    /// {@return the process of a member that was started}
    synchronized long pid(int myid) {
        Process process = processes.get(myid);
        return process == null ? 0 : process.pid();
    }

    /// {@return the next member whose process has ended, or null after this time}
    @org.jspecify.annotations.Nullable
    Exit awaitExit(Duration atMost) throws InterruptedException {
        return exits.poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    synchronized boolean stopping() {
        return stopping;
    }

    LocalDir.Identity identity() {
        return identity;
    }

    /// Stops all of them: asks, waits, and ends by force what has not stopped by then.
    void stop() {
        List<Process> all;
        synchronized (this) {
            stopping = true;
            all = new ArrayList<>(processes.values());
        }
        all.forEach(Process::destroy);
        long deadline = System.nanoTime() + STOP_PATIENCE.toNanos();
        for (Process each : all) {
            try {
                if (!each.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    each.destroyForcibly();
                }
            } catch (InterruptedException e) {
                each.destroyForcibly();
            }
        }
        dir.stopped();
    }
}
