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

/// Backups of an Ensemble at given times: each is an EnsembleBackup that this makes.
@Group("ensemble.dev")
@Version("v1alpha1")
@Kind("EnsembleBackupSchedule")
@Singular("ensemblebackupschedule")
@Plural("ensemblebackupschedules")
@ShortNames("ensbaksched")
@Categories("all")
@AdditionalPrinterColumn(name = "ENSEMBLE", jsonPath = ".spec.ensemble")
@AdditionalPrinterColumn(name = "CRON", jsonPath = ".spec.cron")
@AdditionalPrinterColumn(name = "PHASE", jsonPath = ".status.phase")
@AdditionalPrinterColumn(name = "COMPLETE", jsonPath = ".status.lastCompleteTime")
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "MESSAGE", jsonPath = ".status.message", priority = 1)
@ValidationRule(
        value = "self.metadata.name.size() <= 39",
        message = "metadata.name may have at most 39 characters: a Job is named by it")
public final class EnsembleBackupSchedule
        extends CustomResource<EnsembleBackupScheduleSpec, EnsembleBackupScheduleStatus>
        implements Namespaced {
    private static final long serialVersionUID = 1;

    @Override
    protected @Nullable EnsembleBackupScheduleSpec initSpec() {
        return null;
    }

    @Override
    protected @Nullable EnsembleBackupScheduleStatus initStatus() {
        return null;
    }
}
