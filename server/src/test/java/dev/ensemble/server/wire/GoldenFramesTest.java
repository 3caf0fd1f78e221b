package dev.ensemble.server.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.WatchEvent;
import dev.ensemble.server.wire.ClientCodec.ReplyHeader;
import dev.ensemble.server.wire.ClientCodec.RequestHeader;
import dev.ensemble.server.wire.WireVectors.Vector;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;

/// What ZooKeeper 3.9.5 and its clients sent, both ways: read, and written again to the same bytes.
final class GoldenFramesTest {
    private static final Set<String> HANDSHAKES = Set.of("V01", "V02", "V55", "V56", "V57", "V59");

    /// Requests that keep nothing of their body, and what they are read as.
    private static final Set<String> NOT_WRITTEN_AGAIN = Set.of("V34", "V52", "V53");

    static List<Vector> vectors() {
        return WireVectors.all();
    }

    static List<Vector> requests() {
        return vectors().stream().filter(v -> !HANDSHAKES.contains(v.name())).toList();
    }

    @Test
    void nothingOfTheFileIsMissed() {
        assertEquals(59, vectors().size());
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void requestsAreWrittenAsTheyWereRead(Vector vector) {
        ByteBuf frame = bytes(vector.sent());
        ByteBuf out = Unpooled.buffer();
        if (HANDSHAKES.contains(vector.name())) {
            Handshake.write(out, Handshake.readRequest(body(frame)));
        } else if (!NOT_WRITTEN_AGAIN.contains(vector.name())) {
            ByteBuf in = body(frame);
            RequestHeader header = ClientCodec.readRequestHeader(in);
            Request request = ClientCodec.decode(header.type(), in);
            assertEquals(0, in.readableBytes());
            assertEquals(header.type(), ClientCodec.type(request));
            ClientCodec.writeRequest(out, header.xid(), request);
        } else {
            out.writeBytes(frame.duplicate());
        }
        assertEquals(hex(frame), hex(out));
    }

    @Test
    void whatCannotBeReadKeepsItsTypeAlone() {
        assertEquals(new Request.MalformedWrite(Op.MULTI), request("V34"));
        assertEquals(new Request.MalformedRead(Op.EXISTS), request("V52"));
        assertEquals(new Request.Unknown(Op.CHECK), request("V53"));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void repliesAreWrittenAsTheyWereRead(Vector vector) {
        for (String line : vector.received()) {
            ByteBuf frame = bytes(line);
            ByteBuf out = Unpooled.buffer();
            if (HANDSHAKES.contains(vector.name())) {
                Handshake.write(
                        out, Handshake.readResponse(body(frame)), !vector.name().equals("V02"));
            } else {
                copyReply(vector, body(frame), out);
            }
            assertEquals(hex(frame), hex(out));
        }
    }

    private static void copyReply(Vector vector, ByteBuf in, ByteBuf out) {
        ReplyHeader header = ClientCodec.readReplyHeader(in);
        if (header.xid() == ClientCodec.EVENT_XID) {
            ClientCodec.Event event = ClientCodec.readEvent(in);
            assertEquals(3, event.state());
            var type =
                    Arrays.stream(WatchEvent.Type.values())
                            .filter(each -> each.number() == event.type())
                            .findFirst()
                            .orElseThrow();
            ClientCodec.writeEvent(out, header.zxid(), type, event.path());
        } else if (header.err() != 0) {
            ClientCodec.writeHeader(out, header.xid(), header.zxid(), Code.of(header.err()));
        } else {
            Request request = request(vector.name());
            Reply reply = ClientCodec.readReply(request, in);
            ClientCodec.writeReply(out, header.xid(), header.zxid(), request, reply);
        }
        assertFalse(in.isReadable());
    }

    /// A body that ends early is malformed, whatever it was, and costs no exception but the codec's
    /// own.
    @ParameterizedTest
    @MethodSource("requests")
    void everyBodyThatEndsEarlyIsMalformed(Vector vector) {
        ByteBuf in = body(bytes(vector.sent()));
        int type = ClientCodec.readRequestHeader(in).type();
        for (int length = 0; length < in.readableBytes(); length++) {
            ByteBuf part = in.slice(in.readerIndex(), length);
            switch (type) {
                case Op.AUTH ->
                        assertThrows(
                                MalformedException.class, () -> ClientCodec.decode(type, part));
                case Op.CHECK -> assertInstanceOf(Request.Unknown.class, decode(type, part));
                case Op.CREATE, Op.CREATE2, Op.DELETE, Op.SET_DATA, Op.SET_ACL, Op.MULTI ->
                        assertEquals(new Request.MalformedWrite(type), decode(type, part));
                case Op.RECONFIG, Op.CREATE_CONTAINER, Op.CREATE_TTL ->
                        assertEquals(new Request.MalformedWrite(type), decode(type, part));
                default -> assertEquals(new Request.MalformedRead(type), decode(type, part));
            }
        }
    }

    /// Members forward writes in these bytes.
    @ParameterizedTest
    @MethodSource("requests")
    void bodiesAloneSurviveToo(Vector vector) {
        Request request = request(vector.name());
        byte[] body = ClientCodec.encode(request);
        Request again = ClientCodec.decode(ClientCodec.type(request), body);
        assertEquals(
                HexFormat.of().formatHex(body),
                HexFormat.of().formatHex(ClientCodec.encode(again)));
        assertEquals(request.getClass(), again.getClass());
    }

    private static Request decode(int type, ByteBuf body) {
        return ClientCodec.decode(type, body);
    }

    private static Request request(String name) {
        Vector vector =
                vectors().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
        ByteBuf in = body(bytes(vector.sent()));
        return ClientCodec.decode(ClientCodec.readRequestHeader(in).type(), in);
    }

    /// {@return the frame behind its length, which must be right}
    private static ByteBuf body(ByteBuf frame) {
        ByteBuf body = frame.duplicate();
        assertEquals(body.readInt(), body.readableBytes());
        return body;
    }

    private static ByteBuf bytes(String hex) {
        String known = WireVectors.VARIABLE.matcher(hex).replaceAll(GoldenFramesTest::value);
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(known));
    }

    private static String value(MatchResult variable) {
        return "5a".repeat(Integer.parseInt(variable.group(2)));
    }

    private static String hex(ByteBuf bytes) {
        return HexFormat.of().formatHex(io.netty.buffer.ByteBufUtil.getBytes(bytes));
    }
}
