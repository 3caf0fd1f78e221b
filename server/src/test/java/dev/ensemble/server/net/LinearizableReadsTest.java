package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Which requests of a connection that asks for it wait for a round, with which others, and in
/// which order all are answered. That a round makes reads linearizable is the simulation's to show.
final class LinearizableReadsTest {
    private static final Request GET = new Request.GetData("/x", false);
    private static final List<Request> READS =
            List.of(
                    GET,
                    new Request.Exists("/x", false),
                    new Request.GetAcl("/x"),
                    new Request.GetChildren("/", false, false),
                    new Request.GetChildren("/", false, true),
                    new Request.GetAllChildrenNumber("/"),
                    new Request.GetEphemerals(null),
                    new Request.MultiRead(List.of(new Request.GetData("/x", false))));

    private ServedClients served;
    private RawClient client;
    private RawClient ordinary;

    @BeforeEach
    void start() throws IOException {
        served = new ServedClients();
        client = served.connected();
        ordinary = served.connected();
        assertEquals(0, client.ask(1, create("/x", Acl.OPEN)).err());
        assertEquals(0, ask("linearizable"));
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        ordinary.close();
        served.close();
    }

    private int ask(String what) throws IOException {
        client.send(-4, new Request.Auth(0, "reads", what.getBytes(StandardCharsets.UTF_8)));
        return client.header().err();
    }

    @Test
    void eachReadWaitsForARound() throws IOException {
        for (Request read : READS) {
            served.member.hold();
            client.send(1, read);
            assertEquals(1, served.member.awaitHeld(1), () -> "of " + read);
            ordinary.send(1, read);
            ordinary.reply(read);
            served.member.release();
            client.reply(read);
        }
    }

    @Test
    void whatSaysNothingOfTheTreeDoesNotWait() throws IOException {
        served.member.hold();
        for (Request each :
                List.of(
                        new Request.Ping(),
                        new Request.WhoAmI(),
                        new Request.AddWatch("/x", 0),
                        new Request.CheckWatches("/x", 3),
                        new Request.RemoveWatches("/x", 3))) {
            client.send(1, each);
            client.header();
        }
        served.member.release();
    }

    @Test
    void readsOfOneTurnShareARound() throws IOException {
        served.member.hold();
        Request[] many = new Request[40];
        Arrays.fill(many, GET);
        client.send(RawClient.frames(many));
        int rounds = served.member.awaitHeld(1);
        assertTrue(rounds < many.length / 2, () -> "rounds: " + rounds);
        served.member.release();
        for (Request each : many) {
            assertData("", client.reply(each));
        }
    }

    @Test
    void writesBehindAReadWaitForIt() throws IOException {
        Request watch = new Request.GetData("/x", true);
        served.member.hold();
        client.send(RawClient.frames(set("1"), watch, set("2"), GET));
        assertEquals(2, served.member.awaitHeld(2));
        served.member.release();
        client.reply(set("1"));
        assertData("1", client.reply(watch));
        assertEquals("/x", client.event().path());
        client.reply(set("2"));
        assertData("2", client.reply(GET));
    }

    @Test
    void aReadSeesWhatOthersWroteWhileItWaited() throws IOException {
        served.member.hold();
        client.send(1, GET);
        served.member.awaitHeld(1);
        ordinary.send(1, set("1"));
        served.member.awaitHeld(2);
        served.member.release();
        ordinary.reply(set("1"));
        client.reply(GET);
        assertData("1", read());
    }

    private Reply read() throws IOException {
        client.send(2, GET);
        return client.reply(GET);
    }

    @Test
    void allGoOnInTheirOrderWhenThereIsALeaderAgain() throws IOException {
        served.serve(false);
        client.send(RawClient.frames(set("1"), GET, set("2"), GET, new Request.Sync("/x"), GET));
        served.serve(true);
        client.reply(set("1"));
        assertData("1", client.reply(GET));
        client.reply(set("2"));
        assertData("2", client.reply(GET));
        assertEquals(new Reply.Path("/x"), client.reply(new Request.Sync("/x")));
        assertData("2", client.reply(GET));
    }

    @Test
    void repliesComeInTheOrderOfRequests() throws IOException {
        int count = 1000;
        var bytes = new java.io.ByteArrayOutputStream();
        for (int i = 1; i <= count; i++) {
            bytes.write(RawClient.frame(i, i % 3 == 0 ? set(String.valueOf(i)) : GET));
        }
        client.send(bytes.toByteArray());
        String last = "";
        for (int i = 1; i <= count; i++) {
            if (i % 3 == 0) {
                client.reply(set(""));
                last = String.valueOf(i);
            } else {
                assertData(last, client.reply(GET));
            }
        }
    }

    @Test
    void askingForItAddsNoIdentity() throws IOException {
        var whoAmI = new Request.WhoAmI();
        client.send(1, whoAmI);
        Reply.Identities shown = assertInstanceOf(Reply.Identities.class, client.reply(whoAmI));
        assertEquals(1, shown.users().size());
        var acl = List.of(new Acl(31, new Id("reads", "linearizable")));
        assertEquals(Code.INVALID_ACL.number(), client.ask(2, create("/y", acl)).err());
        assertEquals(
                Code.INVALID_ACL.number(),
                client.ask(3, create("/y", List.of(new Acl(31, new Id("auth", ""))))).err());
    }

    @Test
    void anyOtherWordIsRefused() throws IOException {
        assertEquals(Code.AUTH_FAILED.number(), ask("somewhat"));
        assertTrue(client.isClosedByServer());
    }

    @Test
    void aMemberCanDoItForAll() throws IOException {
        try (var all = new ServedClients(ServedClients.SETTINGS.withLinearizableReads());
                var any = all.connected()) {
            all.member.hold();
            any.send(1, new Request.Exists("/", false));
            assertEquals(1, all.member.awaitHeld(1));
            all.member.release();
            any.reply(new Request.Exists("/", false));
        }
    }

    private static void assertData(String expected, Reply reply) {
        byte[] data = assertInstanceOf(Reply.Data.class, reply).data();
        assertArrayEquals(expected.getBytes(StandardCharsets.UTF_8), data);
    }

    private static Request set(String data) {
        return new Request.SetData("/x", data.getBytes(StandardCharsets.UTF_8), -1);
    }

    private static Request create(String path, List<Acl> acl) {
        return new Request.Create(CreateOp.CREATE, path, new byte[0], acl, 0, 0);
    }
}
