package dev.ensemble.server.wire;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Stat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Jute's types (`client-protocol` section 1): big-endian numbers, lengths in front, -1 for null.
///
/// A reader never allocates more than the frame holds: a length is compared with what is left
/// before anything is made.
public final class Jute {
    private static final int NULL = -1;

    private Jute() {}

    static int readInt(ByteBuf in) {
        require(in, Integer.BYTES);
        return in.readInt();
    }

    static long readLong(ByteBuf in) {
        require(in, Long.BYTES);
        return in.readLong();
    }

    static boolean readBoolean(ByteBuf in) {
        require(in, 1);
        return in.readByte() != 0;
    }

    /// Malformed UTF-8 becomes U+FFFD, as in the original.
    static @Nullable String readString(ByteBuf in) {
        int length = readLength(in, 1);
        return length == NULL ? null : in.readString(length, StandardCharsets.UTF_8);
    }

    static String readPresentString(ByteBuf in) {
        String text = readString(in);
        if (text == null) {
            throw new MalformedException("a text is null");
        }
        return text;
    }

    static byte @Nullable [] readBuffer(ByteBuf in) {
        int length = readLength(in, 1);
        if (length == NULL) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        return bytes;
    }

    /// A list without null elements; null itself is malformed.
    static List<String> readStrings(ByteBuf in) {
        int count = readCount(in, Integer.BYTES);
        if (count == NULL) {
            throw new MalformedException("a list is null");
        }
        var strings = new ArrayList<String>(count);
        for (int i = 0; i < count; i++) {
            strings.add(readPresentString(in));
        }
        return strings;
    }

    /// A null scheme or id becomes the empty text, which no scheme accepts.
    static @Nullable List<Acl> readAcl(ByteBuf in) {
        int count = readCount(in, 3 * Integer.BYTES);
        if (count == NULL) {
            return null;
        }
        var acl = new ArrayList<Acl>(count);
        for (int i = 0; i < count; i++) {
            acl.add(new Acl(readInt(in), readId(in)));
        }
        return acl;
    }

    /// {@return how many entries a list has, -1 for null; any other negative number is an empty
    /// list, as the original reads it}
    private static int readCount(ByteBuf in, int least) {
        if (in.readableBytes() >= Integer.BYTES && in.getInt(in.readerIndex()) < NULL) {
            in.skipBytes(Integer.BYTES);
            return 0;
        }
        return readLength(in, least);
    }

    static Id readId(ByteBuf in) {
        String scheme = readString(in);
        String id = readString(in);
        return new Id(scheme == null ? "" : scheme, id == null ? "" : id);
    }

    static Stat readStat(ByteBuf in) {
        return new Stat(
                readLong(in),
                readLong(in),
                readLong(in),
                readLong(in),
                readInt(in),
                readInt(in),
                readInt(in),
                readLong(in),
                readInt(in),
                readInt(in),
                readLong(in));
    }

    /// One to three bytes for each UTF-16 unit, as the original writes, also for surrogates.
    static void writeString(ByteBuf out, @Nullable String text) {
        if (text == null) {
            out.writeInt(NULL);
            return;
        }
        int length = encodedLength(text);
        out.writeInt(length);
        if (length == text.length()) {
            ByteBufUtil.writeAscii(out, text);
            return;
        }
        for (int i = 0; i < text.length(); i++) {
            writeUnit(out, text.charAt(i));
        }
    }

    private static int encodedLength(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
        }
        return length;
    }

    private static void writeUnit(ByteBuf out, char unit) {
        if (unit < 0x80) {
            out.writeByte(unit);
        } else if (unit < 0x800) {
            out.writeByte(0xc0 | (unit >> 6));
            out.writeByte(0x80 | (unit & 0x3f));
        } else {
            out.writeByte(0xe0 | (unit >> 12));
            out.writeByte(0x80 | ((unit >> 6) & 0x3f));
            out.writeByte(0x80 | (unit & 0x3f));
        }
    }

    static void writeBuffer(ByteBuf out, byte @Nullable [] bytes) {
        if (bytes == null) {
            out.writeInt(NULL);
        } else {
            out.writeInt(bytes.length);
            out.writeBytes(bytes);
        }
    }

    static void writeStrings(ByteBuf out, List<String> strings) {
        out.writeInt(strings.size());
        for (String text : strings) {
            writeString(out, text);
        }
    }

    static void writeAcl(ByteBuf out, @Nullable List<Acl> acl) {
        if (acl == null) {
            out.writeInt(NULL);
            return;
        }
        out.writeInt(acl.size());
        for (Acl entry : acl) {
            out.writeInt(entry.perms());
            writeId(out, entry.id());
        }
    }

    static void writeId(ByteBuf out, Id id) {
        writeString(out, id.scheme());
        writeString(out, id.id());
    }

    static void writeStat(ByteBuf out, Stat stat) {
        out.writeLong(stat.czxid());
        out.writeLong(stat.mzxid());
        out.writeLong(stat.ctime());
        out.writeLong(stat.mtime());
        out.writeInt(stat.version());
        out.writeInt(stat.cversion());
        out.writeInt(stat.aversion());
        out.writeLong(stat.ephemeralOwner());
        out.writeInt(stat.dataLength());
        out.writeInt(stat.numChildren());
        out.writeLong(stat.pzxid());
    }

    static void require(ByteBuf in, int bytes) {
        if (in.readableBytes() < bytes) {
            throw new MalformedException(
                    "a field of " + bytes + " bytes, but " + in.readableBytes() + " are left");
        }
    }

    /// {@return a length or count, -1 for null}
    ///
    /// @param unit how many bytes one element has at least
    private static int readLength(ByteBuf in, int unit) {
        int length = readInt(in);
        if (length < NULL || length > in.readableBytes() / unit) {
            throw new MalformedException(
                    "length " + length + ", but " + in.readableBytes() + " bytes are left");
        }
        return length;
    }
}
