package dev.ensemble.server.tree;

import dev.ensemble.server.model.Stat;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A znode without children as one `byte[]`, and what every other znode has besides its children:
/// readers of that array.
///
/// An object for each znode, its name and its data would cost twice the memory. The layout: flags
/// 1, length of the name 2 (4 with [#LONG_NAME]), name, czxid 8, ctime 8, ACL id 4, then as the
/// flags say mzxid 8, mtime 8, version 4; owner 8; aversion 4; the rest is data. Nobody changes
/// such an array once it is made.
final class Leaf {
    private static final int LONG_NAME = 1;

    /// Not as created: mzxid, mtime and version are there.
    private static final int CHANGED = 2;

    private static final int OWNED = 4;
    private static final int ACL_CHANGED = 8;
    private static final int NULL_DATA = 16;

    private static final int LONGEST_SHORT_NAME = 0xffff;
    private static final int FIXED = 8 + 8 + 4;

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Leaf() {}

    /// {@return a record of these values}
    ///
    /// @param path the name is `path[from, to)`
    static byte[] of(
            byte[] path,
            int from,
            int to,
            long czxid,
            long ctime,
            int acl,
            long mzxid,
            long mtime,
            int version,
            long owner,
            int aversion,
            byte @Nullable [] data) {
        int length = to - from;
        boolean longName = length > LONGEST_SHORT_NAME;
        boolean changed = mzxid != czxid || mtime != ctime || version != 0;
        int size = 1 + (longName ? 4 : 2) + length + FIXED;
        size += (changed ? 20 : 0) + (owner != 0 ? 8 : 0) + (aversion != 0 ? 4 : 0);
        byte[] record = new byte[Math.addExact(size, data == null ? 0 : data.length)];
        record[0] =
                (byte)
                        ((longName ? LONG_NAME : 0)
                                | (changed ? CHANGED : 0)
                                | (owner != 0 ? OWNED : 0)
                                | (aversion != 0 ? ACL_CHANGED : 0)
                                | (data == null ? NULL_DATA : 0));
        int at = putName(record, path, from, length);
        LONG.set(record, at, czxid);
        LONG.set(record, at + 8, ctime);
        INT.set(record, at + 16, acl);
        at += FIXED;
        if (changed) {
            LONG.set(record, at, mzxid);
            LONG.set(record, at + 8, mtime);
            INT.set(record, at + 16, version);
            at += 20;
        }
        if (owner != 0) {
            LONG.set(record, at, owner);
            at += 8;
        }
        if (aversion != 0) {
            INT.set(record, at, aversion);
            at += 4;
        }
        if (data != null) {
            System.arraycopy(data, 0, record, at, data.length);
        }
        return record;
    }

    /// {@return a record that has a name and nothing else: an element of a set}
    static byte[] bare(byte[] name) {
        boolean longName = name.length > LONGEST_SHORT_NAME;
        byte[] record = new byte[1 + (longName ? 4 : 2) + name.length];
        record[0] = (byte) (longName ? LONG_NAME : 0);
        putName(record, name, 0, name.length);
        return record;
    }

    private static int putName(byte[] record, byte[] path, int from, int length) {
        int at = 3;
        if ((record[0] & LONG_NAME) != 0) {
            INT.set(record, 1, length);
            at = 5;
        } else {
            record[1] = (byte) (length >>> 8);
            record[2] = (byte) length;
        }
        System.arraycopy(path, from, record, at, length);
        return at + length;
    }

    static byte[] withData(
            byte[] record, byte @Nullable [] data, int version, long mzxid, long mtime) {
        return of(
                record,
                nameFrom(record),
                nameTo(record),
                czxid(record),
                ctime(record),
                acl(record),
                mzxid,
                mtime,
                version,
                owner(record),
                aversion(record),
                data);
    }

    static byte[] withAcl(byte[] record, int acl, int aversion) {
        return of(
                record,
                nameFrom(record),
                nameTo(record),
                czxid(record),
                ctime(record),
                acl,
                mzxid(record),
                mtime(record),
                version(record),
                owner(record),
                aversion,
                data(record));
    }

    static int nameFrom(byte[] record) {
        return (record[0] & LONG_NAME) != 0 ? 5 : 3;
    }

    static int nameTo(byte[] record) {
        return (record[0] & LONG_NAME) != 0
                ? 5 + (int) INT.get(record, 1)
                : 3 + (((record[1] & 0xff) << 8) | (record[2] & 0xff));
    }

    static String name(byte[] record) {
        int from = nameFrom(record);
        return new String(record, from, nameTo(record) - from, StandardCharsets.UTF_8);
    }

    static boolean isNamed(byte[] record, byte[] path, int from, int to) {
        return Arrays.equals(record, nameFrom(record), nameTo(record), path, from, to);
    }

    static long czxid(byte[] record) {
        return (long) LONG.get(record, nameTo(record));
    }

    static long ctime(byte[] record) {
        return (long) LONG.get(record, nameTo(record) + 8);
    }

    /// {@return the id of its ACL in the tree's [Acls]}
    static int acl(byte[] record) {
        return (int) INT.get(record, nameTo(record) + 16);
    }

    static long mzxid(byte[] record) {
        return has(record, CHANGED)
                ? (long) LONG.get(record, nameTo(record) + FIXED)
                : czxid(record);
    }

    static long mtime(byte[] record) {
        return has(record, CHANGED)
                ? (long) LONG.get(record, nameTo(record) + FIXED + 8)
                : ctime(record);
    }

    static int version(byte[] record) {
        return has(record, CHANGED) ? (int) INT.get(record, nameTo(record) + FIXED + 16) : 0;
    }

    /// {@return the owner as stored, see [Owner]}
    static long owner(byte[] record) {
        return has(record, OWNED) ? (long) LONG.get(record, ownerAt(record)) : 0;
    }

    static int aversion(byte[] record) {
        return has(record, ACL_CHANGED)
                ? (int) INT.get(record, ownerAt(record) + (has(record, OWNED) ? 8 : 0))
                : 0;
    }

    /// {@return where the data begins; it ends with the record}
    static int dataFrom(byte[] record) {
        return ownerAt(record) + (has(record, OWNED) ? 8 : 0) + (has(record, ACL_CHANGED) ? 4 : 0);
    }

    static boolean isDataNull(byte[] record) {
        return has(record, NULL_DATA);
    }

    static int dataLength(byte[] record) {
        return record.length - dataFrom(record);
    }

    /// {@return a copy of the data}
    static byte @Nullable [] data(byte[] record) {
        return isDataNull(record)
                ? null
                : Arrays.copyOfRange(record, dataFrom(record), record.length);
    }

    /// {@return the Stat of a znode with this record}
    ///
    /// @param created how many children it ever had, see [Branch]
    static Stat stat(byte[] record, int created, int children, long pzxid) {
        long owner = owner(record);
        return new Stat(
                czxid(record),
                mzxid(record),
                ctime(record),
                mtime(record),
                version(record),
                2 * created - children,
                aversion(record),
                Owner.isSession(owner) ? owner : 0,
                dataLength(record),
                children,
                pzxid);
    }

    private static int ownerAt(byte[] record) {
        return nameTo(record) + FIXED + (has(record, CHANGED) ? 20 : 0);
    }

    private static boolean has(byte[] record, int flag) {
        return (record[0] & flag) != 0;
    }
}
