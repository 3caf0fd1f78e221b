package dev.ensemble.operator.ensemble;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import dev.ensemble.operator.ensemble.EnsembleClient.Change;
import dev.ensemble.operator.ensemble.EnsembleClient.Outcome;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;

/// What the operator asks of a leader, against a server that does what `server/docs/status.md`
/// says.
final class ChangesTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Tokens tokens = Tokens.generate(Clock.fixed(NOW, ZoneOffset.UTC));
    private final HttpEnsembleClient client = new HttpEnsembleClient(Duration.ofSeconds(5), tokens);

    @SuppressWarnings("NullAway.Init") // Set before each test.
    private HttpServer server;

    private int code = 200;
    private String answer = "{}";
    private String path = "";
    private String token = "";
    private String body = "";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::take);
        server.start();
    }

    @AfterEach
    void stop() {
        client.close();
        server.stop(0);
    }

    private void take(HttpExchange exchange) throws IOException {
        path = exchange.getRequestURI().toString();
        token = exchange.getRequestHeaders().getFirst("Authorization");
        body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        byte[] bytes = answer.getBytes(UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private URI root() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private Outcome add() {
        var add = new TreeMap<Integer, String>();
        add.put(5, "e-4.e-peers.ns.svc:2888:3888:participant;0.0.0.0:2181");
        add.put(4, "e-3.e-peers.ns.svc:2888:3888:participant;0.0.0.0:2181");
        return client.changeVoters(root(), "id", new Change("0x1f", add, List.of()));
    }

    @Test
    void votersAreAdded() throws Exception {
        assertInstanceOf(Outcome.Done.class, add());
        assertEquals("/v1/members", path);
        assertEquals(
                JSON.readTree(
                        """
                        {"version": "0x1f", "joining": [
                          "server.4=e-3.e-peers.ns.svc:2888:3888:participant;0.0.0.0:2181",
                          "server.5=e-4.e-peers.ns.svc:2888:3888:participant;0.0.0.0:2181"]}
                        """),
                JSON.readTree(body));
    }

    @Test
    void votersAreRemoved() throws Exception {
        var change = new Change("0x1f", new TreeMap<>(), List.of(5, 4));
        assertInstanceOf(Outcome.Done.class, client.changeVoters(root(), "id", change));
        assertEquals(
                JSON.readTree("{\"version\": \"0x1f\", \"leaving\": [5, 4]}"), JSON.readTree(body));
    }

    @Test
    void theLeadIsGivenAway() throws Exception {
        assertInstanceOf(Outcome.Done.class, client.handOver(root(), "id", 2));
        assertEquals("/v1/leadership:transfer", path);
        assertEquals(JSON.readTree("{\"to\": 2}"), JSON.readTree(body));
    }

    @Test
    void theTokenIsForThisRequestOnly() throws Exception {
        add();
        String[] parts = token.substring("Bearer ".length()).split("\\.", -1);
        assertEquals(3, parts.length);
        assertEquals("{\"alg\":\"EdDSA\"}", text(parts[0]));
        JsonNode claims = JSON.readTree(text(parts[1]));
        assertEquals("id", claims.path("aud").asText());
        assertEquals("POST", claims.path("method").asText());
        assertEquals("/v1/members", claims.path("path").asText());
        assertEquals(
                HexFormat.of()
                        .formatHex(
                                MessageDigest.getInstance("SHA-256").digest(body.getBytes(UTF_8))),
                claims.path("sha256").asText());
        long life = claims.path("exp").asLong() - NOW.getEpochSecond();
        assertTrue(life > 0 && life <= 60, "lives " + life);
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(
                KeyFactory.getInstance("Ed25519")
                        .generatePublic(new X509EncodedKeySpec(pem(tokens.pem()))));
        verifier.update((parts[0] + "." + parts[1]).getBytes(US_ASCII));
        assertTrue(verifier.verify(Base64.getUrlDecoder().decode(parts[2])));
    }

    private static String text(String part) {
        return new String(Base64.getUrlDecoder().decode(part), UTF_8);
    }

    private static byte[] pem(String text) {
        assertTrue(text.startsWith("-----BEGIN PUBLIC KEY-----\n"), text);
        assertTrue(text.endsWith("\n-----END PUBLIC KEY-----\n"), text);
        return Base64.getMimeDecoder().decode(text.replaceAll("-----[A-Z ]+-----", ""));
    }

    @Test
    void aRefusalHasItsReason() {
        code = 409;
        answer = "{\"reason\": \"another version\", \"version\": \"0x20\"}";
        Outcome outcome = add();
        assertEquals("another version (HTTP status 409)", ((Outcome.Refused) outcome).why());
        code = 503;
        answer = "no JSON";
        assertEquals("HTTP status 503", ((Outcome.Refused) add()).why());
    }

    @Test
    void noAnswerIsNoRefusal() {
        URI nobody = root();
        server.stop(0);
        Outcome outcome = client.handOver(nobody, "id", 2);
        assertInstanceOf(Outcome.Unknown.class, outcome);
    }

    @Test
    void aKeyThatWasKeptSignsAsBefore() {
        Tokens again = Tokens.of(tokens.privateKey(), tokens.publicKey(), Clock.systemUTC());
        assertArrayEquals(tokens.publicKey(), again.publicKey());
        assertEquals(tokens.pem(), again.pem());
        byte[] other = Tokens.generate(Clock.systemUTC()).publicKey();
        assertThrows(
                IllegalArgumentException.class,
                () -> Tokens.of(tokens.privateKey(), other, Clock.systemUTC()));
        assertThrows(
                IllegalArgumentException.class,
                () -> Tokens.of(new byte[3], other, Clock.systemUTC()));
    }
}
