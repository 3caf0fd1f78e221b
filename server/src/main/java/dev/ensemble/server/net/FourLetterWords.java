package dev.ensemble.server.net;

import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

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
        DUMP,
        WCHS,
        WCHC,
        WCHP,
        HASH,
        DIRS,
        SRST,
        CRST,
        GTMK,
        STMK,
        /// What a telnet client sends when its user interrupts it.
        TELNET("telnet close", 0xfff4fffd);

        private final String text;
        private final int number;

        Word() {
            text = name().toLowerCase(Locale.ROOT);
            number = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)).getInt();
        }

        Word(String text, int number) {
            this.text = text;
            this.number = number;
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
            return switch (this) {
                case RUOK, ENVI, ISRO, GTMK, STMK, TELNET -> true;
                default -> false;
            };
        }

        /// {@return how many bytes belong to it behind the word}
        int argumentBytes() {
            return this == STMK ? Long.BYTES : 0;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static final String NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE MMM dd HH:mm:ss zzz yyyy", Locale.US);

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
        line(text, "avg_latency", average(stats.avgLatencyMillis()));
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

    private static String lines(Collection<String> lines) {
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }

    /// The answer to `dump`.
    ///
    /// @param deadlines of sessions; null on a member that does not lead
    static String dump(
            Tree tree,
            @Nullable SortedMap<Long, List<Long>> deadlines,
            Map<ConnectionFacts, Long> connections) {
        var text = new StringBuilder("SessionTracker dump:\n");
        if (deadlines == null) {
            globalSessions(text, tree);
        } else {
            var sets = new TreeMap<Long, List<String>>();
            deadlines.forEach((millis, ids) ->
                    sets.put(millis, ids.stream().map(FourLetterWords::hex).toList()));
            sets(text.append("Session "), sets);
        }
        ephemerals(text, tree);
        var sets = new TreeMap<Long, List<String>>();
        connections.forEach((facts, millis) ->
                sets.computeIfAbsent(millis, _ -> new ArrayList<>())
                        .add("ip: " + facts.remote() + " sessionId: " + hex(facts.session())));
        sets(text.append("Connections dump:\nConnections "), sets);
        return text.toString();
    }

    private static void globalSessions(StringBuilder text, Tree tree) {
        var sessions = new TreeMap<Long, Integer>();
        tree.forEachSession(session -> sessions.put(session.id(), session.timeoutMillis()));
        text.append("Global Sessions(").append(sessions.size()).append("):\n");
        sessions.forEach(
                (id, timeout) -> text.append(hex(id)).append('\t').append(timeout).append("ms\n"));
    }

    private static void ephemerals(StringBuilder text, Tree tree) {
        SortedMap<Long, List<String>> owners = ephemerals(tree);
        text.append("ephemeral nodes dump:\nSessions with Ephemerals (");
        text.append(owners.size()).append("):\n");
        owners.forEach((session, paths) -> {
            text.append(hex(session)).append(":\n");
            paths.forEach(path -> text.append('\t').append(path).append('\n'));
        });
    }

    /// {@return paths by session, of the sessions that own any}
    static SortedMap<Long, List<String>> ephemerals(Tree tree) {
        var owners = new TreeMap<Long, List<String>>();
        tree.forEachSession(session -> {
            List<String> paths = tree.ephemerals(session.id());
            if (!paths.isEmpty()) {
                owners.put(session.id(), paths);
            }
        });
        return owners;
    }

    private static void sets(StringBuilder text, SortedMap<Long, List<String>> sets) {
        int all = sets.values().stream().mapToInt(List::size).sum();
        text.append("Sets (").append(sets.size()).append(")/(").append(all).append("):\n");
        sets.forEach((millis, lines) -> {
            text.append(lines.size()).append(" expire at ").append(date(millis)).append(":\n");
            lines.forEach(line -> text.append('\t').append(line).append('\n'));
        });
    }

    /// {@return as Java's `Date` prints it, which is what tools know}
    private static String date(long millis) {
        return Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()).format(DATE);
    }

    private static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }

    static String watchSummary(WatchReport watches) {
        return String.format(
                Locale.ROOT,
                "%d connections watching %d paths\nTotal watches:%d\n",
                watches.bySession().size(),
                watches.byPath().size(),
                watches.count());
    }

    static String watchesBySession(WatchReport watches) {
        var text = new StringBuilder();
        watches.bySession()
                .forEach((session, paths) -> {
                    text.append(hex(session)).append('\n');
                    paths.forEach(path -> text.append('\t').append(path).append('\n'));
                });
        return text.append('\n').toString();
    }

    static String watchesByPath(WatchReport watches) {
        var text = new StringBuilder();
        watches.byPath()
                .forEach((path, sessions) -> {
                    text.append(path).append('\n');
                    sessions.forEach(
                            session -> text.append('\t').append(hex(session)).append('\n'));
                });
        return text.append('\n').toString();
    }

    static String digests(List<DigestLog.Entry> digests) {
        var text = new StringBuilder();
        for (DigestLog.Entry each : digests) {
            text.append(Long.toHexString(each.zxid())).append(": ").append(each.digest());
            text.append('\n');
        }
        return text.toString();
    }
}
