package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import org.jspecify.annotations.Nullable;

/// How far a backup is.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("How far the backup is.")
public record EnsembleBackupStatus(
        @JsonPropertyDescription("Pending, Running, Complete or Failed.") @Nullable String phase,
        @JsonPropertyDescription("Why, in one word for programs.") @Nullable String reason,
        @JsonPropertyDescription("Why, in words for people.") @Nullable String message,
        @JsonPropertyDescription("When the Job was made that takes it.") @Nullable String startedAt,
        @JsonPropertyDescription("When it was complete, or had failed.")
                @Nullable String completedAt,
        @JsonPropertyDescription("The file, in the destination.") @Nullable String file,
        @JsonPropertyDescription(
                        "When the data was as it is in the backup, by the clock of the member that"
                                + " gave it.")
                @Nullable String time,
        @JsonPropertyDescription("The last transaction in it.") @Nullable String zxid,
        @JsonPropertyDescription("The ensemble whose data it is.") @Nullable String ensembleId,
        @JsonPropertyDescription("How many znodes are in it.") @Nullable Long znodes,
        @JsonPropertyDescription("Size of the file.") @Nullable Long bytes,
        @JsonPropertyDescription(
                        "Whether it was restored for a trial, and what was restored is what the"
                                + " member had.")
                @Nullable Boolean verified) {

    /// {@return one that is not complete}
    public static EnsembleBackupStatus of(
            String phase,
            String reason,
            String message,
            @Nullable String startedAt,
            @Nullable String completedAt) {
        return new EnsembleBackupStatus(
                phase,
                reason,
                message,
                startedAt,
                completedAt,
                null,
                null,
                null,
                null,
                null,
                null,
                null);
    }
}
