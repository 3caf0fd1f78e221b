package dev.ensemble.server.node;

import com.sun.management.UnixOperatingSystemMXBean;

import org.jspecify.annotations.Nullable;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;

/// The figures of the JVM and its process under the names that ZooKeeper's dashboards ask for;
/// Micrometer has its own names for the same.
final class JvmFamilies {
    private JvmFamilies() {}

    static @Nullable UnixOperatingSystemMXBean process() {
        return ManagementFactory.getOperatingSystemMXBean()
                        instanceof UnixOperatingSystemMXBean unix
                ? unix
                : null;
    }

    /// {@return lines of the page that Prometheus reads}
    static String page() {
        var page = new StringBuilder();
        memory(page);
        collections(page);
        threads(page);
        UnixOperatingSystemMXBean unix = process();
        if (unix != null) {
            head(page, "process_cpu_seconds_total", "counter");
            line(page, "process_cpu_seconds_total", unix.getProcessCpuTime() / 1e9);
            head(page, "process_open_fds", "gauge");
            line(page, "process_open_fds", unix.getOpenFileDescriptorCount());
            head(page, "process_max_fds", "gauge");
            line(page, "process_max_fds", unix.getMaxFileDescriptorCount());
        }
        head(page, "process_start_time_seconds", "gauge");
        line(
                page,
                "process_start_time_seconds",
                ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
        return page.toString();
    }

    private static void memory(StringBuilder page) {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        for (String kind : new String[] {"used", "committed", "max", "init"}) {
            String name = "jvm_memory_bytes_" + kind;
            head(page, name, "gauge");
            line(page, name + "{area=\"heap\"}", of(memory.getHeapMemoryUsage(), kind));
            line(page, name + "{area=\"nonheap\"}", of(memory.getNonHeapMemoryUsage(), kind));
        }
        for (String kind : new String[] {"used", "committed", "max"}) {
            String name = "jvm_memory_pool_bytes_" + kind;
            head(page, name, "gauge");
            for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                line(page, name + "{pool=\"" + pool.getName() + "\"}", of(pool.getUsage(), kind));
            }
        }
        head(page, "jvm_buffer_pool_used_bytes", "gauge");
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            String label = "{pool=\"" + pool.getName() + "\"}";
            line(page, "jvm_buffer_pool_used_bytes" + label, pool.getMemoryUsed());
        }
    }

    private static long of(MemoryUsage usage, String kind) {
        return switch (kind) {
            case "used" -> usage.getUsed();
            case "committed" -> usage.getCommitted();
            case "max" -> usage.getMax();
            default -> usage.getInit();
        };
    }

    private static void collections(StringBuilder page) {
        head(page, "jvm_gc_collection_seconds", "summary");
        for (GarbageCollectorMXBean each : ManagementFactory.getGarbageCollectorMXBeans()) {
            String label = "{gc=\"" + each.getName() + "\"}";
            line(page, "jvm_gc_collection_seconds_count" + label, each.getCollectionCount());
            line(page, "jvm_gc_collection_seconds_sum" + label, each.getCollectionTime() / 1e3);
        }
    }

    private static void threads(StringBuilder page) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        head(page, "jvm_threads_current", "gauge");
        line(page, "jvm_threads_current", threads.getThreadCount());
        head(page, "jvm_threads_daemon", "gauge");
        line(page, "jvm_threads_daemon", threads.getDaemonThreadCount());
        head(page, "jvm_threads_peak", "gauge");
        line(page, "jvm_threads_peak", threads.getPeakThreadCount());
    }

    private static void head(StringBuilder page, String name, String type) {
        page.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private static void line(StringBuilder page, String name, Number value) {
        page.append(name).append(' ').append(value).append('\n');
    }
}
