package dev.ensemble.server.node;

import dev.ensemble.server.differential.Connection;
import dev.ensemble.server.differential.Programs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// One attacker: connections with requests of all kinds, most of them spoiled, by its seed.
final class HostileFrames {
    private static final int MOST_IN_A_BATCH = 60;
    private static final int PING_XID = -2;
    private static final byte[] PING = {0, 0, 0, 8, -1, -1, -1, -2, 0, 0, 0, 11};

    /// What other protocols, or commands, begin with.
    private static final List<byte[]> BEGINNINGS =
            List.of(
                    "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                    new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, -4, 3, 3},
                    "ruok".getBytes(StandardCharsets.US_ASCII),
                    "mntr".getBytes(StandardCharsets.US_ASCII),
                    "stmk1234567".getBytes(StandardCharsets.US_ASCII),
                    new byte[] {-1, -1, -1, -1, 0, 0, 0, 0},
                    new byte[] {0, 15, -1, -1, 1, 2, 3},
                    new byte[0]);

    private final Random random;
    private final List<Integer> ports;

    /// @param ports of the members under attack
    HostileFrames(long seed, List<Integer> ports) {
        this.random = new Random(seed);
        random.nextLong();
        this.ports = ports;
    }

    /// Sends at least so many frames. A connection that is ended by the server is what it is for; a
    /// server that neither answers nor ends it fails.
    void send(int frames) throws IOException {
        for (int sent = 0; sent < frames; ) {
            int port = ports.get(random.nextInt(ports.size()));
            try (var connection = new Connection(port)) {
                if (random.nextInt(8) == 0) {
                    beforeTheHandshake(connection);
                    sent++;
                } else {
                    sent += batch(connection);
                }
            }
        }
    }

    private void beforeTheHandshake(Connection connection) throws IOException {
        byte[] first =
                random.nextBoolean()
                        ? BEGINNINGS.get(random.nextInt(BEGINNINGS.size()))
                        : spoiled(handshake());
        attempt(connection, first);
    }

    private int batch(Connection connection) throws IOException {
        int count = 1 + random.nextInt(MOST_IN_A_BATCH);
        List<byte[]> frames = new ArrayList<>();
        boolean whole = true;
        byte[] previous = new byte[0];
        for (byte[] frame : Programs.frames(random, count)) {
            if (random.nextInt(400) == 0) {
                frames.add(spoiled(frame));
                whole = false;
            } else {
                frames.add(
                        switch (random.nextInt(8)) {
                            case 0, 1 -> frame;
                            case 2 -> spliced(previous, frame);
                            default -> spoiledBody(frame);
                        });
            }
            previous = frame;
        }
        connection.send(handshake());
        if (connection.receive() == null) {
            return 1;
        }
        if (whole) {
            frames.add(PING);
            askUntilPing(connection, frames.toArray(byte[][]::new));
        } else {
            attempt(connection, frames.toArray(byte[][]::new));
        }
        return count;
    }

    /// Everything in front of the ping is answered, or the connection ended.
    private static void askUntilPing(Connection connection, byte[]... frames) {
        try {
            connection.send(frames);
        } catch (IOException _) {
            return; // Ended in the middle of it.
        }
        ByteBuffer answer = connection.receive();
        while (answer != null && answer.getInt(0) != PING_XID) {
            answer = connection.receive();
        }
    }

    private static void attempt(Connection connection, byte[]... frames) {
        try {
            connection.send(frames);
            connection.finish();
        } catch (IOException _) {
            // The server has ended it while this end was still sending.
        }
    }

    private byte[] handshake() {
        return Connection.handshake(
                0, 1000, random.nextInt(20) == 0 ? random.nextLong() : 0, new byte[16], true);
    }

    /// Any byte may have changed, those of the length too.
    private byte[] spoiled(byte[] frame) {
        byte[] spoiled = frame.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            spoiled[random.nextInt(spoiled.length)] = (byte) random.nextInt();
        }
        return random.nextInt(4) == 0
                ? Arrays.copyOf(spoiled, random.nextInt(spoiled.length))
                : spoiled;
    }

    /// As long as its length says, so that what comes behind it is read.
    private byte[] spoiledBody(byte[] frame) {
        byte[] body = Arrays.copyOfRange(frame, 4, frame.length);
        // The xid is anything; the type most often stays one that is known.
        int from = random.nextInt(12) == 0 ? 4 : 8;
        if (body.length <= from) {
            return frame;
        }
        switch (random.nextInt(4)) {
            case 0 -> body = Arrays.copyOf(body, from + random.nextInt(body.length - from));
            case 1 -> body = Arrays.copyOf(body, body.length + random.nextInt(40));
            case 2 -> {
                for (int i = random.nextInt(4); i >= 0; i--) {
                    int at = from + random.nextInt(body.length - from);
                    body[at] ^= (byte) (1 << random.nextInt(8));
                }
            }
            default -> {
                int at = from + random.nextInt(Math.max(1, body.length - from - 3));
                int[] numbers = {-1, -2, Integer.MIN_VALUE, Integer.MAX_VALUE, 0, 1 << 20, 65536};
                if (at + 4 <= body.length) {
                    ByteBuffer.wrap(body).putInt(at, numbers[random.nextInt(numbers.length)]);
                }
            }
        }
        return Connection.framed(body);
    }

    /// The beginning of one with the end of another.
    private byte[] spliced(byte[] one, byte[] two) {
        if (one.length < 12) {
            return two;
        }
        var body = new ByteArrayOutputStream();
        int cut = 4 + random.nextInt(one.length - 4);
        body.write(one, 4, cut - 4);
        int from = 4 + random.nextInt(two.length - 4);
        body.write(two, from, two.length - from);
        return Connection.framed(body.toByteArray());
    }
}
