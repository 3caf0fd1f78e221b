package dev.ensemble.server.wire;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The bodies of requests, by opcode.
final class RequestReader {
    /// Create flags (`client-protocol` section 5.1): those above the container's need a ttl.
    private static final int CONTAINER = 4;

    private static final int MAX_FLAGS = 6;

    private RequestReader() {}

    static Request read(int type, ByteBuf in) {
        return switch (type) {
            case Op.CREATE,
                    Op.DELETE,
                    Op.SET_DATA,
                    Op.SET_ACL,
                    Op.CREATE2,
                    Op.RECONFIG,
                    Op.CREATE_CONTAINER,
                    Op.CREATE_TTL,
                    Op.MULTI,
                    Op.CLOSE_SESSION ->
                    readWrite(type, in);
            case Op.AUTH ->
                    new Request.Auth(Jute.readInt(in), Jute.readString(in), Jute.readBuffer(in));
            case Op.SASL -> readSasl(in);
            default -> readRead(type, in);
        };
    }

    private static Request readWrite(int type, ByteBuf in) {
        try {
            return switch (type) {
                case Op.MULTI -> readMulti(in);
                case Op.CLOSE_SESSION -> new Request.CloseSession();
                case Op.SET_ACL ->
                        new Request.SetAcl(Jute.readString(in), Jute.readAcl(in), Jute.readInt(in));
                case Op.RECONFIG ->
                        new Request.Reconfig(
                                Jute.readString(in),
                                Jute.readString(in),
                                Jute.readString(in),
                                Jute.readLong(in));
                default -> readPart(type, in);
            };
        } catch (MalformedException e) {
            return new Request.MalformedWrite(type);
        }
    }

    /// What may stand alone and in a multi.
    private static Request.Write readPart(int type, ByteBuf in) {
        return switch (type) {
            case Op.CREATE -> readCreate(CreateOp.CREATE, in);
            case Op.CREATE2 -> readCreate(CreateOp.CREATE2, in);
            case Op.CREATE_CONTAINER -> readCreate(CreateOp.CONTAINER, in);
            case Op.CREATE_TTL -> readCreate(CreateOp.TTL, in);
            case Op.DELETE -> new Request.Delete(Jute.readString(in), Jute.readInt(in));
            case Op.SET_DATA ->
                    new Request.SetData(Jute.readString(in), Jute.readBuffer(in), Jute.readInt(in));
            default -> throw new MalformedException("opcode " + type + " in a multi");
        };
    }

    private static Request.Create readCreate(CreateOp op, ByteBuf in) {
        String path = Jute.readString(in);
        byte @Nullable [] data = Jute.readBuffer(in);
        @Nullable List<Acl> acl = Jute.readAcl(in);
        int flags = Jute.readInt(in);
        return new Request.Create(
                op, path, data, acl, flags, op == CreateOp.TTL ? Jute.readLong(in) : 0);
    }

    private static Request.Multi readMulti(ByteBuf in) {
        var parts = new ArrayList<Request.Write>();
        for (int type = Jute.readInt(in); !isEnd(in); type = Jute.readInt(in)) {
            parts.add(readMultiPart(type, in));
        }
        return new Request.Multi(parts);
    }

    /// Reads what is behind the type of the header of an operation of a multi.
    private static boolean isEnd(ByteBuf in) {
        boolean end = Jute.readBoolean(in);
        Jute.readInt(in); // The error, of no meaning in a request.
        return end;
    }

    /// A path that is null spoils the whole multi, where alone it is a wrong argument.
    private static void requirePath(ByteBuf in) {
        if (in.readableBytes() >= Integer.BYTES && in.getInt(in.readerIndex()) == -1) {
            throw new MalformedException("a path in a multi is null");
        }
    }

    private static Request.Write readMultiPart(int type, ByteBuf in) {
        requirePath(in);
        if (type == Op.CHECK) {
            return new Request.Check(Jute.readString(in), Jute.readInt(in));
        }
        Request.Write part = readPart(type, in);
        return part instanceof Request.Create create ? inMulti(create) : part;
    }

