package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// What is not as it should be costs at most its own connection (`client-protocol` section 13).
/// Another client is asked afterwards, and no buffer may be left behind.
final class BadInputTest {
    private static final Request PING = new Request.Ping();

    private ServedClients served;
    private RawClient other;

    @BeforeEach
    void start() throws IOException {
        served = new ServedClients();
        other = served.connected();
    }

    @AfterEach
    void theOthersAreNotDisturbed() throws IOException {
        assertEquals(-2, other.ask(1, PING).xid());
        other.close();
        served.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00100000", // Longer than jute.maxbuffer.
                "7fffffff",
                "ffffffff",
                "80000000",
                "00000000", // No room for a handshake.
                "0000000400000000",
                "0000001b0000000000000000000000000000271000000000000000000000ffff",
                "fff4fffd",
                "474554202f20485454502f312e310d0a0d0a", // GET / HTTP/1.1
                "16030100",
            })
    void aFirstFrameThatIsNoneEndsTheConnection(String hex) throws IOException {
        try (RawClient client = served.client()) {
            client.send(hex);
            assertTrue(client.isClosedByServer());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"00100000", "7fffffff", "ffffffff", "00000000", "0000000700000000000000"})
    void aLaterFrameThatIsNoneEndsTheConnection(String hex) throws IOException {
        try (RawClient client = served.connected()) {
            client.send(RawClient.frame(1, PING));
            client.header();
            client.send(hex);
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void theLongestFrameIsRead() throws IOException {
        try (RawClient client = served.connected()) {
            int around = RawClient.frame(1, create("/x", new byte[0])).length - 4;
            assertEquals(0, client.ask(1, create("/x", new byte[0xfffff - around])).err());
            byte[] tooLong = RawClient.frame(2, create("/y", new byte[0xfffff - around + 1]));
            client.send(Arrays.copyOf(tooLong, 12));
            assertTrue(client.isClosedByServer());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-10, -1, 0, 10, 13, 20, 23, 99, 108, 1000, -100, Integer.MIN_VALUE})
    void anOpcodeThatNobodyKnowsIsAnsweredAndEndsTheConnection(int type) throws IOException {
        try (RawClient client = served.connected()) {
            client.send(1, new Request.Unknown(type));
            var header = client.header();
            assertEquals(Code.UNIMPLEMENTED.number(), header.err());
            assertEquals(-1, header.zxid());
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aPathThatIsNoneIsRefused() throws IOException {
        try (RawClient client = served.connected()) {
            for (String path : List.of("x", "/..", "/x\u0000", "/\ud83d\ude00")) {
                assertEquals(
                        Code.BAD_ARGUMENTS.number(),
                        client.ask(1, create(path, new byte[0])).err());
            }
        }
    }

    @Test
    void anAuthPacketThatCannotBeReadEndsTheConnection() throws IOException {
        try (RawClient client = served.connected()) {
            client.send("0000000cfffffffc0000006400000000");
            assertTrue(client.isClosedByServer());
        }
    }

    @Test
    void aFrameMayComeByteByByte() throws IOException {
        try (RawClient client = served.client()) {
            var bytes = new ByteArrayOutputStream();
            bytes.writeBytes(new byte[] {0, 0, 0, 45});
            bytes.writeBytes(new byte[45]);
            bytes.writeBytes(RawClient.frame(1, create("/x", new byte[10])));
            for (byte each : bytes.toByteArray()) {
                client.send(new byte[] {each});
            }
            client.receive();
            assertEquals(0, client.header().err());
        }
    }

    @Test
    void halfAFrameIsForgottenWithItsConnection() throws IOException {
        for (int i = 0; i < 20; i++) {
            try (RawClient client = served.connected()) {
                client.send("000fffff" + "00".repeat(1000 * i));
            }
        }
    }

    @Test
    void randomBytesDoNoHarm() throws IOException {
        var random = new Random(7);
        for (int i = 0; i < 200; i++) {
            byte[] garbage = new byte[random.nextInt(400)];
            random.nextBytes(garbage);
            try (RawClient client = i % 2 == 0 ? served.connected() : served.client()) {
                client.send(garbage);
            } catch (SocketException _) {
                // It has been closed already.
            }
        }
    }

    @Test
    void randomBodiesAreAnsweredOrEndTheConnection() throws IOException {
        var random = new Random(11);
        int[] types = {
            1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 19, 21, 22, 101, 103, 105, 106
        };
        try (RawClient client = served.connected()) {
            for (int i = 0; i < 1000; i++) {
                byte[] body = new byte[random.nextInt(60)];
                random.nextBytes(body);
                if (random.nextBoolean() && body.length > 4) {
                    body[0] = 0;
                    body[1] = 0;
                    body[2] = 0;
                }
                var frame = java.nio.ByteBuffer.allocate(12 + body.length);
                frame.putInt(8 + body.length)
                        .putInt(i + 1)
                        .putInt(types[random.nextInt(types.length)]);
                client.send(frame.put(body).array());
                int xid = client.header().xid();
                while (xid == -1) {
                    xid = client.header().xid(); // Events of watches on what came of it.
                }
                assertEquals(i + 1, xid);
            }
        }
    }

    @Test
    void tooManyConnectionsOfOneAddressAreClosed() throws IOException {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 1; i < ServedClients.SETTINGS.maxPerAddress(); i++) {
            clients.add(served.connected());
        }
        try (RawClient oneMore = served.client()) {
            assertTrue(oneMore.isClosedByServer());
        }
        for (RawClient client : clients) {
            assertEquals(0, client.ask(1, PING).err());
            client.close();
        }
        try (RawClient afterwards = awaitRoom()) {
            assertNotEquals(0, afterwards.connect().session());
        }
    }

    private RawClient awaitRoom() throws IOException {
        while (served.server.stats().connections() > 1) {
            Thread.onSpinWait();
        }
        return served.client();
    }

    private static Request create(String path, byte[] data) {
        return new Request.Create(CreateOp.CREATE, path, data, Acl.OPEN, 0, 0);
    }
}
