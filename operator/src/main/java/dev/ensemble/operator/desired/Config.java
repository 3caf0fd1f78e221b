package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;

/// The ConfigMap with `zoo.cfg`, and with the keys by which the members know the operator. Its name
/// never changes: the pods' template must not change when only membership or the bootstrap record
/// does.
public final class Config {
    static final String FILE = "zoo.cfg";
    static final String KEYS = "operator-keys.pem";

    private Config() {}

    public static ConfigMap of(Wanted wanted) {
        return new ConfigMapBuilder()
                .withMetadata(wanted.meta(Labels.config(wanted.name()), wanted.identity()))
                .addToData(FILE, wanted.zooCfg().text())
                .addToData(KEYS, wanted.defaults().operatorKeys())
                .build();
    }
}
