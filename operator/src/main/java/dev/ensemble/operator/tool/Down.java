package dev.ensemble.operator.tool;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// `ensemble down`: stops what `ensemble up` started, from another terminal. The data stays.
@Command(
        name = "down",
        description = "Stops an Ensemble of this machine. Its data stays.",
        mixinStandardHelpOptions = true)
final class Down implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Spec private CommandSpec command = CommandSpec.create();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "Folder of the ensemble. Without it: the only one under .ensemble in this"
                            + " folder.")
    private @Nullable Path dir;

    @Override
    public Integer call() throws InterruptedException {
        LocalDir folder = LocalChoice.existing(dir);
        stop(folder, command.commandLine().getOut());
        return 0;
    }

    /// The supervisor stops its members by itself; members whose supervisor was killed are stopped
    /// here.
    static void stop(LocalDir folder, PrintWriter out) throws InterruptedException {
        LocalDir.Running running = folder.running();
        if (running == null) {
            out.println("Nothing runs in " + folder.folder());
            return;
        }
        List<LocalDir.Pid> stopped = new ArrayList<>();
        end(running.supervisor(), stopped);
        LocalDir.Running now = folder.running();
        for (LocalDir.Pid each : (now == null ? running : now).members().values()) {
            end(each, stopped);
        }
        folder.stopped();
        out.println(
                stopped.isEmpty()
                        ? "Nothing ran any more in " + folder.folder()
                        : "Stopped; the data stays in " + folder.folder());
    }

    private static void end(LocalDir.Pid pid, List<LocalDir.Pid> stopped)
            throws InterruptedException {
        var process = pid.alive();
        if (process.isEmpty()) {
            return;
        }
        process.get().destroy();
        try {
            process.get().onExit().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            process.get().destroyForcibly();
        } catch (ExecutionException e) {
            throw new Refusal("cannot stop process " + pid.pid() + ": " + Refusal.reason(e));
        }
        stopped.add(pid);
    }
}
