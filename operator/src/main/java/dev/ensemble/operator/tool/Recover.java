package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;

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

/// `kubectl ensemble recover`: asks the operator for a plan, shows it, and approves it.
final class Recover {
    private static final int NO_PLAN = 3;

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

    int run(@Nullable String approve, Duration patience) throws InterruptedException {
        EnsembleRecovery open = open();
        if (approve != null) {
            return approve(open, approve);
        }
        EnsembleRecovery asked = open == null ? ask() : open;
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

    /// {@return the newest recovery that is not over; null if there is none}
    private @Nullable EnsembleRecovery open() {
        return client
                .resources(EnsembleRecovery.class)
                .inNamespace(namespace)
                .list()
                .getItems()
                .stream()
                .filter(each ->
                        each.getSpec() != null && ensemble.equals(each.getSpec().ensemble()))
                .filter(each ->
                        each.getStatus() == null || !"Recovered".equals(each.getStatus().phase()))
                .max(
                        Comparator.comparing(each ->
                                Objects.requireNonNullElse(
                                        each.getMetadata().getCreationTimestamp(), "")))
                .orElse(null);
    }

    private EnsembleRecovery ask() {
        EnsembleRecovery made = new EnsembleRecovery();
        made.setMetadata(
                new ObjectMetaBuilder()
                        .withGenerateName(ensemble + "-")
                        .withNamespace(namespace)
                        .build());
        made.setSpec(new EnsembleRecoverySpec(ensemble, null, null));
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

    private int approve(@Nullable EnsembleRecovery open, String plan) {
        EnsembleRecoveryStatus status = open == null ? null : open.getStatus();
        String planned = status == null ? null : status.plan();
        if (open == null || planned == null) {
            throw new Refusal(
                    "there is no plan for %s; see `kubectl ensemble recover %s`"
                            .formatted(ensemble, ensemble));
        }
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
}
