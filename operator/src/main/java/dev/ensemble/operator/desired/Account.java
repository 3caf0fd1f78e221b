package dev.ensemble.operator.desired;

import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;

/// The ServiceAccount of the members. It has no rights and no token: they never talk to Kubernetes.
public final class Account {
    private Account() {}

    public static ServiceAccount of(Wanted wanted) {
        return new ServiceAccountBuilder()
                .withMetadata(wanted.meta(wanted.name()))
                .withAutomountServiceAccountToken(false)
                .build();
    }
}
