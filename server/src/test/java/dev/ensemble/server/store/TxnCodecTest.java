package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

final class TxnCodecTest {
    private static final Header HEADER =
            new Header(-5, 255, Long.MIN_VALUE + 1, 3L << 40 | 17, 1_795_000_000_000L);

    private final TxnCodec codec = new TxnCodec();

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    static Stream<Txn> everyKind() {
        var acl = List.of(new Acl(Acl.ALL, Id.ANYONE), new Acl(-1, new Id("digest", "a:b=")));
        var members =
                Map.of(
                        1,
                        new Ensemble.Member(
                                1, "::1", 2888, 3888, Ensemble.Role.PARTICIPANT, "0.0.0.0:2181", 7),
                        255,
                        new Ensemble.Member(
                                255,
                                "h",
                                1,
                                0,
                                Ensemble.Role.OBSERVER,
                                null,
                                Long.MIN_VALUE,
                                List.of(new Ensemble.Member.Address("::2", 65535, 1))));
        return Stream.of(
                new Txn.Create("/a/ü\u0000😀", bytes(0, 255), acl, Long.MIN_VALUE),
                new Txn.Create("/a", null, List.of(), 0),
                new Txn.Create("/a", bytes(), Acl.OPEN, 5),
                new Txn.Delete("/a"),
                new Txn.SetData("/a", bytes(1, 2, 3), Integer.MAX_VALUE),
                new Txn.SetData("/a", null, -1),
                new Txn.SetAcl("/a", acl, -7),
                new Txn.Check("/"),
                new Txn.Multi(List.of()),
                new Txn.Multi(
                        List.of(
                                new Txn.Check("/b"),
                                new Txn.Multi(List.of(new Txn.Delete("/c"))),
                                new Txn.SetData("/d", bytes(9), 1))),
                new Txn.Refused(Code.NODE_EXISTS),
                new Txn.Refused(Code.OK),
                new Txn.RefusedMulti(List.of(Code.OK, Code.NO_NODE, Code.RUNTIME_INCONSISTENCY)),
                new Txn.CreateSession(30_000, new byte[16]),
                new Txn.AttachSession(-1),
                new Txn.CloseSession(List.of("/e1", "/e2")),
                new Txn.CloseSession(List.of()),
                new Txn.Configure(new Ensemble("id", 0x1_0000_0007L, members)),
                new Txn.Configure(
                        new Ensemble("id", 8, members)
                                .with(new Groups(Map.of(1, 7, 255, 7), Map.of(1, 0, 255, 9)))),
                new Txn.Configure(new Ensemble("", 0, Map.of())));
    }

    /// Records compare arrays by reference; their text of the encoded form does not.
    private static void assertSame(Txn expected, Txn actual) {
        var codec = new TxnCodec();
        assertEquals(expected.getClass(), actual.getClass());
        assertArrayEquals(
                codec.encode(HEADER, expected).bytes(), codec.encode(HEADER, actual).bytes());
    }

    @ParameterizedTest
    @MethodSource("everyKind")
    void comesBack(Txn txn) {
        Payload encoded = codec.encode(HEADER, txn);
        Payload decoded = codec.decode(encoded.bytes());
        assertEquals(HEADER, decoded.header());
        assertSame(txn, decoded.txn());
        assertArrayEquals(encoded.bytes(), decoded.bytes());
    }

    @Test
    void coversEveryKind() {
        var kinds = everyKind().map(Txn::getClass).distinct().count();
        assertEquals(Txn.class.getPermittedSubclasses().length, kinds);
    }

    @Test
    void nullAndEmptyDataDiffer() {
        var none = (Txn.Create) decoded(new Txn.Create("/a", null, Acl.OPEN, 0));
        var empty = (Txn.Create) decoded(new Txn.Create("/a", new byte[0], Acl.OPEN, 0));
        assertEquals(null, none.data());
        assertArrayEquals(new byte[0], empty.data());
    }

    private Txn decoded(Txn txn) {
        return codec.decode(codec.encode(HEADER, txn).bytes()).txn();
    }

    @Test
    void configurationComesBackWhole() {
        everyKind()
                .filter(Txn.Configure.class::isInstance)
                .forEach(txn -> assertEquals(txn, decoded(txn)));
    }

    /// Whatever bytes come, the answer is a transaction or an [IllegalArgumentException].
    @Test
    void garbageIsRefused() {
        var random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            byte[] garbage = new byte[random.nextInt(40)];
            random.nextBytes(garbage);
            refusedOrDecoded(garbage);
        }
        everyKind()
                .forEach(txn -> {
                    byte[] good = codec.encode(HEADER, txn).bytes();
                    for (int i = 0; i < good.length; i++) {
                        refusedOrDecoded(Arrays.copyOf(good, i));
                        byte[] changed = good.clone();
                        changed[i] ^= (byte) (1 + random.nextInt(255));
                        refusedOrDecoded(changed);
                    }
                });
        assertThrows(IllegalArgumentException.class, () -> codec.decode(new byte[0]));
    }

    private void refusedOrDecoded(byte[] bytes) {
        try {
            assertArrayEquals(bytes, codec.decode(bytes).bytes());
        } catch (IllegalArgumentException _) {
            // One of the two answers.
        }
    }

    @Test
    void nestingHasABound() {
        Txn deep = new Txn.Delete("/a");
        for (int i = 1; i < TxnCodec.MAX_DEPTH; i++) {
            deep = new Txn.Multi(List.of(deep));
        }
        assertSame(deep, decoded(deep));
        Txn deeper = new Txn.Multi(List.of(deep));
        var e = assertThrows(IllegalArgumentException.class, () -> codec.encode(HEADER, deeper));
        assertEquals("transactions nested more than 16 deep", e.getMessage());
    }

    @Test
    void groupsAndLevelsAreNotForABuildThatWouldLeaveThemOut() {
        var plain = Ensemble.declared("e", List.of());
        var groups = new Groups(Map.of(1, 1), Map.of(1, 3));
        assertEquals(1, codec.encode(HEADER, new Txn.Configure(plain)).bytes()[1]);
        byte[] bytes = codec.encode(HEADER, new Txn.Configure(plain.with(groups))).bytes();
        assertEquals(2, bytes[1]);
        assertEquals(new Txn.Configure(plain.with(groups)), codec.decode(bytes).txn());
        var raised = new Txn.Configure(plain.atLevel(Ensemble.HIGHEST_LEVEL));
        bytes = codec.encode(HEADER, raised).bytes();
        assertEquals(2, bytes[1]);
        assertEquals(raised, codec.decode(bytes).txn());
        byte[] higher =
                codec.encode(HEADER, new Txn.Configure(plain.atLevel(Ensemble.HIGHEST_LEVEL + 1)))
                        .bytes();
        var e = assertThrows(IllegalArgumentException.class, () -> codec.decode(higher));
        assertEquals(
                "the ensemble is at level 4; this build is too old, and knows 3", e.getMessage());
    }

    @Test
    void anotherVersionIsNamed() {
        byte[] bytes = codec.encode(HEADER, new Txn.Delete("/a")).bytes();
        assertEquals(1, bytes[1], "the version is the first field");
        bytes[1] = 3;
        var e = assertThrows(IllegalArgumentException.class, () -> codec.decode(bytes));
        assertEquals("a transaction of version 3; this build knows 1 to 2", e.getMessage());
    }
}
