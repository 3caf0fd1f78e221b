package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.TlsStage;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Everything that a decision may rest on, all of it read just now. What could not be read is
/// unknown, and unknown is never "no".
///
/// @param wish what the spec asks for
/// @param bootstrapped whether it is on record that the ensemble has formed
/// @param size members that there should be now, which follows `wish.replicas` step by step: the
///   StatefulSet has as many, or none while the ensemble hibernates
/// @param revision what the pods should be made of, in short
/// @param targetImage image that the pods should run
/// @param targetConfigHash hash of the configuration that members should have in force
/// @param controllerCurrent whether the StatefulSet's controller has seen the newest template;
///   before that a deleted pod might come back as it was
/// @param template size of the volumes that the StatefulSet makes, in bytes; 0 if there is no
///   StatefulSet
/// @param tls how connections are secured
/// @param members one for each ordinal, up to the highest that is wanted, there, or a voter
/// @param spare volume claims of ordinals beyond `size`, which no member uses any more
public record Observed(
        Wish wish,
        boolean bootstrapped,
        int size,
        String revision,
        String targetImage,
        String targetConfigHash,
        boolean controllerCurrent,
        long template,
        Leadership leadership,
        Tls tls,
        List<Member> members,
        List<Volume> spare) {

    public Observed {
        members = List.copyOf(members);
        spare = List.copyOf(spare);
    }

    /// How connections are secured.
    ///
    /// @param is how far the members have come
    /// @param target what the spec asks for
    public record Tls(TlsStage is, TlsStage target) {
        public static final Tls OFF = new Tls(TlsStage.OFF, TlsStage.OFF);
    }

    /// What the spec asks for.
    ///
    /// @param replicas voters
    /// @param firstMyid myid of the member with ordinal 0
    /// @param manual whether a person approves each restart of outdated members
    /// @param approved whether that has happened for this revision
    /// @param closed why healthy members may not be restarted at this time of the day; null if they
    ///   may
    /// @param handOver whether the leader hands over before it is restarted
    /// @param hibernate whether no member should run
    /// @param volumeBytes size of each member's volume
    /// @param deleteVolumes whether the volume of a member that was removed is deleted
    /// @param survivor myid of the member that a person chose to go on alone, while its pod does
    ///   not know that; 0 if there is none
    public record Wish(
            int replicas,
            int firstMyid,
            boolean manual,
            boolean approved,
            @Nullable String closed,
            boolean handOver,
            boolean hibernate,
            long volumeBytes,
            boolean deleteVolumes,
            int minReadySeconds,
            long memberTimeoutSeconds,
            int survivor) {
        /// The same, without a recovery.
        public Wish(
                int replicas,
                int firstMyid,
                boolean manual,
                boolean approved,
                @Nullable String closed,
                boolean handOver,
                boolean hibernate,
                long volumeBytes,
                boolean deleteVolumes,
                int minReadySeconds,
                long memberTimeoutSeconds) {
            this(
                    replicas,
                    firstMyid,
                    manual,
                    approved,
                    closed,
                    handOver,
                    hibernate,
                    volumeBytes,
                    deleteVolumes,
                    minReadySeconds,
                    memberTimeoutSeconds,
                    0);
        }
    }

    /// Whether there is a leader whose word counts.
    public sealed interface Leadership {
        /// One leader, with a quorum behind it.
        ///
        /// @param confirmed whether a majority of the voters say themselves that they follow it in
        ///   this epoch
        record Known(
                int myid,
                long epoch,
                int configured,
                int needed,
                int synced,
                int canLose,
                boolean confirmed,
                Configuration configuration,
                @Nullable String ensembleId)
                implements Leadership {}

        /// The members that answered are enough to say that there is none.
        record None(String why) implements Leadership {}

        /// Too few members answered.
        record Unknown(String why) implements Leadership {}
    }

    /// The committed configuration, as the leader has it.
    ///
    /// @param version compared by the leader before it changes anything; null if it told none
    /// @param pending whether a newer one is not committed yet
    /// @param voters myids
    public record Configuration(@Nullable String version, boolean pending, Set<Integer> voters) {
        public Configuration {
            voters = java.util.Collections.unmodifiableSet(new TreeSet<>(voters));
        }
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

    /// What the leader says about a member that follows it without a vote.
    ///
    /// @param level whether the leader would take it among the voters now
    public record Learner(boolean level, @Nullable Long lag) {}

    /// What a member says about itself.
    ///
    /// @param configHash of the configuration that is in force
    /// @param links its certificate for other members; null without TLS
    /// @param clients its certificate for clients; null without TLS
    /// @param file how the file of its configuration is now; null if it reads that only at its
    ///   start
    /// @param superUser what it knows of the superuser by files; null if it looks for none
    public record Said(
            String role,
            boolean formed,
            @Nullable String version,
            @Nullable String configHash,
            @Nullable String incarnation,
            List<String> warnings,
            @Nullable Shown links,
            @Nullable Shown clients,
            @Nullable File file,
            @Nullable SuperUser superUser) {
        /// The same, without TLS.
        public Said(
                String role,
                boolean formed,
                @Nullable String version,
                @Nullable String configHash,
                @Nullable String incarnation,
                List<String> warnings) {
            this(role, formed, version, configHash, incarnation, warnings, null, null, null, null);
        }
    }

    /// How the file of a member's configuration stands to what is in force.
    ///
    /// @param waiting keys that differ and count from its next start on
    /// @param refused why nothing of the file is in force; null if what can be is
    public record File(List<String> waiting, @Nullable String refused) {}

    /// Whether a member knows a superuser by files.
    ///
    /// @param problem with the files as they are now; null if there is none
    public record SuperUser(boolean known, @Nullable String problem) {}

    /// A certificate that a member shows, and whom it trusts.
    ///
    /// @param refused why the files as they are now are not in use; null if they are
    public record Shown(
            String fingerprint, Instant notAfter, List<String> trusted, @Nullable String refused) {}

    /// A volume claim.
    ///
    /// @param requested size that it asks for, in bytes
    /// @param capacity size that it has; 0 if it is not bound
    /// @param waiting why it has not the size that it asks for, if Kubernetes says so
    public record Volume(
            String claim,
            String uid,
            int ordinal,
            long requested,
            long capacity,
            boolean deleting,
            @Nullable String waiting) {}

    /// A member.
    ///
    /// @param pod null if there is none
    /// @param voter null if the leader does not count it among the voters, or there is no leader
    /// @param learner null if the leader does not know it as one, or there is no leader
    /// @param said null if it does not answer
    /// @param silence why it does not answer
    /// @param volume null if there is none
    public record Member(
            int myid,
            String name,
            @Nullable Pod pod,
            @Nullable Voter voter,
            @Nullable Learner learner,
            @Nullable Said said,
            @Nullable String silence,
            @Nullable Volume volume) {

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

    /// {@return the members that must be well: the voters, as the leader has them; without a leader
    /// all that there should be}
    List<Member> voters() {
        Leadership.Known leader = leader();
        return leader == null
                ? expected()
                : members.stream()
                        .filter(each -> leader.configuration().voters().contains(each.myid()))
                        .toList();
    }

    /// {@return the members that there should be}
    public List<Member> expected() {
        return members.stream().filter(each -> ordinal(each) < size).toList();
    }

    int ordinal(Member member) {
        return member.myid() - wish.firstMyid();
    }

    /// {@return the myids that the spec asks for}
    Set<Integer> wanted() {
        Set<Integer> myids = new TreeSet<>();
        for (int i = 0; i < wish.replicas(); i++) {
            myids.add(wish.firstMyid() + i);
        }
        return myids;
    }
}
