package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.MemberStatus;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// From the loss of a quorum to the record of the decision, on a made-up API server.
@EnableKubernetesMockClient(crud = true)
@Timeout(60)
final class RecoveryReconcilerTest {
    private static final String NAMESPACE = "shop";
    private static final String NAME = "orders";
    private static final Clock CLOCK =
            Clock.fixed(Instant.parse("2026-01-31T12:00:00Z"), ZoneOffset.UTC);

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private final Said said = new Said();

    /// Member 1 holds data, the others have lost it.
    private static final class Said implements EnsembleClient {
        private String role = "looking";
        private boolean silent;

        @Override
        public Map<Integer, Answer> ask(Map<Integer, URI> members) {
            Map<Integer, Answer> answers = new TreeMap<>();
            members.forEach((myid, _) ->
                    answers.put(
                            myid,
                            silent ? new Answer.Unknown("hangs") : new Answer.Known(status(myid))));
            return answers;
        }

        private MemberStatus status(int myid) {
            boolean holds = myid == 1;
            return new MemberStatus(
                    myid,
                    "1",
                    null,
                    "id",
                    holds ? role : "looking",
                    null,
                    holds ? 4 : 0,
                    false,
                    false,
                    99,
                    new MemberStatus.Zxids(holds ? "0x400000007" : "0x0"),
                    new MemberStatus.Identity(holds ? "member" : "blank", "0x" + myid, 1),
                    holds
                            ? new MemberStatus.Configuration(
                                    "0x100000001",
                                    false,
                                    List.of(
                                            new MemberStatus.Member(1, "participant", "0x1"),
                                            new MemberStatus.Member(2, "participant", "0x22"),
                                            new MemberStatus.Member(3, "participant", "0x33")))
                            : null,
                    role.equals("leader") && holds ? new MemberStatus.Quorum(1, 1, 1, 0) : null,
                    null,
                    null,
                    null,
                    List.of(),
                    null);
        }

        @Override
        public Outcome changeVoters(URI leader, String audience, Change change) {
            throw new AssertionError("not asked for");
        }

        @Override
        public Outcome handOver(URI leader, String audience, int to) {
            throw new AssertionError("not asked for");
        }
    }

    @BeforeEach
    void aFormedEnsembleOfThree() {
        Ensemble ensemble = new Ensemble();
        ensemble.getMetadata().setName(NAME);
        ensemble.getMetadata().setNamespace(NAMESPACE);
        ensemble.setSpec(EnsembleSpec.defaults());
        client.resource(ensemble).create();
        for (int i = 0; i < 3; i++) {
            client.resource(
                            new PodBuilder()
                                    .withNewMetadata()
                                    .withName(Labels.pod(NAME, i))
                                    .withNamespace(NAMESPACE)
                                    .withLabels(Labels.all(NAME))
                                    .endMetadata()
                                    .build())
                    .create();
            client.resource(
                            new PersistentVolumeClaimBuilder()
                                    .withNewMetadata()
                                    .withName(Labels.claim(NAME, i))
                                    .withNamespace(NAMESPACE)
                                    .withLabels(Labels.all(NAME))
                                    .addToAnnotations(Labels.ENSEMBLE_ID, "id")
                                    .addToAnnotations(Labels.BOOTSTRAPPED, "2026-01-01T00:00:00Z")
                                    .endMetadata()
                                    .build())
                    .create();
        }
    }

    private @Nullable EnsembleRecoveryStatus reconcile(
            @Nullable String approved, @Nullable EnsembleRecoveryStatus before) {
        return reconcile(approved, before, null);
    }

    private @Nullable EnsembleRecoveryStatus reconcile(
            @Nullable String approved,
            @Nullable EnsembleRecoveryStatus before,
            EnsembleSpec.@Nullable FromBackup backup) {
        EnsembleRecovery resource = new EnsembleRecovery();
        resource.getMetadata().setName("after-the-fire");
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.getMetadata().setUid("1234");
        resource.setSpec(new EnsembleRecoverySpec(NAME, approved, backup));
        resource.setStatus(before);
        var control =
                new RecoveryReconciler(
                                client,
                                said,
                                new Wanted.Defaults("registry.test/server", "1", null, ""),
                                CLOCK,
                                _ -> URI.create("http://127.0.0.1:1"))
                        .reconcile(resource, null);
        return control.getResource().map(EnsembleRecovery::getStatus).orElse(null);
    }

    private EnsembleRecoveryStatus news(
            @Nullable String approved, @Nullable EnsembleRecoveryStatus before) {
        return Objects.requireNonNull(reconcile(approved, before), "no news");
    }

    private List<String> records() {
        return client.persistentVolumeClaims().inNamespace(NAMESPACE).list().getItems().stream()
                .map(RecoveryReconcilerTest::record)
                .toList();
    }

    private static String record(PersistentVolumeClaim claim) {
        return claim.getMetadata().getAnnotations().getOrDefault(Labels.RECOVERY, "none");
    }

    @Test
    void aPlanIsShownAndNothingIsDone() {
        EnsembleRecoveryStatus planned = news(null, null);
        assertEquals("Planned", planned.phase());
        assertEquals(
                new EnsembleRecoveryStatus.Survivor("orders-0", 1, 4, "0x400000007"),
                planned.survivor());
        assertEquals(
                List.of(
                        "orders-0 holds data of epoch 4 up to 0x400000007",
                        "orders-1 holds no data",
                        "orders-2 holds no data"),
                planned.members());
        assertNull(planned.decision());
        assertNull(reconcile(null, planned), "the same again is no news");
        assertNull(reconcile("000000000000", planned), "another plan was approved");
        assertEquals(List.of("none", "none", "none"), records());
    }

    @Test
    void anApprovedPlanIsPutOnRecordAtEveryClaim() {
        EnsembleRecoveryStatus planned = news(null, null);
        String hash = planned.plan();
        EnsembleRecoveryStatus decided = news(hash, planned);
        assertEquals("Recovering", decided.phase());
        String decision = "20260131T120000Z.1234,1,0x400000007";
        assertEquals(decision, decided.decision());
        assertEquals(List.of("none", "none", "none"), records());
        // What is decided stays so, though the member may say something else by now.
        said.silent = true;
        assertNull(reconcile(hash, decided));
        assertEquals(List.of(decision, decision, decision), records());
        assertEquals("Recovering", news(hash, decided).phase());
    }

    @Test
    void aPlanIsGoneWhenTheFactsAreOthers() {
        EnsembleRecoveryStatus planned = news(null, null);
        said.silent = true;
        EnsembleRecoveryStatus now = news(planned.plan(), planned);
        assertEquals("NotPossible", now.phase());
        assertNull(now.plan());
        assertNull(now.decision());
    }

    @Test
    void aQuorumIsLeftAlone() {
        said.role = "leader";
        EnsembleRecoveryStatus status = news(null, null);
        assertEquals("NotPossible", status.phase());
        assertTrue(
                String.valueOf(status.message()).contains("there is nothing to recover"),
                status::toString);
    }

    @Test
    void whatNeverFormedIsNotRecovered() {
        client.persistentVolumeClaims().inNamespace(NAMESPACE).delete();
        assertTrue(String.valueOf(news(null, null).message()).contains("never formed"));
        client.resources(Ensemble.class).inNamespace(NAMESPACE).delete();
        assertEquals("there is no Ensemble orders", news(null, null).message());
    }
}
