package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.ServerFacts;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What ZooKeeper's four-letter words and admin commands tell of a member, in ZooKeeper's terms.
/// Any thread.
final class MemberFacts implements ServerFacts {
    /// RocksDB has files of that suffix too, with shorter names.
    private static final Pattern LOG_SEGMENT = Pattern.compile("[0-9a-f]{16}\\.log");

    private static final Release RELEASE = Release.current();

    private final Observed observed;
    private final Metrics metrics;
    private final Path dataDir;
    private final Path logDir;

    MemberFacts(Observed observed, Metrics metrics, Path dataDir, Path logDir) {
        this.observed = observed;
        this.metrics = metrics;
        this.dataDir = dataDir;
        this.logDir = logDir;
    }

    @Override
    public String version() {
        return RELEASE.shown();
    }

    @Override
    public String mode() {
        Facts facts = observed.facts();
        if (observed.config().membership().standalone()) {
            return "standalone";
        }
        if (servesReaders()) {
            return "read-only";
        }
        return switch (facts == null ? Peer.RoleName.LOOKING : facts.role()) {
            case LEADER -> "leader";
            case OBSERVER -> "observer";
            case FOLLOWER, LEARNER, LOOKING -> "follower";
        };
    }

    /// {@return whether this member, without a leader, serves those who read only}
    private boolean servesReaders() {
        return observed.facts() != null && observed.parts().clients().isReadOnly();
    }

    @Override
    public @Nullable String peerState() {
        if (observed.config().membership().standalone() || servesReaders()) {
            return null;
        }
        Facts facts = observed.facts();
        return switch (facts == null ? Peer.RoleName.LOOKING : facts.role()) {
            case LOOKING -> "looking";
            case LEADER -> "leading - broadcast";
            case FOLLOWER -> "following - broadcast";
            case OBSERVER -> "observing - broadcast";
            case LEARNER -> "following - synchronization";
        };
    }

    @Override
    public @Nullable ProposalSizes proposalSizes() {
        Facts facts = observed.facts();
        if (facts == null || !facts.isLeader() || mode().equals("standalone")) {
            return null;
        }
        Facts.Counts counts = facts.counts();
        return new ProposalSizes(
                counts.lastProposalBytes(), counts.minProposalBytes(), counts.maxProposalBytes());
    }

    @Override
    public String configuration() {
        Config config = observed.config();
        var text = new StringBuilder();
        settings().forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
        Facts facts = observed.facts();
        if (!config.membership().standalone() && facts != null && !servesReaders()) {
            text.append("membership: \n").append(facts.configuration().text());
        }
        return text.toString();
    }

    /// {@return what `conf` shows in front of the membership}
    SequencedMap<String, Object> settings() {
        Config config = observed.config();
        var settings = new LinkedHashMap<String, Object>();
        settings.put("clientPort", clientPort());
        settings.put("secureClientPort", port(config.tls().secure()));
        settings.put("dataDir", dataDir);
        settings.put("dataDirSize", dataBytes());
        settings.put("dataLogDir", logDir);
        settings.put("dataLogSize", logBytes());
        settings.put("tickTime", config.timing().tickMillis());
        settings.put("maxClientCnxns", config.clients().maxPerAddress());
        settings.put("minSessionTimeout", config.timing().minSessionTimeoutMillis());
        settings.put("maxSessionTimeout", config.timing().maxSessionTimeoutMillis());
        settings.put("clientPortListenBacklog", config.clients().backlog());
        settings.put("serverId", config.membership().standalone() ? 0 : config.myid());
        if (!config.membership().standalone() && !servesReaders()) {
            Ensemble.Member self = self();
            settings.put("initLimit", config.timing().initLimitTicks());
            settings.put("syncLimit", config.timing().syncLimitTicks());
            settings.put("electionAlg", 3);
            settings.put("electionPort", self.electionPort());
            settings.put("quorumPort", self.port());
            settings.put("peerType", self.role() == Ensemble.Role.OBSERVER ? 1 : 0);
        }
        return settings;
    }

    /// {@return this member as it is committed, which may be otherwise than in the file}
    private Ensemble.Member self() {
        Config config = observed.config();
        Facts facts = observed.facts();
        Ensemble.Member committed =
                facts == null ? null : facts.configuration().members().get(config.myid());
        return committed == null ? config.self() : committed;
    }

    private int clientPort() {
        Endpoint declared = observed.config().clients().endpoint();
        return declared == null || observed.facts() == null
                ? port(declared)
                : observed.parts().clients().port();
    }

    static int port(@Nullable Endpoint endpoint) {
        return endpoint == null ? -1 : endpoint.port();
    }

    @Override
    public SequencedMap<String, String> environment() {
        var all = new LinkedHashMap<String, String>();
        all.put("zookeeper.version", version());
        all.put("host.name", hostName());
        for (String key :
                new String[] {
                    "java.version",
                    "java.vendor",
                    "java.home",
                    "java.class.path",
                    "java.library.path",
                    "java.io.tmpdir",
                    "java.compiler",
                    "os.name",
                    "os.arch",
                    "os.version",
                    "user.name",
                    "user.home",
                    "user.dir"
                }) {
            all.put(key, System.getProperty(key, "<NA>"));
        }
        Runtime runtime = Runtime.getRuntime();
        all.put("os.memory.free", megabytes(runtime.freeMemory()));
        all.put("os.memory.max", megabytes(runtime.maxMemory()));
        all.put("os.memory.total", megabytes(runtime.totalMemory()));
        return all;
    }

    private static String megabytes(long bytes) {
        return (bytes >> 20) + "MB";
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException _) {
            return "<NA>";
        }
    }

    @Override
    public SequencedMap<String, String> measures() {
        var measures = new LinkedHashMap<String, String>();
        for (Sample sample : metrics.member()) {
            sample.entries().forEach((key, value) -> measures.put(key, Sample.text(value)));
        }
        return measures;
    }

    @Override
    public CompletionStage<@Nullable SortedMap<Long, List<Long>>> sessionDeadlines() {
        return observed.parts().loop().sessionDeadlines().thenApply(MemberFacts::byWallClock);
    }

    private static @Nullable SortedMap<Long, List<Long>> byWallClock(
            @Nullable SortedMap<Long, List<Long>> deadlines) {
        if (deadlines == null) {
            return null;
        }
        long wallMillis = System.currentTimeMillis();
        long nanos = System.nanoTime();
        var all = new TreeMap<Long, List<Long>>();
        deadlines.forEach((deadline, sessions) ->
                all.put(wallMillis + TimeUnit.NANOSECONDS.toMillis(deadline - nanos), sessions));
        return all;
    }

    @Override
    public long dataBytes() {
        return bytesBelow(dataDir, path -> !isLog(path));
    }

    @Override
    public long logBytes() {
        return bytesBelow(logDir, MemberFacts::isLog);
    }

    private static boolean isLog(Path file) {
        Path name = file.getFileName();
        return name != null && LOG_SEGMENT.matcher(name.toString()).matches();
    }

    /// Files come and go meanwhile; one that is gone has no bytes.
    private static long bytesBelow(Path folder, Predicate<Path> which) {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(which).mapToLong(MemberFacts::bytes).sum();
        } catch (IOException | UncheckedIOException _) {
            return 0;
        }
    }

    private static long bytes(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.size(file) : 0;
        } catch (IOException _) {
            return 0;
        }
    }
}
