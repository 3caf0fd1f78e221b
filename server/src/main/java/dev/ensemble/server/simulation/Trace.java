package dev.ensemble.server.simulation;

import org.jspecify.annotations.Nullable;

import java.util.function.Consumer;

/// The last things that happened, made text only when somebody wants to read them.
final class Trace {
    private static final int KEPT = 400;

    private record Line(long nanos, int myid, String what, Object detail) {
        @Override
        public String toString() {
            return String.format(
                    "%12.6f  %s  %-9s %s", nanos / 1e9, myid == 0 ? "-" : "" + myid, what, text());
        }

        private String text() {
            // Arrays show where they are in memory, which differs from run to run.
            String text = detail.toString().replaceAll("@[0-9a-f]+", "");
            return text.length() <= 400 ? text : text.substring(0, 400) + "...";
        }
    }

    private final Schedule schedule;
    private final @Nullable Consumer<String> live;
    private final Line[] lines = new Line[KEPT];
    private long count;

    /// @param live gets every line at once, if there is one
    Trace(Schedule schedule, @Nullable Consumer<String> live) {
        this.schedule = schedule;
        this.live = live;
    }

    /// @param myid 0: not of a member
    void add(int myid, String what, Object detail) {
        var line = new Line(schedule.nowNanos(), myid, what, detail);
        lines[(int) (count++ % KEPT)] = line;
        if (live != null) {
            live.accept(line.toString());
        }
    }

    /// {@return the last lines}
    String tail() {
        var text = new StringBuilder();
        for (long i = Math.max(0, count - KEPT); i < count; i++) {
            text.append(lines[(int) (i % KEPT)]).append('\n');
        }
        return text.toString();
    }
}
