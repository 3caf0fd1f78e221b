package dev.ensemble.operator.reconcile;

import static dev.ensemble.operator.reconcile.FormedEnsemble.NAME;
import static dev.ensemble.operator.reconcile.FormedEnsemble.NAMESPACE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.MemberStatus;

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

/// From the loss of a quorum to the record of the decision, on a made-up API server.
@EnableKubernetesMockClient(crud = true)
@Timeout(60)
final class RecoveryReconcilerTest {
    private static final Clock CLOCK =
            Clock.fixed(Instant.parse("2026-01-31T12:00:00Z"), ZoneOffset.UTC);

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private String role = "looking";
    private boolean silent;

    /// Member 1 holds data, the others have lost it.
    private MemberStatus said(int myid) {
        Saying saying = Saying.of(myid).role("looking").outOfSync(99);
        if (myid != 1) {
            return saying.follows(null, 0).zxid("0x0").identity("blank", "0x" + myid).status();
        }
        return saying.follows(null, 4)
                .role(role)
                .configuration(
                        new MemberStatus.Configuration(
                                "0x100000001",
                                false,
                                List.of(
                                        new MemberStatus.Member(1, "participant", "0x1"),
                                        new MemberStatus.Member(2, "participant", "0x22"),
                                        new MemberStatus.Member(3, "participant", "0x33"))))
                .quorum(role.equals("leader") ? new MemberStatus.Quorum(1, 1, 1, 0) : null)
                .status();
    }

    private Map<Integer, EnsembleClient.Answer> answers(Map<Integer, URI> members) {
        Map<Integer, EnsembleClient.Answer> answers = Asked.all(members, this::said);
        if (silent) {
            answers.replaceAll((_, _) -> new EnsembleClient.Answer.Unknown("hangs"));
        }
        return answers;
    }

    @SuppressWarnings("NullAway.Init") // Before each test.
    private FormedEnsemble ensemble;

    @BeforeEach
    void aFormedEnsembleOfThree() {
        ensemble = new FormedEnsemble(client);
        ensemble.form(3);
    }

    private @Nullable EnsembleRecoveryStatus reconcile(
            @Nullable String approved, @Nullable EnsembleRecoveryStatus before) {
        EnsembleRecovery resource = new EnsembleRecovery();
        resource.getMetadata().setName("after-the-fire");
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.getMetadata().setUid("1234");
        resource.setSpec(new EnsembleRecoverySpec(NAME, approved, null));
        resource.setStatus(before);
        var control =
                new RecoveryReconciler(
                                client,
                                (Asked) this::answers,
                                FormedEnsemble.DEFAULTS,
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
        return ensemble.onClaims(Labels.RECOVERY);
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
        assertEquals(List.of("", "", ""), records());
    }

    @Test
    void anApprovedPlanIsPutOnRecordAtEveryClaim() {
        EnsembleRecoveryStatus planned = news(null, null);
        String hash = planned.plan();
        EnsembleRecoveryStatus decided = news(hash, planned);
        assertEquals("Recovering", decided.phase());
        String decision = "20260131T120000Z.1234,1,0x400000007";
        assertEquals(decision, decided.decision());
        assertEquals(List.of("", "", ""), records());
        // What is decided stays so, though the member may say something else by now.
        silent = true;
        assertNull(reconcile(hash, decided));
        assertEquals(List.of(decision, decision, decision), records());
        assertEquals("Recovering", news(hash, decided).phase());
    }

    @Test
    void aPlanIsGoneWhenTheFactsAreOthers() {
        EnsembleRecoveryStatus planned = news(null, null);
        silent = true;
        EnsembleRecoveryStatus now = news(planned.plan(), planned);
        assertEquals("NotPossible", now.phase());
        assertNull(now.plan());
        assertNull(now.decision());
    }

    @Test
    void aQuorumIsLeftAlone() {
        role = "leader";
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
