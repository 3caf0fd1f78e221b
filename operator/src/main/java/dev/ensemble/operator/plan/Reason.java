package dev.ensemble.operator.plan;

/// Why a condition is as it is: the complete list, so that programs can rely on it.
public enum Reason {
    AllMembersReady("Ready: all members are ready, in sync and up to date."),
    Forming(
            "Ready, QuorumAvailable, FullyReplicated, MembershipStable, DisruptionAllowed: the"
                    + " ensemble has not formed yet; it does once every member has been seen."),
    NoQuorum(
            "Ready, QuorumAvailable, FullyReplicated, MembershipStable, DisruptionAllowed: no"
                    + " leader has a quorum behind it."),
    MembersUnreachable(
            "QuorumAvailable, FullyReplicated, MembershipStable, DisruptionAllowed: too few members"
                    + " answer the operator to know."),
    Hibernated(
            "Ready, QuorumAvailable, FullyReplicated, UpToDate, MembershipStable,"
                + " DisruptionAllowed, SuperUserReady: spec.hibernate is set, so no member is to"
                + " run."),
    MemberNotReady("Ready: a voter is missing, starting or not ready."),
    MemberMissing(
            "FullyReplicated, MembershipStable, DisruptionAllowed: a voter is not in sync, or the"
                    + " leader lets none stop for another reason."),
    NotUpToDate("Ready: members do not run what the spec asks for yet."),
    Scaling(
            "Ready, FullyReplicated, MembershipStable: the number of voters is on its way to"
                    + " spec.replicas."),
    LearnerSyncing("MembershipStable: new members follow without a vote until they have all data."),
    ReconfigPending("MembershipStable: a change of the configuration is not committed yet."),
    NoRedundancy("DisruptionAllowed: with one voter, clients wait whenever it restarts."),
    QuorumPresent("QuorumAvailable, DisruptionAllowed: a leader has a quorum behind it."),
    AllVotersSynced("FullyReplicated, MembershipStable: every voter is in sync."),
    AllCurrent("UpToDate: every member runs what the spec asks for."),
    RollingRestart("UpToDate: members are being restarted one by one."),
    ManualUpdate(
            "UpToDate: spec.update.strategy is Manual, and a person must approve the restarts by"
                    + " the annotation that the message names."),
    CanaryFailed(
            "UpToDate: the first member that runs what the spec asks for cannot; no other one is"
                    + " restarted, and a corrected spec reaches this one first."),
    MemberNotBack(
            "UpToDate: a restarted member crashes or has not come back within"
                    + " spec.update.memberTimeout; no other one is restarted."),
    ConfigReloading(
            "UpToDate: members take over the changed configuration while they run, within about"
                    + " two minutes."),
    ConfigNotLoaded(
            "UpToDate: a member does not take over the changed configuration; the message says"
                    + " which and why."),
    ConfigUnknown("UpToDate: a member has not told which configuration is in force there."),
    VolumesAsWanted("StorageHealthy: every volume has the size that the spec asks for."),
    VolumeGrowing("StorageHealthy: a volume has not the size yet that the spec asks for."),
    GrowthRefused(
            "StorageHealthy: Kubernetes refuses to let a volume grow, most often since its"
                    + " StorageClass does not allow that."),
    TLSOff("TLSReady: nothing is to speak TLS."),
    CertificatesInUse("TLSReady: connections are secured as the spec asks."),
    AuthorityRotating(
            "TLSReady: the operator replaces its authority, and waits until every member, and"
                    + " clients, can know."),
    TLSMoving("TLSReady: the members are on their way to what the spec asks for, step by step."),
    CertificateExpired("TLSReady: a certificate that is in use has ended."),
    CertificateExpiring("TLSReady: a certificate that is in use ends within three days."),
    CertificateRefused(
            "TLSReady: a member does not use the files as they are now, since they do not fit"
                    + " together."),
    CertificatesUnknown("TLSReady: a member has not told which certificate it uses."),
    NoSuperUser("SuperUserReady: spec.auth.superUser is not set."),
    SuperUserKnown("SuperUserReady: every member has the superuser's Secret."),
    SuperUserMissing(
            "SuperUserReady: the Secret of the superuser does not exist, or members cannot use what"
                    + " is in it; nobody new is the superuser."),
    SuperUserUnknown("SuperUserReady: a member has not told whether it has the Secret."),
    BackupFresh("BackupCurrent: the last backup that was due is complete and verified."),
    BackupNotDue("BackupCurrent: no backup has been due for an hour yet."),
    BackupOverdue(
            "BackupCurrent: a backup that was due more than an hour ago is not complete; the"
                    + " message says of which schedule, and why."),
    BackupsSuspended("BackupCurrent: every schedule is suspended, so nothing is due."),
    Settled("Progressing: there is nothing to do."),
    Working("Progressing: the operator has just done a step."),
    Waiting("Progressing: something must become true before the next step."),
    MajorityBlank(
            "RecoveryRequired: a majority of the members hold no data, and the ensemble has formed"
                    + " before."),
    DataPresent("RecoveryRequired: no majority has lost its data, as far as is known."),
    Valid("SpecValid: the spec can work."),
    Invalid("SpecValid, UpToDate, Ready: the spec cannot work; what runs keeps running."),
    Paused("Paused, UpToDate: spec.paused is set, and the spec is not compared with what runs."),
    NotPaused("Paused: spec.paused is not set."),
    StorageClassMissing("Ready: the StorageClass of a volume claim does not exist."),
    VolumePending("Ready: a volume claim is not bound."),
    ImagePullFailed("Ready: a node cannot pull the server's image."),
    SecretMissing("Ready: a Secret or ConfigMap that a pod names does not exist."),
    CertManagerMissing(
            "Ready: spec.tls asks for a certificate of cert-manager, whose definitions the API"
                    + " server does not have."),
    Unschedulable("Ready: no node can take a member's pod."),
    PodRefused("Ready: Kubernetes refuses to create a pod (quota, admission, permission)."),
    CrashLooping("Ready: a member ends soon after each start."),
    PermissionDenied("Ready: the operator lacks a permission that it needs."),
    ApiError("Ready: the API server refused or failed a request of the operator."),
    ForeignData("Ready: the volume claims hold data of different ensembles."),
    RestoreFailed(
            "Ready: the backup that the ensemble is to begin with could not be restored; the"
                    + " message says why."),
    RestoringInPlace(
            "Ready: an EnsembleRecovery puts a backup in the place of what the members hold, and"
                    + " none may run until that is done.");

    private final String meaning;

    Reason(String meaning) {
        this.meaning = meaning;
    }

    /// {@return the conditions that have it, and what it means}
    public String meaning() {
        return meaning;
    }
}
