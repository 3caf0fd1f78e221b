package dev.ensemble.server.differential;

import java.nio.ByteBuffer;

/// One request of a program, ready to be sent.
///
/// @param text what a person reads
/// @param relative whether the first eight bytes of the body stand for the last zxid that the
///   client has seen
/// @param ends whether the server is to end the connection after the answer, so that nothing is
///   sent behind it
record Op(String text, int type, byte[] body, boolean relative, boolean ends) {
    static final int CLOSE = -11;
    static final int CREATE = 1;
    static final int DELETE = 2;
    static final int EXISTS = 3;
    static final int GET_DATA = 4;
    static final int SET_DATA = 5;
    static final int GET_ACL = 6;
    static final int SET_ACL = 7;
    static final int GET_CHILDREN = 8;
    static final int SYNC = 9;
    static final int PING = 11;
    static final int GET_CHILDREN2 = 12;
    static final int CHECK = 13;
    static final int MULTI = 14;
    static final int CREATE2 = 15;
    static final int RECONFIG = 16;
    static final int CHECK_WATCHES = 17;
    static final int REMOVE_WATCHES = 18;
    static final int CREATE_CONTAINER = 19;
    static final int CREATE_TTL = 21;
    static final int MULTI_READ = 22;
    static final int AUTH = 100;
    static final int SET_WATCHES = 101;
    static final int SASL = 102;
    static final int GET_EPHEMERALS = 103;
    static final int GET_ALL_CHILDREN_NUMBER = 104;
    static final int SET_WATCHES2 = 105;
    static final int ADD_WATCH = 106;
    static final int WHO_AM_I = 107;

    Op(String text, int type, Bytes body) {
        this(text, type, body.done(), false, false);
    }

    Op ending() {
        return new Op(text, type, body, relative, true);
    }

    Op relativeToSeen() {
        return new Op(text, type, body, true, ends);
    }

    /// {@return the same with another body, which may be none}
    Op withBody(String how, byte[] other) {
        return new Op(text + " " + how, type, other, relative && other.length >= 8, ends);
    }

    /// {@return the frame, its length in front}
    byte[] frame(int xid, long seen) {
        ByteBuffer frame = ByteBuffer.allocate(12 + body.length);
        frame.putInt(8 + body.length).putInt(xid).putInt(type).put(body);
        if (relative) {
            frame.putLong(12, seen);
        }
        return frame.array();
    }

    /// {@return whether it goes through the leader and has a zxid}
    boolean isWrite() {
        return switch (type) {
            case CLOSE,
                    CREATE,
                    DELETE,
                    SET_DATA,
                    SET_ACL,
                    MULTI,
                    CREATE2,
                    RECONFIG,
                    CREATE_CONTAINER,
                    CREATE_TTL ->
                    true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return text;
    }
}
