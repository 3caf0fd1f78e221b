package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The order that a client is promised (`client-protocol` section 8, `safety` 4).
final class PipelineTest {
    private static final Request GET = new Request.GetData("/x", false);
    private static final Request WATCH = new Request.GetData("/x", true);
    private static final Request SYNC = new Request.Sync("/x");

    private ServedClients served;
    private RawClient client;
    private RawClient other;

    @BeforeEach
    void start() throws IOException {
        served = new ServedClients();
        client = served.connected();
        other = served.connected();
        assertEquals(0, client.ask(1, create("/x")).err());
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        other.close();
        served.close();
    }

    @Test
    void aReadBetweenTwoWritesSeesTheFirstAndIsToldOfTheSecond() throws IOException {
        served.member.hold();
        client.send(RawClient.frames(set("1"), WATCH, set("2")));
        served.member.awaitHeld(2);
        served.member.release();
        client.reply(set("1"));
        assertData("1", client.reply(WATCH));
        assertEquals("/x", client.event().path());
        client.reply(set("2"));
    }

    @Test
    void aReadWaitsForTheWritesInFrontOfItAndForNobodyElses() throws IOException {
        served.member.hold();
        client.send(RawClient.frames(set("1"), GET, set("2"), GET));
        served.member.awaitHeld(2);
        other.send(1, GET);
        assertData("", other.reply(GET));
        served.member.release();
        client.reply(set("1"));
        assertData("1", client.reply(GET));
        client.reply(set("2"));
        assertData("2", client.reply(GET));
    }

    /// The two clients are on different threads.
    @Test
    void aReadSeesWhatAnotherClientWasTold() throws IOException {
        for (int i = 0; i < 2000; i++) {
            long written = client.ask(i, set(String.valueOf(i))).zxid();
            assertTrue(other.ask(i, GET).zxid() >= written);
        }
    }

    /// A write behind the read does not make the read early, nor late.
    @Test
    void aReadInFrontOfAWriteSeesWhatAnotherClientWasToldAndNotThatWrite() throws IOException {
        for (int i = 0; i < 2000; i++) {
            long written = client.ask(i, set(String.valueOf(i))).zxid();
            other.send(RawClient.frames(GET, set("later"), GET));
            Reply.Data first = assertInstanceOf(Reply.Data.class, other.reply(GET));
            assertData(String.valueOf(i), first);
            assertTrue(first.stat().mzxid() >= written);
            other.reply(set("later"));
            assertData("later", other.reply(GET));
        }
    }

    @Test
    void anEventComesBeforeTheAnswerOfTheWriteThatCausedIt() throws IOException {
        client.send(RawClient.frames(WATCH, set("1"), GET));
        assertData("", client.reply(WATCH));
        assertEquals("/x", client.event().path());
        client.reply(set("1"));
        assertData("1", client.reply(GET));
    }

    @Test
    void writesBehindASyncWaitForIt() throws IOException {
        served.member.hold();
        client.send(RawClient.frames(set("1"), SYNC, SYNC, GET, set("2"), GET));
        assertEquals(3, served.member.awaitHeld(3));
        served.member.release();
        client.reply(set("1"));
        assertEquals(new Reply.Path("/x"), client.reply(SYNC));
        assertEquals(new Reply.Path("/x"), client.reply(SYNC));
        assertData("1", client.reply(GET));
        client.reply(set("2"));
        assertData("2", client.reply(GET));
    }

    @Test
    void repliesComeInTheOrderOfRequests() throws IOException {
        int count = 3000;
        List<Request> sent = new ArrayList<>();
        var bytes = new java.io.ByteArrayOutputStream();
        for (int i = 1; i <= count; i++) {
            Request request =
                    switch (i % 4) {
                        case 0 -> set(String.valueOf(i));
                        case 1 -> SYNC;
                        case 2 -> new Request.Ping();
                        default -> GET;
                    };
            sent.add(request);
            bytes.write(RawClient.frame(i, request));
        }
        client.send(bytes.toByteArray());
        String last = "";
        for (int i = 1; i <= count; i++) {
            Request request = sent.get(i - 1);
            Reply reply = client.reply(request);
            if (request instanceof Request.SetData) {
                last = String.valueOf(i);
            } else if (request.equals(GET)) {
                assertData(last, reply);
            }
        }
    }

    @Test
    void nothingBehindTheEndOfASessionHappens() throws IOException {
        client.send(RawClient.frames(new Request.CloseSession(), create("/late"), GET));
        assertEquals(new Reply.None(), client.reply(new Request.CloseSession()));
        assertTrue(client.isClosedByServer());
        assertEquals(Code.NO_NODE.number(), other.ask(1, new Request.Exists("/late", false)).err());
    }

    @Test
    void whatCannotBeReadIsAnsweredInItsTurn() throws IOException {
        served.member.hold();
        client.send(RawClient.frames(set("1")));
        client.send("0000000e0000000200000003000000056162"); // exists, cut off
        client.send("0000000c000000030000000100000005"); // create, cut off
        client.send(4, GET);
        served.member.awaitHeld(2);
        served.member.release();
        client.reply(set("1"));
        assertEquals(Code.MARSHALLING_ERROR.number(), client.header().err());
        assertEquals(Code.MARSHALLING_ERROR.number(), client.header().err());
        assertData("1", client.reply(GET));
    }

    @Test
    void anIdentityHoldsForWhatComesBehindIt() throws IOException {
        served.member.hold();
        client.send(RawClient.frames(set("1"), new Request.WhoAmI()));
        client.send(-4, new Request.Auth(0, "digest", "u:p".getBytes(StandardCharsets.UTF_8)));
        client.send(5, new Request.WhoAmI());
        assertEquals(-4, client.header().xid());
        served.member.awaitHeld(1);
        served.member.release();
        client.reply(set("1"));
        assertEquals(1, users(client.reply(new Request.WhoAmI())));
        assertEquals(2, users(client.reply(new Request.WhoAmI())));
    }

    private static int users(Reply reply) {
        return assertInstanceOf(Reply.Identities.class, reply).users().size();
    }

    private static void assertData(String expected, Reply reply) {
        byte[] data = assertInstanceOf(Reply.Data.class, reply).data();
        assertArrayEquals(expected.getBytes(StandardCharsets.UTF_8), data);
    }

    private static Request set(String data) {
        return new Request.SetData("/x", data.getBytes(StandardCharsets.UTF_8), -1);
    }

    private static Request create(String path) {
        return new Request.Create(CreateOp.CREATE, path, new byte[0], Acl.OPEN, 0, 0);
    }
}
