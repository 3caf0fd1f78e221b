package dev.ensemble.server.node;

import dev.ensemble.server.metrics.Reading;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;

/// One figure of a member, by ZooKeeper's name for it.
sealed interface Sample {
    String name();

    /// {@return what it is, in a few words}
    String help();

    /// {@return the entries of `mntr` and of the admin command `monitor`, without the prefix}
    Map<String, Number> entries();

    /// {@return the lines of the page that Prometheus reads}
    String page();

    /// @param counter it only grows
    record Value(String name, boolean counter, String help, Number value) implements Sample {
        @Override
        public Map<String, Number> entries() {
            return Map.of(name, value);
        }

        @Override
        public String page() {
            return head(this, counter ? "counter" : "gauge") + name + " " + text(value) + "\n";
        }
    }

    /// Values with a distribution.
    ///
    /// @param advanced its quantiles are shown in `mntr` too
    /// @param scale by what the values are divided before they are shown
    record Distribution(String name, boolean advanced, double scale, String help, Reading reading)
            implements Sample {
        @Override
        public Map<String, Number> entries() {
            var all = new LinkedHashMap<String, Number>();
            all.put("avg_" + name, reading.average() / scale);
            all.put("min_" + name, scaled(reading.min()));
            all.put("max_" + name, scaled(reading.max()));
            all.put("cnt_" + name, reading.count());
            all.put("sum_" + name, scaled(reading.sum()));
            if (advanced) {
                all.put("p50_" + name, scaled(reading.quantile(0.5)));
                all.put("p95_" + name, scaled(reading.quantile(0.95)));
                all.put("p99_" + name, scaled(reading.quantile(0.99)));
                all.put("p999_" + name, scaled(reading.quantile(0.999)));
            }
            return all;
        }

        /// Whole numbers, as tools expect of all but averages.
        private long scaled(long value) {
            return Math.round(value / scale);
        }

        @Override
        public String page() {
            var page = new StringBuilder(head(this, "summary"));
            for (double share : advanced ? new double[] {0.5, 0.9, 0.99} : new double[] {0.5}) {
                page.append(name).append("{quantile=\"").append(share).append("\"} ");
                page.append(reading.count() == 0 ? "NaN" : text(reading.quantile(share) / scale));
                page.append('\n');
            }
            page.append(name).append("_count ").append(reading.count()).append('\n');
            page.append(name).append("_sum ").append(text(reading.sum() / scale)).append('\n');
            return page.toString();
        }
    }

    private static String head(Sample sample, String type) {
        String name = sample.name();
        return "# HELP " + name + " " + sample.help() + "\n# TYPE " + name + " " + type + "\n";
    }

    /// {@return as ZooKeeper prints it: integers plain, others with up to four decimals}
    static String text(Number value) {
        return value instanceof Double || value instanceof Float
                ? Double.toString(rounded(value.doubleValue()))
                : value.toString();
    }

    private static double rounded(double value) {
        return BigDecimal.valueOf(value).setScale(4, RoundingMode.HALF_UP).doubleValue();
    }
}
