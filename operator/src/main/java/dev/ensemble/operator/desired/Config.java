package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;

import java.util.Map;

/// The ConfigMap with `zoo.cfg`. Its name never changes: the pods' template must not change when
/// only membership or the bootstrap record does.
public final class Config {
    static final String FILE = "zoo.cfg";

    private Config() {}

    public static ConfigMap of(Wanted wanted) {
        return new ConfigMapBuilder()
                .withMetadata(wanted.meta(Labels.config(wanted.name()), wanted.identity()))
                .withData(Map.of(FILE, wanted.zooCfg().text()))
                .build();
    }
}
