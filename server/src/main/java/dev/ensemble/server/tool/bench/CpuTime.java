package dev.ensemble.server.tool.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// What processes have used of the CPU, from Linux's `/proc`.
final class CpuTime {
    /// Linux tells user space a hundred ticks for each second, whatever the kernel counts in.
    private static final long TICK_NANOS = TimeUnit.SECONDS.toNanos(1) / 100;

    private CpuTime() {}

    /// {@return user and system time since the start of each process, by pid}
    ///
    /// @throws IOException if one of them is not there
    static Map<Long, Long> nanos(List<Long> pids) throws IOException {
        var nanos = new LinkedHashMap<Long, Long>();
        for (long pid : pids) {
            nanos.put(pid, parse(Files.readString(Path.of("/proc", Long.toString(pid), "stat"))));
        }
        return nanos;
    }

    /// @param stat the line; the name of the program, in parentheses, may hold blanks
    static long parse(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        // The state is the third field of the line and the first here; utime is the 14th, stime the
        // 15th.
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_NANOS;
    }
}
