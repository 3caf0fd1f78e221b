package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;

import java.util.List;

/// What a member's disk said at its start.
///
/// @param base zxid of the stored state; the entries of `log` follow it
/// @param committed the highest zxid known to be committed, at least `base`
/// @param ensemble the configuration as of `base`; version 0 and no members if none was ever
///   committed
public record Recovered(
        Identity identity,
        long acceptedEpoch,
        long currentEpoch,
        long base,
        Ensemble ensemble,
        List<History.Entry> log,
        long committed) {
    public Recovered {
        if (currentEpoch > acceptedEpoch) {
            throw new IllegalArgumentException(
                    "current epoch " + currentEpoch + " is above accepted epoch " + acceptedEpoch);
        }
    }
}
