package dev.ensemble.server.store;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.ensemble.server.model.Session;
import dev.ensemble.server.proto.StoreProto;
import dev.ensemble.server.tree.StateChange;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Pieces of the state as keys and values: of RocksDB, and of a snapshot on its way to another
/// member.
///
/// A key is a letter for the kind and the znode's path or the session's id. Holds nothing, so any
/// thread may use it.
public final class StateCodec {
    private static final byte NODE = 'n';
    private static final byte SESSION = 's';
    private static final byte ENSEMBLE = 'e';

    /// Behind all others in the order of keys, so it is the last when everything is read.
    private static final byte ZXID = 'z';

    /// The key of the zxid that the state is of.
    static final byte[] ZXID_KEY = {ZXID};

    private StateCodec() {}

    /// {@return the key of what changes}
    public static byte[] key(StateChange change) {
        return switch (change) {
            case StateChange.PutNode node -> node(node.path());
            case StateChange.RemoveNode(String path) -> node(path);
            case StateChange.PutSession(Session session) -> session(session.id());
            case StateChange.RemoveSession(long id) -> session(id);
            case StateChange.PutEnsemble _ -> new byte[] {ENSEMBLE};
            case StateChange.At _ -> ZXID_KEY.clone();
        };
    }

    private static byte[] node(String path) {
        byte[] text = path.getBytes(StandardCharsets.UTF_8);
        byte[] key = new byte[1 + text.length];
        key[0] = NODE;
        System.arraycopy(text, 0, key, 1, text.length);
        return key;
    }

    private static byte[] session(long id) {
        return ByteBuffer.allocate(1 + Long.BYTES).put(SESSION).putLong(id).array();
    }

    /// {@return the value, or null if the key is to go}
    public static byte @Nullable [] value(StateChange change) {
        var value =
                StoreProto.StoredValue.newBuilder()
                        .setVersion(
                                TxnCodec.version(
                                        change instanceof StateChange.PutEnsemble(var configured)
                                                ? configured
                                                : null));
        switch (change) {
            case StateChange.PutNode node -> value.setNode(toProto(node));
            case StateChange.PutSession(Session session) ->
                    value.setSession(
                            StoreProto.Session.newBuilder()
                                    .setTimeoutMillis(session.timeoutMillis())
                                    .setPassword(TxnCodec.bytes(session.password()))
                                    .setOwner(session.owner())
                                    .setAttach(session.attach()));
            case StateChange.PutEnsemble(var ensemble) ->
                    value.setEnsemble(TxnCodec.toProto(ensemble));
            case StateChange.At(long zxid) -> value.setZxid(zxid);
            case StateChange.RemoveNode _, StateChange.RemoveSession _ -> {
                return null;
            }
        }
        return value.build().toByteArray();
    }

    private static StoreProto.Node toProto(StateChange.PutNode node) {
        var to =
                StoreProto.Node.newBuilder()
                        .addAllAcl(TxnCodec.toProto(node.acl()))
                        .setCzxid(node.czxid())
                        .setMzxid(node.mzxid())
                        .setPzxid(node.pzxid())
                        .setCtime(node.ctime())
                        .setMtime(node.mtime())
                        .setDataVersion(node.version())
                        .setAclVersion(node.aversion())
                        .setCreated(node.created())
                        .setOwner(node.owner());
        byte[] data = node.data();
        if (data != null) {
            to.setData(TxnCodec.bytes(data));
        }
        return to.build();
    }

    /// {@return what a key and its value stand for}
    ///
    /// @param value null: what removes the key
    /// @throws IllegalArgumentException if they stand for nothing
    public static StateChange change(byte[] key, byte @Nullable [] value) {
        if (key.length == 0) {
            throw new IllegalArgumentException("an empty key");
        }
        if (value == null) {
            return switch (key[0]) {
                case NODE -> new StateChange.RemoveNode(path(key));
                case SESSION -> new StateChange.RemoveSession(sessionId(key));
                default -> throw new IllegalArgumentException("a key of no kind that goes");
            };
        }
        StoreProto.StoredValue stored;
        try {
            stored = StoreProto.StoredValue.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(
                    value.length + " bytes are no stored value: " + e.getMessage(), e);
        }
        TxnCodec.checkVersion(stored.getVersion(), "stored value");
        return switch (stored.getKindCase()) {
            case NODE -> node(expect(key, NODE), stored.getNode());
            case SESSION -> session(expect(key, SESSION), stored.getSession());
            case ENSEMBLE -> {
                expect(key, ENSEMBLE);
                yield new StateChange.PutEnsemble(TxnCodec.fromProto(stored.getEnsemble()));
            }
            case ZXID -> {
                expect(key, ZXID);
                yield new StateChange.At(stored.getZxid());
            }
            case KIND_NOT_SET ->
                    throw new IllegalArgumentException(
                            "a stored value of no kind that this build knows");
        };
    }

    private static byte[] expect(byte[] key, byte kind) {
        if (key[0] != kind) {
            throw new IllegalArgumentException(
                    "a value of kind " + (char) kind + " under a key of kind " + (char) key[0]);
        }
        return key;
    }

    private static StateChange node(byte[] key, StoreProto.Node node) {
        return new StateChange.PutNode(
                path(key),
                node.hasData() ? node.getData().toByteArray() : null,
                TxnCodec.fromProto(node.getAclList()),
                node.getCzxid(),
                node.getMzxid(),
                node.getPzxid(),
                node.getCtime(),
                node.getMtime(),
                node.getDataVersion(),
                node.getAclVersion(),
                node.getCreated(),
                node.getOwner());
    }

    private static StateChange session(byte[] key, StoreProto.Session session) {
        return new StateChange.PutSession(
                new Session(
                        sessionId(key),
                        session.getTimeoutMillis(),
                        session.getPassword().toByteArray(),
                        session.getOwner(),
                        session.getAttach()));
    }

    private static String path(byte[] key) {
        return new String(key, 1, key.length - 1, StandardCharsets.UTF_8);
    }

    private static long sessionId(byte[] key) {
        if (key.length != 1 + Long.BYTES) {
            throw new IllegalArgumentException("a session's key of " + key.length + " bytes");
        }
        return ByteBuffer.wrap(key, 1, Long.BYTES).getLong();
    }
}
