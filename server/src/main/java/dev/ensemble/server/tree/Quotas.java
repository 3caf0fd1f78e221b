package dev.ensemble.server.tree;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/// Quotas (`client-protocol` section 18): where their znodes are, and the text that is in them.
///
/// The limits of a path are a znode that clients make, its usage one that the server keeps: the
/// same on every member, since applying a transaction keeps it.
final class Quotas {
    private static final String LIMITS = "/zookeeper_limits";
    private static final String USAGE = "/zookeeper_stats";
    private static final byte[] LIMITS_SUFFIX = LIMITS.getBytes(StandardCharsets.UTF_8);
    private static final byte[] PREFIX = (Paths.QUOTA + '/').getBytes(StandardCharsets.UTF_8);

    private Quotas() {}

    static String limits(String path) {
        return Paths.QUOTA + path + LIMITS;
    }

    static String usage(String path) {
        return Paths.QUOTA + path + USAGE;
    }

    /// {@return whether the znode sets the limits of some path}
    static boolean isLimits(byte[] path) {
        int from = path.length - LIMITS_SUFFIX.length;
        return from >= PREFIX.length - 1
                && startsWith(path, PREFIX, 0)
                && startsWith(path, LIMITS_SUFFIX, from);
    }

    private static boolean startsWith(byte[] path, byte[] part, int from) {
        for (int i = 0; i < part.length; i++) {
            if (path[from + i] != part[i]) {
                return false;
            }
        }
        return true;
    }

    /// {@return the path whose usage is in the znode `path`, or null if that is none of these;
    /// empty for the root}
    static @Nullable String countedBy(String path) {
        return path.startsWith(Paths.QUOTA + '/') && path.endsWith(USAGE)
                ? path.substring(Paths.QUOTA.length(), path.length() - USAGE.length())
                : null;
    }

    /// {@return the path whose quota holds for `path`: the deepest of it and those above that has
    /// limits, never the root; or null}
    static @Nullable String governing(String path, Predicate<String> exists) {
        String at = path;
        while (at.length() > 1) {
            if (exists.test(limits(at))) {
                return at;
            }
            at = Paths.parent(at);
        }
        return null;
    }

    /// What stands in one of these znodes. A number that is missing is -1: no limit.
    static final class Text {
        private static final String COUNT = "count";
        private static final String BYTES = "bytes";

        private final Map<String, Long> numbers = new TreeMap<>();

        /// Reads what it can: whatever is no `key=number` counts for nothing, since a client may
        /// write anything there.
        static Text of(byte @Nullable [] data) {
            var text = new Text();
            if (data != null) {
                for (String pair : new String(data, StandardCharsets.UTF_8).split("[,;]+", -1)) {
                    text.take(pair.split("=", -1));
                }
            }
            return text;
        }

        private void take(String[] pair) {
            try {
                if (pair.length >= 2 && !pair[1].isEmpty()) {
                    numbers.put(pair[0], Long.parseLong(pair[1]));
                }
            } catch (NumberFormatException _) {
                // No limit.
            }
        }

        long count() {
            return numbers.getOrDefault(COUNT, -1L);
        }

        long bytes() {
            return numbers.getOrDefault(BYTES, -1L);
        }

        long countHardLimit() {
            return numbers.getOrDefault("countHardLimit", -1L);
        }

        long byteHardLimit() {
            return numbers.getOrDefault("byteHardLimit", -1L);
        }

        Text with(long count, long bytes) {
            numbers.put(COUNT, count);
            numbers.put(BYTES, bytes);
            return this;
        }

        /// {@return the text}: the two old keys first, and an equals sign behind them that makes
        /// old readers stop there.
        @Override
        public String toString() {
            var text = new StringBuilder("count=" + count() + ",bytes=" + bytes());
            String before = "=;";
            for (Map.Entry<String, Long> entry : numbers.entrySet()) {
                if (!entry.getKey().equals(COUNT) && !entry.getKey().equals(BYTES)) {
                    text.append(before).append(entry.getKey()).append('=').append(entry.getValue());
                    before = ";";
                }
            }
            return text.toString();
        }

        byte[] data() {
            return toString().getBytes(StandardCharsets.UTF_8);
        }
    }
}
