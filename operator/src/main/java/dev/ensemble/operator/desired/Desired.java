package dev.ensemble.operator.desired;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;

import java.util.List;

/// All objects of an ensemble.
///
/// @param base what the members need to be there first, in this order
public record Desired(List<HasMetadata> base, StatefulSet members) {
    /// {@return the ConfigMap, which names the members}
    public HasMetadata config() {
        return base.stream().filter(ConfigMap.class::isInstance).findFirst().orElseThrow();
    }

    /// {@return the objects}
    ///
    /// @throws InvalidSpec if a part of the spec that is passed on is not what a pod can have
    public static Desired of(Wanted wanted) throws InvalidSpec {
        return new Desired(
                List.of(
                        Account.of(wanted),
                        Config.of(wanted),
                        PeersService.of(wanted),
                        ClientService.of(wanted),
                        Budget.of(wanted),
                        Reach.of(wanted)),
                Members.of(wanted));
    }
}
