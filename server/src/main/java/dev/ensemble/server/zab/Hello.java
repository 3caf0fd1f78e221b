package dev.ensemble.server.zab;

import dev.ensemble.server.model.Identity;

/// The first frame on a link, both ways: who is there.
///
/// @param protocol version of the peer protocol that the sender speaks
/// @param ensembleId empty if the sender does not belong to an ensemble yet
/// @param starts the sender's start counter: a lower one than seen before is a disk that went back
///   in time
/// @param bootstrapRecord hash of what the sender's file declares; members of equal records may
///   form an ensemble
public record Hello(
        int protocol,
        String ensembleId,
        int myid,
        long incarnation,
        long starts,
        Identity.State state,
        String bootstrapRecord) {
    /// The version of the peer protocol that this build speaks.
    public static final int PROTOCOL = 1;
}
