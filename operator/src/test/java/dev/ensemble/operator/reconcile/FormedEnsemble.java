package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Wanted;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

import java.util.List;
import java.util.Map;

/// An ensemble that has formed, on a made-up API server: its resource, pods and volumes. The test
/// plays whoever else there is.
final class FormedEnsemble {
    static final String NAMESPACE = "shop";
    static final String NAME = "orders";

    /// What the operator takes for what no spec says.
    static final Wanted.Defaults DEFAULTS =
            new Wanted.Defaults("registry.test/server", "1", null, "");

    private final KubernetesClient client;

    FormedEnsemble(KubernetesClient client) {
        this.client = client;
    }

    void form(int size) {
        Ensemble ensemble = new Ensemble();
        ensemble.getMetadata().setName(NAME);
        ensemble.getMetadata().setNamespace(NAMESPACE);
        ensemble.getMetadata().setUid("99");
        ensemble.setSpec(EnsembleSpec.defaults().withReplicas(size));
        client.resource(ensemble).create();
        for (int i = 0; i < size; i++) {
            pod(i);
            claim(Labels.claim(NAME, i), Labels.all(NAME));
        }
    }

    void pod(int ordinal) {
        client.resource(
                        new PodBuilder()
                                .withNewMetadata()
                                .withName(Labels.pod(NAME, ordinal))
                                .withNamespace(NAMESPACE)
                                .withLabels(Labels.all(NAME))
                                .endMetadata()
                                .build())
                .create();
    }

    void claim(String name, Map<String, String> labels) {
        client.resource(
                        new PersistentVolumeClaimBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .withNamespace(NAMESPACE)
                                .withLabels(labels)
                                .addToAnnotations(Labels.ENSEMBLE_ID, "id")
                                .addToAnnotations(Labels.BOOTSTRAPPED, "2026-01-01T00:00:00Z")
                                .endMetadata()
                                .withNewSpec()
                                .withVolumeName("of-" + name)
                                .endSpec()
                                .build())
                .create();
    }

    /// {@return the claims of the members}
    List<PersistentVolumeClaim> claims() {
        return client.persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withLabels(Labels.selector(NAME))
                .list()
                .getItems();
    }

    /// {@return what each claim is annotated with; empty where it is not}
    List<String> onClaims(String annotation) {
        return claims().stream()
                .map(each -> each.getMetadata().getAnnotations().getOrDefault(annotation, ""))
                .toList();
    }

    void annotateClaims(String annotation, String value) {
        claims().forEach(each -> {
            each.getMetadata().getAnnotations().put(annotation, value);
            client.resource(each).update();
        });
    }

    /// A Job ends.
    ///
    /// @param condition `Complete` or `Failed`
    static void end(KubernetesClient client, Job job, String condition) {
        job.setStatus(
                new JobStatusBuilder()
                        .withConditions(
                                new JobConditionBuilder()
                                        .withType(condition)
                                        .withStatus("True")
                                        .build())
                        .build());
        client.resource(job).update();
    }
}
