package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.rbac.Role;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

import java.time.Duration;
import java.util.Collections;
import java.util.List;

/// An operator that may look into one namespace only, and then not even at Secrets, still forms an
/// ensemble and scales it; and volumes grow under the running members (scenarios 46, 49).
@Tag("long")
@ExtendWith(Stage.class)
@Isolated
class NamespacedIT {
    @Test
    void anOperatorWithFewPermissions(Story story) {
        assertEquals(1, clusterRoles(story).size(), "cluster roles of an installation for all");
        story.operator().install("watchNamespaces={" + story.namespace() + "}");
        assertEquals(List.of(), clusterRoles(story), "those of a namespaced one");
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 1
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, 1);
        story.report().say("a namespaced operator has formed an ensemble");
        withoutSecrets(story);
        try (Clients clients = story.clients(ensemble)) {
            ensemble.set("replicas", "3");
            Duration took = story.well(ensemble, 3);
            clients.goOn();
            story.report().say("without a permission for Secrets, to 3 in " + Report.seconds(took));
            grow(story, ensemble, clients);
            clients.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    private static List<String> clusterRoles(Story story) {
        return story.client().rbac().clusterRoles().list().getItems().stream()
                .map(role -> role.getMetadata().getName())
                .filter(name -> name.contains("ensemble-operator"))
                .toList();
    }

    /// {@return how many roles of this namespace allowed something with Secrets, and do no more}
    private static int forbidSecrets(Story story, String namespace) {
        var roles = story.client().rbac().roles().inNamespace(namespace);
        int taken = 0;
        for (Role role : roles.list().getItems()) {
            if (role.getRules().removeIf(rule -> rule.getResources().contains("secrets"))) {
                story.client().resource(role).update();
                taken++;
            }
        }
        return taken;
    }

    /// Takes the permission away, and restarts the operator: it makes a key that only it knows.
    private static void withoutSecrets(Story story) {
        story.operator().touched();
        story.client()
                .secrets()
                .inNamespace(Operator.NAMESPACE)
                .withName("ensemble-operator-key")
                .delete();
        assertEquals(1, forbidSecrets(story, Operator.NAMESPACE), "roles for its own key");
        assertEquals(1, forbidSecrets(story, story.namespace()), "roles for the keys of TLS");
        List<String> before =
                story.client().pods().inNamespace(Operator.NAMESPACE).list().getItems().stream()
                        .map(pod -> pod.getMetadata().getUid())
                        .toList();
        story.client().pods().inNamespace(Operator.NAMESPACE).delete();
        Await.until(
                "another operator",
                Story.PATIENCE,
                () ->
                        story
                                        .client()
                                        .pods()
                                        .inNamespace(Operator.NAMESPACE)
                                        .list()
                                        .getItems()
                                        .stream()
                                        .anyMatch(pod ->
                                                !before.contains(pod.getMetadata().getUid())
                                                        && pod.getStatus().getConditions().stream()
                                                                .anyMatch(c ->
                                                                        c.getType().equals("Ready")
                                                                                && c.getStatus()
                                                                                        .equals(
                                                                                                "True")))
                                ? ""
                                : "not ready");
        assertNull(
                story.client()
                        .secrets()
                        .inNamespace(Operator.NAMESPACE)
                        .withName("ensemble-operator-key")
                        .get(),
                "a Secret that the operator may not make");
    }

    private static void grow(Story story, EnsembleView ensemble, Clients clients) {
        var before = ensemble.uids();
        ensemble.set("storage", "{\"log\":{\"size\":\"2Gi\"}}");
        Duration took =
                Await.until(
                        "volumes of 2Gi",
                        Story.PATIENCE,
                        () -> {
                            List<Quantity> sizes = story.volumeSizes();
                            // Quantities are equal if their amounts are, however they are written.
                            return sizes.equals(Collections.nCopies(3, new Quantity("2Gi")))
                                    ? ensemble.missing("StorageHealthy")
                                    : sizes.toString();
                        });
        assertEquals(before, ensemble.uids(), "nobody restarts");
        story.well(ensemble, 3);
        assertEquals(
                new Quantity("2Gi"),
                story.client()
                        .apps()
                        .statefulSets()
                        .inNamespace(story.namespace())
                        .withName(ensemble.name())
                        .require()
                        .getSpec()
                        .getVolumeClaimTemplates()
                        .getFirst()
                        .getSpec()
                        .getResources()
                        .getRequests()
                        .get("storage"),
                "size of new volumes");
        clients.goOn();
        story.report().say("volumes grew under the members: " + Report.seconds(took));
    }
}
