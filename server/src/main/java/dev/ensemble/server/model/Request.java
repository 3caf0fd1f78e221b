package dev.ensemble.server.model;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What a client asks, decoded. Paths are text as sent, not checked: which check fails first is
/// part of the contract.
///
/// A `null` path or data is one that was sent as null.
public sealed interface Request {
    /// A change: goes through the leader, in order, and has a zxid even when it is refused.
    sealed interface Write extends Request {}

    /// Answered from the tree of the member that the client is connected to.
    sealed interface Read extends Request {}

    /// Concerns the connection alone: answered where it arrives.
    sealed interface Local extends Request {}

    /// Which opcode a create came with; it decides what is stored and what is answered.
    enum CreateOp {
        CREATE(1),
        CREATE2(15),
        CONTAINER(19),
        TTL(21);

        private final int type;

        CreateOp(int type) {
            this.type = type;
        }

        /// {@return the opcode}
        public int type() {
            return type;
        }
    }

    /// @param acl null if it was null; an entry's id or scheme that was null is the empty text,
    ///   which no scheme accepts
    /// @param flags as sent, perhaps not valid
    /// @param ttl in ms; 0 unless the opcode carries one
    record Create(
            CreateOp op,
            @Nullable String path,
            byte @Nullable [] data,
            @Nullable List<Acl> acl,
            int flags,
            long ttl)
            implements Write {}

    record Delete(@Nullable String path, int version) implements Write {}

    record SetData(@Nullable String path, byte @Nullable [] data, int version) implements Write {}

    record SetAcl(@Nullable String path, @Nullable List<Acl> acl, int version) implements Write {}

    /// Only inside a [Multi].
    record Check(@Nullable String path, int version) implements Write {}

    record Multi(List<Write> parts) implements Write {}

    record CloseSession() implements Write {}

    /// @param curConfigId the version that the caller expects, or -1
    record Reconfig(
            @Nullable String joiningServers,
            @Nullable String leavingServers,
            @Nullable String newMembers,
            long curConfigId)
            implements Write {}

    /// A write whose body could not be decoded: takes its place in the order, and is answered
    /// MARSHALLINGERROR.
    record MalformedWrite(int type) implements Write {}

    /// Confirmed by a quorum round and ordered with commits; has no zxid of its own.
    record Sync(@Nullable String path) implements Request {}

    record Exists(@Nullable String path, boolean watch) implements Read {}

    record GetData(@Nullable String path, boolean watch) implements Read {}

    record GetAcl(@Nullable String path) implements Read {}

    /// @param withStat getChildren2
    record GetChildren(@Nullable String path, boolean watch, boolean withStat) implements Read {}

    record GetAllChildrenNumber(@Nullable String path) implements Read {}

    record GetEphemerals(@Nullable String prefix) implements Read {}

    /// @param parts [GetData] and [GetChildren] without stat; their watch flag is ignored
    record MultiRead(List<Read> parts) implements Read {}

    /// @param persistent null for setWatches (101), like `recursive`
    record SetWatches(
            long relativeZxid,
            List<String> data,
            List<String> exist,
            List<String> child,
            @Nullable List<String> persistent,
            @Nullable List<String> recursive)
            implements Read {}

    record AddWatch(@Nullable String path, int mode) implements Read {}

    record RemoveWatches(@Nullable String path, int watchType) implements Read {}

    record CheckWatches(@Nullable String path, int watchType) implements Read {}

    record WhoAmI() implements Read {}

    record Ping() implements Read {}

    /// A read whose body could not be decoded: answered MARSHALLINGERROR in its turn.
    record MalformedRead(int type) implements Read {}

    record Auth(int authType, @Nullable String scheme, byte @Nullable [] auth) implements Local {}

    record Sasl(byte @Nullable [] token) implements Local {}

    /// An opcode that nobody knows, or that clients may not send.
    record Unknown(int type) implements Local {}
}
