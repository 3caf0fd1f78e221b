package dev.ensemble.operator.ensemble;

import java.net.URI;

/// How a member is told to give a backup to somebody else.
public interface BackupClient {
    /// Lets whoever shows a secret read backups from a member, for a while.
    ///
    /// @param member the root of its admin server
    /// @param audience identity of the ensemble, for which the request is signed
    /// @param sha256 of the secret, in hexadecimal
    EnsembleClient.Outcome permitBackup(URI member, String audience, String sha256, int seconds);
}
