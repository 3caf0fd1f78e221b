package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Said;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// The way from plaintext to TLS and back, one step at a time. Each step is another template, so
/// the members restart one by one in between; the next one is taken when all of them run with this
/// one, have loaded its file and are well.
final class TlsPlan {
    private TlsPlan() {}

    /// {@return null if the members are where the spec wants them}
    static @Nullable Step next(Observed seen) {
        if (seen.tls().is().equals(seen.tls().target())) {
            return null;
        }
        List<String> waiting = Plan.notWell(seen);
        if (!waiting.isEmpty()) {
            return new Step.Wait(waiting);
        }
        for (Member member : seen.expected()) {
            if (!member.current()) {
                return new Step.Wait(member.name() + " to be restarted");
            }
            Said said = member.said();
            if (said == null) {
                return new Step.Wait("news of " + member.name());
            }
            if (!seen.targetConfigHash().equals(said.configHash())) {
                return new Step.Wait(member.name() + " to run with the newest configuration");
            }
        }
        return new Step.MoveTls(seen.tls().is().next(seen.tls().target()));
    }
}
