package dev.ensemble.operator.tool;

import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `ensemble up`: reads an Ensemble, and makes it run on this machine.
@Command(
        name = "up",
        description = {
            "Starts the Ensemble that a file describes.",
            "Its members run as processes on 127.0.0.1, until Ctrl-C or `ensemble down`; started"
                    + " again it finds its data."
        },
        mixinStandardHelpOptions = true)
final class Up implements Callable<Integer> {
    @Spec private CommandSpec command = CommandSpec.create();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description =
                    "The Ensemble, as YAML. Without it: ensemble.yaml in this folder, else an"
                            + " Ensemble with all defaults.")
    private @Nullable Path file;

    @Option(
            names = "--members",
            paramLabel = "N",
            description = "Number of members, instead of spec.replicas.")
    private @Nullable Integer members;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Folder for data and logs. Without it: .ensemble/<name> in this folder.")
    private @Nullable Path dir;

    @Option(
            names = "--port-base",
            paramLabel = "PORT",
            description =
                    "Client port of the first member; all other ports are counted from it. Without"
                            + " it: 2181, or the next thousand that is free.")
    private @Nullable Integer portBase;

    @Override
    public Integer call() throws InterruptedException {
        EnsembleFile ensemble = read();
        Launcher launcher = Launcher.fromEnvironment();
        LocalDir folder = new LocalDir(dir == null ? LocalChoice.standard(ensemble.name()) : dir);
        List<String> options = ensemble.spec().jvm().options();
        try (var client = new HttpEnsembleClient(Duration.ofSeconds(2))) {
            UpLocal up =
                    new UpLocal(
                            folder,
                            new UpLocal.Launched(
                                    launcher.path(),
                                    options == null ? "" : String.join(" ", options)),
                            client,
                            command.commandLine().getOut(),
                            launcher.typed());
            Members running = up.start(ensemble, portBase);
            up.welcome(running);
            up.watch(running);
        }
        return 0;
    }

    private EnsembleFile read() {
        EnsembleFile ensemble;
        Path here = Path.of("ensemble.yaml");
        if (file != null) {
            ensemble = EnsembleFile.read(file);
        } else if (Files.exists(here)) {
            ensemble = EnsembleFile.read(here);
        } else {
            ensemble =
                    new EnsembleFile("ensemble", dev.ensemble.operator.api.EnsembleSpec.defaults());
        }
        return members == null
                ? ensemble
                : new EnsembleFile(ensemble.name(), ensemble.spec().withReplicas(members))
                        .checked("--members");
    }
}
