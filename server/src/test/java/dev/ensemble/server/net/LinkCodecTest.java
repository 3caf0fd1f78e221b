package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Every message survives the wire, and nothing that is not a message gets through.
final class LinkCodecTest {
    private static final PlainPayloads PAYLOADS = new PlainPayloads();
    private static final LinkCodec CODEC = new LinkCodec(PAYLOADS);
    private static final long ZXID = 0x7_0000_0003L;
    private static final List<Id> WHO = List.of(Id.ANYONE, new Id("digest", "a:b"));

    static Stream<Message> messages() {
        var header = new Header(-5, 3, -1, 1L << 40 | 7, 1234);
        return Stream.concat(
                Stream.of(
                        new Message.Notification(
                                Message.State.PREPARING,
                                3,
                                ZXID,
                                7,
                                12,
                                Identity.State.FORMING,
                                Map.of(1, -9L, 2, 77L),
                                0x7_0000_0001L),
                        new Message.Notification(
                                Message.State.LOOKING,
                                0,
                                0,
                                0,
                                0,
                                Identity.State.BLANK,
                                Map.of(),
                                0),
                        new Message.FollowerInfo(6, 7),
                        new Message.LeaderInfo("the-ensemble", 7),
                        new Message.AckEpoch(true, 6, ZXID, List.of(0x5_0000_0001L, ZXID)),
                        new Message.Diff(),
                        new Message.Trunc(ZXID),
                        new Message.Snap(ZXID),
                        new Message.Proposal(ZXID, PAYLOADS.encode(header, new Txn.Delete("/ü"))),
                        new Message.Commit(ZXID),
                        new Message.NewLeader(ZXID),
                        new Message.AckNewLeader(),
                        new Message.UpToDate(ZXID),
                        new Message.Ack(ZXID),
                        new Message.Ping(9, ZXID, true, List.of("a reason", "another"), true),
                        new Message.Pong(9, true),
                        new Message.HandOver(254),
                        new Message.Rejected("not you"),
                        new Message.ForwardConnect(1, 0, 4000, new byte[16], false),
                        new Message.ForwardConnect(1, 7, 4000, new byte[16], true),
                        new Message.ConnectRefused(1),
                        new Message.SyncRequest(-2),
                        new Message.SyncReply(-2, ZXID),
                        new Message.TreeDigest(ZXID, -5, true, 1),
                        new Message.Touched(new long[] {1, -1, Long.MIN_VALUE})),
                writes().map(write -> new Message.Forward(4, 5, 6, write, WHO)));
    }

    static Stream<Request.Write> writes() {
        return Stream.of(
                new Request.Create(Request.CreateOp.TTL, "/a", new byte[] {1}, Acl.OPEN, 5, 1000),
                new Request.Create(Request.CreateOp.CREATE, null, null, null, 0, 0),
                new Request.Create(Request.CreateOp.CONTAINER, "", new byte[0], List.of(), -1, -1),
                new Request.Delete("/a", -1),
                new Request.Delete(null, 3),
                new Request.SetData("/a", new byte[] {-1, 0}, 2),
                new Request.SetData(null, null, 2),
                new Request.SetAcl("/a", Acl.READ_ONLY, 2),
                new Request.SetAcl(null, null, 2),
                new Request.Check("/a", 2),
                new Request.Check(null, -1),
                new Request.Multi(List.of(new Request.Check("/a", 0), new Request.Delete("/a", 0))),
                new Request.CloseSession(),
                new Request.Reconfig("server.4=h:1:2", "3", null, -1),
                new Request.Reconfig(null, null, "server.1=h:1:2", 7),
                new Request.MalformedWrite(14));
    }

