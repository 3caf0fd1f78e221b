package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Faults;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// What comes after the first day: an ensemble of one grows to five under load, shrinks to one, and
/// grows again with its old volumes; then it sleeps and wakes; then it loses a majority for good,
/// and a person lets it go on from what is left.
@ExtendWith(Stage.class)
class DayTwoIT {
    @Test
    void anEnsembleGrowsShrinksSleepsWakesAndIsRecovered(Story story) {
        // A busy machine needs the longer time-out between members.
        EnsembleView ensemble =
                story.apply("orders", "{replicas: 1, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.report().say("from apply to Ready: " + Report.seconds(story.well(ensemble, 1)));
        var told = new Told(story, ensemble);
        try (Clients clients = story.clients(ensemble)) {
            for (int replicas : List.of(3, 5, 3, 1, 3)) {
                told.scale(clients, replicas);
            }
            clients.finish();
        }
        told.sleepAndWake();
        told.loseMajorityAndRecover();
        try (Clients others = story.clients(ensemble)) {
            others.goOn();
            others.finish();
        }
        story.sound(ensemble, 3, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble) {
        void scale(Clients clients, int replicas) {
            long failed = clients.failed();
            ensemble.set("replicas", Integer.toString(replicas));
            Duration took = story.well(ensemble, replicas);
            clients.goOn();
            assertEquals(replicas, ensemble.voters(), "voters of the committed configuration");
            story.report()
                    .say(
                            "to %d members in %s, %d requests failed meanwhile"
                                    .formatted(
                                            replicas,
                                            Report.seconds(took),
                                            clients.failed() - failed));
        }

        void sleepAndWake() {
            int before = ensemble.znodes();
            ensemble.set("hibernate", "true");
            Await.until(
                    "all members to end",
                    Story.PATIENCE,
                    () -> ensemble.pods().isEmpty() ? "" : ensemble.uids().keySet() + " are there");
            ensemble.set("hibernate", "false");
            Duration took = story.well(ensemble, 3);
            int after = ensemble.znodes();
            assertEquals(before, after, "znodes before and after");
            story.report().say("awake again in " + Report.seconds(took));
        }

        /// Nothing happens without a person's word; with it, the ensemble goes on with what the one
        /// member holds that is left.
        void loseMajorityAndRecover() {
            int before = ensemble.znodes();
            String survivor = ensemble.name() + "-0";
            Map<String, String> uids = ensemble.uids();
            Faults faults = story.faults();
            for (int ordinal = 1; ordinal < 3; ordinal++) {
                assertEquals(1, faults.loseVolume(ensemble.name() + "-" + ordinal), "claims of it");
            }
            Await.until(
                    "the loss to be known",
                    Story.PATIENCE,
                    () -> ensemble.missing("RecoveryRequired"));
            story.report().say("a majority has lost its volumes, and RecoveryRequired says so");
            story.load(
                    """
                    apiVersion: ensemble.dev/v1alpha1
                    kind: EnsembleRecovery
                    metadata: {name: after-the-fire}
                    spec: {ensemble: %s}
                    """
                            .formatted(ensemble.name()));
            Await.until(
                    "a plan",
                    Story.PATIENCE,
                    () ->
                            recovery("status", "phase").equals("Planned")
                                    ? ""
                                    : recovery("status", "message"));
            assertEquals(survivor, recovery("status", "survivor", "member"));
            assertEquals(
                    uids.get(survivor), ensemble.uid(survivor), "a plan alone changes nothing");
            story.report().say("plan: " + recovery("status", "message"));
            recoveries()
                    .withName("after-the-fire")
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"spec\":{\"approvedPlan\":\"%s\"}}"
                                    .formatted(recovery("status", "plan")));
            Duration took = story.well(ensemble, 3);
            Await.until(
                    "the recovery to be over",
                    Story.PATIENCE,
                    () ->
                            recovery("status", "phase").equals("Recovered")
                                    ? ""
                                    : recovery("status", "message"));
            int after = ensemble.znodes();
            assertEquals(before, after, "znodes before and after");
            assertEquals(3, ensemble.voters(), "voters after the recovery");
            story.report().say("recovered in " + Report.seconds(took));
        }

        private NonNamespaceOperation<
                        GenericKubernetesResource,
                        GenericKubernetesResourceList,
                        Resource<GenericKubernetesResource>>
                recoveries() {
            return story.client()
                    .genericKubernetesResources("ensemble.dev/v1alpha1", "EnsembleRecovery")
                    .inNamespace(story.namespace());
        }

        private String recovery(Object... path) {
            Object there = recoveries().withName("after-the-fire").require().get(path);
            return there == null ? "nothing yet" : there.toString();
        }
    }
}
