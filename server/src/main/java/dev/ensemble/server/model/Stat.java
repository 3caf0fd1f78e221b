package dev.ensemble.server.model;

/// A znode's metadata, in the order of the wire (`client-protocol` section 6).
///
/// @param ctime wall clock of the leader in ms, like `mtime`
/// @param ephemeralOwner the session of an ephemeral; 0 for all others, containers and TTL nodes
///   included
/// @param pzxid the last create or delete of a direct child
public record Stat(
        long czxid,
        long mzxid,
        long ctime,
        long mtime,
        int version,
        int cversion,
        int aversion,
        long ephemeralOwner,
        int dataLength,
        int numChildren,
        long pzxid) {}
