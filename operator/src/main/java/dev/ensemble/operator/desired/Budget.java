package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;

/// The PodDisruptionBudget. It never changes; readiness carries the fact. Under `IfHealthyBudget` a
/// member that is not ready may be evicted only while all others are ready, so `kubectl drain` and
/// the operator never take two at once.
public final class Budget {
    private Budget() {}

    public static PodDisruptionBudget of(Wanted wanted) {
        return new PodDisruptionBudgetBuilder()
                .withMetadata(wanted.meta(wanted.name()))
                .withNewSpec()
                .withMaxUnavailable(new IntOrString(1))
                .withUnhealthyPodEvictionPolicy("IfHealthyBudget")
                .withNewSelector()
                .withMatchLabels(Labels.selector(wanted.name()))
                .endSelector()
                .endSpec()
                .build();
    }
}
