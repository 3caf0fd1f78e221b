package dev.ensemble.operator.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;

import dev.ensemble.operator.ensemble.EnsembleClient.Answer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

final class HttpEnsembleClientTest {
    private static final String LEADER =
            """
            {"myid": 2, "version": "0.1.0", "configHash": "abc", "ensembleId": "u", "role": "leader",
             "leader": 2, "epoch": 3, "acceptedEpoch": 3, "serving": true, "draining": false,
             "outOfSyncMillis": 0, "zxid": {"committed": "0x300000001"},
             "identity": {"state": "member", "incarnation": "0x1f", "starts": 4},
             "configuration": {"version": "0x100000000", "pending": false, "members":
               [{"myid": 1, "role": "participant", "address": "a:1", "clientAddress": null,
                 "incarnation": "0x1e"}]},
             "quorum": {"configured": 3, "needed": 2, "synced": 3, "canLose": 1},
             "voters": [{"myid": 1, "connected": true, "synced": true, "lag": 0,
               "incarnation": "0x1e", "safeToStop": true, "reasons": []}],
             "learners": [], "safeToStop": null, "warnings": [],
             "metrics": {"znodes": 5, "connections": 1, "sessions": 1, "watches": 0,
               "ephemerals": 0, "writesPerSecond": 0.5, "p99Millis": 1.25},
             "file": {"waiting": ["tickTime"], "refused": null, "new": 1},
             "superUser": {"known": false, "problem": "nothing is in /x"},
             "somethingNew": {"a": 1}}
            """;

    private final HttpEnsembleClient client = new HttpEnsembleClient(Duration.ofSeconds(5));
    private final List<HttpServer> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        client.close();
        servers.forEach(server -> server.stop(0));
    }

    private URI server(int code, String body) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/v1/status",
                exchange -> {
                    byte[] bytes = body.getBytes(UTF_8);
                    exchange.sendResponseHeaders(code, bytes.length);
                    try (var out = exchange.getResponseBody()) {
                        out.write(bytes);
                    }
                });
        server.start();
        servers.add(server);
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @Test
    void readsWhatALeaderTells() throws IOException {
        Answer answer = client.ask(Map.of(2, server(200, LEADER))).get(2);
        MemberStatus status = assertInstanceOf(Answer.Known.class, answer).status();
        assertTrue(status.leads());
        assertEquals(new MemberStatus.Quorum(3, 2, 3, 1), status.quorum());
        assertEquals(new MemberStatus.File(List.of("tickTime"), null), status.file());
        assertEquals(new MemberStatus.SuperUser(false, "nothing is in /x"), status.superUser());
        assertNull(status.safeToStop(), "what a member does not know stays unknown");
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "503 | {}             | HTTP status 503",
                "200 | <html>         | no status",
                "200 | {\"myid\": 7}  | its myid is 7",
                "200 | ''             | no status"
            })
    void anAnswerThatMakesNoSenseIsUnknown(int code, String body, String why) throws IOException {
        Answer answer = client.ask(Map.of(2, server(code, body))).get(2);
        String says = assertInstanceOf(Answer.Unknown.class, answer).why();
        assertTrue(says.contains(why), says);
    }

    @Test
    void aMemberThatIsNotThereIsUnknownAndTheOthersAreKnown() throws IOException {
        int closed;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        Map<Integer, Answer> answers =
                client.ask(
                        Map.of(
                                1, URI.create("http://127.0.0.1:" + closed),
                                2, server(200, LEADER)));
        assertInstanceOf(Answer.Unknown.class, answers.get(1));
        assertInstanceOf(Answer.Known.class, answers.get(2));
    }

    /// It accepts connections and never answers.
    @Test
    void aMemberThatHangsIsUnknown() throws IOException {
        try (var impatient = new HttpEnsembleClient(Duration.ofMillis(100));
                var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            URI root = URI.create("http://127.0.0.1:" + socket.getLocalPort());
            assertInstanceOf(Answer.Unknown.class, impatient.ask(Map.of(1, root)).get(1));
        }
    }
}