    @Test
    void samplesHoldEveryMessageAndEveryWrite() {
        assertEquals(
                Set.of(Message.class.getPermittedSubclasses()),
                new HashSet<>(messages().map(Object::getClass).toList()));
        assertEquals(
                Set.of(Request.Write.class.getPermittedSubclasses()),
                new HashSet<>(writes().map(Object::getClass).toList()));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void survivesTheWire(Message message) {
        Frame sent = CODEC.encode(42, 7, message);
        Frame got = overTheWire(sent);
        assertEquals(sent, got);
        assertEquals(42, got.getIncarnation());
        assertEquals(7, got.getEpoch());
        Message decoded = CODEC.decode(got);
        assertNotNull(decoded);
        assertEquals(describe(message), describe(decoded));
    }

    @Test
    void helloSurvives() {
        var hello = new Hello(1, "id", 254, -4, 9, Identity.State.MEMBER, "record");
        PeerProto.Hello sent = LinkCodec.hello(hello, 3, 5);
        assertEquals(3, sent.getTo());
        assertEquals(5, sent.getLastLink());
        assertEquals(hello, LinkCodec.hello(sent));
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        Frame nothing = Frame.newBuilder().setIncarnation(1).build();
        assertThrows(IllegalArgumentException.class, () -> CODEC.decode(nothing));
        Frame negative =
                Frame.newBuilder().setCommit(PeerProto.Commit.newBuilder().setZxid(-1)).build();
        assertThrows(IllegalArgumentException.class, () -> CODEC.decode(negative));
        Frame noTransaction =
                Frame.newBuilder().setProposal(PeerProto.Proposal.newBuilder().setZxid(1)).build();
        assertThrows(IllegalArgumentException.class, () -> CODEC.decode(noTransaction));
    }

    @Test
    void refusesALengthBeforeItAllocates() {
        for (int length : new int[] {-1, Integer.MIN_VALUE, FrameDecoder.HELLO_BYTES + 1}) {
            var channel = new EmbeddedChannel(new FrameDecoder());
            ByteBuf four = Unpooled.buffer().writeInt(length);
            assertThrows(DecoderException.class, () -> channel.writeInbound(four));
        }
    }

    /// Whatever the bytes, the decoder gives a frame, waits for more or throws what closes the
    /// connection.
    @Test
    void damagedFramesAreRefusedOrUnderstood() {
        var random = new Random(20261121);
        List<byte[]> samples = new ArrayList<>();
        messages().forEach(message -> samples.add(CODEC.encode(1, 2, message).toByteArray()));
        int refused = 0;
        int understood = 0;
        for (int i = 0; i < 40_000; i++) {
            byte[] bytes = samples.get(random.nextInt(samples.size())).clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            if (random.nextInt(4) == 0) {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 8));
            }
            try {
                CODEC.decode(Frame.parseFrom(bytes));
                understood++;
            } catch (IllegalArgumentException | InvalidProtocolBufferException _) {
                refused++;
            }
        }
        assertTrue(refused > 1000 && understood > 1000, refused + " and " + understood);
    }

    private static Frame overTheWire(Frame frame) {
        var out = new EmbeddedChannel(new FrameEncoder());
        out.writeOutbound(frame);
        ByteBuf bytes = out.readOutbound();
        var in = new EmbeddedChannel(new FrameDecoder());
        // Byte by byte: frames do not arrive in one piece.
        while (bytes.isReadable()) {
            in.writeInbound(bytes.readBytes(1));
        }
        bytes.release();
        return in.readInbound();
    }

    /// {@return a value as text, arrays inside of records included}
    private static String describe(Object value) {
        return switch (value) {
            case null -> "null";
            case byte[] bytes -> Arrays.toString(bytes);
            case long[] longs -> Arrays.toString(longs);
            case List<?> list -> list.stream().map(LinkCodecTest::describe).toList().toString();
            case Map<?, ?> map -> new TreeMap<>(map).toString();
            case Record fields -> {
                var text = new StringBuilder(fields.getClass().getSimpleName());
                for (RecordComponent component : fields.getClass().getRecordComponents()) {
                    try {
                        text.append(' ').append(describe(component.getAccessor().invoke(fields)));
                    } catch (ReflectiveOperationException e) {
                        throw new IllegalStateException(e);
                    }
                }
                yield text.toString();
            }
            default -> value.toString();
        };
    }
}
