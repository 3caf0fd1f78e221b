package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.MemberLine;
import dev.ensemble.server.net.ClientLimits;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;

final class ConfigTest {
    private static final String THREE =
            """
            initLimit=10
            syncLimit=5
            server.1=10.0.0.1:2888:3888;2181
            server.2=10.0.0.2:2888:3888;2181
            server.3=10.0.0.3:2888:3888;2181
            """;

    @TempDir private Path dir = Path.of("");
    private Path dataDir = dir;

    @BeforeEach
    void makeDataDir() throws IOException {
        dataDir = Files.createDirectory(dir.resolve("data"));
    }

    private Config load(String lines, int myid) throws IOException, InvalidConfig {
        Path file = dir.resolve("zoo.cfg");
        Files.writeString(file, "dataDir=" + dataDir + "\n" + lines);
        return Config.load(file, myid == 0 ? OptionalInt.empty() : OptionalInt.of(myid));
    }

    private Config alone(String lines) throws IOException, InvalidConfig {
        return load("clientPort=2181\n" + lines, 0);
    }

    private String refusal(String lines, int myid) {
        String message = assertThrows(InvalidConfig.class, () -> load(lines, myid)).getMessage();
        assertFalse(Objects.requireNonNull(message).contains("\n"), message);
        return message;
    }

    @Test
    @DisplayName("b257: several addresses of one member, where that is asked for")
    void severalAddresses() throws Exception {
        String three = THREE.replace("server.2=", "server.2=[::1]:9:10|x:7:8|");
        assertNotEquals(THREE, three);
        InvalidConfig refused = assertThrows(InvalidConfig.class, () -> load(three, 1));
        assertEquals(
                "server.2 has several addresses: that needs multiAddress.enabled=true",
                refused.getMessage());
        Config.Membership membership = load(three + "multiAddress.enabled=true", 1).membership();
        assertTrue(membership.severalAddresses());
        Ensemble.Member two = membership.declared().members().get(2);
        assertNotNull(two);
        assertEquals(3, two.addresses().size());
        assertTrue(two.text().startsWith("[::1]:9:10|x:7:8|10.0.0.2:"), two.text());
        assertEquals(two, MemberLine.parse("2", two.text()));
        assertNotEquals(
                load(THREE, 1).membership().bootstrapRecord(), membership.bootstrapRecord());
    }

    @Test
    void hasTheDefaultsOfZooKeeper() throws Exception {
        Config config = alone("");
        assertEquals(1, config.myid());
        assertEquals(dataDir, config.dataDir());
        assertEquals(dataDir, config.dataLogDir());
        assertEquals(new Config.Timing(3000, 10, 5, 6000, 60000, 100, 400), config.timing());
        assertEquals(
                new Config.Clients(
                        new Endpoint("0.0.0.0", 2181),
                        -1,
                        60,
                        0,
                        1048575,
                        10000,
                        1000,
                        Set.of("srvr"),
                        ClientLimits.OFF,
                        false,
                        false),
                config.clients());
        assertEquals(
                new Config.Auth(false, true, null, null, "SHA1", null, null, null, Set.of()),
                config.auth());
        assertEquals(
                new Config.Admin(
                        true,
                        new Endpoint("0.0.0.0", 8080),
                        "/commands",
                        30000,
                        null,
                        null,
                        true,
                        300),
                config.admin());
        assertNull(config.metrics());
        assertEquals(1000, config.fsyncWarningMillis());
        assertTrue(config.membership().standalone());
        assertEquals(Config.Bootstrap.UNANIMOUS, config.membership().bootstrap());
        assertFalse(config.membership().reconfigEnabled());
        assertEquals(Set.of(1), config.membership().declared().voters());
        assertEquals(List.of(), config.warnings());
    }

