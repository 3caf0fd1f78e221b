package dev.ensemble.operator.tool;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The definition of `Ensemble` that an earlier release of the chart has left in the cluster.
///
/// The chart keeps it when it is uninstalled, since deleting it would delete every `Ensemble`. Helm
/// then refuses to install the chart under another name or in another namespace, because the
/// annotations on the definition still name the release that is gone.
final class KeptDefinition {
    private static final List<String> DEFINITIONS =
            List.of(
                    "ensemblebackups.ensemble.dev",
                    "ensemblebackupschedules.ensemble.dev",
                    "ensemblerecoveries.ensemble.dev",
                    "ensembles.ensemble.dev");
    private static final String RELEASE_NAME = "meta.helm.sh/release-name";
    private static final String RELEASE_NAMESPACE = "meta.helm.sh/release-namespace";
    private static final String MANAGED_BY = "app.kubernetes.io/managed-by";

    private KeptDefinition() {}

    /// Gives a definition whose release is gone to the release that is about to be installed.
    ///
    /// @throws Refusal if it belongs to another release that is still there
    static void handOver(KubernetesClient client, String release, String namespace) {
        for (String each : DEFINITIONS) {
            handOver(client, each, release, namespace);
        }
    }

    private static void handOver(
            KubernetesClient client, String definition, String release, String namespace) {
        Resource<CustomResourceDefinition> resource =
                client.apiextensions().v1().customResourceDefinitions().withName(definition);
        CustomResourceDefinition kept = resource.get();
        if (kept == null) {
            return;
        }
        Map<String, String> notes = annotations(kept);
        String name = notes.getOrDefault(RELEASE_NAME, "");
        String where = notes.getOrDefault(RELEASE_NAMESPACE, "");
        if (name.equals(release) && where.equals(namespace)) {
            return;
        }
        if (!name.isEmpty() && exists(client, name, where)) {
            throw new Refusal(
                    "the operator is installed already, as Helm release '%s' in namespace '%s'; say"
                                    .formatted(name, where)
                            + " --skip-operator to use that one");
        }
        resource.edit(it -> {
            Map<String, String> annotations = annotations(it);
            annotations.put(RELEASE_NAME, release);
            annotations.put(RELEASE_NAMESPACE, namespace);
            it.getMetadata().setAnnotations(annotations);
            Map<String, String> labels =
                    it.getMetadata().getLabels() == null
                            ? new HashMap<>()
                            : new HashMap<>(it.getMetadata().getLabels());
            labels.put(MANAGED_BY, "Helm");
            it.getMetadata().setLabels(labels);
            return it;
        });
    }

    private static Map<String, String> annotations(CustomResourceDefinition definition) {
        Map<String, String> annotations = definition.getMetadata().getAnnotations();
        return annotations == null ? new HashMap<>() : new HashMap<>(annotations);
    }

    /// Helm keeps what it knows of a release in Secrets with these labels.
    private static boolean exists(KubernetesClient client, String release, String namespace) {
        return !client.secrets()
                .inNamespace(namespace)
                .withLabel("owner", "helm")
                .withLabel("name", release)
                .list()
                .getItems()
                .isEmpty();
    }
}
