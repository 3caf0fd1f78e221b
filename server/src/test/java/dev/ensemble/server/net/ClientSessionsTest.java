package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.wire.ClientCodec;
import dev.ensemble.server.wire.Handshake.ConnectResponse;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.util.Set;

/// Handshakes, and what becomes of connections (`client-protocol` sections 2, 3 and 14, `safety`
/// 5).
final class ClientSessionsTest {
    private static final Request PING = new Request.Ping();
    private static final Request GET = new Request.GetData("/", false);

    @ParameterizedTest
    @CsvSource({
        "0, 4000",
        "-1, 4000",
        "3999, 4000",
        "5001, 5001",
        "40001, 40000",
        "2147483647, 40000"
    })
    void theTimeoutIsWithinTheLimits(int asked, int granted) throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client()) {
            assertEquals(granted, client.connect(0, new byte[16], asked).timeoutMillis());
        }
    }

    @Test
    void aSessionGoesToWhoeverKnowsItsPassword() throws IOException {
        try (var served = new ServedClients();
                RawClient first = served.client();
                RawClient thief = served.client();
                RawClient second = served.client()) {
            ConnectResponse session = first.connect();
            assertEquals(0, thief.connect(session.session(), new byte[16], 5000).session());
            assertTrue(thief.isClosedByServer());
            assertEquals(0, first.ask(1, PING).err());
            ConnectResponse again = second.connect(session.session(), session.password(), 5000);
            assertEquals(session.session(), again.session());
            assertArrayEquals(session.password(), again.password());
            assertEquals(5000, again.timeoutMillis());
            assertTrue(first.isClosedByServer());
            assertEquals(0, second.ask(1, GET).err());
        }
    }

    @Test
    void aSessionThatEndedCannotBeResumed() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client();
                RawClient again = served.client()) {
            ConnectResponse session = client.connect();
            served.member.expire(session.session());
            assertTrue(client.isClosedByServer());
            assertEquals(0, again.connect(session.session(), session.password(), 5000).session());
            assertTrue(again.isClosedByServer());
        }
    }

    @Test
    void aSessionThatMovedLeavesItsConnection() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client()) {
            served.member.attachElsewhere(client.connect().session());
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aWriteOfAConnectionThatLostItsSessionIsNotAnswered() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client();
                RawClient other = served.connected()) {
            ConnectResponse session = client.connect();
            served.member.hold();
            client.send(1, create("/x"));
            served.member.awaitHeld(1);
            served.member.attachElsewhere(session.session());
            served.member.release();
            assertTrue(client.isClosedByServer());
            assertEquals(
                    Code.NO_NODE.number(), other.ask(1, new Request.Exists("/x", false)).err());
        }
    }

    @Test
    void aClientThatHasSeenMoreIsSentAway() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.client();
                RawClient level = served.client()) {
            client.sendConnect(1, 0, new byte[16], 5000);
            assertTrue(client.isClosedByServer());
            level.sendConnect(0, 0, new byte[16], 5000);
            level.receive();
        }
    }

    @Test
    void oneThatHasSeenAllOfItWaitsForNothing() throws IOException {
        try (var served = new ServedClients();
                RawClient first = served.connected()) {
            for (int i = 0; i < 20; i++) {
                long seen = first.ask(1, create("/x" + i)).zxid();
                try (RawClient next = served.client()) {
                    next.sendConnect(seen, 0, new byte[16], 5000);
                    next.receive();
                }
                first.ask(2, GET);
            }
        }
    }

    @Test
    void nobodyConnectsWhileThisMemberDoesNotServe() throws IOException {
        try (var served = new ServedClients(ServedClients.SETTINGS, false)) {
            try (RawClient client = served.client()) {
                client.sendConnect(0, 0, new byte[16], 5000);
                assertTrue(client.isClosedByServer());
            }
            served.member.serve(served.server::publish);
            try (RawClient client = served.client()) {
                assertNotEquals(0, client.connect().session());
            }
        }
    }

    @Test
    void whoIsConnectingWhenTheLeaderGoesMayTryAnotherMember() throws IOException {
        try (var served = new ServedClients(settings(40, 60_000));
                RawClient client = served.client()) {
            served.member.hold();
            client.sendConnect(0, 0, new byte[16], 600);
            served.member.awaitHeld(1);
            served.serve(false);
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void requestsWaitWhileThisMemberDoesNotServe() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            served.serve(false);
            client.send(RawClient.frames(PING, GET, create("/x"), new Request.Sync("/"), GET));
            assertEquals(-2, client.header().xid());
            served.member.hold();
            served.serve(true);
            assertEquals(2, client.header().xid());
            served.member.awaitHeld(1);
            served.member.release();
            assertEquals(3, client.header().xid());
            assertEquals(4, client.header().xid());
            assertEquals(5, client.header().xid());
        }
    }

    @Test
    @DisplayName("b317: a request that waited too long to begin is refused, and has no effect")
    void whatWaitedTooLongIsRefused() throws IOException {
        var limits = new ClientLimits(-1, 0, 1, ClientLimits.OFF.tokens());
        try (var served = new ServedClients(ServedClients.SETTINGS.with(limits));
                RawClient client = served.connected()) {
            served.serve(false);
            client.send(
                    RawClient.frames(
                            new Request.SetData("/", new byte[3], -1),
                            new Request.GetData("/", false),
                            new Request.Sync("/")));
            client.send(ClientCodec.PING_XID, new Request.Ping());
            while (served.server.stats().outstanding() < 4) {
                Thread.onSpinWait();
            }
            long since = System.nanoTime();
            while (System.nanoTime() - since < 5_000_000) {
                Thread.onSpinWait();
            }
            served.serve(true);
            for (int i = 0; i < 3; i++) {
                assertEquals(Code.THROTTLED_OP.number(), client.header().err());
            }
            assertEquals(0, client.header().err());
            assertEquals(0, client.ask(9, new Request.SetData("/", null, 0)).err());
        }
    }

    @Test
    void aConnectionOutlivesAMemberThatDoesNotServeForItsTimeout() throws IOException {
        try (var served = new ServedClients(settings(40, 10_000));
                RawClient client = served.client()) {
            client.connect(0, new byte[16], 100);
            served.serve(false);
            client.send(1, GET);
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aConnectionWithoutASessionIsClosed() throws IOException {
        try (var served = new ServedClients(settings(40, 500));
                RawClient silent = served.client();
                RawClient slow = served.client()) {
            slow.send("000000");
            assertTrue(silent.isClosedByServer());
            assertTrue(slow.isClosedByServer());
        }
    }

    @Test
    void aSilentConnectionIsClosed() throws IOException {
        try (var served = new ServedClients(settings(40, 10_000));
                RawClient client = served.client()) {
            client.connect(0, new byte[16], 100);
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aClientThatDoesNotReadIsClosed() throws IOException {
        try (var served = new ServedClients(settings(40, 10_000));
                RawClient client = served.client();
                RawClient other = served.connected()) {
            other.ask(1, create("/x", new byte[500_000]));
            client.connect(0, new byte[16], 100);
            Request get = new Request.GetData("/x", false);
            byte[] gets = RawClient.frames(get, get, get, get, get, get, get, get, get, get);
            boolean open = true;
            while (open) {
                try {
                    client.send(gets);
                } catch (IOException _) {
                    open = false;
                }
            }
        }
    }

    @Test
    void sessionsThatWereHeardFromAreReported() throws IOException {
        try (var served = new ServedClients(settings(40, 10_000));
                RawClient client = served.client();
                RawClient silent = served.client()) {
            long session = client.connect().session();
            long other = silent.connect().session();
            served.member.forgetTouches();
            client.ask(1, PING);
            while (!served.member.heardFrom(session)) {
                Thread.onSpinWait();
            }
            assertEquals(false, served.member.heardFrom(other));
        }
    }

    @Test
    void aTreeThatIsAnotherOneEndsEveryConnection() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected();
                RawClient other = served.connected()) {
            served.member.say(new Output.Replaced(Tree.initial()));
            assertTrue(client.isClosedByServer());
            assertTrue(other.isClosedByServer());
        }
    }

    @Test
    void aMemberMayCloseAConnection() throws IOException {
        try (var served = new ServedClients();
                RawClient client = served.connected()) {
            for (long connection = 1; connection < 3; connection++) {
                served.member.say(new Output.Close(connection, "a test"));
            }
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aDrainAnswersWhatWasRead() throws IOException {
        try (var served = new ServedClients();
                RawClient busy = served.connected();
                RawClient idle = served.connected();
                RawClient stranger = served.client()) {
            served.member.hold();
            busy.send(1, create("/x"));
            served.member.awaitHeld(1);
            var drained = served.server.drain(20_000);
            assertTrue(idle.isClosedByServer());
            assertTrue(stranger.isClosedByServer());
            served.member.release();
            assertEquals(0, busy.header().err());
            assertTrue(busy.isClosedByServer());
            drained.join();
        }
    }

    @Test
    void aDrainEndsAtItsDeadline() throws IOException {
        try (var served = new ServedClients();
                RawClient busy = served.connected()) {
            served.member.hold();
            busy.send(1, create("/x"));
            served.member.awaitHeld(1);
            served.server.drain(50).join();
            assertTrue(busy.isClosedByServer());
            served.member.release();
        }
    }

    private static ClientSettings settings(int tickMillis, int handshakeMillis) {
        return new ClientSettings(
                2, tickMillis, 0, 40_000, 0xfffff, -1, 60, 0, handshakeMillis, 1000, Set.of("*"));
    }

    private static Request create(String path) {
        return create(path, new byte[0]);
    }

    private static Request create(String path, byte[] data) {
        return new Request.Create(CreateOp.CREATE, path, data, Acl.OPEN, 0, 0);
    }
}
