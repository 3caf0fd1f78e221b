package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Said;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/// What a change of the configuration waits for that members take over while they run. It holds up
/// nothing, since nothing rests on it but that people are told.
final class ReloadPlan {
    /// A node renews a mounted ConfigMap within about a minute and a half, and a member looks at it
    /// every second.
    static final Duration PATIENCE = Duration.ofMinutes(3);

    private ReloadPlan() {}

    /// {@return members that are made of what is wanted, and say that another configuration is in
    /// force}
    static List<Member> behind(Observed seen) {
        return seen.expected().stream()
                .filter(Member::current)
                .filter(each -> {
                    Said said = each.said();
                    return said != null
                            && said.configHash() != null
                            && !said.configHash().equals(seen.targetConfigHash());
                })
                .toList();
    }

    /// {@return members that have not told which configuration is in force}
    static List<Member> silent(Observed seen) {
        return seen.expected().stream()
                .filter(each -> each.said() == null || each.said().configHash() == null)
                .toList();
    }

    /// {@return null if nobody is behind}
    static @Nullable Step next(Observed seen) {
        List<Member> behind = behind(seen);
        return behind.isEmpty() || seen.wish().hibernate()
                ? null
                : new Step.Wait(Plan.names(behind) + " to take over the changed configuration");
    }

    /// {@return why it will not take the configuration over by itself; null while it may}
    ///
    /// @param late whether it had time enough
    static @Nullable String why(Member member, boolean late) {
        Observed.File file = Objects.requireNonNull(member.said()).file();
        if (file == null) {
            return member.name()
                    + " runs a server that reads its configuration only when it starts: set"
                    + " spec.restartedAt";
        }
        if (file.refused() != null) {
            return member.name() + " refuses it: " + file.refused();
        }
        if (!file.waiting().isEmpty()) {
            return "%s needs a restart for %s: set spec.restartedAt"
                    .formatted(member.name(), String.join(", ", file.waiting()));
        }
        return late
                ? "%s has not taken it over for %d minutes"
                        .formatted(member.name(), PATIENCE.toMinutes())
                : null;
    }
}
