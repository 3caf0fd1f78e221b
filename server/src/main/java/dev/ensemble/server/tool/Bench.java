package dev.ensemble.server.tool;

import dev.ensemble.server.tool.bench.Load;
import dev.ensemble.server.tool.bench.Plan;
import dev.ensemble.server.tool.bench.Result;
import dev.ensemble.server.tool.cli.Shell;
import dev.ensemble.server.tool.client.ConnectString;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `ensemble bench`: makes load and prints what it measured.
@Command(
        name = "bench",
        description =
                "Loads servers that speak ZooKeeper's protocol, and prints throughput, latency and"
                        + " CPU time.",
        subcommands = BenchStore.class,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every request was answered well",
            "1:some requests failed, or connections were lost",
            "2:the command is not written as it must be",
            "3:the servers cannot be reached"
        })
final class Bench implements Callable<Integer> {
    @Option(
            names = {"-server", "--server"},
            paramLabel = "HOST:PORT",
            defaultValue = "localhost:2181",
            description =
                    "Servers, several with commas; connections are spread over them"
                            + " (${DEFAULT-VALUE}).")
    private String server = "";

    @Option(
            names = "--connections",
            defaultValue = "16",
            description = "Sessions (${DEFAULT-VALUE}).")
    private int connections;

    @Option(
            names = "--outstanding",
            defaultValue = "16",
            description = "Requests in flight on each connection, at most (${DEFAULT-VALUE}).")
    private int outstanding;

    @Option(
            names = "--rate",
            paramLabel = "PER-SECOND",
            defaultValue = "0",
            description = {
                "Requests of all connections together, at even distances; latency counts from when"
                    + " a request was due, sent or not. 0: the next goes out when one is answered"
                    + " (${DEFAULT-VALUE})."
            })
    private int rate;

    @Option(
            names = "--reads",
            paramLabel = "PERCENT",
            defaultValue = "0",
            description =
                    "How many of a hundred requests are getData; the others are setData"
                            + " (${DEFAULT-VALUE}).")
    private int reads;

    @Option(
            names = "--size",
            defaultValue = "100",
            description = "Bytes of data of a znode (${DEFAULT-VALUE}).")
    private int size;

    @Option(
            names = "--znodes",
            defaultValue = "1000",
            description = "Znodes to choose from (${DEFAULT-VALUE}).")
    private int znodes;

    @Option(
            names = "--seconds",
            defaultValue = "10",
            description = "Of measuring (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warm-up",
            defaultValue = "5",
            description = "Seconds before that (${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(
            names = "--threads",
            defaultValue = "1",
            description = "That make the load (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--pids",
            split = ",",
            description = "Processes of the servers, for CPU time for each operation (from /proc).")
    private List<Long> pids = List.of();

    @Option(
            names = "--seed",
            defaultValue = "1",
            description = "Of the random choices (${DEFAULT-VALUE}).")
    private long seed;

    @Mixin private Figures figures = new Figures();

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        Plan plan = plan();
        Result result;
        try {
            result = Load.run(plan);
        } catch (IOException e) {
            System.err.println(e.getMessage());
            return Shell.NOT_CONNECTED;
        }
        figures.print(result.figures());
        return result.isClean() ? Shell.OK : Shell.REFUSED;
    }

    private Plan plan() {
        check(spec, "--connections", connections, 1, 100_000);
        check(spec, "--outstanding", outstanding, 1, 100_000);
        check(spec, "--rate", rate, 0, 10_000_000);
        check(spec, "--reads", reads, 0, 100);
        check(spec, "--size", size, 0, 1_000_000);
        check(spec, "--znodes", znodes, 1, 10_000_000);
        check(spec, "--seconds", seconds, 1, 86_400);
        check(spec, "--warm-up", warmUp, 0, 86_400);
        check(spec, "--threads", threads, 1, 1024);
        try {
            return new Plan(
                    ConnectString.parse(server),
                    connections,
                    outstanding,
                    rate,
                    reads,
                    size,
                    znodes,
                    Duration.ofSeconds(warmUp),
                    Duration.ofSeconds(seconds),
                    threads,
                    pids,
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "-server: " + e.getMessage(), e);
        }
    }

    static void check(CommandSpec spec, String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new ParameterException(
                    spec.commandLine(),
                    option + " " + value + ": it must be from " + least + " to " + most);
        }
    }
}
