package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import org.jspecify.annotations.Nullable;

/// What a schedule has done.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("What the schedule has done.")
public record EnsembleBackupScheduleStatus(
        @JsonPropertyDescription(
                        "Active, Suspended, Invalid (the message says what is) or Failing (the last"
                                + " backup has failed).")
                @Nullable String phase,
        @JsonPropertyDescription("The same in words.") @Nullable String message,
        @JsonPropertyDescription("The time of the last backup that was begun.")
                @Nullable String lastScheduled,
        @JsonPropertyDescription("The EnsembleBackup of that.") @Nullable String lastBackup,
        @JsonPropertyDescription("The last EnsembleBackup that is complete.")
                @Nullable String lastComplete,
        @JsonPropertyDescription("When the data was as it is in that one.")
                @Nullable String lastCompleteTime) {}
