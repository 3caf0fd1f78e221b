package dev.ensemble.operator.plan;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// The schedules that back an ensemble up, and how fresh what they have made is.
public record Backups(List<Schedule> schedules) {
    public static final Backups NONE = new Backups(List.of());

    /// A backup may take so long before it is missed.
    static final Duration ALLOWED = Duration.ofHours(1);

    /// The time of a backup is by a member's clock, which may be behind.
    private static final Duration SKEW = Duration.ofMinutes(5);

    /// Times that were due before are forgotten.
    private static final Duration LOOKS_BACK = Duration.ofDays(40);

    public Backups {
        schedules = List.copyOf(schedules);
    }

    /// One schedule.
    ///
    /// @param since when it was made
    /// @param last its last complete backup; null if there is none
    /// @param lastTime when the data was as it is in that one
    /// @param says what it says of itself, in words for people
    public record Schedule(
            String name,
            String cron,
            String tz,
            boolean suspended,
            Instant since,
            @Nullable String last,
            @Nullable Instant lastTime,
            String says) {

        /// {@return what is missing, in words for people; null if nothing is}
        @Nullable String missing(Instant now) {
            String problem = Windows.problem(cron, tz);
            if (problem != null) {
                return "schedule %s: %s".formatted(name, problem);
            }
            Instant back = now.minus(LOOKS_BACK);
            Instant due =
                    Windows.last(cron, tz, since.isBefore(back) ? back : since, now.minus(ALLOWED));
            boolean there = due == null || (lastTime != null && !lastTime.plus(SKEW).isBefore(due));
            return there ? null : "schedule %s has no backup for %s: %s".formatted(name, due, says);
        }
    }

    /// {@return the schedule with the newest complete backup; null if there is none}
    @Nullable Schedule newest() {
        return schedules.stream()
                .filter(each -> each.last() != null && each.lastTime() != null)
                .max(
                        Comparator.comparing(
                                (Schedule each) -> Objects.requireNonNull(each.lastTime())))
                .orElse(null);
    }

    /// {@return whether every schedule that is not suspended has its last backup}
    Finding finding(Instant now) {
        List<Schedule> active = schedules.stream().filter(each -> !each.suspended()).toList();
        if (active.isEmpty()) {
            return Finding.unknown(Reason.BackupsSuspended, "Every schedule is suspended.");
        }
        List<String> missing =
                active.stream().map(each -> each.missing(now)).filter(Objects::nonNull).toList();
        if (!missing.isEmpty()) {
            return Finding.not(Reason.BackupOverdue, "Overdue: " + String.join("; ", missing));
        }
        Schedule newest = newest();
        return newest == null
                ? Finding.is(Reason.BackupNotDue, "No backup has been due for an hour yet.")
                : Finding.is(
                        Reason.BackupFresh,
                        "The last backup is %s, of %s."
                                .formatted(newest.last(), newest.lastTime()));
    }
}
