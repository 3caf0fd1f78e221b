package dev.ensemble.operator.tool;

import dev.ensemble.operator.ensemble.EnsembleClient.Answer;
import dev.ensemble.operator.ensemble.MemberStatus;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;

/// A table for people: columns as wide as they need to be.
final class StatusTable {
    private StatusTable() {}

    /// {@return the members of an ensemble of this machine}
    ///
    /// @param pids the process of each member by myid, 0 if none runs
    static String of(
            LocalDir.Identity identity, Map<Integer, Answer> answers, IntToLongFunction pids) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("MEMBER", "ROLE", "SERVING", "CLIENT", "PROCESS", "SAFE-TO-STOP"));
        for (int i : identity.ordinals()) {
            int myid = identity.myid(i);
            long pid = pids.applyAsLong(myid);
            Answer answer = answers.get(myid);
            rows.add(
                    List.of(
                            Integer.toString(myid),
                            answer instanceof Answer.Known known
                                    ? text(known.status().role())
                                    : "unknown",
                            answer instanceof Answer.Known known
                                    ? known.status().serving() ? "yes" : "no"
                                    : "unknown",
                            "127.0.0.1:" + identity.ports().client(i),
                            pid == 0 ? "-" : Long.toString(pid),
                            answer instanceof Answer.Known known
                                    ? safe(known.status())
                                    : "unknown"));
        }
        return of(rows);
    }

    private static String safe(MemberStatus status) {
        MemberStatus.SafeToStop safe = status.safeToStop();
        if (safe == null) {
            return "unknown";
        }
        List<String> reasons = safe.reasons() == null ? List.of() : safe.reasons();
        return safe.value() ? "yes" : "no" + (reasons.isEmpty() ? "" : ": " + reasons.getFirst());
    }

    private static String text(@org.jspecify.annotations.Nullable String value) {
        return value == null ? "unknown" : value;
    }

    /// {@return the rows, the first of which is the heading}
    static String of(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 3));
            }
            table.append(line.toString().stripTrailing()).append('\n');
        }
        return table.toString();
    }
}
