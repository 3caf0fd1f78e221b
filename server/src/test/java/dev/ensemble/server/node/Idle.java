package dev.ensemble.server.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// Measures what three members without clients cost: processor time and wake-ups of each thread, as
/// Linux counts them.
///
/// `dev.ensemble.server.node.Idle [seconds [seconds to wait before]]`; see
/// `server/docs/testing.md`.
final class Idle {
    private static final int MEMBERS = 3;

    /// Of `/proc/PID/task/TID/schedstat` and `status`.
    private record Usage(long nanos, long wakeUps) {
        Usage plus(Usage other) {
            return new Usage(nanos + other.nanos, wakeUps + other.wakeUps);
        }

        Usage minus(Usage other) {
            return new Usage(nanos - other.nanos, wakeUps - other.wakeUps);
        }
    }

    private Idle() {}

    /// {@return what the threads of a process have used, by name}
    private static Map<String, Usage> usage(long pid) throws IOException {
        var usage = new HashMap<String, Usage>();
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads.toList()) {
                String name = Files.readString(thread.resolve("comm")).strip();
                String[] times = Files.readString(thread.resolve("schedstat")).split(" ", -1);
                long wakeUps =
                        Files.readAllLines(thread.resolve("status")).stream()
                                .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
                                .mapToLong(line -> Long.parseLong(line.split("\\s+", -1)[1]))
                                .sum();
                usage.merge(
                        name, new Usage(Long.parseLong(times[0].strip()), wakeUps), Usage::plus);
            }
        }
        return usage;
    }

    private static void pause(long seconds) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    public static void main(String[] args) throws Exception {
        long seconds = args.length > 0 ? Long.parseLong(args[0]) : 60;
        long before = args.length > 1 ? Long.parseLong(args[1]) : 120;
        Path folder = Files.createTempDirectory("idle");
        try (var members = new MemberProcesses(folder, MEMBERS).startAll()) {
            members.awaitAllSynced();
            int leader = members.awaitLeader();
            pause(before);
            Map<Integer, Map<String, Usage>> begin = new TreeMap<>();
            for (int id : members.ids()) {
                begin.put(id, usage(members.process(id).pid()));
            }
            pause(seconds);
            for (int id : members.ids()) {
                Map<String, Usage> used = new HashMap<>();
                usage(members.process(id).pid())
                        .forEach((name, now) ->
                                used.put(
                                        name,
                                        now.minus(
                                                begin.getOrDefault(id, Map.of())
                                                        .getOrDefault(name, new Usage(0, 0)))));
                print(id, id == leader, used, seconds);
            }
        }
    }

    private static void print(int id, boolean leads, Map<String, Usage> used, long seconds) {
        Usage all = used.values().stream().reduce(new Usage(0, 0), Usage::plus);
        System.out.printf(
                "member %d%s: %.2f %% of a core, %.0f wake-ups a second%n",
                id, leads ? " (leader)" : "", percent(all, seconds), perSecond(all, seconds));
        List<Map.Entry<String, Usage>> most =
                used.entrySet().stream()
                        .sorted(Comparator.comparingLong(each -> -each.getValue().nanos()))
                        .limit(12)
                        .toList();
        for (var each : most) {
            System.out.printf(
                    "    %-16s %.3f %% %7.1f wake-ups a second%n",
                    each.getKey(),
                    percent(each.getValue(), seconds),
                    perSecond(each.getValue(), seconds));
        }
    }

    private static double percent(Usage usage, long seconds) {
        return usage.nanos() / 1e7 / seconds;
    }

    private static double perSecond(Usage usage, long seconds) {
        return (double) usage.wakeUps() / seconds;
    }
}
