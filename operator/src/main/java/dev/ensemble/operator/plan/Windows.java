package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.EnsembleSpec.MaintenanceWindow;

import org.jspecify.annotations.Nullable;

import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.List;

/// When healthy members may be restarted: windows that open as a crontab says.
public final class Windows {
    private static final long MAX_SECONDS = 24 * 3600;

    private Windows() {}

    /// {@return why none of them is open, in words for people; null if one is, or none is given}
    public static @Nullable String closed(@Nullable List<MaintenanceWindow> windows, Instant now) {
        if (windows == null || windows.isEmpty()) {
            return null;
        }
        return windows.stream().anyMatch(each -> open(each, now))
                ? null
                : "a maintenance window to open ("
                        + String.join(
                                "; ",
                                windows.stream()
                                        .map(each -> each.cron() + " " + each.tz())
                                        .toList())
                        + ")";
    }

    private static boolean open(MaintenanceWindow window, Instant now) {
        Times times = times(window);
        long seconds = Math.min(window.durationSeconds(), MAX_SECONDS);
        ZonedDateTime minute = now.atZone(ZoneId.of(window.tz())).truncatedTo(ChronoUnit.MINUTES);
        for (ZonedDateTime at = minute;
                ChronoUnit.SECONDS.between(at.toInstant(), now) < seconds;
                at = at.minusMinutes(1)) {
            if (times.has(at)) {
                return true;
            }
        }
        return false;
    }

    /// {@return what is wrong with a window; null if nothing is}
    public static @Nullable String problem(MaintenanceWindow window) {
        try {
            ZoneId.of(window.tz());
        } catch (DateTimeException e) {
            return "tz '%s' is not valid; valid: a time zone such as Europe/Berlin"
                    .formatted(window.tz());
        }
        if (window.durationSeconds() > MAX_SECONDS) {
            return "duration '%s' is not valid; valid: at most 24h".formatted(window.duration());
        }
        try {
            times(window);
            return null;
        } catch (IllegalArgumentException e) {
            return "cron '%s' is not valid: %s".formatted(window.cron(), e.getMessage());
        }
    }

    /// {@return what is wrong with a cron line and its time zone; null if nothing is}
    public static @Nullable String problem(String cron, String tz) {
        return problem(new MaintenanceWindow(cron, "1m", tz));
    }

    /// {@return the last time of a cron line behind `since`, up to `now`; null if there is none}
    public static @Nullable Instant last(String cron, String tz, Instant since, Instant now) {
        Times times = times(new MaintenanceWindow(cron, "1m", tz));
        ZonedDateTime minute = now.atZone(ZoneId.of(tz)).truncatedTo(ChronoUnit.MINUTES);
        for (ZonedDateTime at = minute; at.toInstant().isAfter(since); at = at.minusMinutes(1)) {
            if (times.has(at)) {
                return at.toInstant();
            }
        }
        return null;
    }

    private static Times times(MaintenanceWindow window) {
        String[] fields = window.cron().strip().split(" +", -1);
        if (fields.length != 5) {
            throw new IllegalArgumentException("it has five fields");
        }
        BitSet days = field("day of the week", fields[4], 0, 7);
        if (days.get(7)) {
            days.set(0);
        }
        return new Times(
                field("minute", fields[0], 0, 59),
                field("hour", fields[1], 0, 23),
                field("day of the month", fields[2], 1, 31),
                field("month", fields[3], 1, 12),
                days,
                fields[2].startsWith("*"),
                fields[4].startsWith("*"));
    }

    private static BitSet field(String name, String text, int least, int most) {
        BitSet values = new BitSet();
        for (String part : text.split(",", -1)) {
            String[] step = part.split("/", -1);
            String[] range = step[0].split("-", -1);
            if (step.length > 2 || range.length > 2) {
                throw refusal(name, part, least, most);
            }
            boolean all = step[0].equals("*");
            int from = all ? least : number(name, part, range[0], least, most);
            int to =
                    all || (range.length == 1 && step.length == 2)
                            ? most
                            : number(name, part, range[range.length - 1], least, most);
            int by = step.length == 2 ? number(name, part, step[1], 1, most) : 1;
            if (from > to) {
                throw refusal(name, part, least, most);
            }
            for (int i = from; i <= to; i += by) {
                values.set(i);
            }
        }
        return values;
    }

    private static int number(String name, String part, String text, int least, int most) {
        if (!text.matches("[0-9]{1,2}")) {
            throw refusal(name, part, least, most);
        }
        int number = Integer.parseInt(text);
        if (number < least || number > most) {
            throw refusal(name, part, least, most);
        }
        return number;
    }

    private static IllegalArgumentException refusal(String name, String part, int least, int most) {
        return new IllegalArgumentException(
                "'%s' is no %s; valid: %d to %d, '*', lists, ranges and steps"
                        .formatted(part, name, least, most));
    }

    /// As in a crontab: where both days are restricted, one of them is enough.
    private record Times(
            BitSet minutes,
            BitSet hours,
            BitSet days,
            BitSet months,
            BitSet weekdays,
            boolean anyDay,
            boolean anyWeekday) {
        boolean has(ZonedDateTime at) {
            boolean day = days.get(at.getDayOfMonth());
            int number = at.getDayOfWeek() == DayOfWeek.SUNDAY ? 0 : at.getDayOfWeek().getValue();
            boolean weekday = weekdays.get(number);
            boolean fits = (anyDay || anyWeekday) ? day && weekday : day || weekday;
            return fits
                    && minutes.get(at.getMinute())
                    && hours.get(at.getHour())
                    && months.get(at.getMonthValue());
        }
    }
}