    @Test
    void readsWhatTheOperatorWrites() throws Exception {
        Config config =
                load(
                        """
                        ensembleId=0f3c-77
                        bootstrap=bootstrapped
                        reconfigEnabled=true
                        initLimit=20
                        syncLimit=4
                        tickTime=1000
                        admin.tokenFile=/run/ensemble/token
                        metricsProvider.httpPort=7001
                        server.1=a-0.a-peers.ns.svc:2888:3888:participant;0.0.0.0:2181
                        server.2=a-1.a-peers.ns.svc:2888:3888:participant;0.0.0.0:2182
                        server.3=a-2.a-peers.ns.svc:2888:3888:observer
                        """,
                        2);
        assertEquals(new Endpoint("0.0.0.0", 2182), config.clients().endpoint());
        assertEquals(new Config.Timing(1000, 20, 4, 2000, 20000, 100, 400), config.timing());
        assertEquals(Path.of("/run/ensemble/token"), config.admin().tokenFile());
        assertEquals(new Config.Metrics(new Endpoint("0.0.0.0", 7001), true), config.metrics());
        Config.Membership membership = config.membership();
        assertEquals("0f3c-77", membership.declared().id());
        assertEquals(Config.Bootstrap.BOOTSTRAPPED, membership.bootstrap());
        assertTrue(membership.reconfigEnabled());
        assertFalse(membership.standalone());
        assertEquals(Set.of(1, 2), membership.declared().voters());
        assertEquals("a-1.a-peers.ns.svc", config.self().host());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    h:2888:3888                        | h      | 2888 | PARTICIPANT | null
                    h:2888:3888:observer               | h      | 2888 | OBSERVER    | null
                    h:2888:3888:Participant;2181       | h      | 2888 | PARTICIPANT | 0.0.0.0:2181
                    h:2888:3888;10.1.1.1:2181          | h      | 2888 | PARTICIPANT | 10.1.1.1:2181
                    h:2888:3888;0                      | h      | 2888 | PARTICIPANT | 0.0.0.0:0
                    [2001:db8::1]:2888:3888            | 2001:db8::1 | 2888 | PARTICIPANT | null
                    [::1]:2888:3888:observer;[::1]:2181| ::1    | 2888 | OBSERVER    | [::1]:2181
                    """,
            nullValues = "null")
    void readsMemberLines(String value, String host, int port, Ensemble.Role role, String client)
            throws Exception {
        Ensemble.Member member = MemberLine.parse("7", value);
        assertEquals(new Ensemble.Member(7, host, port, 3888, role, client, 0), member);
        assertEquals(member, MemberLine.parse("7", member.text()), "what it writes, it reads");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            textBlock =
                    """
                    h                         ~ host:peerPort:electionPort
                    h:2888                    ~ host:peerPort:electionPort
                    h:x:3888                  ~ host:peerPort:electionPort
                    :2888:3888                ~ host:peerPort:electionPort
                    2001:db8::1:2888:3888     ~ host:peerPort:electionPort
                    [::1]2888:3888            ~ host:peerPort:electionPort
                    [::1:2888:3888            ~ host:peerPort:electionPort
                    h:2888:3888:participant:1 ~ host:peerPort:electionPort
                    h:2888:3888;              ~ host:peerPort:electionPort
                    h:2888:3888;::1:2181      ~ host:peerPort:electionPort
                    h:0:3888                  ~ a port must be from 1 to 65535
                    h:2888:65536              ~ a port must be from 1 to 65535
                    h:2888:3888;65536         ~ a port must be from 0 to 65535
                    h:2888:2888               ~ the ports for peers and for elections must differ
                    h:2888:3888:leader        ~ the role must be participant or observer
                    h:2888:3888|g:2888        ~ host:peerPort:electionPort
                    h:1:2|                    ~ several addresses with | between
                    h:1:2:observer|g:1:2:participant ~ the same role
                    """,
            quoteCharacter = '`')
    void refusesMalformedMemberLines(String value, String valid) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> MemberLine.parse("7", value));
        assertTrue(
                Objects.requireNonNull(refused.getMessage())
                        .startsWith("server.7=" + value + " is not valid: "),
                refused.getMessage());
        assertTrue(refused.getMessage().contains(valid), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "255", "256", "-1", "one", ""})
    void refusesIdsThatCannotBe(String id) {
        assertThrows(IllegalArgumentException.class, () -> MemberLine.parse(id, "h:2888:3888"));
    }

    /// Behaviours 3 and 4.
    @ParameterizedTest
    @CsvSource({
        "1000, -, -, 2000, 20000",
        "1000, 5000, -, 5000, 20000",
        "1000, -, 9000, 2000, 9000",
        "1000, 7000, 7000, 7000, 7000",
        "1000, -1, -1, 2000, 20000",
        "2000, 1, 2147483647, 1, 2147483647"
    })
    void sessionTimeoutsDefaultToTicks(
            int tick, String min, String max, int expectedMin, int expectedMax) throws Exception {
        String lines = "tickTime=" + tick + "\n";
        lines += min.equals("-") ? "" : "minSessionTimeout=" + min + "\n";
        lines += max.equals("-") ? "" : "maxSessionTimeout=" + max + "\n";
        Config.Timing timing = alone(lines).timing();
        assertEquals(expectedMin, timing.minSessionTimeoutMillis());
        assertEquals(expectedMax, timing.maxSessionTimeoutMillis());
    }

    /// Behaviours 4 and 344 to 346: one line with key, value and what is valid.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    minSessionTimeout=70000          | minSessionTimeout=70000 is not valid: it must not be above maxSessionTimeout=60000
                    heartbeatMillis=10               | heartbeatMillis=10 is not valid: it must be a whole number from 50 to 60000
                    heartbeatTimeoutMillis=150       | heartbeatTimeoutMillis=150 is not valid: it must be at least twice heartbeatMillis=100
                    disk.lowWaterMegabytes=-2        | disk.lowWaterMegabytes=-2 is not valid: it must be a whole number of at least -1
                    log.retainSegments=-1            | log.retainSegments=-1 is not valid: it must be a whole number from 0 to 1000000
                    log.retainHours=1d               | log.retainHours=1d is not valid: it must be a whole number from 0 to 1000000
                    snapshotSizeFactor=a third       | snapshotSizeFactor=a third is not valid: it must be a number
                    tickTime=0                       | tickTime=0 is not valid: it must be a whole number from 1 to 1000000
                    tickTime=2s                      | tickTime=2s is not valid: it must be a whole number from 1 to 1000000
                    tickTime=                        | tickTime= is not valid: it must be a whole number from 1 to 1000000
                    maxClientCnxns=-1                | maxClientCnxns=-1 is not valid: it must be a whole number of at least 0
                    maxClientCnxns=99999999999       | maxClientCnxns=99999999999 is not valid: it must be a whole number of at least 0
                    admin.serverPort=65536           | admin.serverPort=65536 is not valid: it must be a whole number from 0 to 65535
                    admin.enableServer=yes           | admin.enableServer=yes is not valid: it must be true or false
                    reconfigEnabled=1                | reconfigEnabled=1 is not valid: it must be true or false
                    standaloneEnabled=               | standaloneEnabled= is not valid: it must be true or false
                    quorumListenOnAllIPs=on          | quorumListenOnAllIPs=on is not valid: it must be true or false
                    skipACL=true                     | skipACL=true is not valid: it must be yes or no
                    zookeeper.skipACL=true           | skipACL=true is not valid: it must be yes or no
                    forceSync=no                     | forceSync=no is not valid: this is not supported yet; valid is only yes
                    electionAlg=1                    | electionAlg=1 is not valid: it must be a whole number from 3 to 3
                    peerType=voter                   | peerType=voter is not valid: it must be participant or observer
                    bootstrap=always                 | bootstrap=always is not valid: it must be unanimous or bootstrapped or majority
                    ensembleId=a b                   | ensembleId=a b is not valid: it must be up to 253 letters, digits, dots, hyphens and underscores
                    jute.maxbuffer=0x10              | jute.maxbuffer=0x10 is not valid: it must be a whole number from 1024 to 1073741824
                    quorum.auth.enableSasl=true      | quorum.auth.enableSasl=true is not valid: this is not supported yet; valid is only false
                    admin.commandURL=commands        | admin.commandURL=commands is not valid: it must begin with /
                    metricsProvider.className=a.B    | metricsProvider.className=a.B is not valid: it must be org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
                    DigestAuthenticationProvider.digestAlg=ROT13 | DigestAuthenticationProvider.digestAlg=ROT13 is not valid: it must be a digest of this Java, as SHA1 or SHA-256
                    group.1=1:2                      | group.1=1:2 is not valid: there is no server.1
                    weight.1=2                       | weight.1 is not valid without groups: group.N=myid:myid:... must name every participant
                    weight.1=heavy                   | weight.1=heavy is not valid: it must be a whole number of at least 0
                    group.1=1:x                      | group.1=1:x is not valid: it must be a whole number from 1 to 254
                    """)
    void aBadValueIsNamedWithWhatIsValid(String line, String expected) {
        assertEquals(expected, refusal("clientPort=2181\n" + line, 0));
    }

    @Test
    void aSecretIsNotRepeated() {
        String message =
                refusal("clientPort=1\nDigestAuthenticationProvider.superDigest=hunter2", 0);
        assertFalse(message.contains("hunter2"), message);
    }

    /// Behaviour 344.
    @Test
    void whatIsMissingIsNamed() throws Exception {
        assertEquals(
                "clientPort is not set: it must be a whole number from 0 (any free port) to 65535",
                refusal("", 0));
        assertEquals(
                "clientPortAddress=127.0.0.1 is not valid: clientPort is not set beside it",
                refusal("clientPortAddress=127.0.0.1", 0));
        for (String limit : List.of("initLimit", "syncLimit")) {
            assertEquals(
                    limit + " is not set: with server.* it must be a whole number of ticks",
                    refusal(THREE.replaceAll(limit + "=\\d+\n", ""), 1));
        }
        assertEquals(
                "myid is not set: give --myid, or the file "
                        + dataDir.resolve("myid")
                        + " with one of [1, 2, 3]",
                refusal(THREE, 0));
        assertEquals("myid=4 is not valid: server.* declares [1, 2, 3]", refusal(THREE, 4));
        assertEquals(
                "server.* declares observers only: at least one member must be a participant",
                refusal("initLimit=1\nsyncLimit=1\nserver.1=h:1:2:observer;3", 1));
        Path file = Files.writeString(dir.resolve("empty.cfg"), "clientPort=1\n");
        assertEquals(
                "dataDir is not set: it must be the folder for data and myid",
                assertThrows(InvalidConfig.class, () -> Config.load(file, OptionalInt.empty()))
                        .getMessage());
        Path nowhere = dir.resolve("nowhere.cfg");
        assertEquals(
                "the configuration " + nowhere + " does not exist",
                assertThrows(InvalidConfig.class, () -> Config.load(nowhere, OptionalInt.empty()))
                        .getMessage());
    }

    @Test
    void aMalformedFileIsRefused() {
        assertTrue(refusal("clientPort=\\u12", 0).contains("malformed"));
    }

    @Test
    void myidComesFromTheCommandLineOrItsFile() throws Exception {
        assertEquals(3, load(THREE, 3).myid());
        Files.writeString(dataDir.resolve("myid"), "2\n");
        assertEquals(2, load(THREE, 0).myid());
        assertEquals(1, load(THREE, 1).myid());
        assertEquals(2, alone("").myid());
        Files.writeString(dataDir.resolve("myid"), "two\n");
        assertEquals(
                dataDir.resolve("myid")
                        + "=two is not valid: it must be a whole number from 1 to 254",
                refusal(THREE, 0));
        assertEquals(
                "myid=256 is not valid: it must be a whole number from 1 to 254",
                refusal(THREE, 256));
    }

    private Endpoint endpoint(String text) throws Exception {
        return Objects.requireNonNull(load(text, 1).clients().endpoint());
    }

    @Test
    void theClientPortMayNotContradictTheMembersOwnLine() throws Exception {
        assertEquals(2181, endpoint(THREE + "clientPort=2181").port());
        assertEquals(
                "clientPort=2182 is not valid: the member's own server line says 2181",
                refusal(THREE + "clientPort=2182", 1));
        assertEquals(
                "clientPortAddress=10.0.0.1 is not valid: the member's own server line says"
                        + " 0.0.0.0",
                refusal(THREE + "clientPort=2181\nclientPortAddress=10.0.0.1", 1));
        String plain = THREE.replace(";2181", "");
        assertEquals(
                new Endpoint("127.0.0.1", 0),
                load(plain + "clientPort=0\nclientPortAddress=127.0.0.1", 1).clients().endpoint());
        assertEquals("::1", endpoint(THREE.replace(";2181", ";[::1]:2181")).host());
    }

    @Test
    void oneDeclaredMemberIsStandaloneUnlessTheFileSaysOtherwise() throws Exception {
        String one = "initLimit=1\nsyncLimit=1\nserver.1=h:2888:3888;2181\n";
        assertTrue(load(one, 1).membership().standalone());
        assertFalse(load(one + "standaloneEnabled=false", 1).membership().standalone());
    }

    @Test
    void theMembershipMayBeInAFileOfItsOwn() throws Exception {
        Path dynamic = Files.writeString(dir.resolve("zoo.cfg.dynamic"), THREE + "version=100\n");
        String lines = "initLimit=5\nsyncLimit=2\ndynamicConfigFile=" + dynamic + "\n";
        assertEquals(Set.of(1, 2, 3), load(lines, 1).membership().declared().voters());
        assertEquals(
                "server.1 must be in the file that dynamicConfigFile names, " + dynamic,
                refusal(lines + "server.1=h:1:2", 1));
        assertTrue(
                refusal("dynamicConfigFile=" + dir.resolve("gone"), 1).endsWith("does not exist"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    clientport=1           | clientport is not a known key and has no effect; did you mean clientPort?
                    maxClientConns=1       | maxClientConns is not a known key and has no effect; did you mean maxClientCnxns?
                    zookeeper.tikTime=1    | tikTime is not a known key and has no effect; did you mean tickTime?
                    completelyElse=1       | completelyElse is not a known key and has no effect
                    autopurge.purgeInterval=1 | autopurge.purgeInterval has no effect here: there is one state, and the log behind it goes unless log.retain... keeps it
                    observerMasterPort=2191     | observerMasterPort is not supported yet and has no effect
                    ssl.keyStore.location=x| ssl.keyStore.location has no effect: secureClientPort is not set
                    peerType=observer      | peerType=observer has no effect: server.1 says participant
                    maxClientCnxns=1       | maxClientCnxns is given twice; 1 counts, 5 does not
                    zookeeper.maxClientCnxns=1 | maxClientCnxns is given twice; 1 counts, 5 does not
                    4lw.commands.whitelist=ruok,what | 4lw.commands.whitelist names what, which is no command
                    """)
    void whatHasNoEffectIsAWarning(String line, String expected) throws Exception {
        assertEquals(List.of(expected), alone("maxClientCnxns=5\n" + line).warnings());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sslQuorum=false", "forceSync=yes", "quorum.auth.enableSasl=FALSE"})
    void whatIsHarmlessIsAccepted(String line) throws Exception {
        assertEquals(List.of(), alone(line).warnings());
    }

    @ParameterizedTest
    @ValueSource(strings = {"jute.maxbuffer", "zookeeper.jute.maxbuffer"})
    void thePrefixMeansTheSame(String key) throws Exception {
        assertEquals(4194304, alone(key + "=4194304").clients().maxFrameBytes());
        assertEquals(4194304, alone(key + "=0x400000").clients().maxFrameBytes());
    }

    @Test
    void fourLetterWords() throws Exception {
        assertEquals(
                Set.of("srvr", "ruok", "mntr"),
                alone("4lw.commands.whitelist= ruok , MNTR").clients().fourLetterWords());
        assertEquals(18, alone("4lw.commands.whitelist=*").clients().fourLetterWords().size());
    }

    @Test
    void metricsHaveAPortWhenAsked() throws Exception {
        Config.Metrics prometheus =
                alone(
                                """
                                metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
                                metricsProvider.httpHost=127.0.0.1
                                metricsProvider.exportJvmInfo=false
                                """)
                        .metrics();
        assertEquals(new Config.Metrics(new Endpoint("127.0.0.1", 7000), false), prometheus);
        assertNull(
                alone(
                                "metricsProvider.className=org.apache.zookeeper.metrics.impl.DefaultMetricsProvider")
                        .metrics());
    }

    @Test
    void evenNumbersOfVotersAreAWarning() throws Exception {
        String two = THREE.replaceAll("server.3.*\n", "");
        assertEquals(
                List.of(
                        "server.* declares two participants: no failure is tolerated; three would"
                                + " tolerate one"),
                load(two, 1).warnings());
        assertEquals(1, load(THREE + "server.4=h:2888:3888", 1).warnings().size());
    }

    @Test
    void theHashIsOfAllButTheMembership() throws Exception {
        Path file = dir.resolve("hash.cfg");
        Files.writeString(
                file,
                "# comment\ntickTime = 2000\nclientPort:2181\ndataDir=/d\nbootstrap=majority\n");
        Config config = Config.load(file, OptionalInt.empty());
        assertEquals(Config.sha256("clientPort=2181\ndataDir=/d\ntickTime=2000\n"), config.hash());
        Config same = load(THREE + "tickTime=2000", 1);
        assertEquals(
                same.hash(),
                load(THREE + "tickTime=2000\nserver.4=h:1:2\nensembleId=x\nbootstrap=majority", 1)
                        .hash());
        assertNotEquals(same.hash(), load(THREE + "tickTime=2001", 1).hash());
    }

    private static ConfigParser.Changed reloaded(Config running, String text) throws InvalidConfig {
        return ConfigParser.reload(running, text);
    }

    @Test
    void whatCanChangeWhileTheMemberRunsIsInForceAtOnce() throws Exception {
        Config running = alone("maxClientCnxns=7\nzookeeper.snapshotSizeFactor=0.5\nmaxCnxns=3\n");
        String other =
                running.file()
                        .text()
                        .replace("maxClientCnxns=7", "maxClientCnxns=8\nlog.retainHours=2")
                        .replace("0.5", "0.6")
                        .replace(
                                "maxCnxns=3",
                                "minSessionTimeout=100\n4lw.commands.whitelist=a,ruok");
        var changed = reloaded(running, other);
        Config now = changed.inForce();
        assertEquals(8, now.clients().maxPerAddress());
        assertEquals(0, now.clients().maxConnections(), "removed: the default");
        assertEquals(100, now.timing().minSessionTimeoutMillis());
        assertEquals(0.6, now.storage().snapshotSizeFactor());
        assertEquals(7_200_000, now.storage().tail().millis());
        assertEquals(Set.of("srvr", "ruok"), now.clients().fourLetterWords());
        assertEquals(
                List.of("4lw.commands.whitelist names a, which is no command"), changed.warnings());
        assertEquals(List.of(), changed.waiting());
        Path file = dir.resolve("zoo.cfg");
        Files.writeString(file, other);
        assertEquals(Config.load(file, OptionalInt.empty()).hash(), now.hash(), "acknowledged");
        assertEquals(running.hash(), reloaded(now, running.file().text()).inForce().hash());
    }

    @Test
    void whatCannotWaitsForTheNextStart() throws Exception {
        Config running = alone("tickTime=2000\nmaxCnxns=3\n");
        String other =
                running.file().text().replace("tickTime=2000", "tickTime=x")
                        + "skipACL=yes\nmaxClientCnxns=1\nensembleId=e\nserver.1=h:2:3\n";
        var changed = reloaded(running, other);
        assertEquals(List.of("skipACL", "tickTime"), changed.waiting());
        assertEquals(1, changed.inForce().clients().maxPerAddress());
        assertEquals(2000, changed.inForce().timing().tickMillis());
        assertFalse(changed.inForce().auth().skipAcl());
        assertEquals(
                reloaded(running, running.file().text() + "maxClientCnxns=1").inForce().hash(),
                changed.inForce().hash(),
                "of what is in force");
    }

    @ParameterizedTest
    @CsvSource({
        "maxClientCnxns=-1, maxClientCnxns=-1 is not valid: it must be a whole number of at least"
                + " 0",
        "minSessionTimeout=90000, minSessionTimeout=90000 is not valid: it must not be above"
                + " maxSessionTimeout=60000",
        "snapshotSizeFactor=big, snapshotSizeFactor=big is not valid: it must be a number",
    })
    void whatIsNotValidIsRefusedAsAWhole(String line, String says) throws Exception {
        Config running = alone("");
        String text = running.file().text() + "maxCnxns=9\n" + line + "\n";
        assertEquals(
                says,
                assertThrows(InvalidConfig.class, () -> reloaded(running, text)).getMessage());
    }

    @Test
    void filesOfTheSuperuser() throws Exception {
        Config.Auth both =
                alone(
                                """
                                DigestAuthenticationProvider.superDigestFile=/s/digest
                                DigestAuthenticationProvider.superPasswordFile=/s/password
                                """)
                        .auth();
        assertEquals(
                new Config.SuperUser(Path.of("/s/digest"), Path.of("/s/password")),
                both.superUser());
        assertEquals("/s/digest or /s/password", "" + both.superUser());
    }

    @Test
    void secretsOfTheFileAreNotInTheRecord() throws Exception {
        Config config = alone("ssl.keyStore.password=hunter2\n");
        assertFalse(config.toString().contains("hunter2"));
        assertFalse(config.text().contains("hunter2"));
    }

    @Test
    void sha256IsTheUsualOne() {
        assertEquals(
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                Config.sha256("abc"));
    }

    @Test
    void theBootstrapRecordIsOfIdsAndAddresses() throws Exception {
        String record = load(THREE, 1).membership().bootstrapRecord();
        assertEquals(record, load(THREE + "tickTime=7", 2).membership().bootstrapRecord());
        assertEquals(
                record, load(THREE.replace(";2181", ";2182"), 2).membership().bootstrapRecord());
        assertNotEquals(record, load(THREE + "ensembleId=x", 1).membership().bootstrapRecord());
        assertNotEquals(
                record,
                load(THREE.replace("10.0.0.3", "10.0.0.4"), 1).membership().bootstrapRecord());
        String grouped = load(THREE + "group.1=1:2:3", 1).membership().bootstrapRecord();
        assertNotEquals(record, grouped);
        assertEquals(
                grouped,
                load(THREE + "weight.2=1\ngroup.1=3:1:2", 2).membership().bootstrapRecord());
    }
}
