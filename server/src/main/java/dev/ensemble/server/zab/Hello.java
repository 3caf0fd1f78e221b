package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;

/// The first frame on a link, both ways: who is there.
///
/// @param protocol version of the peer protocol that the sender speaks, which is also the highest
///   level that it knows ([Ensemble#level()])
/// @param ensembleId empty if the sender does not belong to an ensemble yet. After a recovery it
///   has that one's id behind a `+`: who knows nothing of it belongs to another ensemble
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
    public static final int PROTOCOL = Ensemble.HIGHEST_LEVEL;

    /// {@return the id to say after a recovery}
    ///
    /// @param recovery empty if there was none
    public static String idAfter(String ensembleId, String recovery) {
        return ensembleId.isEmpty() || recovery.isEmpty()
                ? ensembleId
                : ensembleId + '+' + recovery;
    }

    /// {@return the ensemble's id alone}
    public String plainEnsembleId() {
        int end = ensembleId.indexOf('+');
        return end < 0 ? ensembleId : ensembleId.substring(0, end);
    }

    /// {@return this one, as said by who belongs to that ensemble, after the same recovery}
    public String idIn(String ensemble) {
        int end = ensembleId.indexOf('+');
        return ensemble.isEmpty()
                ? ensembleId
                : idAfter(ensemble, end < 0 ? "" : ensembleId.substring(end + 1));
    }
}
