package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Request;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// The answers to four-letter words, byte for byte (`admin` section 1).
final class FourLetterWordsTest {
    private static final String NOT_SERVING =
            "This ZooKeeper instance is not currently serving requests\n";

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "ruok, \"imok\"",
                "isro, \"rw\"",
                "conf, \"clientPort=2181\n\"",
                "envi, \"Environment:\nhost.name=here\n\"",
                "dirs, \"datadir_size: 11\nlogdir_size: 22\n\"",
                "srst, \"Server stats reset.\n\"",
                "crst, \"Connection stats reset.\n\"",
            })
    void aWordIsAnswered(String word, String answer) throws IOException {
        try (var served = new ServedClients()) {
            assertEquals(answer, ask(served, word));
        }
    }

    @ParameterizedTest
    @CsvSource({"ruok, imok", "isro, null"})
    void someAreAnsweredWithoutServing(String word, String answer) throws IOException {
        try (var served = new ServedClients(ServedClients.SETTINGS, false)) {
            assertEquals(answer, ask(served, word));
            assertTrue(ask(served, "envi").startsWith("Environment:\n"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "srvr", "stat", "mntr", "conf", "cons", "dirs", "srst", "crst", "dump", "wchs",
                "wchc", "wchp"
            })
    void mostAreNot(String word) throws IOException {
        try (var served = new ServedClients(ServedClients.SETTINGS, false)) {
            assertEquals(NOT_SERVING, ask(served, word));
        }
    }

    @Test
    void hashIsNotEither() throws IOException {
        try (var served = new ServedClients(ServedClients.SETTINGS, false)) {
            assertEquals(NOT_SERVING.strip(), ask(served, "hash"));
        }
    }

    @Test
    void hashTellsDigestsOfEvery128thTransaction() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            for (int i = 0; i < 300; i++) {
                client.ask(i, new Request.SetData("/zookeeper", new byte[] {(byte) i}, -1));
            }
            String[] lines = ask(served, "hash").split("\n", -1);
            assertEquals(3, lines.length, () -> String.join("|", lines));
            assertTrue(lines[0].matches("80: -?\\d+"), lines[0]);
            assertTrue(lines[1].matches("100: -?\\d+"), lines[1]);
            assertEquals("", lines[2]);
        }
    }

    @Test
    void stmkWaitsForItsArgument() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client()) {
            client.send("stmk".getBytes(StandardCharsets.US_ASCII));
            client.send(new byte[7]);
            client.send(new byte[] {9});
            assertEquals("9", client.rest());
            assertEquals("9", ask(served, "gtmk"));
        }
    }

    @Test
    void aWordThatIsNotAllowedWaitsForNothing() throws IOException {
        try (var served = new ServedClients(allowing(Set.of()))) {
            assertEquals(
                    "stmk is not executed because it is not in the whitelist.\n",
                    ask(served, "stmk"));
            try (RawClient client = served.client()) {
                client.send(new byte[] {-1, -12, -1, -3});
                assertEquals(
                        "telnet close is not executed because it is not in the whitelist.\n",
                        client.rest());
            }
        }
    }

    @Test
    void onlyAllowedWordsAreAnswered() throws IOException {
        try (var served = new ServedClients(allowing(Set.of("ruok")))) {
            assertEquals("imok", ask(served, "ruok"));
            assertTrue(ask(served, "srvr").startsWith("Zookeeper version: "));
            assertEquals(
                    "stat is not executed because it is not in the whitelist.\n",
                    ask(served, "stat"));
            assertEquals(
                    "mntr is not executed because it is not in the whitelist.\n",
                    ask(served, "mntr"));
        }
    }

    @Test
    void srvrTellsOfTheServer() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            client.ask(1, new Request.Ping());
            String answer = ask(served, "srvr");
            assertEquals(
                    """
                    Zookeeper version: 3.9.5-test, built on 2026-11-21 00:00 UTC
                    Latency min/avg/max: 0/0.0/0
                    Received: 3
                    Sent: 2
                    Connections: 2
                    Outstanding: 0
                    Zxid: 0x1
                    Mode: standalone
                    Node count: 5
                    """,
                    answer);
        }
    }

    @Test
    void statTellsOfTheConnectionsToo() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            client.ask(1, new Request.Ping());
            String[] lines = ask(served, "stat").split("\n", -1);
            assertEquals("Clients:", lines[1]);
            String both = lines[2] + lines[3];
            assertTrue(both.contains("](queued=0,recved=2,sent=2)"), both);
            assertTrue(both.contains("[0](queued=0,recved=1,sent=0)"), both);
            assertTrue(both.startsWith(" /127.0.0.1:"), both);
            assertEquals("", lines[4]);
            assertTrue(lines[5].startsWith("Latency min/avg/max: "));
        }
    }

    @Test
    void consTellsOfTheSessions() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client()) {
            long session = client.connect().session();
            client.ask(1, new Request.GetData("/", false));
            String answer = ask(served, "cons");
            String start = ",sid=0x" + Long.toHexString(session) + ",lop=GETD,est=";
            assertTrue(answer.contains(start), answer);
            assertTrue(answer.contains(",to=10000,lcxid=0x1,lzxid=0x1,lresp="), answer);
            assertTrue(answer.endsWith(")\n\n"), answer);
        }
    }

    @Test
    void mntrTellsFigures() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            client.ask(1, new Request.Exists("/x", true));
            client.ask(2, new Request.GetChildren("/", true, false));
            String answer = ask(served, "mntr");
            assertTrue(
                    answer.startsWith("zk_version\t3.9.5-test, built on 2026-11-21 00:00 UTC\n"));
            for (String line :
                    new String[] {
                        "zk_server_state\tstandalone",
                        "zk_znode_count\t5",
                        "zk_watch_count\t2",
                        "zk_num_alive_connections\t2",
                        "zk_packets_received\t4",
                        "zk_packets_sent\t3",
                        "zk_outstanding_requests\t0",
                        "zk_ephemerals_count\t0",
                        "zk_global_sessions\t1",
                        "zk_avg_latency\t0.0",
                        "zk_uptime\t17",
                    }) {
                assertTrue(answer.contains(line + "\n"), () -> line + " is not in\n" + answer);
            }
        }
    }

    @Test
    void aWordIsOneOnlyAtTheStart() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            client.send("ruok".getBytes(StandardCharsets.US_ASCII));
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void whatFollowsAWordIsNotRead() throws IOException {
        try (var served = new ServedClients()) {
            assertEquals("imok", ask(served, "ruok\nand more"));
        }
    }

    @Test
    void whoSaysNoMoreIsStillAnswered() throws IOException {
        try (var served = new ServedClients()) {
            for (int i = 0; i < 200; i++) {
                try (RawClient client = served.client()) {
                    client.send("cons".getBytes(StandardCharsets.US_ASCII));
                    client.shutdownOutput();
                    assertTrue(client.rest().startsWith(" /127.0.0.1:"), "no answer at " + i);
                }
            }
        }
    }

    private static String ask(ServedClients served, String word) throws IOException {
        try (RawClient client = served.client()) {
            client.send(word.getBytes(StandardCharsets.US_ASCII));
            return client.rest();
        }
    }

    private static ClientSettings allowing(Set<String> words) {
        return new ClientSettings(2, 2000, 4000, 40_000, 0xfffff, -1, 60, 0, 10_000, 1000, words);
    }
}
