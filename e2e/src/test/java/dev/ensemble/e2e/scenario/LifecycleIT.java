package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/// How ensembles go and come back: deleted and made again over their volumes, also behind the
/// operator's back; with volumes that go with them; over volumes of another one (scenarios 4 to 7).
@Tag("long")
@ExtendWith(Stage.class)
class LifecycleIT {
    private static final Duration A_WHILE = Duration.ofSeconds(20);
    private static final String ID = "ensemble.dev/ensemble-id";

    @Test
    void ensemblesComeAndGo(Story story) {
        var told = new Told(story);
        told.madeAgain();
        told.foreignVolumes();
        told.volumesGoToo();
    }

    /// The parts of the story.
    private record Told(Story story) {
        private static final String SPEC =
                "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}, update:"
                        + " {minReadySeconds: 2}}";

        /// Deleted and applied again, the second time while the operator is away: what clients
        /// wrote is there each time.
        void madeAgain() {
            EnsembleView ensemble = story.apply("orders", SPEC);
            story.well(ensemble, 3);
            String id = ensemble.status().path("ensembleId").asText();
            try (Clients clients = story.clients(ensemble)) {
                clients.goOn();
                clients.finish();
            }
            int znodes = ensemble.znodes();
            goodbye(ensemble);
            story.apply("orders", SPEC);
            Duration took = story.well(ensemble, 3);
            theSame(ensemble, id, znodes);
            story.report().say("deleted and made again: well after " + Report.seconds(took));
            scaleOperator(0);
            goodbye(ensemble);
            story.apply("orders", SPEC);
            scaleOperator(1);
            took = story.well(ensemble, 3);
            theSame(ensemble, id, znodes);
            story.report().say("the same without the operator: " + Report.seconds(took));
            try (Clients clients = story.clients(ensemble)) {
                clients.goOn();
                clients.goOn();
                clients.finish();
            }
            story.sound(ensemble, 3, 0);
            goodbye(ensemble);
        }

        private static void theSame(EnsembleView ensemble, String id, int znodes) {
            assertEquals(id, ensemble.status().path("ensembleId").asText(), "the ensemble");
            assertEquals(znodes, ensemble.znodes(), "znodes");
        }

        private void goodbye(EnsembleView ensemble) {
            delete(ensemble.name());
            gone(ensemble);
        }

        private void delete(String name) {
            story.kubectl("delete", "ens", name, "--wait=false");
        }

        private void gone(EnsembleView ensemble) {
            Await.until(
                    ensemble.name() + " gone",
                    Story.PATIENCE,
                    () -> ensemble.pods().isEmpty() ? "" : ensemble.uids().keySet() + " are there");
        }

        private void scaleOperator(int replicas) {
            story.operator().touched();
            story.client()
                    .apps()
                    .deployments()
                    .inNamespace(Operator.NAMESPACE)
                    .list()
                    .getItems()
                    .forEach(deployment -> story.client().resource(deployment).scale(replicas));
            Await.until(
                    replicas + " operators",
                    Story.PATIENCE,
                    () -> {
                        int there =
                                story.client()
                                        .pods()
                                        .inNamespace(Operator.NAMESPACE)
                                        .list()
                                        .getItems()
                                        .size();
                        return there == replicas ? "" : there + " pods";
                    });
        }

        void volumesGoToo() {
            EnsembleView ensemble =
                    story.apply(
                            "passing",
                            """
                            replicas: 1
                            storage:
                              log: {size: 1Gi}
                              retention: {whenDeleted: Delete}
                            """);
            story.well(ensemble, 1);
            assertEquals(1, claims("passing").size());
            delete("passing");
            Await.until(
                    "its volumes gone",
                    Story.PATIENCE,
                    () -> claims("passing").isEmpty() ? "" : "they are there");
            story.report().say("with whenDeleted: Delete the volumes went too");
        }

        private List<PersistentVolumeClaim> claims(String ensemble) {
            return story
                    .client()
                    .persistentVolumeClaims()
                    .inNamespace(story.namespace())
                    .list()
                    .getItems()
                    .stream()
                    .filter(c -> c.getMetadata().getName().startsWith("data-" + ensemble + "-"))
                    .toList();
        }

        /// The claims of `orders` are still there. One of them says that it is another's.
        void foreignVolumes() {
            assertEquals(3, claims("orders").size(), "volumes are kept");
            String id =
                    Objects.requireNonNull(
                            claims("orders").getFirst().getMetadata().getAnnotations().get(ID));
            mark("data-orders-1", "another-" + id);
            EnsembleView ensemble = story.apply("orders", SPEC);
            Await.until(
                    "the other's volume to be refused",
                    Story.PATIENCE,
                    () -> ensemble.missingReason("ForeignData"));
            for (long i = 0; i < A_WHILE.toSeconds(); i++) {
                Await.pass(Duration.ofSeconds(1));
                assertEquals(List.of(), ensemble.pods(), "members over another's volume");
            }
            mark("data-orders-1", id);
            Duration took = story.well(ensemble, 3);
            story.report().say("another's volume was refused; corrected: " + Report.seconds(took));
            goodbye(ensemble);
        }

        private void mark(String claim, String id) {
            story.kubectl("annotate", "--overwrite", "pvc", claim, ID + "=" + id);
        }
    }
}
