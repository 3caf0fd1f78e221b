package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.model.annotation.LabelSelector;
import io.fabric8.kubernetes.model.annotation.StatusReplicas;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What the operator saw and what it waits for. Figures are coarse and no transaction number is in
/// it, so that an ensemble at work does not write to the API server.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("What the operator saw, and what it waits for.")
public record EnsembleStatus(
        @JsonPropertyDescription("Generation of the spec that this status is about.")
                @Nullable Long observedGeneration,
        @JsonPropertyDescription(
                        "One word for people: Pending, Forming, Running, Restarting, Reloading,"
                                + " Scaling, Degraded, QuorumLost, Hibernated, Paused or Invalid."
                                + " Programs read the conditions.")
                @Nullable String phase,
        @JsonPropertyDescription("Identity of the ensemble, on every volume of it.")
                @Nullable String ensembleId,
        @JsonPropertyDescription(
                        "When the ensemble first formed. From then on it never forms anew, even if"
                                + " every volume is lost.")
                @Nullable String bootstrapped,
        @JsonPropertyDescription("Number of members that exist.") @StatusReplicas
                @Nullable Integer replicas,
        @JsonPropertyDescription("Number of members that are ready.")
                @Nullable Integer readyReplicas,
        @JsonPropertyDescription("Ready members of all, such as 3/3.") @Nullable String ready,
        @JsonPropertyDescription("Label selector of the members' pods.") @LabelSelector
                @Nullable String selector,
        @JsonPropertyDescription("The quorum, as the leader sees it.") @Nullable Quorum quorum,
        @JsonPropertyDescription("The leader.") @Nullable Leader leader,
        @JsonPropertyDescription("The members, by myid.") @Nullable List<Member> members,
        @JsonPropertyDescription("What the operator is doing, if anything.")
                @Nullable Operation operation,
        @JsonPropertyDescription("Versions of the server.") @Nullable Versions version,
        @JsonPropertyDescription("Where clients connect.") @Nullable Endpoints endpoints,
        @JsonPropertyDescription(
                        "Figures of the servers, two digits, renewed at most once a minute.")
                @Nullable Metrics metrics,
        @JsonPropertyDescription("Certificates in use, as the members say.")
                @Nullable List<Certificate> certificates,
        @JsonPropertyDescription(
                        "The newest backup of the schedules that back this ensemble up; left out"
                                + " without any.")
                @Nullable LastBackup lastBackup,
        @JsonPropertyDescription("Conditions, by type.") @Nullable List<Condition> conditions) {

    /// {@return the same status with other conditions, and the phase that goes with them}
    public EnsembleStatus with(@Nullable String otherPhase, List<Condition> others) {
        return new EnsembleStatus(
                observedGeneration,
                otherPhase,
                ensembleId,
                bootstrapped,
                replicas,
                readyReplicas,
                ready,
                selector,
                quorum,
                leader,
                members,
                operation,
                version,
                endpoints,
                metrics,
                certificates,
                lastBackup,
                others);
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("A backup.")
    public record LastBackup(
            @JsonPropertyDescription("The EnsembleBackup.") String name,
            @JsonPropertyDescription("When the data was as it is in it.") String time,
            @JsonPropertyDescription("Whether it was restored for a trial.") boolean verified) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("The quorum, as the leader sees it.")
    public record Quorum(
            @JsonPropertyDescription("Voters of the committed configuration.") int configured,
            @JsonPropertyDescription("Voters needed to commit.") int needed,
            @JsonPropertyDescription("Voters in sync with the leader.") int synced,
            @JsonPropertyDescription("How many of those may fail now without losing the quorum.")
                    int canLose) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("A certificate in use.")
    public record Certificate(
            @JsonPropertyDescription("members: between members; clients: for clients.") String use,
            @JsonPropertyDescription("SHA-256 in hexadecimal.") String fingerprint,
            @JsonPropertyDescription("Until when it is valid.") String notAfter,
            @JsonPropertyDescription("Members that show it.") List<String> members) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("The leader.")
    public record Leader(
            @JsonPropertyDescription("Its pod.") String member,
            @JsonPropertyDescription("Its myid.") int myid,
            @JsonPropertyDescription("Epoch that it leads.") long epoch,
            @JsonPropertyDescription("Since when the operator sees it lead.") String since) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("A member.")
    public record Member(
            @JsonPropertyDescription("Its myid.") int myid,
            @JsonPropertyDescription("Its pod.") String name,
            @JsonPropertyDescription(
                            "leader, follower, observer, learner, looking, or unknown if it does"
                                    + " not answer.")
                    String role,
            @JsonPropertyDescription("Whether its pod is ready.") boolean ready,
            @JsonPropertyDescription(
                            "Whether it is in sync, as the leader says; left out if not known.")
                    @Nullable Boolean synced,
            @JsonPropertyDescription(
                            "How far behind the leader, in transactions: none, <100, <10k, more;"
                                    + " left out if not known.")
                    @Nullable String lag,
            @JsonPropertyDescription(
                            "Whether it may stop without harm now, as the leader says; left out if"
                                    + " not known.")
                    @Nullable Boolean safeToStop,
            @JsonPropertyDescription("Why it may not stop, or what is wrong with it.")
                    @Nullable List<String> reasons,
            @JsonPropertyDescription("Changes when the member has lost its volume.")
                    @Nullable String incarnation,
            @JsonPropertyDescription("Version that it runs.") @Nullable String version,
            @JsonPropertyDescription("Hash of the configuration that is in force there.")
                    @Nullable String configHash,
            @JsonPropertyDescription("Whether it runs what the spec asks for.") boolean upToDate,
            @JsonPropertyDescription("Its node.") @Nullable String node,
            @JsonPropertyDescription("How often its container was restarted in this pod.")
                    int restarts) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("What the operator is doing.")
    public record Operation(
            @JsonPropertyDescription(
                            "Create, RollingRestart, Reload, ScaleUp, ScaleDown, GrowVolumes,"
                                    + " Hibernate or Recover.")
                    String type,
            @JsonPropertyDescription("What it does now, or will do next.") String step,
            @JsonPropertyDescription("The pod that the step is about.") @Nullable String member,
            @JsonPropertyDescription("Since when the operation goes on.") String startedAt,
            @JsonPropertyDescription("What must become true before the next step.")
                    @Nullable List<String> waitingFor) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("Versions of the server.")
    public record Versions(
            @JsonPropertyDescription("Version that all members run, as they say.")
                    @Nullable String current,
            @JsonPropertyDescription("Image that the spec asks for.") @Nullable String target) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("Where clients connect.")
    public record Endpoints(
            @JsonPropertyDescription("Host and port of the client Service.") String client,
            @JsonPropertyDescription("Host and port of each member.") List<String> members) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("Figures of the servers.")
    public record Metrics(
            @JsonPropertyDescription("Znodes in the tree.") long znodes,
            @JsonPropertyDescription("Client connections of all members.") long connections,
            @JsonPropertyDescription("Sessions.") long sessions,
            @JsonPropertyDescription("Writes in a second.") long writesPerSecond,
            @JsonPropertyDescription("Slowest 99th percentile among the members, in milliseconds.")
                    long p99Millis,
            @JsonPropertyDescription("When these figures were taken.") String at) {}
}
