package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// How far a recovery is.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("How far the recovery is.")
public record EnsembleRecoveryStatus(
        @JsonPropertyDescription(
                        "NotPossible, Planned (a person must approve the plan), Recovering or"
                                + " Recovered.")
                @Nullable String phase,
        @JsonPropertyDescription("What it waits for, or what the plan means, in words.")
                @Nullable String message,
        @JsonPropertyDescription("Hash of the plan, to be approved by spec.approvedPlan.")
                @Nullable String plan,
        @JsonPropertyDescription("Whose data the ensemble goes on with.")
                @Nullable Survivor survivor,
        @JsonPropertyDescription("What is known of each member, one line each.")
                @Nullable List<String> members,
        @JsonPropertyDescription("What the members are told; set once the plan is approved.")
                @Nullable String decision,
        @JsonPropertyDescription(
                        "With a backup: the epoch that its data is put behind, since clients may"
                                + " have seen it.")
                @Nullable Long afterEpoch) {

    @JsonInclude(JsonInclude.Include.NON_NULL)
    @JsonClassDescription("The member whose data the ensemble goes on with.")
    public record Survivor(
            @JsonPropertyDescription("Its pod.") String member,
            @JsonPropertyDescription("Its myid.") int myid,
            @JsonPropertyDescription("The epoch that its data is of.") long epoch,
            @JsonPropertyDescription("Where its log ends.") String zxid) {}

    public EnsembleRecoveryStatus {
        members = members == null ? null : List.copyOf(members);
    }

    /// {@return the same, further on}
    public EnsembleRecoveryStatus with(String nextPhase, String nextMessage, String nextDecision) {
        return new EnsembleRecoveryStatus(
                nextPhase, nextMessage, plan, survivor, members, nextDecision, afterEpoch);
    }
}
