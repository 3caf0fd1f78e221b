package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

import org.jspecify.annotations.Nullable;

/// What is to be recovered, and what a person has approved.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("What is to be recovered, and what a person has approved.")
@ValidationRule(
        value =
                "has(self.fromBackup) == has(oldSelf.fromBackup) && (!has(self.fromBackup) ||"
                        + " self.fromBackup == oldSelf.fromBackup)",
        message =
                "spec.fromBackup cannot be added, changed or removed: make another"
                        + " EnsembleRecovery")
public record EnsembleRecoverySpec(
        @JsonPropertyDescription(
                        "Name of the Ensemble, in the same namespace. Cannot be changed"
                                + " afterwards.")
                @Required
                @Size(min = 1, max = 45)
                @ValidationRule(
                        value = "self == oldSelf",
                        message =
                                "spec.ensemble cannot be changed: make another EnsembleRecovery for"
                                        + " another Ensemble")
                String ensemble,
        @JsonPropertyDescription(
                        "The plan that a person approves: status.plan, as read together with"
                                + " status.message. The operator acts only while its plan is still"
                                + " this one.")
                @Pattern("^([0-9a-f]{12})?$")
                @Nullable String approvedPlan,
        @JsonPropertyDescription(
                        "The backup that the ensemble is to begin again with, in place of what its"
                                + " members hold. Without it, it goes on with the newest data that"
                                + " a member holds.")
                EnsembleSpec.@Nullable FromBackup fromBackup) {}
