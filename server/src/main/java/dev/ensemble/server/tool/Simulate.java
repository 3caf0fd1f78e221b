package dev.ensemble.server.tool;

import dev.ensemble.server.simulation.Sabotage;
import dev.ensemble.server.simulation.Seeds;
import dev.ensemble.server.simulation.Violation;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/// `ensemble simulate`: whole ensembles in one thread, under faults, from seeds.
@Command(
        name = "simulate",
        description = {
            "Runs whole ensembles on simulated disks, networks and clocks, one for each seed, with"
                    + " crashes, partitions and lost disks, and checks the safety rules after every"
                    + " event.",
            "Ends with 1 at the first rule that does not hold, and says how to replay it."
        },
        mixinStandardHelpOptions = true)
final class Simulate implements Callable<Integer> {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "How many seeds to run (default: 100).")
    private @Nullable Long seeds;

    @Option(
            names = "--from",
            paramLabel = "SEED",
            defaultValue = "1",
            description = "The first seed (default: 1).")
    private long from;

    @Option(
            names = "--members",
            paramLabel = "N",
            split = ",",
            description =
                    "How many members, 1 to 9; with several (1,3,5), the seeds take turns."
                            + " As the seed has it if not given.")
    private List<Integer> members = List.of();

    @Option(
            names = "--mutation",
            paramLabel = "NAME",
            description = {
                "Break something on purpose, and end with 0 if a rule notices within the seeds"
                        + " (default: 10000). all: one after the other.",
                "Valid: all, ${COMPLETION-CANDIDATES}."
            },
            completionCandidates = Mutations.class)
    private @Nullable String mutation;

    /// What can be broken.
    static final class Mutations implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Sabotage.all().stream().map(Sabotage::label).iterator();
        }
    }

    @Option(names = "--trace", description = "Print every event.")
    private boolean trace;

    @Override
    public Integer call() {
        if (seeds != null && seeds < 1) {
            throw refused("--seeds " + seeds + ": at least 1");
        }
        for (int each : members) {
            if (each < 1 || each > 9) {
                throw refused("--members " + each + ": 1 to 9");
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        String name = mutation;
        if (name == null) {
            return run(seeds == null ? 100 : seeds, out);
        }
        List<Sabotage> asked =
                Sabotage.all().stream()
                        .filter(each -> name.equals("all") || name.equals(each.label()))
                        .toList();
        if (asked.isEmpty()) {
            throw refused("--mutation " + name + ": all, " + String.join(", ", new Mutations()));
        }
        boolean noticed = true;
        for (Sabotage each : asked) {
            noticed &= isNoticed(each, seeds == null ? 10_000 : seeds, out);
        }
        return noticed ? 0 : 1;
    }

    private ParameterException refused(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private boolean isNoticed(Sabotage sabotage, long most, PrintWriter out) {
        for (long seed = from; seed < from + most; seed++) {
            Optional<Violation> violation =
                    new Seeds(membersOf(seed), sabotage).run(seed, trace ? out::println : null);
            if (violation.isPresent()) {
                String what = String.valueOf(violation.get().getMessage());
                out.printf(
                        "%s: noticed, %s%n", sabotage.label(), what.lines().findFirst().orElse(""));
                out.flush();
                return true;
            }
        }
        out.printf("%s: not noticed by %d seeds from %d%n", sabotage.label(), most, from);
        out.flush();
        return false;
    }

    private int run(long count, PrintWriter out) {
        Consumer<String> live = trace ? out::println : null;
        long start = System.nanoTime();
        var coverage = new dev.ensemble.server.simulation.Coverage();
        for (long seed = from; seed < from + count; seed++) {
            var one = new Seeds(membersOf(seed), Sabotage.NONE);
            Optional<Violation> violation = one.run(seed, live);
            if (violation.isPresent()) {
                print(out, violation.get());
                return 1;
            }
            coverage.add(one.coverage());
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        out.print(coverage);
        out.printf(
                Locale.ROOT,
                "%d seeds from %d in %.1f s, no rule violated%n",
                count,
                from,
                seconds);
        out.flush();
        return 0;
    }

    private int membersOf(long seed) {
        return members.isEmpty()
                ? 0
                : members.get((int) Math.floorMod(seed, (long) members.size()));
    }

    private static void print(PrintWriter out, Violation violation) {
        out.println(violation.getMessage());
        if (violation.getCause() != null) {
            violation.getCause().printStackTrace(out);
        }
        out.flush();
    }
}
