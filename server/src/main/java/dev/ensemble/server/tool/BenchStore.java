package dev.ensemble.server.tool;

import dev.ensemble.server.tool.bench.StoreLoad;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/// `ensemble bench store`: measures a disk as a member uses it, without servers and clients.
@Command(
        name = "store",
        description =
                "Measures a disk as a member uses it: syncs of the log by size of batch, with files"
                    + " that are filled with zeroes ahead and with files that grow, and how long"
                    + " changed znodes take to be stored and all of them to be loaded.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchStore implements Callable<Integer> {
    @Parameters(
            paramLabel = "DIR",
            description =
                    "A folder on that disk; what is made in it for this is deleted afterwards.")
    private Path folder = Path.of("");

    @Option(
            names = "--znodes",
            defaultValue = "100000",
            description = "Of the tree that is stored (${DEFAULT-VALUE}).")
    private int znodes;

    @Option(
            names = "--size",
            defaultValue = "100",
            description = "Bytes of data of a znode (${DEFAULT-VALUE}).")
    private int size;

    @Option(
            names = "--millis",
            defaultValue = "2000",
            description = "For each of eight measurements of the log (${DEFAULT-VALUE}).")
    private int millis;

    @Mixin private Figures figures = new Figures();

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        Bench.check(spec, "--znodes", znodes, 100, 10_000_000);
        Bench.check(spec, "--size", size, 0, 1_000_000);
        Bench.check(spec, "--millis", millis, 1, 3_600_000);
        if (!Files.isDirectory(folder)) {
            throw new ParameterException(
                    spec.commandLine(), folder + ": it must be a folder that exists");
        }
        figures.print(new StoreLoad(folder, znodes, size, millis).run());
        return 0;
    }
}
