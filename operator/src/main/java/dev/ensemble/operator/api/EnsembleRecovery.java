package dev.ensemble.operator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
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

/// A recovery of an Ensemble that has lost its quorum for good: the operator plans, a person
/// approves, the operator acts. An object of its own, so that no edit of an Ensemble sets it off.
@Group("ensemble.dev")
@Version("v1alpha1")
@Kind("EnsembleRecovery")
@Singular("ensemblerecovery")
@Plural("ensemblerecoveries")
@ShortNames("ensrec")
@Categories("all")
@AdditionalPrinterColumn(name = "ENSEMBLE", jsonPath = ".spec.ensemble")
@AdditionalPrinterColumn(name = "PHASE", jsonPath = ".status.phase")
@AdditionalPrinterColumn(name = "SURVIVOR", jsonPath = ".status.survivor.member")
@AdditionalPrinterColumn(name = "PLAN", jsonPath = ".status.plan")
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "MESSAGE", jsonPath = ".status.message", priority = 1)
public final class EnsembleRecovery
        extends CustomResource<EnsembleRecoverySpec, EnsembleRecoveryStatus> implements Namespaced {
    private static final long serialVersionUID = 1;

    @Override
    protected @Nullable EnsembleRecoverySpec initSpec() {
        return null;
    }

    @Override
    protected @Nullable EnsembleRecoveryStatus initStatus() {
        return null;
    }
}
