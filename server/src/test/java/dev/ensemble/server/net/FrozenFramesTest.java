package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;

import dev.ensemble.server.FrozenFormats;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.store.TxnCodec;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Frames that an older build has sent are understood, and mean what they meant.
final class FrozenFramesTest {
    private static final String FRAMES = "frames.txt";
    private static final String SCHEMA = "peer.desc";
    private static final LinkCodec CODEC = new LinkCodec(new TxnCodec());

    @Test
    void schemaHasWhatItHad() throws IOException {
        for (int version = 1; version <= FrozenFormats.VERSION; version++) {
            FrozenFormats.assertCompatible(version, SCHEMA, PeerProto.getDescriptor());
        }
    }

    @Test
    void framesMeanWhatTheyMeant() throws IOException {
        for (int version = 1; version <= FrozenFormats.VERSION; version++) {
            List<String> lines =
                    new String(FrozenFormats.read(version, FRAMES), StandardCharsets.US_ASCII)
                            .lines()
                            .toList();
            assertTrue(lines.size() > 30, () -> lines.size() + " frames");
            for (String line : lines) {
                Frame frame = Frame.parseFrom(HexFormat.of().parseHex(line));
                var message = CODEC.decode(frame);
                assertNotNull(message, line);
                // What is new may be added, what was there may not change.
                assertHolds(
                        frame,
                        CODEC.encode(frame.getIncarnation(), frame.getEpoch(), message),
                        frame.getBodyCase().name());
            }
        }
    }

    private static void assertHolds(Message then, Message now, String where) {
        for (FieldDescriptor field : then.getAllFields().keySet()) {
            String name = where + "." + field.getName();
            if (field.isMapField()) {
                assertEquals(entries(then, field), entries(now, field), name);
            } else if (field.isRepeated()) {
                int count = then.getRepeatedFieldCount(field);
                assertEquals(count, now.getRepeatedFieldCount(field), name);
                for (int i = 0; i < count; i++) {
                    assertHolds(
                            then.getRepeatedField(field, i), now.getRepeatedField(field, i), name);
                }
            } else {
                assertHolds(then.getField(field), now.getField(field), name);
            }
        }
    }

    private static Set<String> entries(Message of, FieldDescriptor map) {
        return ((List<?>) of.getField(map))
                .stream().map(Object::toString).collect(Collectors.toSet());
    }

    private static void assertHolds(Object then, Object now, String where) {
        if (then instanceof Message old) {
            assertHolds(old, (Message) now, where);
        } else {
            assertEquals(then, now, where);
        }
    }

    /// Freezes what this build sends. The argument is `src/test/resources`.
    static void main(String[] arguments) throws IOException {
        Path resources = Path.of(arguments[0]);
        FrozenFormats.write(resources, SCHEMA, PeerProto.getDescriptor().toProto().toByteArray());
        var payload =
                new TxnCodec()
                        .encode(
                                new Header(-5, 3, -1, 1L << 40 | 7, 1234),
                                new Txn.Create("/a", new byte[] {1}, Acl.OPEN, 7));
        String frames =
                Stream.concat(
                                LinkCodecTest.messages()
                                        .filter(each ->
                                                !(each
                                                        instanceof
                                                        dev.ensemble.server.zab.Message.Proposal)),
                                Stream.of(
                                        new dev.ensemble.server.zab.Message.Proposal(
                                                0x7_0000_0003L, payload)))
                        .map(each ->
                                HexFormat.of().formatHex(CODEC.encode(42, 7, each).toByteArray()))
                        .collect(Collectors.joining("\n", "", "\n"));
        FrozenFormats.write(resources, FRAMES, frames.getBytes(StandardCharsets.US_ASCII));
    }
}
