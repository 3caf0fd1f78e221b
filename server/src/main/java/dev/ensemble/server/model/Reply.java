package dev.ensemble.server.model;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What a client is answered: the body of a reply, or the code that stands in its header.
///
/// `tree` makes those of reads, the client side those of writes from a [Result].
public sealed interface Reply {
    /// Nothing but the header.
    record None() implements Reply {}

    /// In a [Parts] also [Code#OK], for an operation of a failed multi before the one that failed.
    record Failed(Code code) implements Reply {}

    /// Of create and sync.
    record Path(@Nullable String path) implements Reply {}

    /// Of create2, createContainer and createTTL.
    record Created(String path, Stat stat) implements Reply {}

    /// Of exists, setData and setACL.
    record Stats(Stat stat) implements Reply {}

    /// Of getData and reconfig.
    record Data(byte @Nullable [] data, Stat stat) implements Reply {}

    /// Of getData from a tree, which need not copy the data for it: `length` bytes of `source`,
    /// which nobody changes.
    ///
    /// @param length -1 for null data
    record Slice(byte[] source, int from, int length, Stat stat) implements Reply {}

    /// Of getACL.
    record AclList(List<Acl> acl, Stat stat) implements Reply {}

    /// @param stat null for getChildren, which answers without
    record Children(List<String> names, @Nullable Stat stat) implements Reply {}

    /// Of getAllChildrenNumber.
    record Count(int count) implements Reply {}

    /// Of getEphemerals.
    record Ephemerals(List<String> paths) implements Reply {}

    /// Of addWatch.
    record Watching() implements Reply {}

    /// Of whoAmI.
    ///
    /// @param users scheme and the part of each identity that may be shown
    record Identities(List<Id> users) implements Reply {}

    /// Of multi and multiRead, one for each operation.
    record Parts(List<Reply> parts) implements Reply {}

    /// Of sasl.
    record Token(byte @Nullable [] token) implements Reply {}
}
