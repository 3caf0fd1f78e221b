package dev.ensemble.operator.plan;

/// Why a condition is as it is: the complete list, so that programs can rely on it.
public enum Reason {
    AllMembersReady("Ready: all members are ready, in sync and up to date."),
    Forming(
            "Ready, QuorumAvailable, MembershipStable: the ensemble has not formed yet; it does"
                    + " once every member has been seen."),
    NoQuorum("Ready, QuorumAvailable, MembershipStable: no leader has a quorum behind it."),
    MembersUnreachable(
            "QuorumAvailable, MembershipStable: too few members answer the operator to" + " know."),
    MemberNotReady("Ready: a member is missing, starting or not ready."),
    MemberMissing("MembershipStable: a voter is not in sync."),
    NotUpToDate("Ready: members do not run what the spec asks for yet."),
    QuorumPresent("QuorumAvailable: a leader has a quorum behind it."),
    AllVotersSynced("MembershipStable: every voter is in sync."),
    AllCurrent("UpToDate: every member runs what the spec asks for."),
    RollingRestart("UpToDate: members are being restarted one by one."),
    ManualUpdate(
            "UpToDate: spec.update.strategy is Manual, and members wait for a person to delete"
                    + " their pods."),
    MemberNotBack(
            "UpToDate: a restarted member has not come back within spec.update.memberTimeout;"
                    + " no other one is restarted."),
    ConfigNotLoaded(
            "UpToDate: a member runs with another configuration than the file that it was"
                    + " given."),
    Valid("SpecValid: the spec can work."),
    Invalid("SpecValid, UpToDate, Ready: the spec cannot work; what runs keeps running."),
    Paused("UpToDate: spec.paused is set, and the spec is not compared with what runs."),
    StorageClassMissing("Ready: the StorageClass of a volume claim does not exist."),
    VolumePending("Ready: a volume claim is not bound."),
    ImagePullFailed("Ready: a node cannot pull the server's image."),
    SecretMissing("Ready: a Secret or ConfigMap that a pod names does not exist."),
    Unschedulable("Ready: no node can take a member's pod."),
    PodRefused("Ready: Kubernetes refuses to create a pod (quota, admission, permission)."),
    CrashLooping("Ready: a member ends soon after each start."),
    PermissionDenied("Ready: the operator lacks a permission that it needs."),
    ApiError("Ready: the API server refused or failed a request of the operator."),
    ForeignData("Ready: the volume claims hold data of different ensembles.");

    private final String meaning;

    Reason(String meaning) {
        this.meaning = meaning;
    }

    /// {@return the conditions that have it, and what it means}
    public String meaning() {
        return meaning;
    }
}
