package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.tool.OriginalServer;

import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The same clients do the same on the original server and on ours; then both are asked the same
/// four-letter words. What must differ (ports, ids, times) is replaced before the answers are
/// compared.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class OriginalWordsTest {
    /// So long that no client pings while the test runs, which would be counted.
    private static final int SESSION_MILLIS = 60_000;

    /// Entries of `mntr` that are no figures, and figures whose names begin like a distribution's.
    private static final Set<String> TEXTS = Set.of("version", "server_state");

    private static final Set<String> SIMPLE =
            Set.of(
                    "avg_latency",
                    "min_latency",
                    "max_latency",
                    "min_client_response_size",
                    "max_client_response_size",
                    "min_proposal_size",
                    "max_proposal_size",
                    "max_file_descriptor_count");

    private final OriginalServer original;
    private final ServerNode node;
    private final List<ZooKeeper> theirs = new ArrayList<>();
    private final List<ZooKeeper> ours = new ArrayList<>();

    OriginalWordsTest(@TempDir Path dir) throws Exception {
        original = OriginalServer.start(Files.createDirectory(dir.resolve("o")), 3000);
        Path file = dir.resolve("zoo.cfg");
        Files.writeString(
                file,
                "dataDir="
                        + dir.resolve("d")
                        + "\nclientPort=0\nclientPortAddress=127.0.0.1\ntickTime=3000\n"
                        + "maxClientCnxns=1000\nadmin.enableServer=false\n"
                        + "4lw.commands.whitelist=*\njvm.pause.monitor=true\n");
        node = ServerNode.start(Config.load(file, OptionalInt.empty()));
    }

    @BeforeAll
    void use() throws Exception {
        fill(original.port(), theirs);
        fill(node.ports().client(), ours);
    }

    private static void fill(int port, List<ZooKeeper> clients) throws Exception {
        for (int i = 0; i < 3; i++) {
            clients.add(connect(port));
        }
        var acl = ZooDefs.Ids.OPEN_ACL_UNSAFE;
        ZooKeeper first = clients.getFirst();
        first.create("/a", new byte[3], acl, CreateMode.PERSISTENT);
        first.create("/a/b", new byte[3], acl, CreateMode.PERSISTENT);
        first.create("/e", new byte[3], acl, CreateMode.EPHEMERAL);
        first.getData("/a", true, null);
        first.exists("/a", true);
        first.exists("/missing", true);
        first.getChildren("/a", true);
        first.getChildren("/e", true);
        first.addWatch("/p", AddWatchMode.PERSISTENT);
        first.addWatch("/r", AddWatchMode.PERSISTENT_RECURSIVE);
        ZooKeeper second = clients.get(1);
        second.exists("/a", true);
        second.getChildren("/", true);
        second.create("/f", new byte[3], acl, CreateMode.EPHEMERAL);
        second.getEphemerals();
        ZooKeeper third = clients.get(2);
        third.getChildren("/", true);
    }

    @AfterAll
    void stop() throws Exception {
        for (ZooKeeper each : theirs) {
            each.close();
        }
        for (ZooKeeper each : ours) {
            each.close();
        }
        node.close();
        original.close();
    }

    private static ZooKeeper connect(int port) throws IOException, InterruptedException {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        "127.0.0.1:" + port,
                        SESSION_MILLIS,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        return client;
    }

    private static String ask(int port, byte... bytes) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(bytes);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String original(String word) throws IOException {
        return canonical(word, ask(original.port(), word), theirs);
    }

    private String ours(String word) throws IOException {
        return canonical(word, ask(node.ports().client(), word), ours);
    }

    private static String ask(int port, String word) throws IOException {
        return ask(port, word.getBytes(StandardCharsets.US_ASCII));
    }

    /// Takes out what must differ. A connection that asks is there or gone by chance; in what order
    /// connections, sessions and paths come is nobody's promise.
    private static String canonical(String word, String answer, List<ZooKeeper> clients) {
        String text = answer;
        for (int i = 0; i < clients.size(); i++) {
            String id = Long.toHexString(clients.get(i).getSessionId());
            text = text.replace("0x" + id, "SESSION" + i);
        }
        text =
                text.replaceAll("3\\.9\\.5-[^,]+, built on \\S+ \\S+ UTC", "VERSION")
                        .replaceAll("/127\\.0\\.0\\.1:\\d+", "ADDRESS")
                        .replaceAll("(Latency[^\\n]*): \\d+/\\d+\\.\\d{1,4}/\\d+", "$1: LATENCY")
                        .replaceAll("(Zxid: |zxid=)0x[0-9a-f]+", "$1ZXID")
                        .replaceAll("(est|lresp|llat|minlat|avglat|maxlat)=\\d+", "$1=TIME")
                        .replaceAll("Connections: [45]\\n", "Connections: 4 or 5\n")
                        .replaceAll("(?m)^ ADDRESS\\[0][^\\n]*\\n", "")
                        .replaceAll("(?m)^\\tip: ADDRESS sessionId: 0x0\\n", "")
                        .replaceAll(
                                "(?m)^\\d+ expire at \\w{3} \\w{3} \\d\\d [0-9:]{8} \\w+"
                                        + " \\d{4}:\\n",
                                "")
                        .replaceAll("Connections Sets \\(\\d\\)/\\(\\d\\)", "Connections Sets")
                        .replaceAll("Session Sets \\(\\d\\)", "Session Sets (TICKS)")
                        .replaceAll("((?:dir|log)_?[sS]ize(?:=|: ))\\d+", "$1SIZE")
                        .replaceAll("((?:dataDir|dataLog)Size=)\\d+", "$1SIZE")
                        .replaceAll("((?:dataDir|dataLogDir)=)[^\\n]+", "$1FOLDER")
                        .replaceAll("clientPort=\\d+", "clientPort=PORT")
                        .replaceAll("(os.memory.\\w+)=\\d+MB", "$1=SIZE");
        return switch (word) {
            case "stat", "cons", "dump", "wchc", "wchp" -> sorted(text);
            default -> text;
        };
    }

    /// {@return the lines, sorted, each with those that belong to it, which are indented by a tab}
    private static String sorted(String text) {
        String[] lines = text.replace("\n\t", "\t").split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String[] parts = lines[i].split("\t", -1);
            Arrays.sort(parts, 1, parts.length);
            lines[i] = String.join("\n\t", parts);
        }
        Arrays.sort(lines);
        return String.join("\n", lines);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "srvr", "stat", "cons", "wchs", "wchc", "wchp", "dump", "hash", "dirs", "isro",
                "ruok", "gtmk", "conf", "envi", "crst", "cons", "srst", "srvr", "nope"
            })
    void aWordIsAnsweredAsByTheOriginal(String word) throws Exception {
        assertEquals(original(word), ours(word));
    }

    /// {@return the names of figures in an answer to `mntr`}
    private static Set<String> figures(String answer) {
        var names = new TreeSet<String>();
        for (String line : answer.lines().toList()) {
            String key = line.substring("zk_".length(), line.indexOf('\t'));
            if (!TEXTS.contains(key)) {
                names.add(
                        SIMPLE.contains(key)
                                ? key
                                : key.replaceFirst("^(avg|min|max|cnt|sum|p50|p95|p99|p999)_", "")
                                        .replaceFirst("^.+_(read|write)_per_", "$1_per_"));
            }
        }
        return names;
    }

    @Test
    void everyFigureIsInTheTable() throws Exception {
        Map<String, String> told = DocumentedTest.table("admin.md", 3);
        for (String name : figures(ask(original.port(), "mntr"))) {
            assertTrue(told.containsKey(name), name + " is not in docs/admin.md");
        }
        var yes = new TreeSet<String>();
        told.forEach((name, here) -> {
            if (here.equals("yes")) {
                yes.add(name);
            }
        });
        assertEquals(yes, figures(ask(node.ports().client(), "mntr")));
        // The original counts a long answer several times, which other tests would see.
        assertEquals(original("srst"), ours("srst"));
    }

    @Test
    void aTraceMaskIsSetAndShown() throws Exception {
        byte[] bytes = {'s', 't', 'm', 'k', 0, 0, 0, 0, 0, 0, 1, 2};
        for (int port : new int[] {original.port(), node.ports().client()}) {
            assertEquals("258", ask(port, bytes));
            assertEquals("258", ask(port, "gtmk"));
        }
    }

    @Test
    void anInterruptOfTelnetEndsTheConnection() throws Exception {
        byte[] bytes = {-1, -12, -1, -3};
        assertEquals("", ask(original.port(), bytes));
        assertEquals("", ask(node.ports().client(), bytes));
    }
}
