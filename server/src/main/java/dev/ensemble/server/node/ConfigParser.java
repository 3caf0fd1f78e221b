package dev.ensemble.server.node;

import dev.ensemble.server.member.Reaping;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.GroupLines;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.MemberLine;
import dev.ensemble.server.net.ClientLimits;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsSettings;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.Serial;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// Reads a configuration file and makes the [Config] of it.
final class ConfigParser {
    private static final String PROMETHEUS =
            "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    private static final Set<String> NO_METRICS =
            Set.of(
                    "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
                    "org.apache.zookeeper.metrics.impl.NullMetricsProvider");
    private static final Set<String> WORDS =
            Set.of(
                    "conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "mntr",
                    "ruok", "srst", "srvr", "stat", "stmk", "wchc", "wchp", "wchs");

    private static final Pattern SECRET =
            Pattern.compile("(?im)^(\\s*[^#!\\s=:]*(?:password|superDigest)\\s*[=:]\\s*)\\S.*$");

    /// A session's id begins with the id of a member, and must not look like the owner of a TTL
    /// node.
    private static final int MAX_MYID_WITH_TTL = 254;

    private final ConfigFile file;
    private final List<Map.Entry<String, String>> raw;
    private final ConfigValues values;
    private Groups groups = Groups.NONE;

    private ConfigParser(Path path, String text) throws InvalidConfig {
        this.raw = entries(path, text);
        this.file = new ConfigFile(path, text, raw);
        this.values = new ConfigValues(raw);
    }

    private ConfigParser(ConfigFile file, List<Map.Entry<String, String>> inForce) {
        this.raw = inForce;
        this.file = file;
        this.values = new ConfigValues(inForce);
    }

    static Config load(Path file, OptionalInt myid) throws InvalidConfig {
        return new ConfigParser(file, read(file, "the configuration")).config(myid);
    }

    /// What a running member is told by a change of its file: what can change while it runs.
    ///
    /// @param text of the file now
    /// @throws InvalidConfig if it cannot be read, or what would be in force cannot work
    static Changed reload(Config running, String text) throws InvalidConfig {
        ConfigFile file = running.file();
        List<Map.Entry<String, String>> now = entries(file.path(), text);
        var parser = new ConfigParser(file, file.inForce(now));
        boolean standalone = running.membership().standalone();
        Config next =
                running.with(
                        parser.timing(standalone),
                        parser.clients(running.clients().endpoint()),
                        parser.storage(),
                        parser.admin(),
                        parser.fsyncWarningMillis(),
                        ConfigFile.hash(parser.raw));
        return new Changed(
                next, ConfigFile.hashed(parser.raw), file.waiting(now), parser.values.warnings());
    }

    /// What a change of the file comes to.
    ///
    /// @param inForce what counts from now on
    /// @param lines the same as it goes into the hash
    /// @param waiting keys that count from the next start on
    /// @param warnings about the values that are in force, one line each
    record Changed(
            Config inForce,
            SortedMap<String, String> lines,
            List<String> waiting,
            List<String> warnings) {}

    static Config.Admin loadAdmin(Path file) throws InvalidConfig {
        return new ConfigParser(file, read(file, "the configuration")).admin();
    }

    /// Whom the members trust, the tool does, and it shows their key: it is one of them, on their
    /// host, where names mean nothing.
    static TlsDialer.@Nullable Settings loadAdminTls(Path file) throws InvalidConfig {
        String text = read(file, "the configuration");
        Config.Tls tls = new TlsConfig(new ConfigValues(entries(file, text)), 0).read();
        TlsSettings members = tls.members();
        return members == null || tls.admin() != Config.Https.ONLY
                ? null
                : new TlsDialer.Settings(
                        members.keyStore(),
                        members.trustStore(),
                        members.protocols(),
                        members.ciphers(),
                        false,
                        false,
                        false);
    }

    static TlsDialer.@Nullable Settings loadClient(Path file) throws InvalidConfig {
        String text = read(file, "the client configuration");
        return new TlsConfig(new ConfigValues(entries(file, text)), 0).dialing();
    }

