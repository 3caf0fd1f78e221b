package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.EnsembleSpec;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

import org.jspecify.annotations.Nullable;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Comparator;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// `kubectl ensemble recover`: asks the operator for a plan, shows it, and approves it.
final class Recover {
    private static final int NO_PLAN = 3;
    private static final Comparator<EnsembleRecovery> BY_AGE =
            Comparator.comparing(each ->
                    Objects.requireNonNullElse(each.getMetadata().getCreationTimestamp(), ""));

    private final KubernetesClient client;
    private final String namespace;
    private final String ensemble;
    private final PrintWriter out;

    Recover(KubernetesClient client, Ensemble ensemble, PrintWriter out) {
        this.client = client;
        this.namespace = ensemble.getMetadata().getNamespace();
        this.ensemble = ensemble.getMetadata().getName();
        this.out = out;
    }

    /// {@return the backup that the options name; null if they name none}
    ///
    /// @param backup name of an EnsembleBackup
    /// @throws Refusal if they do not fit together, or there is none
    EnsembleSpec.@Nullable FromBackup source(
            @Nullable String backup, @Nullable String file, Storage storage) {
        if (backup != null && file != null) {
            throw new Refusal("name either --from-backup or --file");
        }
        if (backup != null) {
            EnsembleBackup named =
                    client.resources(EnsembleBackup.class)
                            .inNamespace(namespace)
                            .withName(backup)
                            .get();
            if (named == null) {
                throw new Refusal(
                        "there is no EnsembleBackup %s in namespace %s"
                                .formatted(backup, namespace));
            }
            return storage.of(named);
        }
        if (file != null) {
            return storage.file(file);
        }
        storage.refuseAll();
        return null;
    }

    /// Shows the operator's plan.
    ///
    /// @param source what the ensemble is to begin again with; null: what is there already, or the
    ///   newest data that a member holds
    int show(EnsembleSpec.@Nullable FromBackup source, Duration patience)
            throws InterruptedException {
        EnsembleRecovery asked =
                open().filter(each ->
                                source == null
                                        || (each.getSpec() != null
                                                && source.equals(each.getSpec().fromBackup())))
                        .max(BY_AGE)
                        .orElseGet(() -> ask(source));
        EnsembleRecoveryStatus status = await(asked, patience);
        if (status.members() != null) {
            status.members().forEach(out::println);
            out.println();
        }
        out.println(status.phase() + ": " + status.message());
        if (!"Planned".equals(status.phase())) {
            return "Recovering".equals(status.phase()) ? 0 : NO_PLAN;
        }
        out.println();
        out.println("If that is what should be done:");
        out.println(
                "kubectl ensemble recover %s -n %s --approve %s"
                        .formatted(ensemble, namespace, status.plan()));
        return 0;
    }

    /// {@return the recoveries that are not over}
    private Stream<EnsembleRecovery> open() {
        return client
                .resources(EnsembleRecovery.class)
                .inNamespace(namespace)
                .list()
                .getItems()
                .stream()
                .filter(each ->
                        each.getSpec() != null && ensemble.equals(each.getSpec().ensemble()))
                .filter(each ->
                        each.getStatus() == null || !"Recovered".equals(each.getStatus().phase()));
    }

    private EnsembleRecovery ask(EnsembleSpec.@Nullable FromBackup source) {
        EnsembleRecovery made = new EnsembleRecovery();
        made.setMetadata(
                new ObjectMetaBuilder()
                        .withGenerateName(ensemble + "-")
                        .withNamespace(namespace)
                        .build());
        made.setSpec(new EnsembleRecoverySpec(ensemble, null, source));
        return client.resource(made).create();
    }

    private EnsembleRecoveryStatus await(EnsembleRecovery asked, Duration patience)
            throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            EnsembleRecovery now =
                    client.resources(EnsembleRecovery.class)
                            .inNamespace(namespace)
                            .withName(asked.getMetadata().getName())
                            .get();
            if (now == null) {
                throw new Refusal("the EnsembleRecovery is gone");
            }
            if (now.getStatus() != null && now.getStatus().phase() != null) {
                return now.getStatus();
            }
            if (System.nanoTime() > end) {
                throw new Refusal(
                        "the operator has not planned within %d s; does it run?"
                                .formatted(patience.toSeconds()));
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    /// Approves a plan.
    int approve(String plan) {
        EnsembleRecovery open =
                open().filter(each -> planned(each) != null)
                        .max(
                                Comparator.comparing((EnsembleRecovery each) ->
                                                plan.equals(planned(each)))
                                        .thenComparing(BY_AGE))
                        .orElseThrow(() ->
                                new Refusal(
                                        "there is no plan for %s; see `kubectl ensemble recover %s`"
                                                .formatted(ensemble, ensemble)));
        String planned = planned(open);
        if (!plan.equals(planned)) {
            throw new Refusal(
                    "--approve: '%s' is not the plan any more, which is '%s'; look at it again with"
                                    .formatted(plan, planned)
                            + " `kubectl ensemble recover "
                            + ensemble
                            + "`");
        }
        client.resource(open)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":{\"approvedPlan\":\"%s\"}}".formatted(plan));
        out.println(
                "Approved plan %s of EnsembleRecovery %s; the operator does the rest"
                        .formatted(plan, open.getMetadata().getName()));
        return 0;
    }

    private static @Nullable String planned(EnsembleRecovery recovery) {
        return recovery.getStatus() == null ? null : recovery.getStatus().plan();
    }
}
