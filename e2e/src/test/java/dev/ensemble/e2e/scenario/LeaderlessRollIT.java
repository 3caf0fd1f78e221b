package dev.ensemble.e2e.scenario;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Pod;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/// Rolling restarts while something else happens: the leader fails in the middle, there is none
/// when the roll begins, the operator fails in the middle and another one takes over, the API
/// server refuses what is asked of it (scenarios 23, 24, 40, 41).
@Tag("long")
@ExtendWith(Stage.class)
class LeaderlessRollIT {
    private static final int MEMBERS = 3;

    @Test
    void rollsWithoutALeaderAndWithoutAnOperator(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, MEMBERS);
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients);
            told.leaderFails();
            told.noLeader();
            story.operator().install("replicas=2");
            told.operatorFails();
            told.apiServerFails();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients) {
        void leaderFails() {
            Map<String, String> before = ensemble.restart();
            oneIsNew(before);
            String leader = ensemble.leader();
            story.faults().deleteAtOnce(leader);
            rolled("the leader failed in the middle", before);
        }

        void noLeader() {
            Map<String, String> before = ensemble.uids();
            before.keySet().forEach(pod -> story.faults().kill(story.cluster(), pod));
            ensemble.restart();
            rolled("there was no leader when it began", before);
        }

        /// The operator that leads ends without giving up its Lease; a second one waits for that.
        void operatorFails() {
            Map<String, String> before = ensemble.restart();
            oneIsNew(before);
            List<Pod> operators =
                    story.client().pods().inNamespace(Operator.NAMESPACE).list().getItems();
            var holder =
                    story.client()
                            .leases()
                            .inNamespace(Operator.NAMESPACE)
                            .withName("ensemble-operator")
                            .require()
                            .getSpec()
                            .getHolderIdentity();
            operators.stream()
                    .map(pod -> pod.getMetadata().getName())
                    .filter(holder::contains)
                    .forEach(pod ->
                            story.client()
                                    .pods()
                                    .inNamespace(Operator.NAMESPACE)
                                    .withName(pod)
                                    .withGracePeriod(0)
                                    .delete());
            rolled("%s failed, of %d operators".formatted(holder, operators.size()), before);
        }

        /// For half a minute nothing can be evicted or changed: a webhook that does not answer
        /// makes each such request fail with 500.
        void apiServerFails() {
            story.load(
                    """
                    apiVersion: admissionregistration.k8s.io/v1
                    kind: ValidatingWebhookConfiguration
                    metadata: {name: ensemble-e2e-broken}
                    webhooks:
                      - name: broken.ensemble.dev
                        clientConfig: {service: {name: nobody, namespace: %s}}
                        failurePolicy: Fail
                        sideEffects: None
                        timeoutSeconds: 1
                        admissionReviewVersions: [v1]
                        namespaceSelector:
                          matchLabels: {kubernetes.io/metadata.name: %s}
                        rules:
                          - apiGroups: ["", apps]
                            apiVersions: ["*"]
                            operations: [CREATE, UPDATE, DELETE]
                            resources: [pods/eviction, pods, statefulsets, configmaps]
                    """
                            .formatted(story.namespace(), story.namespace()));
            Map<String, String> before;
            try {
                before = ensemble.restart();
                Await.pass(Duration.ofSeconds(30));
                if (!ensemble.uids().equals(before)) {
                    throw new AssertionError("the webhook let something through");
                }
                story.report().say("while the API server refuses: " + ensemble.missing("Ready"));
            } finally {
                story.client()
                        .admissionRegistration()
                        .v1()
                        .validatingWebhookConfigurations()
                        .withName("ensemble-e2e-broken")
                        .delete();
            }
            rolled("the API server failed for half a minute", before);
        }

        private void oneIsNew(Map<String, String> before) {
            Await.until(
                    "one to be restarted",
                    Story.PATIENCE,
                    () -> ensemble.kept(before).size() < MEMBERS ? "" : "all are the old ones");
        }

        private void rolled(String what, Map<String, String> before) {
            Duration took =
                    Await.until(
                            "all restarted, though " + what,
                            Story.PATIENCE.multipliedBy(2),
                            () -> ensemble.missingForRoll(before, MEMBERS));
            clients.goOn();
            story.report().say("rolled, though %s: %s".formatted(what, Report.seconds(took)));
        }
    }
}
