package dev.ensemble.operator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

import org.jspecify.annotations.Nullable;

/// A replicated coordination service that speaks ZooKeeper's client protocol.
@Group("ensemble.dev")
@Version("v1alpha1")
@Kind("Ensemble")
@Singular("ensemble")
@Plural("ensembles")
@ShortNames("ens")
@Categories("all")
@ValidationRule(
        value =
                "self.metadata.name.size() <= 45 &&"
                        + " self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message =
                "metadata.name becomes part of pod and DNS names: at most 45 characters, lower-case"
                        + " letters, digits and '-', a letter first")
@AdditionalPrinterColumn(name = "READY", jsonPath = ".status.ready")
@AdditionalPrinterColumn(name = "LEADER", jsonPath = ".status.leader.member")
@AdditionalPrinterColumn(
        name = "QUORUM",
        jsonPath = ".status.conditions[?(@.type==\"QuorumAvailable\")].status")
@AdditionalPrinterColumn(
        name = "CANLOSE",
        jsonPath = ".status.quorum.canLose",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(name = "VERSION", jsonPath = ".status.version.current")
@AdditionalPrinterColumn(name = "PHASE", jsonPath = ".status.phase")
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
        name = "WAITING-FOR",
        jsonPath = ".status.operation.waitingFor[0]",
        priority = 1)
@AdditionalPrinterColumn(name = "ENDPOINT", jsonPath = ".status.endpoints.client", priority = 1)
@AdditionalPrinterColumn(name = "ENSEMBLE-ID", jsonPath = ".status.ensembleId", priority = 1)
@AdditionalPrinterColumn(
        name = "ZNODES",
        jsonPath = ".status.metrics.znodes",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "CLIENTS",
        jsonPath = ".status.metrics.connections",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "WRITES/S",
        jsonPath = ".status.metrics.writesPerSecond",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
public final class Ensemble extends CustomResource<EnsembleSpec, EnsembleStatus>
        implements Namespaced {
    private static final long serialVersionUID = 1;

    @Override
    protected @Nullable EnsembleSpec initSpec() {
        return null;
    }

    @Override
    protected @Nullable EnsembleStatus initStatus() {
        return null;
    }
}
