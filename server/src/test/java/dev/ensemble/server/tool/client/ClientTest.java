package dev.ensemble.server.tool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tool.OriginalServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ClientTest {
    private static final int TIMEOUT_MILLIS = 10_000;

    private OriginalServer server;

    ClientTest(@TempDir Path dir) throws IOException, InterruptedException {
        server = OriginalServer.start(dir);
    }

    @BeforeAll
    void makeRoot() throws IOException {
        try (Client client = start(new Events())) {
            assertTrue(client.call(create("/client", 0)).ok());
        }
    }

    @AfterAll
    void stop() {
        server.close();
    }

    /// What a client tells, in order.
    private static final class Events implements Client.Listener {
        private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();

        @Override
        public void fired(int type, String path, long zxid) {
            told.add(type + " " + path);
        }

        @Override
        public void changed(Client.State state) {
            told.add(state.name());
        }

        void expect(String... expected) throws InterruptedException {
            var got = new ArrayList<String>();
            for (int i = 0; i < expected.length; i++) {
                got.add(
                        Objects.requireNonNullElse(
                                told.poll(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS), "nothing"));
            }
            assertEquals(List.of(expected), got);
        }
    }

    private Client start(Events events) throws IOException {
        Client client =
                Client.start(ConnectString.parse(server.connectString()), TIMEOUT_MILLIS, events);
        client.awaitConnected(TIMEOUT_MILLIS);
        return client;
    }

    private static Request.Create create(String path, int flags) {
        return new Request.Create(
                Request.CreateOp.CREATE, path, "x".getBytes(UTF_8), Acl.OPEN, flags, 0);
    }

    @Test
    void answersComeInTheOrderOfRequests() throws Exception {
        try (Client client = start(new Events())) {
            client.call(create("/client/pipe", 0));
            var answers = new ArrayList<CompletableFuture<Answer>>();
            for (int i = 0; i < 500; i++) {
                answers.add(client.send(create("/client/pipe/n-", 2)));
            }
            answers.add(client.send(new Request.GetChildren("/client/pipe", false, false)));
            for (int i = 0; i < 500; i++) {
                assertEquals(
                        new Reply.Path(String.format("/client/pipe/n-%010d", i)),
                        client.await(answers.get(i)).reply());
            }
            var children =
                    assertInstanceOf(Reply.Children.class, client.await(answers.getLast()).reply());
            assertEquals(500, children.names().size());
        }
    }

    @Test
    void errorsHaveZooKeepersNames() throws Exception {
        try (Client client = start(new Events())) {
            Answer answer = client.call(new Request.GetData("/client/none", false));
            assertTrue(answer.is(Code.NO_NODE));
            assertEquals("NoNode", answer.codeName());
            assertEquals("BadArguments", client.call(create("none", 0)).codeName());
        }
    }

    @Test
    void aLostConnectionIsMadeAgainWithSessionAuthenticationAndWatches() throws Exception {
        var events = new Events();
        try (Client client = start(events);
                Client other = start(new Events())) {
            long session = client.session();
            assertTrue(client.authenticate("digest", "u:p".getBytes(UTF_8)).ok());
            client.call(create("/client/mine", 1));
            client.call(new Request.GetData("/client/mine", true));
            client.call(new Request.Exists("/client/none-yet", true));
            client.call(new Request.GetChildren("/client", true, false));
            events.expect("CONNECTED");
            server.dropConnections();
            events.expect("CONNECTING", "CONNECTED");
            assertEquals(session, client.session());
            var stat =
                    assertInstanceOf(
                            Reply.Stats.class,
                            client.call(new Request.Exists("/client/mine", false)).reply());
            assertEquals(session, stat.stat().ephemeralOwner());
            other.call(new Request.SetData("/client/mine", new byte[0], -1));
            events.expect("3 /client/mine");
            other.call(create("/client/none-yet", 0));
            events.expect("1 /client/none-yet", "4 /client");
            var who =
                    assertInstanceOf(
                            Reply.Identities.class, client.call(new Request.WhoAmI()).reply());
            assertTrue(who.users().toString().contains("digest"), who.users().toString());
        }
        events.expect("CLOSED");
    }

    @Test
    void requestsInFlightFailWithTheConnection() throws Exception {
        // It accepts, and never answers.
        try (var mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Client client =
                        Client.start(
                                ConnectString.parse("127.0.0.1:" + mute.getLocalPort()),
                                500,
                                new Events())) {
            IOException e =
                    assertThrows(
                            IOException.class, () -> client.call(new Request.GetData("/", false)));
            assertTrue(String.valueOf(e.getMessage()).length() > 0);
            assertNotEquals(Client.State.CONNECTED, client.state());
            assertThrows(IOException.class, () -> client.await(client.send(new Request.WhoAmI())));
        }
    }

    @Test
    void anExpiredSessionIsOver() throws Exception {
        var events = new Events();
        try (Client client = start(events)) {
            server.endSession(client.session());
            events.expect("CONNECTED", "CONNECTING", "EXPIRED");
            assertThrows(IOException.class, () -> client.call(new Request.WhoAmI()));
        }
    }

    @Test
    void authenticationThatIsRefusedEndsTheSession() throws Exception {
        var events = new Events();
        try (Client client = start(events)) {
            Answer answer = client.authenticate("bogus", new byte[0]);
            assertTrue(answer.is(Code.AUTH_FAILED));
            events.expect("CONNECTED");
            assertNotEquals(Client.State.CONNECTED, client.state());
        }
    }

    @Test
    void theNextAddressIsTried() throws Exception {
        int closedPort;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closedPort = socket.getLocalPort();
        }
        String where = "127.0.0.1:" + closedPort + "," + server.connectString();
        try (Client client =
                Client.start(ConnectString.parse(where), TIMEOUT_MILLIS, new Events())) {
            client.awaitConnected(TIMEOUT_MILLIS);
            assertEquals(Client.State.CONNECTED, client.state());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            textBlock =
                    """
                    h                    ~ [h/<unresolved>:2181]                            ~ ''
                    h:1                  ~ [h/<unresolved>:1]                               ~ ''
                    h:1,g:2              ~ [h/<unresolved>:1, g/<unresolved>:2]             ~ ''
                    h:1/                 ~ [h/<unresolved>:1]                               ~ ''
                    h:1,g/a/b            ~ [h/<unresolved>:1, g/<unresolved>:2181]          ~ /a/b
                    [::1]:3              ~ [::1/<unresolved>:3]                             ~ ''
                    [::1],10.0.0.1:4     ~ [::1/<unresolved>:2181, 10.0.0.1/<unresolved>:4] ~ ''
                    """)
    void readsConnectStrings(String text, String addresses, String chroot) {
        ConnectString parsed = ConnectString.parse(text);
        assertEquals(
                addresses,
                parsed.addresses()
                        .toString()
                        .replace("[::1]", "::1")
                        .replaceFirst("^::1(?!/)", "[::1"));
        assertEquals(chroot, parsed.chroot());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":1", "h:x", "h:0", "h:65536", "h:1,", "h:1//a"})
    void refusesMalformedConnectStrings(String text) {
        assertThrows(IllegalArgumentException.class, () -> ConnectString.parse(text));
    }
}
