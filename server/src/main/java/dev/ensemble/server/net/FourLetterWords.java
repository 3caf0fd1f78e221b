package dev.ensemble.server.net;

import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The answers to four-letter words, byte for byte as ZooKeeper gives them (`admin` section 1).
final class FourLetterWords {
    /// The four bytes are a number far above every length of a frame.
    enum Word {
        RUOK,
        ISRO,
        SRVR,
        STAT,
        MNTR,
        CONF,
        ENVI,
        CONS,
        DIRS,
        SRST,
        CRST;

        private final String text = name().toLowerCase(Locale.ROOT);
        private final int number;

        Word() {
            int bytes = 0;
            for (byte each : text.getBytes(StandardCharsets.US_ASCII)) {
                bytes = (bytes << 8) | each;
            }
            number = bytes;
        }

        static @Nullable Word of(int number) {
            for (Word word : values()) {
                if (word.number == number) {
                    return word;
                }
            }
            return null;
        }

        /// {@return whether it is answered also while this member does not serve}
        boolean isAlwaysAnswered() {
            return this == RUOK || this == ENVI || this == ISRO;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static final String NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

    private FourLetterWords() {}

    static String notAllowed(Word word) {
        return word + " is not executed because it is not in the whitelist.\n";
    }

    /// @param connections lines of the clients, for `stat`; null for `srvr`
    static String server(
            ServerFacts facts, ClientStats stats, Tree tree, @Nullable List<String> connections) {
        var text = new StringBuilder();
        text.append("Zookeeper version: ").append(facts.version()).append('\n');
        if (connections != null) {
            text.append("Clients:\n").append(lines(connections)).append('\n');
        }
        text.append("Latency min/avg/max: ").append(stats.minLatencyMillis());
        text.append('/').append(average(stats.avgLatencyMillis()));
        text.append('/').append(stats.maxLatencyMillis()).append('\n');
        text.append("Received: ").append(stats.received()).append('\n');
        text.append("Sent: ").append(stats.sent()).append('\n');
        text.append("Connections: ").append(stats.connections()).append('\n');
        text.append("Outstanding: ").append(stats.outstanding()).append('\n');
        text.append("Zxid: 0x").append(Long.toHexString(tree.zxid())).append('\n');
        text.append("Mode: ").append(facts.mode()).append('\n');
        text.append("Node count: ").append(nodeCount(tree)).append('\n');
        ServerFacts.ProposalSizes sizes = facts.proposalSizes();
        if (sizes != null) {
            text.append("Proposal sizes last/min/max: ").append(sizes.last());
            text.append('/').append(sizes.min()).append('/').append(sizes.max()).append('\n');
        }
        return text.toString();
    }

    /// The original counts the root twice.
    private static int nodeCount(Tree tree) {
        return tree.znodeCount() + 1;
    }

    /// {@return at most four digits behind the point, at least one}
    private static String average(double millis) {
        String text = String.format(Locale.ROOT, "%.4f", millis);
        int end = text.length();
        while (text.charAt(end - 1) == '0' && text.charAt(end - 2) != '.') {
            end--;
        }
        return text.substring(0, end);
    }

    static String monitor(ServerFacts facts, ClientStats stats, Tree tree) {
        var text = new StringBuilder();
        line(text, "version", facts.version());
        line(text, "server_state", facts.mode());
        String peerState = facts.peerState();
        if (peerState != null) {
            line(text, "peer_state", peerState);
        }
        line(text, "min_latency", stats.minLatencyMillis());
        line(text, "avg_latency", String.format(Locale.ROOT, "%.4f", stats.avgLatencyMillis()));
        line(text, "max_latency", stats.maxLatencyMillis());
        line(text, "packets_received", stats.received());
        line(text, "packets_sent", stats.sent());
        line(text, "num_alive_connections", stats.connections());
        line(text, "outstanding_requests", stats.outstanding());
        line(text, "znode_count", nodeCount(tree));
        line(text, "watch_count", stats.watches());
        line(text, "ephemerals_count", tree.ephemeralCount());
        line(text, "approximate_data_size", tree.approximateDataSize());
        line(text, "global_sessions", tree.sessionCount());
        line(text, "local_sessions", 0);
        facts.measures().forEach((key, value) -> line(text, key, value));
        return text.toString();
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append("zk_").append(key).append('\t').append(value).append('\n');
    }

    static String environment(Map<String, String> environment) {
        var text = new StringBuilder("Environment:\n");
        environment.forEach(
                (key, value) -> text.append(key).append('=').append(value).append('\n'));
        return text.toString();
    }

    static String directories(ServerFacts facts) {
        return "datadir_size: " + facts.dataBytes() + "\nlogdir_size: " + facts.logBytes() + "\n";
    }

    static String connections(List<String> connections) {
        return lines(connections) + "\n";
    }

    private static String lines(List<String> lines) {
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }
}