    /// A multi knows flags that are wrong as a wrong frame, and so a list that is null unless there
    /// is a ttl; and takes the container flag at its word.
    private static Request.Create inMulti(Request.Create create) {
        if (create.acl() == null && create.op() != CreateOp.TTL) {
            throw new MalformedException("a null ACL in a multi");
        }
        int flags = create.flags();
        if (flags < 0 || flags > MAX_FLAGS) {
            throw new MalformedException("create flags " + flags + " in a multi");
        }
        if (create.op() == CreateOp.TTL
                || (create.op() == CreateOp.CONTAINER && flags <= CONTAINER)) {
            return create;
        }
        if (flags > CONTAINER) {
            throw new MalformedException("create flags " + flags + " without a ttl in a multi");
        }
        return flags < CONTAINER
                ? create
                : new Request.Create(
                        CreateOp.CONTAINER, create.path(), create.data(), create.acl(), flags, 0);
    }

    private static Request readRead(int type, ByteBuf in) {
        try {
            return switch (type) {
                case Op.EXISTS -> new Request.Exists(Jute.readString(in), Jute.readBoolean(in));
                case Op.GET_DATA, Op.GET_CHILDREN -> readReadPart(type, in);
                case Op.GET_CHILDREN2 ->
                        new Request.GetChildren(Jute.readString(in), Jute.readBoolean(in), true);
                case Op.GET_ACL -> new Request.GetAcl(Jute.readString(in));
                case Op.GET_ALL_CHILDREN_NUMBER ->
                        new Request.GetAllChildrenNumber(Jute.readString(in));
                case Op.GET_EPHEMERALS -> new Request.GetEphemerals(Jute.readString(in));
                case Op.MULTI_READ -> readMultiRead(in);
                case Op.SYNC -> new Request.Sync(Jute.readString(in));
                case Op.SET_WATCHES -> readSetWatches(in, false);
                case Op.SET_WATCHES2 -> readSetWatches(in, true);
                case Op.ADD_WATCH -> new Request.AddWatch(Jute.readString(in), Jute.readInt(in));
                case Op.REMOVE_WATCHES ->
                        new Request.RemoveWatches(Jute.readString(in), Jute.readInt(in));
                case Op.CHECK_WATCHES ->
                        new Request.CheckWatches(Jute.readString(in), Jute.readInt(in));
                case Op.WHO_AM_I -> new Request.WhoAmI();
                case Op.PING -> new Request.Ping();
                default -> new Request.Unknown(type);
            };
        } catch (MalformedException e) {
            return new Request.MalformedRead(type);
        }
    }

    private static Request.MultiRead readMultiRead(ByteBuf in) {
        var parts = new ArrayList<Request.Read>();
        for (int type = Jute.readInt(in); !isEnd(in); type = Jute.readInt(in)) {
            requirePath(in);
            parts.add(readReadPart(type, in));
        }
        return new Request.MultiRead(parts);
    }

    /// What may stand alone and in a multiRead.
    private static Request.Read readReadPart(int type, ByteBuf in) {
        return switch (type) {
            case Op.GET_DATA -> new Request.GetData(Jute.readString(in), Jute.readBoolean(in));
            case Op.GET_CHILDREN ->
                    new Request.GetChildren(Jute.readString(in), Jute.readBoolean(in), false);
            default -> throw new MalformedException("opcode " + type + " in a multiRead");
        };
    }

    private static Request.SetWatches readSetWatches(ByteBuf in, boolean persistent) {
        return new Request.SetWatches(
                Jute.readLong(in),
                Jute.readStrings(in),
                Jute.readStrings(in),
                Jute.readStrings(in),
                persistent ? Jute.readStrings(in) : null,
                persistent ? Jute.readStrings(in) : null);
    }

    private static Request.Sasl readSasl(ByteBuf in) {
        byte[] token = Jute.readBuffer(in);
        if (token == null) {
            throw new MalformedException("the token of a sasl packet is null");
        }
        return new Request.Sasl(token);
    }
}
