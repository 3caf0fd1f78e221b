package dev.ensemble.server.wire;

import dev.ensemble.server.model.Request;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// The reverse of [RequestReader].
final class RequestWriter {
    private RequestWriter() {}

    static int type(Request request) {
        return switch (request) {
            case Request.Create create -> create.op().type();
            case Request.Delete _ -> Op.DELETE;
            case Request.SetData _ -> Op.SET_DATA;
            case Request.SetAcl _ -> Op.SET_ACL;
            case Request.Check _ -> Op.CHECK;
            case Request.Multi _ -> Op.MULTI;
            case Request.CloseSession _ -> Op.CLOSE_SESSION;
            case Request.Reconfig _ -> Op.RECONFIG;
            case Request.MalformedWrite(int type) -> type;
            case Request.Sync _ -> Op.SYNC;
            case Request.Exists _ -> Op.EXISTS;
            case Request.GetData _ -> Op.GET_DATA;
            case Request.GetAcl _ -> Op.GET_ACL;
            case Request.GetChildren get -> get.withStat() ? Op.GET_CHILDREN2 : Op.GET_CHILDREN;
            case Request.GetAllChildrenNumber _ -> Op.GET_ALL_CHILDREN_NUMBER;
            case Request.GetEphemerals _ -> Op.GET_EPHEMERALS;
            case Request.MultiRead _ -> Op.MULTI_READ;
            case Request.SetWatches set ->
                    set.persistent() == null ? Op.SET_WATCHES : Op.SET_WATCHES2;
            case Request.AddWatch _ -> Op.ADD_WATCH;
            case Request.RemoveWatches _ -> Op.REMOVE_WATCHES;
            case Request.CheckWatches _ -> Op.CHECK_WATCHES;
            case Request.WhoAmI _ -> Op.WHO_AM_I;
            case Request.Ping _ -> Op.PING;
            case Request.MalformedRead(int type) -> type;
            case Request.Auth _ -> Op.AUTH;
            case Request.Sasl _ -> Op.SASL;
            case Request.Unknown(int type) -> type;
        };
    }

    static void write(ByteBuf out, Request request) {
        switch (request) {
            case Request.Create create -> writeCreate(out, create);
            case Request.Delete(var path, int version) -> writePath(out, path, version);
            case Request.SetData(var path, var data, int version) -> {
                Jute.writeString(out, path);
                Jute.writeBuffer(out, data);
                out.writeInt(version);
            }
            case Request.SetAcl(var path, var acl, int version) -> {
                Jute.writeString(out, path);
                Jute.writeAcl(out, acl);
                out.writeInt(version);
            }
            case Request.Check(var path, int version) -> writePath(out, path, version);
            case Request.Multi(var parts) -> writeParts(out, parts);
            case Request.Reconfig(var joining, var leaving, var members, long config) -> {
                Jute.writeString(out, joining);
                Jute.writeString(out, leaving);
                Jute.writeString(out, members);
                out.writeLong(config);
            }
            case Request.Sync(var path) -> Jute.writeString(out, path);
            case Request.Exists(var path, boolean watch) -> writePath(out, path, watch);
            case Request.GetData(var path, boolean watch) -> writePath(out, path, watch);
            case Request.GetAcl(var path) -> Jute.writeString(out, path);
            case Request.GetChildren(var path, boolean watch, boolean _) ->
                    writePath(out, path, watch);
            case Request.GetAllChildrenNumber(var path) -> Jute.writeString(out, path);
            case Request.GetEphemerals(var prefix) -> Jute.writeString(out, prefix);
            case Request.MultiRead(var parts) -> writeParts(out, parts);
            case Request.SetWatches set -> writeSetWatches(out, set);
            case Request.AddWatch(var path, int mode) -> writePath(out, path, mode);
            case Request.RemoveWatches(var path, int type) -> writePath(out, path, type);
            case Request.CheckWatches(var path, int type) -> writePath(out, path, type);
            case Request.Auth(int type, var scheme, var auth) -> {
                out.writeInt(type);
                Jute.writeString(out, scheme);
                Jute.writeBuffer(out, auth);
            }
            case Request.Sasl(var token) -> Jute.writeBuffer(out, token);
            case Request.CloseSession _,
                    Request.WhoAmI _,
                    Request.Ping _,
                    Request.MalformedWrite _,
                    Request.MalformedRead _,
                    Request.Unknown _ -> {}
        }
    }

    private static void writePath(ByteBuf out, @Nullable String path, int number) {
        Jute.writeString(out, path);
        out.writeInt(number);
    }

    private static void writePath(ByteBuf out, @Nullable String path, boolean watch) {
        Jute.writeString(out, path);
        out.writeBoolean(watch);
    }

    private static void writeCreate(ByteBuf out, Request.Create create) {
        Jute.writeString(out, create.path());
        Jute.writeBuffer(out, create.data());
        Jute.writeAcl(out, create.acl());
        out.writeInt(create.flags());
        if (create.op() == Request.CreateOp.TTL) {
            out.writeLong(create.ttl());
        }
    }

    private static void writeParts(ByteBuf out, List<? extends Request> parts) {
        for (Request part : parts) {
            writePartHeader(out, type(part), false, -1);
            write(out, part);
        }
        writePartHeader(out, Op.ERROR, true, -1);
    }

    /// In front of each operation of a multi and of each of its results, and behind the last.
    static void writePartHeader(ByteBuf out, int type, boolean end, int err) {
        out.writeInt(type);
        out.writeBoolean(end);
        out.writeInt(err);
    }

    private static void writeSetWatches(ByteBuf out, Request.SetWatches set) {
        out.writeLong(set.relativeZxid());
        Jute.writeStrings(out, set.data());
        Jute.writeStrings(out, set.exist());
        Jute.writeStrings(out, set.child());
        if (set.persistent() != null && set.recursive() != null) {
            Jute.writeStrings(out, set.persistent());
            Jute.writeStrings(out, set.recursive());
        }
    }
}
