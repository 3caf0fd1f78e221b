package dev.ensemble.server.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HexFormat;
import java.util.List;

final class JuteTest {
    @Test
    void nullIsNotEmpty() {
        assertNull(Jute.readString(bytes("ffffffff")));
        assertEquals("", Jute.readString(bytes("00000000")));
        assertNull(Jute.readBuffer(bytes("ffffffff")));
        assertArrayEquals(new byte[0], Jute.readBuffer(bytes("00000000")));
        assertNull(Jute.readAcl(bytes("ffffffff")));
        assertEquals(List.of(), Jute.readAcl(bytes("00000000")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fffffffe", "80000000", "7fffffff", "0000000361 62", "000000", ""})
    void aLengthThatCannotBeIsMalformed(String hex) {
        assertThrows(MalformedException.class, () -> Jute.readString(bytes(hex)));
        assertThrows(MalformedException.class, () -> Jute.readBuffer(bytes(hex)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"7fffffff", "0000000361 62", "000000", ""})
    void aCountThatCannotBeIsMalformed(String hex) {
        assertThrows(MalformedException.class, () -> Jute.readStrings(bytes(hex)));
        assertThrows(MalformedException.class, () -> Jute.readAcl(bytes(hex)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fffffffe", "80000000"})
    void aCountBelowThatOfNullIsNone(String hex) {
        assertEquals(List.of(), Jute.readStrings(bytes(hex)));
        assertEquals(List.of(), Jute.readAcl(bytes(hex)));
    }

    @Test
    void aListOfTextHasNoNulls() {
        assertThrows(MalformedException.class, () -> Jute.readStrings(bytes("ffffffff")));
        assertThrows(MalformedException.class, () -> Jute.readStrings(bytes("00000001ffffffff")));
    }

    @Test
    void malformedUtf8IsReplaced() {
        assertEquals("a\ufffdb", Jute.readString(bytes("0000000361ff62")));
        assertEquals("\ufffd", Jute.readString(bytes("00000001c3")));
    }

    @Test
    void textIsWrittenUnitByUnit() {
        assertEquals("00000001" + "61", written("a"));
        assertEquals("00000004" + "61c3a962", written("a\u00e9b"));
        assertEquals("00000003" + "e282ac", written("\u20ac"));
        assertEquals("00000006" + "eda0bdedb880", written("\ud83d\ude00"));
        assertEquals("ffffffff", written(null));
        assertEquals("\u00e9\u20ac", Jute.readString(bytes(written("\u00e9\u20ac"))));
    }

    @Test
    void anAclWithoutSchemeNamesNobody() {
        assertEquals(
                List.of(new Acl(31, new Id("", ""))),
                Jute.readAcl(bytes("000000010000001fffffffffffffffff")));
    }

    private static String written(@Nullable String text) {
        ByteBuf out = Unpooled.buffer();
        Jute.writeString(out, text);
        return ByteBufUtil.hexDump(out);
    }

    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex.replace(" ", "")));
    }
}
