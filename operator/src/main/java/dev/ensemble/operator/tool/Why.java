package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleStatus;

import io.fabric8.kubernetes.api.model.Condition;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Why an Ensemble is not Ready or does not go on: what its status says of that, and no more.
final class Why {
    /// Conditions that are `False` while all is well.
    private static final Set<String> QUIET = Set.of("Progressing", "Paused", "RecoveryRequired");

    private Why() {}

    /// One thing that is not as it should be.
    ///
    /// @param what a condition with its reason, or a member
    record Line(String what, String message) {}

    /// {@return what is not as it should be, nothing if all is well}
    static List<Line> of(Ensemble resource) {
        EnsembleStatus status = resource.getStatus();
        if (status == null || status.conditions() == null) {
            return List.of(
                    new Line("operator", "it has not looked at this Ensemble yet; does it run?"));
        }
        List<Line> lines = new ArrayList<>();
        if (!Objects.equals(status.observedGeneration(), resource.getMetadata().getGeneration())) {
            lines.add(
                    new Line("operator", "it has not looked at the newest spec yet; does it run?"));
        }
        for (Condition each : status.conditions()) {
            String well = QUIET.contains(each.getType()) ? "False" : "True";
            if (!each.getStatus().equals(well)) {
                lines.add(
                        new Line(
                                "%s is %s, %s"
                                        .formatted(
                                                each.getType(), each.getStatus(), each.getReason()),
                                each.getMessage()));
            }
        }
        if (status.members() != null) {
            for (EnsembleStatus.Member each : status.members()) {
                if (!each.ready() && each.reasons() != null) {
                    lines.add(new Line("member " + each.name(), String.join("; ", each.reasons())));
                }
            }
        }
        return lines;
    }
}
