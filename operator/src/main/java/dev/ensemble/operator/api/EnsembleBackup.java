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

/// One backup of an Ensemble: taken once, when this is made. Deleting it deletes no backup.
@Group("ensemble.dev")
@Version("v1alpha1")
@Kind("EnsembleBackup")
@Singular("ensemblebackup")
@Plural("ensemblebackups")
@ShortNames("ensbak")
@Categories("all")
@AdditionalPrinterColumn(name = "ENSEMBLE", jsonPath = ".spec.ensemble")
@AdditionalPrinterColumn(name = "PHASE", jsonPath = ".status.phase")
@AdditionalPrinterColumn(name = "TAKEN", jsonPath = ".status.time")
@AdditionalPrinterColumn(name = "ZXID", jsonPath = ".status.zxid")
@AdditionalPrinterColumn(name = "FILE", jsonPath = ".status.file")
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "MESSAGE", jsonPath = ".status.message", priority = 1)
@ValidationRule(
        value = "self.metadata.name.size() <= 52",
        message = "metadata.name may have at most 52 characters: a Job is named by it")
public final class EnsembleBackup extends CustomResource<EnsembleBackupSpec, EnsembleBackupStatus>
        implements Namespaced {
    private static final long serialVersionUID = 1;

    @Override
    protected @Nullable EnsembleBackupSpec initSpec() {
        return null;
    }

    @Override
    protected @Nullable EnsembleBackupStatus initStatus() {
        return null;
    }
}
