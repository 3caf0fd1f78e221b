package dev.ensemble.operator.tool;

import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;

/// `ensemble status`: what each member says about itself.
@Command(
        name = "status",
        description = "Shows the members of an Ensemble.",
        mixinStandardHelpOptions = true)
final class Status implements Callable<Integer> {
    @Spec private CommandSpec command = CommandSpec.create();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "Folder of the ensemble. Without it: the only one under .ensemble in this"
                            + " folder.")
    private @Nullable Path dir;

    @Override
    public Integer call() {
        LocalDir folder = LocalChoice.existing(dir);
        LocalDir.Identity identity = folder.identity();
        if (identity == null) {
            throw new Refusal("there is no ensemble in " + folder.folder());
        }
        LocalDir.Running running = folder.running();
        PrintWriter out = command.commandLine().getOut();
        out.println("Ensemble " + identity.name() + " in " + folder.folder());
        out.println("Connect  " + identity.connect());
        out.println();
        try (var client = new HttpEnsembleClient(Duration.ofSeconds(2))) {
            out.print(
                    StatusTable.of(
                            identity, client.ask(identity.admins()), myid -> pid(running, myid)));
        }
        return 0;
    }

    private static long pid(LocalDir.@Nullable Running running, int myid) {
        LocalDir.Pid pid = running == null ? null : running.members().get(myid);
        return pid == null || pid.alive().isEmpty() ? 0 : pid.pid();
    }
}
