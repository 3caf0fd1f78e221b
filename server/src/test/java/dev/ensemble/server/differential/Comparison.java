package dev.ensemble.server.differential;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;

/// Runs programs against both servers, and shrinks one that tells them apart.
final class Comparison implements AutoCloseable {
    /// New servers after so many programs: what these leave in the root adds up.
    private static final int PROGRAMS_FOR_EACH_SERVER = 100;

    /// How often a shrunk program is run at most.
    private static final int SHRINKING_RUNS = 150;

    private final Original original;
    private final Ours ours;
    private int originalPort;
    private int oursPort;
    private Cleaning originalCleaning;
    private Cleaning oursCleaning;
    private int programs;

    /// @param original lines of what the clients of the original saw
    record Difference(Program program, List<String> original, List<String> ours) {
        /// {@return the first line that differs}
        int line() {
            int common = Math.min(original.size(), ours.size());
            return IntStream.range(0, common)
                    .filter(i -> !same(original.get(i), ours.get(i)))
                    .findFirst()
                    .orElse(common);
        }

        @Override
        public String toString() {
            int line = line();
            var text = new StringBuilder();
            text.append("the servers differ; seed ").append(program.seed()).append('\n');
            text.append(program).append("\nboth:\n");
            original.subList(Math.max(0, line - 12), line)
                    .forEach(each -> text.append("    ").append(each).append('\n'));
            text.append("original:\n    ").append(at(original, line));
            text.append("\nours:\n    ").append(at(ours, line)).append('\n');
            return text.toString();
        }

        private static String at(List<String> lines, int line) {
            return line < lines.size() ? lines.get(line) : "(nothing)";
        }
    }

    /// @param folder for the data of both
    Comparison(Path folder, Flavour flavour) throws IOException {
        original = new Original(folder, flavour);
        ours = new Ours(folder, flavour);
    }

    /// {@return how the servers differ, null if they do not}
    Difference compare(long seed) throws Exception {
        Program program = Programs.of(seed);
        if (programs++ % PROGRAMS_FOR_EACH_SERVER == 0) {
            fresh();
            originalCleaning = new Cleaning(originalPort);
            oursCleaning = new Cleaning(oursPort);
        }
        Difference difference = run(program);
        if (difference == null) {
            CompletableFuture<Boolean> cleaned =
                    inBackground(() -> {
                        originalCleaning.clean();
                        return true;
                    });
            oursCleaning.clean();
            join(cleaned);
            return null;
        }
        programs = 0;
        return shrunk(difference);
    }

    private void fresh() throws IOException, InterruptedException {
        endCleaning();
        originalPort = original.fresh();
        oursPort = ours.fresh();
    }

    private Difference run(Program program) throws Exception {
        CompletableFuture<List<String>> one = inBackground(() -> Run.of(program, originalPort));
        List<String> two = Run.of(program, oursPort);
        List<String> expected = join(one);
        var difference = new Difference(program, expected, two);
        boolean same = expected.size() == two.size() && difference.line() == two.size();
        return same ? null : difference;
    }

    private static boolean same(String original, String ours) {
        return original.equals(ours) || Exceptions.allow(original, ours);
    }

    /// {@return the difference of a shorter program, which alone on new servers shows one as well;
    /// the whole one if that needs what came before}
    private Difference shrunk(Difference found) throws Exception {
        fresh();
        Difference best = run(found.program());
        if (best == null) {
            return found;
        }
        int runs = 0;
        for (int size = best.program().steps().size() / 2; size > 0; size /= 2) {
            for (int from = 0; from < best.program().steps().size() && runs < SHRINKING_RUNS; ) {
                List<Step> steps = new ArrayList<>(best.program().steps());
                steps.subList(from, Math.min(steps.size(), from + size)).clear();
                runs++;
                Difference less = again(best.program().with(steps));
                if (less == null) {
                    from += size;
                } else {
                    best = less;
                }
            }
        }
        return withoutOps(best, runs);
    }

    private Difference withoutOps(Difference found, int before) throws Exception {
        Difference best = found;
        int runs = before;
        for (int i = 0; i < best.program().steps().size(); i++) {
            if (!(best.program().steps().get(i) instanceof Step.Burst(int client, var ops))) {
                continue;
            }
            List<Op> left = new ArrayList<>(ops);
            for (int j = 0; j < left.size() && left.size() > 1 && runs < SHRINKING_RUNS; ) {
                List<Op> fewer = new ArrayList<>(left);
                fewer.remove(j);
                List<Step> steps = new ArrayList<>(best.program().steps());
                steps.set(i, new Step.Burst(client, List.copyOf(fewer)));
                runs++;
                Difference less = again(best.program().with(steps));
                if (less == null) {
                    j++;
                } else {
                    best = less;
                    left = fewer;
                }
            }
        }
        return best;
    }

    private Difference again(Program program) throws Exception {
        fresh();
        return run(program);
    }

    private interface Work<T> {
        T work() throws Exception;
    }

    private static <T> CompletableFuture<T> inBackground(Work<T> work) {
        var future = new CompletableFuture<T>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        future.complete(work.work());
                    } catch (Exception e) {
                        future.completeExceptionally(e);
                    }
                });
        return future;
    }

    private static <T> T join(CompletableFuture<T> future) throws Exception {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        }
    }

    private void endCleaning() {
        if (originalCleaning != null) {
            originalCleaning.end();
            oursCleaning.end();
            originalCleaning = null;
        }
    }

    @Override
    public void close() {
        endCleaning();
        ours.close();
        original.close();
    }
}
