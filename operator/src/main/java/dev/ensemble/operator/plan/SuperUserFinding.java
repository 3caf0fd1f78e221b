package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Member;

import java.util.ArrayList;
import java.util.List;

/// Whether every member knows the superuser that the spec names.
final class SuperUserFinding {
    private SuperUserFinding() {}

    /// @param secret that has the superuser's password or digest
    static Finding of(Observed seen, String secret) {
        List<String> problems = new ArrayList<>();
        List<Member> silent = new ArrayList<>();
        for (Member member : seen.expected()) {
            Observed.SuperUser known = member.said() == null ? null : member.said().superUser();
            if (known == null) {
                silent.add(member);
            } else if (known.problem() != null || !known.known()) {
                problems.add(member.name() + ": " + known.problem());
            }
        }
        if (!problems.isEmpty()) {
            return Finding.not(
                    Reason.SuperUserMissing,
                    "Secret %s must have the key password or digest; %s"
                            .formatted(secret, String.join("; ", problems)));
        }
        return silent.isEmpty()
                ? Finding.is(Reason.SuperUserKnown, "Every member has Secret %s.".formatted(secret))
                : Finding.unknown(
                        Reason.SuperUserUnknown,
                        "Not known of %s whether it has Secret %s"
                                .formatted(Plan.names(silent), secret));
    }
}
