package dev.ensemble.server.differential;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;

/// Bodies of answers as text. What has no order (children, identities) is sorted.
final class Answers {
    private final Trace trace;
    private final ByteBuffer in;

    private Answers(Trace trace, ByteBuffer in) {
        this.trace = trace;
        this.in = in;
    }

    /// {@return what is left of `in` as text: the answer to an op of this type}
    static String text(Trace trace, int type, ByteBuffer in) {
        try {
            String text = new Answers(trace, in).body(type);
            return in.hasRemaining() ? text + " and " + in.remaining() + " bytes more" : text;
        } catch (BufferUnderflowException _) {
            return "too short";
        }
    }

    static String event(Trace trace, ByteBuffer in) {
        var answers = new Answers(trace, in);
        return in.getInt() + " " + in.getInt() + " " + answers.path();
    }

    private String body(int type) {
        return switch (type) {
            case Op.CREATE, Op.SYNC -> path();
            case Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL -> path() + " " + stat();
            case Op.EXISTS, Op.SET_DATA, Op.SET_ACL -> stat();
            case Op.GET_DATA, Op.RECONFIG -> buffer() + " " + stat();
            case Op.GET_ACL -> acl() + " " + stat();
            case Op.GET_CHILDREN, Op.GET_EPHEMERALS -> sortedPaths();
            case Op.GET_CHILDREN2 -> sortedPaths() + " " + stat();
            case Op.GET_ALL_CHILDREN_NUMBER, Op.ADD_WATCH -> "" + in.getInt();
            case Op.WHO_AM_I -> identities();
            case Op.SASL -> buffer();
            case Op.MULTI, Op.MULTI_READ -> parts();
            default -> "";
        };
    }

    private String parts() {
        var text = new StringBuilder("[");
        while (true) {
            int type = in.getInt();
            boolean done = in.get() != 0;
            int err = in.getInt();
            if (done) {
                return text
                        + "]"
                        + (type == -1 && err == -1 ? "" : " ended by " + type + " " + err);
            }
            text.append(type).append('/').append(err).append(' ');
            text.append(type == -1 ? "" + in.getInt() : body(type)).append("; ");
        }
    }

    private String path() {
        int length = in.getInt();
        if (length < 0) {
            return "null" + (length == -1 ? "" : length);
        }
        byte[] bytes = bytes(length);
        var text = new StringBuilder("'");
        String path = new String(bytes, StandardCharsets.UTF_8);
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            text.append(c >= ' ' && c < 0x7f ? "" + c : String.format("\\u%04x", (int) c));
        }
        return text.append('\'').toString();
    }

    private byte[] bytes(int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private String buffer() {
        int length = in.getInt();
        return length < 0 ? "null" : "x" + HexFormat.of().formatHex(bytes(length));
    }

    private String sortedPaths() {
        int count = in.getInt();
        List<String> paths = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            paths.add(path());
        }
        Collections.sort(paths);
        return count < 0 ? "null" : paths.toString();
    }

    private String identities() {
        int count = in.getInt();
        List<String> identities = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            identities.add(path() + ":" + path());
        }
        Collections.sort(identities);
        return identities.toString();
    }

    /// In order, but for entries of digests: those that an `auth` entry stands for have none.
    private String acl() {
        int count = in.getInt();
        List<String> entries = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        List<String> digests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int perms = in.getInt();
            String scheme = path();
            String entry = perms + scheme + path();
            entries.add(entry);
            if (scheme.equals("'digest'")) {
                places.add(i);
                digests.add(entry);
            }
        }
        Collections.sort(digests);
        for (int i = 0; i < places.size(); i++) {
            entries.set(places.get(i), digests.get(i));
        }
        return count < 0 ? "null" : entries.toString();
    }

    private String stat() {
        long czxid = in.getLong();
        long mzxid = in.getLong();
        long ctime = in.getLong();
        long mtime = in.getLong();
        int version = in.getInt();
        int cversion = in.getInt();
        int aversion = in.getInt();
        long owner = in.getLong();
        int length = in.getInt();
        int children = in.getInt();
        long pzxid = in.getLong();
        return String.format(
                "(c%s m%s p%s v%d cv%d av%d owner %s length %d children %d%s%s)",
                trace.zxid(czxid),
                trace.zxid(mzxid),
                trace.zxid(pzxid),
                version,
                cversion,
                aversion,
                trace.owner(owner),
                length,
                children,
                trace.time(czxid, ctime),
                trace.time(mzxid, mtime));
    }
}