    private static String read(Path file, String what) throws InvalidConfig {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException _) {
            throw new InvalidConfig(what + " " + file + " does not exist");
        } catch (IOException e) {
            throw new InvalidConfig(what + " " + file + " cannot be read: " + e.getMessage());
        }
    }

    /// The file in Java's properties syntax, with keys in order, and those that are there twice.
    private static List<Map.Entry<String, String>> entries(Path file, String text)
            throws InvalidConfig {
        var entries = new ArrayList<Map.Entry<String, String>>();
        var properties =
                new Properties() {
                    @Serial private static final long serialVersionUID = 1;

                    @Override
                    public synchronized @Nullable Object put(Object key, Object value) {
                        entries.add(Map.entry(key.toString().strip(), value.toString().strip()));
                        return null;
                    }
                };
        try {
            properties.load(new StringReader(text));
        } catch (IOException | IllegalArgumentException e) {
            throw new InvalidConfig(
                    "the configuration " + file + " is malformed: " + e.getMessage());
        }
        return entries;
    }

    private Config config(OptionalInt givenMyid) throws InvalidConfig {
        checkKeys();
        Path dataDir = dataDir();
        SortedMap<Integer, Ensemble.Member> members = members();
        boolean standalone = isStandalone(members);
        int myid = myid(dataDir, givenMyid, members);
        Config.Timing timing = timing(standalone);
        Config.Tls tls = new TlsConfig(values, myid).read();
        Endpoint clientEndpoint = clientEndpoint(members.get(myid), tls);
        if (members.isEmpty()) {
            members.put(
                    myid,
                    new Ensemble.Member(
                            myid, "127.0.0.1", 0, 0, Ensemble.Role.PARTICIPANT, null, 0));
        }
        checkPeerType(members.get(myid));
        Path dataLogDir = Path.of(values.text("dataLogDir", dataDir.toString()));
        return new Config(
                myid,
                dataDir,
                dataLogDir,
                timing,
                clients(clientEndpoint),
                new AuthConfig(values, tls.clients() != null).read(),
                znodes(myid),
                tls,
                storage(),
                sessions(standalone),
                membership(members, standalone),
                admin(),
                metrics(),
                pauses(),
                fsyncWarningMillis(),
                withoutSecrets(file.text()),
                ConfigFile.hash(raw),
                values.warnings(),
                file);
    }

    /// Says of each key that has no effect that it has none, and why.
    private void checkKeys() throws InvalidConfig {
        for (String key : values.keys()) {
            String value = values.text(key, "");
            switch (ConfigKeys.use(key)) {
                case ConfigKeys.Use.Read _ -> {}
                case ConfigKeys.Use.NotNeeded(String reason) ->
                        values.warn(key + " has no effect here: " + reason);
                case ConfigKeys.Use.Unsupported _ ->
                        values.warn(key + " is not supported yet and has no effect");
                case ConfigKeys.Use.RefusedUnless(String harmless) -> {
                    if (!value.equalsIgnoreCase(harmless)) {
                        throw InvalidConfig.of(
                                key,
                                value,
                                "this is not supported yet; "
                                        + (harmless.isEmpty()
                                                ? "remove the line"
                                                : "valid is only " + harmless));
                    }
                }
                case null -> {
                    String nearest = ConfigKeys.nearest(key);
                    values.warn(
                            key
                                    + " is not a known key and has no effect"
                                    + (nearest == null ? "" : "; did you mean " + nearest + "?"));
                }
            }
        }
    }

    private Path dataDir() throws InvalidConfig {
        String dataDir = values.text("dataDir");
        if (dataDir == null || dataDir.isEmpty()) {
            throw new InvalidConfig("dataDir is not set: it must be the folder for data and myid");
        }
        return Path.of(dataDir);
    }

    private SortedMap<Integer, Ensemble.Member> members() throws InvalidConfig {
        ConfigValues source = values;
        String dynamic = values.text("dynamicConfigFile");
        if (dynamic != null) {
            for (String prefix : List.of("server.", "group.", "weight.")) {
                if (!values.family(prefix).isEmpty()) {
                    throw new InvalidConfig(
                            prefix
                                    + values.family(prefix).firstKey()
                                    + " must be in the file that dynamicConfigFile names, "
                                    + dynamic);
                }
            }
            Path path = Path.of(dynamic);
            source = new ConfigValues(entries(path, read(path, "the dynamicConfigFile")));
        }
        var members = new TreeMap<Integer, Ensemble.Member>();
        for (Map.Entry<String, String> line : source.family("server.").entrySet()) {
            Ensemble.Member member = member(line.getKey(), line.getValue());
            if (!member.more().isEmpty() && !values.bool("multiAddress.enabled", false)) {
                throw new InvalidConfig(
                        "server."
                                + member.myid()
                                + " has several addresses: that needs multiAddress.enabled=true");
            }
            if (members.put(member.myid(), member) != null) {
                throw new InvalidConfig(
                        "server." + member.myid() + " is given twice: give it once");
            }
        }
        groups = groups(source, members.values());
        return members;
    }

    private static Groups groups(ConfigValues source, Collection<Ensemble.Member> members)
            throws InvalidConfig {
        var lines = new GroupLines();
        try {
            for (String prefix : List.of("group.", "weight.")) {
                for (Map.Entry<String, String> line : source.family(prefix).entrySet()) {
                    lines.add(prefix + line.getKey(), line.getValue());
                }
            }
            return lines.of(members);
        } catch (IllegalArgumentException e) {
            throw new InvalidConfig(e.getMessage() + "");
        }
    }

    private static Ensemble.Member member(String id, String line) throws InvalidConfig {
        try {
            return MemberLine.parse(id, line);
        } catch (IllegalArgumentException e) {
            throw new InvalidConfig(e.getMessage() + "");
        }
    }

    private boolean isStandalone(Map<Integer, Ensemble.Member> members) throws InvalidConfig {
        boolean enabled = values.bool("standaloneEnabled", true);
        long voters =
                members.values().stream()
                        .filter(member -> member.role() == Ensemble.Role.PARTICIPANT)
                        .count();
        if (!members.isEmpty() && voters == 0) {
            throw new InvalidConfig(
                    "server.* declares observers only: at least one member must be a participant");
        }
        if (voters == 2) {
            values.warn(
                    "server.* declares two participants: no failure is tolerated; three would"
                            + " tolerate one");
        } else if (voters > 0 && voters % 2 == 0 && !groups.decide()) {
            values.warn(
                    "server.* declares "
                            + voters
                            + " participants: an odd number is as safe with one less");
        }
        return members.isEmpty() || (members.size() == 1 && enabled);
    }

    private int myid(Path dataDir, OptionalInt given, Map<Integer, Ensemble.Member> members)
            throws InvalidConfig {
        Path myidFile = dataDir.resolve("myid");
        int myid;
        if (given.isPresent()) {
            myid =
                    ConfigValues.number(
                            "myid",
                            "" + given.getAsInt(),
                            "" + given.getAsInt(),
                            1,
                            Ensemble.MAX_MYID);
        } else if (Files.exists(myidFile)) {
            String content = read(myidFile, "the file myid").strip();
            myid = ConfigValues.number(myidFile.toString(), content, content, 1, Ensemble.MAX_MYID);
        } else if (members.isEmpty()) {
            myid = 1;
        } else {
            throw new InvalidConfig(
                    "myid is not set: give --myid, or the file "
                            + myidFile
                            + " with one of "
                            + members.keySet());
        }
        if (!members.isEmpty() && !members.containsKey(myid)) {
            throw new InvalidConfig(
                    "myid=" + myid + " is not valid: server.* declares " + members.keySet());
        }
        return myid;
    }

    private Config.Timing timing(boolean standalone) throws InvalidConfig {
        int tick = values.number("tickTime", 3000, 1, 1_000_000);
        for (String key : List.of("initLimit", "syncLimit")) {
            if (!standalone && !values.has(key)) {
                throw new InvalidConfig(
                        key + " is not set: with server.* it must be a whole number of ticks");
            }
        }
        int min = values.number("minSessionTimeout", -1, -1, Integer.MAX_VALUE);
        int max = values.number("maxSessionTimeout", -1, -1, Integer.MAX_VALUE);
        min = min == -1 ? 2 * tick : min;
        max = max == -1 ? 20 * tick : max;
        if (min > max) {
            throw InvalidConfig.of(
                    "minSessionTimeout", "" + min, "it must not be above maxSessionTimeout=" + max);
        }
        int heartbeat = values.number("heartbeatMillis", 100, 50, 60_000);
        int timeout = values.number("heartbeatTimeoutMillis", 4 * heartbeat, 100, 600_000);
        if (timeout < 2 * heartbeat) {
            throw InvalidConfig.of(
                    "heartbeatTimeoutMillis",
                    "" + timeout,
                    "it must be at least twice heartbeatMillis=" + heartbeat);
        }
        return new Config.Timing(
                tick,
                values.number("initLimit", 10, 1, 1_000_000),
                values.number("syncLimit", 5, 1, 1_000_000),
                min,
                max,
                heartbeat,
                timeout);
    }

    /// Where clients connect: as the member's own line says, else `clientPort`. The two must not
    /// contradict each other.
    ///
    /// @return null if there is none, which needs one for TLS
    private @Nullable Endpoint clientEndpoint(Ensemble.@Nullable Member self, Config.Tls tls)
            throws InvalidConfig {
        boolean hasPort = values.has("clientPort");
        String address = values.text("clientPortAddress");
        if (values.bool("secureClientPortOnly", false)) {
            if (tls.secure() == null || tls.unified()) {
                throw new InvalidConfig(
                        "secureClientPortOnly=true is not valid: "
                                + (tls.unified()
                                        ? "client.portUnification is true"
                                        : "secureClientPort is not set")
                                + " beside it");
            }
            return null;
        }
        if (address != null && !hasPort) {
            throw new InvalidConfig(
                    "clientPortAddress="
                            + address
                            + " is not valid: clientPort is not set beside it");
        }
        int port = values.number("clientPort", 0, 0, 65535);
        String declared = self == null ? null : self.client();
        if (declared == null) {
            if (!hasPort && tls.secure() != null) {
                if (tls.unified()) {
                    throw new InvalidConfig(
                            "client.portUnification=true is not valid: clientPort is not set"
                                    + " beside it");
                }
                return null;
            }
            if (!hasPort) {
                throw new InvalidConfig(
                        "clientPort is not set: it must be a whole number from 0 (any free port) to"
                                + " 65535");
            }
            return new Endpoint(address == null ? "0.0.0.0" : address, port);
        }
        Endpoint own = Endpoint.parse(declared);
        if (hasPort && own.port() != port) {
            throw InvalidConfig.of(
                    "clientPort", "" + port, "the member's own server line says " + own.port());
        }
        if (address != null && !address.equals(own.host())) {
            throw InvalidConfig.of(
                    "clientPortAddress",
                    address,
                    "the member's own server line says " + own.host());
        }
        return own;
    }

    private Config.Clients clients(@Nullable Endpoint endpoint) throws InvalidConfig {
        return new Config.Clients(
                endpoint,
                values.number("clientPortListenBacklog", -1, -1, Integer.MAX_VALUE),
                values.number("maxClientCnxns", 60, 0, Integer.MAX_VALUE),
                values.number("maxCnxns", 0, 0, Integer.MAX_VALUE),
                values.number("jute.maxbuffer", 0xfffff, 1024, 1 << 30),
                values.number("nio.sessionlessCnxnTimeout", 10_000, 1, Integer.MAX_VALUE),
                maxOutstanding(),
                fourLetterWords(),
                limits(),
                values.bool("audit.enable", false),
                values.bool("linearizableReads", false));
    }

    /// Both keys stop reading from clients while so much is in flight.
    private int maxOutstanding() throws InvalidConfig {
        int all = values.number("globalOutstandingLimit", 1000, 1, Integer.MAX_VALUE);
        int throttled = values.number("request_throttle_max_requests", 0, 0, Integer.MAX_VALUE);
        return throttled == 0 ? all : Math.min(all, throttled);
    }

    private ClientLimits limits() throws InvalidConfig {
        int most = Integer.MAX_VALUE;
        boolean weighs = values.bool("connection_throttle_weight_enabled", false);
        int global = values.number("connection_throttle_global_session_weight", 3, 1, most);
        int local = values.number("connection_throttle_local_session_weight", 1, 1, most);
        int renewal = values.number("connection_throttle_renew_session_weight", 2, 1, most);
        boolean isLocal = values.bool("localSessionsEnabled", false);
        return new ClientLimits(
                values.number("largeRequestThreshold", -1, -1, most),
                values.number("largeRequestMaxBytes", 100 << 20, 1, most),
                values.number("throttled_op_wait_time", 0, 0, most),
                new ClientLimits.Tokens(
                        values.number("connection_throttle_tokens", 0, 0, most),
                        values.number("connection_throttle_fill_time", 1, 1, most),
                        values.number("connection_throttle_fill_count", 1, 1, most),
                        values.number("connection_throttle_freeze_time", -1, -1, most),
                        values.share("connection_throttle_drop_increase", 0.02),
                        values.share("connection_throttle_drop_decrease", 0.002),
                        values.share("connection_throttle_decrease_ratio", 0),
                        weighs ? (isLocal ? local : global) : 1,
                        weighs ? renewal : 1));
    }

    /// Names that nobody knows are left out, as ZooKeeper does. `srvr` is always answered.
    private Set<String> fourLetterWords() throws InvalidConfig {
        var words = new TreeSet<>(Set.of("srvr"));
        if (values.bool("readonlymode.enabled", false)) {
            words.add("isro");
        }
        for (String word : values.text("4lw.commands.whitelist", "").split(",", -1)) {
            String name = word.strip().toLowerCase(Locale.ROOT);
            if (name.equals("*")) {
                words.addAll(WORDS);
            } else if (WORDS.contains(name)) {
                words.add(name);
            } else if (!name.isEmpty()) {
                values.warn("4lw.commands.whitelist names " + name + ", which is no command");
            }
        }
        return Set.copyOf(words);
    }

    /// A server alone has nobody to be local to, and always a leader.
    private Config.Sessions sessions(boolean standalone) throws InvalidConfig {
        boolean local = values.bool("localSessionsEnabled", false);
        boolean upgrades = values.bool("localSessionsUpgradingEnabled", false);
        boolean readOnly = values.bool("readonlymode.enabled", false);
        return new Config.Sessions(
                local && !standalone, upgrades && !standalone, readOnly && !standalone);
    }

    private Config.Znodes znodes(int myid) throws InvalidConfig {
        boolean extended = values.bool("extendedTypesEnabled", false);
        if (extended && myid > MAX_MYID_WITH_TTL) {
            throw new InvalidConfig(
                    "myid="
                            + myid
                            + " is not valid: with extendedTypesEnabled=true it must be at most "
                            + MAX_MYID_WITH_TTL);
        }
        return new Config.Znodes(
                extended,
                values.bool("enforceQuota", false),
                new Reaping(
                        values.number(
                                "znode.container.checkIntervalMs",
                                Reaping.DEFAULT.checkMillis(),
                                1,
                                Integer.MAX_VALUE),
                        values.number(
                                "znode.container.maxPerMinute",
                                Reaping.DEFAULT.perMinute(),
                                1,
                                Integer.MAX_VALUE),
                        values.number(
                                "znode.container.maxNeverUsedIntervalMs",
                                0,
                                0,
                                Integer.MAX_VALUE)));
    }

    private int fsyncWarningMillis() throws InvalidConfig {
        return values.number("fsync.warningthresholdms", 1000, 0, Integer.MAX_VALUE);
    }

    private Config.Storage storage() throws InvalidConfig {
        return new Config.Storage(
                values.number("disk.lowWaterMegabytes", -1, -1, Integer.MAX_VALUE),
                values.decimal("snapshotSizeFactor", 0.33),
                tail());
    }

    private StoreOptions.Tail tail() throws InvalidConfig {
        return new StoreOptions.Tail(
                values.number("log.retainSegments", 1, 0, 1_000_000),
                (long) values.number("log.retainMegabytes", 0, 0, Integer.MAX_VALUE) << 20,
                TimeUnit.HOURS.toMillis(values.number("log.retainHours", 0, 0, 1_000_000)));
    }

    private Config.Membership membership(Map<Integer, Ensemble.Member> members, boolean standalone)
            throws InvalidConfig {
        values.number("electionAlg", 3, 3, 3);
        String id = values.text("ensembleId", "");
        if (!id.matches("[A-Za-z0-9._-]{0,253}")) {
            throw InvalidConfig.of(
                    "ensembleId",
                    id,
                    "it must be up to 253 letters, digits, dots, hyphens and underscores");
        }
        List<String> ways =
                Arrays.stream(Config.Bootstrap.values())
                        .map(way -> way.name().toLowerCase(Locale.ROOT))
                        .toList();
        String bootstrap = values.oneOf("bootstrap", "unanimous", ways);
        return new Config.Membership(
                Ensemble.declared(id, members.values()).with(standalone ? Groups.NONE : groups),
                standalone,
                Config.Bootstrap.valueOf(bootstrap.toUpperCase(Locale.ROOT)),
                values.bool("reconfigEnabled", false),
                values.bool("quorumListenOnAllIPs", false),
                standalone ? 0 : values.bool("standaloneEnabled", true) ? 2 : 1,
                values.bool("multiAddress.enabled", false));
    }

    private void checkPeerType(Ensemble.@Nullable Member self) throws InvalidConfig {
        String type = values.oneOf("peerType", "participant", List.of("participant", "observer"));
        if (values.has("peerType") && self != null && !self.role().text().equals(type)) {
            values.warn(
                    "peerType="
                            + type
                            + " has no effect: server."
                            + self.myid()
                            + " says "
                            + self.role().text());
        }
    }

    private Config.Admin admin() throws InvalidConfig {
        String url = values.text("admin.commandURL", "/commands");
        if (!url.startsWith("/")) {
            throw InvalidConfig.of("admin.commandURL", url, "it must begin with /");
        }
        String token = values.text("admin.tokenFile");
        String keys = values.text("admin.operatorKeys");
        return new Config.Admin(
                values.bool("admin.enableServer", true),
                new Endpoint(
                        values.text("admin.serverAddress", "0.0.0.0"),
                        values.number("admin.serverPort", 8080, 0, 65535)),
                url,
                values.number("admin.idleTimeout", 30_000, 0, Integer.MAX_VALUE),
                token == null ? null : Path.of(token),
                keys == null ? null : Path.of(keys),
                values.bool("admin.snapshot.enabled", true),
                // By default the original takes its 300000 for microseconds here.
                values.number("admin.rateLimiterIntervalInMS", 300, 0, Integer.MAX_VALUE));
    }

    /// Metrics have a port if the file gives one, or names ZooKeeper's Prometheus provider.
    private Config.@Nullable Metrics metrics() throws InvalidConfig {
        String provider = values.text("metricsProvider.className");
        if (provider != null && !provider.equals(PROMETHEUS) && !NO_METRICS.contains(provider)) {
            throw InvalidConfig.of(
                    "metricsProvider.className", provider, "it must be " + PROMETHEUS);
        }
        boolean exportJvm = values.bool("metricsProvider.exportJvmInfo", true);
        int port = values.number("metricsProvider.httpPort", 7000, 0, 65535);
        if (!PROMETHEUS.equals(provider) && !values.has("metricsProvider.httpPort")) {
            return null;
        }
        return new Config.Metrics(
                new Endpoint(values.text("metricsProvider.httpHost", "0.0.0.0"), port), exportJvm);
    }

    private Config.@Nullable Pauses pauses() throws InvalidConfig {
        var pauses =
                new Config.Pauses(
                        values.number("jvm.pause.sleep.time.ms", 500, 1, Integer.MAX_VALUE),
                        values.number("jvm.pause.info-threshold.ms", 1000, 0, Integer.MAX_VALUE),
                        values.number("jvm.pause.warn-threshold.ms", 10_000, 0, Integer.MAX_VALUE));
        return values.bool("jvm.pause.monitor", false) ? pauses : null;
    }

    /// Admin commands show the file to whoever asks.
    private static String withoutSecrets(String text) {
        return SECRET.matcher(text).replaceAll("$1***");
    }
}
