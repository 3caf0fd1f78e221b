package dev.ensemble.server.model;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What the leader made of a request: absolute values, so that applying it needs no decision and
/// cannot fail.
public sealed interface Txn {
    /// @param owner as stored: the session of an ephemeral, 0, or the encoding of a container or
    ///   TTL node (`client-protocol` section 17)
    record Create(String path, byte @Nullable [] data, List<Acl> acl, long owner) implements Txn {}

    record Delete(String path) implements Txn {}

    /// @param version the data version afterwards
    record SetData(String path, byte @Nullable [] data, int version) implements Txn {}

    /// @param aversion the ACL version afterwards
    record SetAcl(String path, List<Acl> acl, int aversion) implements Txn {}

    /// A check of a multi, which held.
    record Check(String path) implements Txn {}

    /// All or nothing, under one zxid.
    record Multi(List<Txn> parts) implements Txn {}

    /// A refused request: it changes nothing and keeps its place in the session's order.
    record Refused(Code code) implements Txn {}

    /// A refused multi.
    ///
    /// @param codes one for each part: OK before the part that failed, its code,
    ///   RUNTIMEINCONSISTENCY behind it
    record RefusedMulti(List<Code> codes) implements Txn {}

    /// With a local session in its header, that one, known to its origin alone, is everybody's from
    /// here on.
    ///
    /// Otherwise its session is made of the zxid and the origin (`safety.md` 15): see
    /// [Session#id(int, long)].
    ///
    /// @param password 16 random bytes
    record CreateSession(int timeoutMillis, byte[] password) implements Txn {
        public CreateSession {
            if (password.length != Session.PASSWORD_BYTES) {
                throw new IllegalArgumentException(
                        "password has "
                                + password.length
                                + " bytes, not "
                                + Session.PASSWORD_BYTES);
            }
        }
    }

    /// The origin's connection owns the session from here on; the zxid is its attach number.
    record AttachSession(int timeoutMillis) implements Txn {}

    /// @param ephemerals every path that the session owns at this point of the order, all of which
    ///   go
    record CloseSession(List<String> ephemerals) implements Txn {}

    /// A new configuration; its version is this transaction's zxid.
    record Configure(Ensemble ensemble) implements Txn {}
}
