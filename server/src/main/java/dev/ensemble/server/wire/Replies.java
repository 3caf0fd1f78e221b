package dev.ensemble.server.wire;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;

import io.netty.buffer.ByteBuf;

import java.util.ArrayList;
import java.util.List;

/// The bodies of replies, both ways.
final class Replies {
    private Replies() {}

    static void write(ByteBuf out, Request request, Reply reply) {
        switch (reply) {
            case Reply.None() -> {}
            case Reply.Failed(Code code) -> out.writeInt(code.number());
            case Reply.Path(var path) -> Jute.writeString(out, path);
            case Reply.Created(String path, var stat) -> {
                Jute.writeString(out, path);
                Jute.writeStat(out, stat);
            }
            case Reply.Stats(var stat) -> Jute.writeStat(out, stat);
            case Reply.Data(var data, var stat) -> {
                Jute.writeBuffer(out, data);
                Jute.writeStat(out, stat);
            }
            case Reply.Slice(var source, int from, int length, var stat) -> {
                out.writeInt(length);
                if (length > 0) {
                    out.writeBytes(source, from, length);
                }
                Jute.writeStat(out, stat);
            }
            case Reply.AclList(var acl, var stat) -> {
                Jute.writeAcl(out, acl);
                Jute.writeStat(out, stat);
            }
            case Reply.Children(var names, var stat) -> {
                Jute.writeStrings(out, names);
                if (stat != null) {
                    Jute.writeStat(out, stat);
                }
            }
            case Reply.Count(int count) -> out.writeInt(count);
            case Reply.Ephemerals(var paths) -> Jute.writeStrings(out, paths);
            case Reply.Watching() -> out.writeInt(Code.OK.number());
            case Reply.Identities(var users) -> {
                out.writeInt(users.size());
                users.forEach(user -> Jute.writeId(out, user));
            }
            case Reply.Parts(var parts) -> writeParts(out, partsOf(request), parts);
            case Reply.Token(var token) -> Jute.writeBuffer(out, token);
        }
    }

    private static List<? extends Request> partsOf(Request request) {
        return switch (request) {
            case Request.Multi(var parts) -> parts;
            case Request.MultiRead(var parts) -> parts;
            default ->
                    throw new IllegalArgumentException(
                            "parts answer opcode " + RequestWriter.type(request));
        };
    }

    private static void writeParts(
            ByteBuf out, List<? extends Request> requests, List<Reply> replies) {
        if (requests.size() != replies.size()) {
            throw new IllegalArgumentException(
                    replies.size() + " answers to " + requests.size() + " operations");
        }
        for (int i = 0; i < replies.size(); i++) {
            Request request = requests.get(i);
            Reply reply = replies.get(i);
            if (reply instanceof Reply.Failed(Code code)) {
                RequestWriter.writePartHeader(out, Op.ERROR, false, code.number());
            } else {
                RequestWriter.writePartHeader(out, resultType(request), false, 0);
            }
            write(out, request, reply);
        }
        RequestWriter.writePartHeader(out, Op.ERROR, true, -1);
    }

    /// Creates that answer with a stat all have the type of create2.
    private static int resultType(Request request) {
        return request instanceof Request.Create create && create.op() != Request.CreateOp.CREATE
                ? Op.CREATE2
                : RequestWriter.type(request);
    }

    static Reply read(Request request, ByteBuf in) {
        return switch (request) {
            case Request.Create create -> readCreated(resultType(create), in);
            case Request.SetData _, Request.SetAcl _, Request.Exists _ ->
                    new Reply.Stats(Jute.readStat(in));
            case Request.GetData _, Request.Reconfig _ ->
                    new Reply.Data(Jute.readBuffer(in), Jute.readStat(in));
            case Request.GetAcl _ -> {
                var acl = Jute.readAcl(in);
                yield new Reply.AclList(acl == null ? List.of() : acl, Jute.readStat(in));
            }
            case Request.GetChildren get ->
                    new Reply.Children(
                            Jute.readStrings(in), get.withStat() ? Jute.readStat(in) : null);
            case Request.GetAllChildrenNumber _ -> new Reply.Count(Jute.readInt(in));
            case Request.GetEphemerals _ -> new Reply.Ephemerals(Jute.readStrings(in));
            case Request.Sync _ -> new Reply.Path(Jute.readString(in));
            case Request.AddWatch _ -> {
                Jute.readInt(in);
                yield new Reply.Watching();
            }
            case Request.WhoAmI _ -> new Reply.Identities(readIds(in));
            case Request.Multi _, Request.MultiRead _ -> new Reply.Parts(readParts(in));
            case Request.Sasl _ -> new Reply.Token(Jute.readBuffer(in));
            case Request.Delete _,
                    Request.Check _,
                    Request.CloseSession _,
                    Request.SetWatches _,
                    Request.RemoveWatches _,
                    Request.CheckWatches _,
                    Request.Ping _,
                    Request.Auth _ ->
                    new Reply.None();
            case Request.MalformedWrite _, Request.MalformedRead _, Request.Unknown _ ->
                    throw new MalformedException(
                            "a good answer to opcode " + RequestWriter.type(request));
        };
    }

    private static Reply readCreated(int type, ByteBuf in) {
        String path = Jute.readPresentString(in);
        return type == Op.CREATE
                ? new Reply.Path(path)
                : new Reply.Created(path, Jute.readStat(in));
    }

    private static List<Id> readIds(ByteBuf in) {
        var ids = new ArrayList<Id>();
        for (int left = Jute.readInt(in); left > 0; left--) {
            ids.add(Jute.readId(in));
        }
        return ids;
    }

    private static List<Reply> readParts(ByteBuf in) {
        var parts = new ArrayList<Reply>();
        while (true) {
            int type = Jute.readInt(in);
            boolean end = Jute.readBoolean(in);
            Jute.readInt(in);
            if (end) {
                return parts;
            }
            parts.add(readPart(type, in));
        }
    }

    private static Reply readPart(int type, ByteBuf in) {
        return switch (type) {
            case Op.ERROR -> new Reply.Failed(readCode(in));
            case Op.CREATE, Op.CREATE2 -> readCreated(type, in);
            case Op.DELETE, Op.CHECK -> new Reply.None();
            case Op.SET_DATA -> new Reply.Stats(Jute.readStat(in));
            case Op.GET_CHILDREN -> new Reply.Children(Jute.readStrings(in), null);
            case Op.GET_DATA -> new Reply.Data(Jute.readBuffer(in), Jute.readStat(in));
            default -> throw new MalformedException("result type " + type + " in a multi");
        };
    }

    private static Code readCode(ByteBuf in) {
        int number = Jute.readInt(in);
        try {
            return Code.of(number);
        } catch (IllegalArgumentException e) {
            throw new MalformedException("error code " + number + " in a multi");
        }
    }
}
