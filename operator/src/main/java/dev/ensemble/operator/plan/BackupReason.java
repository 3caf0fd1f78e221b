package dev.ensemble.operator.plan;

/// Why a backup is as it is: the complete list, so that programs can rely on it.
public enum BackupReason {
    EnsembleMissing("Pending: there is no Ensemble of that name in this namespace."),
    NotFormed("Pending: the ensemble has not formed yet, so there is nothing to back up."),
    ClaimMissing("Pending: the volume claim of the destination does not exist."),
    SecretMissing(
            "Pending: the Secret with the credentials of the bucket does not exist, or lacks one"
                    + " of them."),
    JobRefused("Pending: the API server does not take the Job; the message says why."),
    PodStarting("Running: the Job's pod does not run yet; the message says what it waits for."),
    NoMember("Running: no member can give a backup now: none that does not lead is in sync."),
    Taking("Running: a member was told to give a backup to the Job's pod, which verifies it."),
    Verified("Complete: the backup is in its destination, and was restored for a trial."),
    JobFailed("Failed: the Job failed, each time that it was tried; the message says why."),
    ReportLost(
            "Failed: the Job has ended and its pod is gone, so what it did is not known. Its file"
                    + " is in the destination, if there is one.");

    private final String meaning;

    BackupReason(String meaning) {
        this.meaning = meaning;
    }

    /// {@return what it means, for the table of reasons}
    public String meaning() {
        return meaning;
    }
}
