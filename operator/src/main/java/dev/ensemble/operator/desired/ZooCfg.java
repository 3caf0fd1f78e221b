package dev.ensemble.operator.desired;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.operator.api.Labels;

import org.jspecify.annotations.Nullable;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/// The file `zoo.cfg` of a member, in ZooKeeper's own syntax; the same for all members where each
/// runs in a pod of its own.
///
/// @param lines key and value in the order of the file; nothing that a properties file would read
///   differently than it stands here (`SpecRules` refuses such values)
public record ZooCfg(Map<String, String> lines) {
    private static final List<String> NOT_HASHED_PREFIXES = List.of("server.", "group.", "weight.");
    private static final List<String> NOT_HASHED = List.of("bootstrap", "ensembleId", "version");

    /// Keys whose change members take over while they run (`server/docs/configuration.md`).
    static final Set<String> LIVE =
            Set.of(
                    """
                    minSessionTimeout maxSessionTimeout maxClientCnxns maxCnxns nio.sessionlessCnxnTimeout
                    globalOutstandingLimit request_throttle_max_requests throttled_op_wait_time
                    largeRequestMaxBytes connection_throttle_tokens connection_throttle_fill_time
                    connection_throttle_fill_count connection_throttle_freeze_time
                    connection_throttle_drop_increase connection_throttle_drop_decrease
                    connection_throttle_decrease_ratio connection_throttle_weight_enabled
                    connection_throttle_global_session_weight connection_throttle_local_session_weight
                    connection_throttle_renew_session_weight 4lw.commands.whitelist
                    admin.snapshot.enabled admin.rateLimiterIntervalInMS fsync.warningthresholdms
                    snapshotSizeFactor disk.lowWaterMegabytes log.retainSegments log.retainMegabytes
                    log.retainHours\
                    """
                            .split("\\s+", -1));

    public ZooCfg {
        lines = Collections.unmodifiableMap(new LinkedHashMap<>(lines));
    }

    /// How an ensemble may form.
    public enum Bootstrap {
        /// It forms once every declared voter has been seen blank with the same record.
        UNANIMOUS("unanimous"),
        /// It has formed before and never does again.
        BOOTSTRAPPED("bootstrapped");

        private final String text;

        Bootstrap(String text) {
            this.text = text;
        }
    }

    /// A voter as the others and the clients reach it.
    public record Voter(
            int myid,
            String host,
            int peerPort,
            int electionPort,
            String clientHost,
            int clientPort) {
        /// {@return the value of its line `server.N`}
        public String line() {
            return "%s:%d:%d:participant;%s:%d"
                    .formatted(host, peerPort, electionPort, clientHost, clientPort);
        }
    }

    /// Where a member keeps its data, and where it listens for those who look after it.
    ///
    /// @param adminAddress the address of the admin server; null for all
    /// @param tokenFile where the server writes the token that a drain needs
    /// @param keysFile public keys of who may change the membership; null for nobody
    public record Place(
            String dataDir,
            @Nullable String adminAddress,
            int adminPort,
            int metricsPort,
            String tokenFile,
            @Nullable String keysFile) {
        /// Inside a pod.
        static final Place POD =
                new Place(
                        "/var/lib/ensemble",
                        null,
                        Labels.ADMIN_PORT,
                        Labels.METRICS_PORT,
                        "/run/ensemble/token",
                        "/etc/ensemble/" + Config.KEYS);
    }

    /// {@return the file}
    ///
    /// @param settings what the person wants beside or instead of our defaults
    public static ZooCfg of(
            Place place,
            Map<String, String> settings,
            List<Voter> voters,
            Bootstrap bootstrap,
            String ensembleId) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("tickTime", "2000");
        lines.put("initLimit", "10");
        lines.put("syncLimit", "5");
        new TreeMap<>(settings).forEach((key, value) -> lines.put(key, value.strip()));
        lines.put("dataDir", place.dataDir());
        lines.put("admin.enableServer", "true");
        if (place.adminAddress() != null) {
            lines.put("admin.serverAddress", place.adminAddress());
        }
        lines.put("admin.serverPort", Integer.toString(place.adminPort()));
        lines.put("admin.tokenFile", place.tokenFile());
        if (place.keysFile() != null) {
            lines.put("admin.operatorKeys", place.keysFile());
            // A single voter has a port for others, too: it would have to restart to get company.
            lines.put("standaloneEnabled", "false");
        }
        lines.put("metricsProvider.httpPort", Integer.toString(place.metricsPort()));
        lines.put("reconfigEnabled", "true");
        lines.put("ensembleId", ensembleId);
        lines.put("bootstrap", bootstrap.text);
        for (Voter voter : voters) {
            lines.put("server." + voter.myid(), voter.line());
        }
        return new ZooCfg(lines);
    }

    /// {@return the voters of an ensemble in pods, by their names in the headless Service}
    public static List<Voter> voters(String name, String namespace, int firstMyid, int replicas) {
        return IntStream.range(0, replicas)
                .mapToObj(ordinal ->
                        new Voter(
                                firstMyid + ordinal,
                                "%s.%s.%s.svc"
                                        .formatted(
                                                Labels.pod(name, ordinal),
                                                Labels.peers(name),
                                                namespace),
                                Labels.PEER_PORT,
                                Labels.ELECTION_PORT,
                                "0.0.0.0",
                                Labels.CLIENT_PORT))
                .toList();
    }

    /// {@return the text of the file}
    public String text() {
        StringBuilder text = new StringBuilder();
        lines.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        return text.toString();
    }

    /// {@return the hash that a member tells once all of this is in force, as the server computes
    /// it}
    public String hash() {
        return hash(ZooCfg::hashed);
    }

    /// {@return the hash of what needs a restart to change}
    public String restartHash() {
        return hash(key -> hashed(key) && !live(key));
    }

    private String hash(Predicate<String> which) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(lines)
                .forEach((key, value) -> {
                    if (which.test(key)) {
                        text.append(key).append('=').append(value).append('\n');
                    }
                });
        return sha256(text.toString());
    }

    private static boolean live(String key) {
        return LIVE.contains(
                key.startsWith("zookeeper.") ? key.substring("zookeeper.".length()) : key);
    }

    private static boolean hashed(String key) {
        return !NOT_HASHED.contains(key) && NOT_HASHED_PREFIXES.stream().noneMatch(key::startsWith);
    }

    /// {@return the hash of a text, in lower-case hexadecimal}
    public static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
