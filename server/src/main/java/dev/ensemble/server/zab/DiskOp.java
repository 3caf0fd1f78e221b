package dev.ensemble.server.zab;

import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;

/// What the log thread does, strictly in the order of the tickets; each is durable before it is
/// confirmed.
public sealed interface DiskOp {
    /// @param committed the highest zxid known to be committed now, for the header of the batch
    ///   (`safety.md` 1)
    record Append(long zxid, Payload payload, long committed) implements DiskOp {}

    /// Removes everything behind `zxid` from the log; zeroed and synced before any later append
    /// (`safety.md` 8).
    record Truncate(long zxid) implements DiskOp {}

    /// Replaces the epoch file, atomically.
    record Epochs(long accepted, long current) implements DiskOp {}

    /// Replaces the identity file, atomically.
    record StoreIdentity(Identity identity) implements DiskOp {}

    /// Puts the fetched snapshot in force, with an empty log behind it (`safety.md` 11).
    record Install(long zxid) implements DiskOp {}
}
