package dev.ensemble.operator.plan;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// Everything that a decision may rest on, all of it read just now. What could not be read is
/// unknown, and unknown is never "no".
///
/// @param replicas voters that the spec asks for
/// @param manual whether a person restarts outdated members
/// @param bootstrapped whether it is on record that the ensemble has formed
/// @param revision what the pods should be made of, in short
/// @param targetImage image that the pods should run
/// @param targetConfigHash hash of the configuration that members should have loaded
/// @param controllerCurrent whether the StatefulSet's controller has seen the newest template;
///   before that a deleted pod might come back as it was
/// @param members one for each ordinal
public record Observed(
        int replicas,
        boolean manual,
        boolean bootstrapped,
        int minReadySeconds,
        long memberTimeoutSeconds,
        String revision,
        String targetImage,
        String targetConfigHash,
        boolean controllerCurrent,
        Leadership leadership,
        List<Member> members) {

    public Observed {
        members = List.copyOf(members);
    }

    /// Whether there is a leader whose word counts.
    public sealed interface Leadership {
        /// One leader, with a quorum behind it.
        ///
        /// @param pending whether a change of the configuration is under way
        record Known(
                int myid,
                long epoch,
                int configured,
                int needed,
                int synced,
                int canLose,
                boolean pending,
                @Nullable String ensembleId)
                implements Leadership {}

        /// The members that answered are enough to say that there is none.
        record None(String why) implements Leadership {}

        /// Too few members answered.
        record Unknown(String why) implements Leadership {}
    }

    /// A member's pod as Kubernetes sees it.
    ///
    /// @param terminating whether it is on its way out
    /// @param readySeconds for how long it has been ready, or not ready
    /// @param stuck whether its container does not run, and kubelet or scheduler say that it cannot
    /// @param current whether it is made of what is wanted now
    /// @param trouble what is wrong with it, if Kubernetes says so
    public record Pod(
            String uid,
            boolean terminating,
            boolean ready,
            long readySeconds,
            boolean stuck,
            boolean current,
            int restarts,
            @Nullable String node,
            @Nullable Trouble trouble) {}

    /// What the leader says about a voter.
    public record Voter(
            boolean synced, @Nullable Long lag, boolean safeToStop, List<String> reasons) {}

    /// What a member says about itself.
    public record Said(
            String role,
            boolean formed,
            @Nullable String version,
            @Nullable String configHash,
            @Nullable String incarnation,
            List<String> warnings) {}

    /// A member.
    ///
    /// @param pod null if there is none
    /// @param voter null if the leader does not count it among the voters, or there is no leader
    /// @param said null if it does not answer
    /// @param silence why it does not answer
    public record Member(
            int myid,
            String name,
            @Nullable Pod pod,
            @Nullable Voter voter,
            @Nullable Said said,
            @Nullable String silence) {

        /// {@return whether it has a pod that is there to stay and is not made of what is wanted}
        boolean outdated() {
            return pod != null && !pod.terminating() && !pod.current();
        }

        boolean current() {
            return pod != null && !pod.terminating() && pod.current();
        }

        boolean ready() {
            return pod != null && !pod.terminating() && pod.ready();
        }

        boolean synced() {
            return voter != null && voter.synced();
        }
    }

    /// What stops a member, an object or the operator, by Kubernetes' word.
    ///
    /// @param reason one word for programs, from [Reason]
    /// @param message names what is missing
    public record Trouble(Reason reason, String message) {}

    /// {@return the leader, if there is one whose word counts}
    Leadership.@Nullable Known leader() {
        return leadership instanceof Leadership.Known known ? known : null;
    }
}
