package dev.ensemble.server.tool.bench;

import org.HdrHistogram.Histogram;

import java.util.LinkedHashMap;
import java.util.Map;

/// What a run has measured.
///
/// @param reads latencies in ns, of good answers only, like `writes`
/// @param errors answers with an error code
/// @param lost connections that ended before the run did
/// @param cpuNanos by pid, of the measured time
public record Result(
        double seconds,
        Histogram reads,
        Histogram writes,
        long errors,
        int lost,
        Map<Long, Long> cpuNanos) {
    private static final double MICROS = 1e3;

    public long operations() {
        return reads.getTotalCount() + writes.getTotalCount();
    }

    public boolean isClean() {
        return errors == 0 && lost == 0;
    }

    /// {@return the figures by name, rounded, as they are printed}
    public Map<String, Object> figures() {
        var figures = new LinkedHashMap<String, Object>();
        figures.put("seconds", round(seconds));
        figures.put("operationsPerSecond", Math.round(operations() / seconds));
        put(figures, "reads", reads);
        put(figures, "writes", writes);
        figures.put("errors", errors);
        figures.put("connectionsLost", lost);
        if (!cpuNanos.isEmpty()) {
            var byPid = new LinkedHashMap<String, Object>();
            long all = 0;
            for (Map.Entry<Long, Long> each : cpuNanos.entrySet()) {
                byPid.put(Long.toString(each.getKey()), round(each.getValue() / 1e9));
                all += each.getValue();
            }
            figures.put("cpuSecondsByPid", byPid);
            figures.put("cpuMicrosPerOperation", round(all / MICROS / Math.max(1, operations())));
        }
        return figures;
    }

    private void put(Map<String, Object> figures, String name, Histogram latency) {
        if (latency.getTotalCount() == 0) {
            return;
        }
        var values = new LinkedHashMap<String, Object>();
        values.put("perSecond", Math.round(latency.getTotalCount() / seconds));
        values.put("p50Micros", round(latency.getValueAtPercentile(50) / MICROS));
        values.put("p95Micros", round(latency.getValueAtPercentile(95) / MICROS));
        values.put("p99Micros", round(latency.getValueAtPercentile(99) / MICROS));
        values.put("p999Micros", round(latency.getValueAtPercentile(99.9) / MICROS));
        values.put("maxMicros", round(latency.getMaxValue() / MICROS));
        figures.put(name, values);
    }

    private static double round(double value) {
        return Math.round(value * 100) / 100.0;
    }
}
