package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

import org.jspecify.annotations.Nullable;

/// What is to be backed up when, where to, and what is kept.
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonClassDescription("What is to be backed up when, where to, and what is kept.")
public record EnsembleBackupScheduleSpec(
        @JsonPropertyDescription("Name of the Ensemble, in the same namespace.")
                @Required
                @Size(min = 1, max = 45)
                String ensemble,
        @JsonPropertyDescription(
                        "When, as in a crontab: minute, hour, day of the month, month, day of the"
                                + " week. A time at which the operator did not run is made up for"
                                + " within a day.")
                @Required
                @Size(min = 9, max = 100)
                String cron,
        @JsonPropertyDescription("Time zone of cron, such as Europe/Berlin.")
                @Default("UTC")
                @Size(min = 1, max = 64)
                String tz,
        @JsonPropertyDescription("While true no backup is begun.") @Default("false")
                Boolean suspend,
        @JsonPropertyDescription(
                        "Where the backups go: into a folder there that has the name of the"
                                + " schedule.")
                @Required
                EnsembleBackupSpec.Destination destination,
        @JsonPropertyDescription("What is kept.")
                EnsembleBackupSpec.@Nullable Retention retention) {
    @SuppressWarnings("NullAway") // Jackson passes null for what the file leaves out.
    public EnsembleBackupScheduleSpec {
        tz = tz == null ? "UTC" : tz;
        suspend = suspend == null ? Boolean.FALSE : suspend;
    }
}
