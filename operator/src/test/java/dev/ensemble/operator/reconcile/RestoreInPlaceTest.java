package dev.ensemble.operator.reconcile;

import static dev.ensemble.operator.reconcile.FormedEnsemble.NAME;
import static dev.ensemble.operator.reconcile.FormedEnsemble.NAMESPACE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.RestoreJob;
import dev.ensemble.operator.ensemble.MemberStatus;

import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/// A backup takes the place of what members hold, on a made-up API server: the test plays the
/// ensemble's own pass and the Job, and the operator ends at any of its writes.
@EnableKubernetesMockClient(crud = true)
@Timeout(120)
final class RestoreInPlaceTest {
    private static final int SIZE = 3;
    private static final int PASSES = 60;
    private static final Clock CLOCK =
            Clock.offset(Clock.systemUTC(), Duration.ofHours(1)); // After the Ensemble was made.

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesMockServer server;

    private final EnsembleSpec.FromBackup source =
            new EnsembleSpec.FromBackup("backups", null, "daily/orders.ensemble");
    private final List<String> ran = new ArrayList<>();
    private int statuses;
    private @Nullable EnsembleRecoveryStatus status;
    private @Nullable String approved;

    private long zxid = 7;

    /// All of them answer; the first one leads.
    private final Asked members =
            asked -> {
                zxid++;
                return Asked.all(asked, this::said);
            };

    private MemberStatus said(int myid) {
        return Saying.of(myid)
                .role(myid == 1 ? "leader" : "follower")
                .zxid("0x40000000" + zxid % 10)
                .configuration(Saying.voters(SIZE))
                .quorum(myid == 1 ? new MemberStatus.Quorum(3, 2, 3, 1) : null)
                .status();
    }

    @SuppressWarnings("NullAway.Init") // Before each test.
    private FormedEnsemble ensemble;

    @BeforeEach
    void aRunningEnsemble() {
        ensemble = new FormedEnsemble(client);
        ensemble.form(SIZE);
        client.resource(
                        new StatefulSetBuilder()
                                .withNewMetadata()
                                .withName(NAME)
                                .withNamespace(NAMESPACE)
                                .addToAnnotations(Labels.SIZE, "3")
                                .endMetadata()
                                .withNewSpec()
                                .withReplicas(SIZE)
                                .endSpec()
                                .build())
                .create();
        ensemble.claim("backups", Map.of());
        client.getConfiguration().setRequestRetryBackoffLimit(0);
    }

    /// A volume that can be used on one node only.
    private void bound(String volume, String node) {
        client.resource(
                        new PersistentVolumeBuilder()
                                .withNewMetadata()
                                .withName(volume)
                                .endMetadata()
                                .withNewSpec()
                                .withNewNodeAffinity()
                                .withNewRequired()
                                .addNewNodeSelectorTerm()
                                .addNewMatchExpression()
                                .withKey("kubernetes.io/hostname")
                                .withOperator("In")
                                .withValues(node)
                                .endMatchExpression()
                                .endNodeSelectorTerm()
                                .endRequired()
                                .endNodeAffinity()
                                .endSpec()
                                .build())
                .create();
    }

    /// Kubernetes says for which node a claim's volume was made.
    private void selected(String claim, String node) {
        client.persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName(claim)
                .edit(it ->
                        new PersistentVolumeClaimBuilder(it)
                                .editMetadata()
                                .addToAnnotations("volume.kubernetes.io/selected-node", node)
                                .endMetadata()
                                .build());
    }

    /// What runs may not read volumes, as in a namespaced installation.
    private void mayNotReadVolumes() {
        for (String volume :
                List.of("of-backups", "of-data-orders-0", "of-data-orders-1", "of-data-orders-2")) {
            server.expect()
                    .get()
                    .withPath("/api/v1/persistentvolumes/" + volume)
                    .andReturn(
                            403, new StatusBuilder().withCode(403).withMessage("may not").build())
                    .always();
        }
    }

    private String message() {
        return String.valueOf(status().message());
    }

    private boolean mayRun() {
        return ensemble.onClaims(Labels.RESTORING).stream().allMatch(String::isEmpty);
    }

    private int pods() {
        return client.pods().inNamespace(NAMESPACE).list().getItems().size();
    }

    private @Nullable Job job() {
        List<Job> jobs = client.batch().v1().jobs().inNamespace(NAMESPACE).list().getItems();
        assertTrue(jobs.size() <= 1, jobs::toString);
        return jobs.isEmpty() ? null : jobs.getFirst();
    }

    private void reconcile() {
        reconcile("");
    }

    /// @param end where the operator ends: `status2` before it writes that for the second time
    private void reconcile(String end) {
        EnsembleRecovery resource = new EnsembleRecovery();
        resource.getMetadata().setName("back-to-noon");
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.getMetadata().setUid("1234");
        resource.setSpec(new EnsembleRecoverySpec(NAME, approved, source));
        resource.setStatus(status);
        var control =
                new RecoveryReconciler(
                                client,
                                members,
                                FormedEnsemble.DEFAULTS,
                                CLOCK,
                                _ -> URI.create("http://127.0.0.1:1"))
                        .reconcile(resource, null);
        EnsembleRecoveryStatus next =
                control.getResource().map(EnsembleRecovery::getStatus).orElse(null);
        if (next != null && !end.equals("status" + ++statuses)) {
            status = next;
        }
    }

    private EnsembleRecoveryStatus status() {
        return Objects.requireNonNull(status);
    }

    /// What [Pass] does about the records, and the controllers about that.
    private void pass() {
        StatefulSet set = client.apps().statefulSets().inNamespace(NAMESPACE).withName(NAME).get();
        String recovery =
                ensemble.onClaims(Labels.RECOVERY).stream().max(String::compareTo).orElse("");
        if (!mayRun()) {
            set.getSpec().setReplicas(0);
            client.pods().inNamespace(NAMESPACE).delete();
        } else if (set.getSpec().getReplicas() == 0) {
            set.getSpec().setReplicas(SIZE);
            set.getMetadata().getAnnotations().put(Labels.RECOVERY, recovery);
            IntStream.range(0, SIZE).forEach(ensemble::pod);
            ran.add(recovery);
        }
        client.resource(set).update();
        Ensemble resource =
                client.resources(Ensemble.class).inNamespace(NAMESPACE).withName(NAME).get();
        resource.setStatus(
                client.getKubernetesSerialization()
                        .convertValue(
                                Map.of(
                                        "conditions",
                                        List.of(
                                                new ConditionBuilder()
                                                        .withType("Ready")
                                                        .withStatus(pods() > 0 ? "True" : "False")
                                                        .build())),
                                EnsembleStatus.class));
        client.resource(resource).update();
    }

    /// {@return whether it ended just now}
    private boolean jobEnds(String condition) {
        Job job = job();
        if (job != null && job.getStatus() == null) {
            assertEquals(0, pods(), "the volume is a member's");
            FormedEnsemble.end(client, job, condition);
            return true;
        }
        return false;
    }

    private void assertSound() {
        Job job = job();
        boolean done = job != null && job.getStatus() != null;
        if (job != null && !done) {
            assertEquals(0, pods(), "a member runs while its volume is made anew");
        }
        if (job != null && !done) {
            assertFalse(mayRun());
        }
        String decision = status == null ? null : status.decision();
        for (String each : ensemble.onClaims(Labels.RECOVERY)) {
            assertTrue(each.isEmpty() || (done && each.equals(decision)), each);
        }
    }

    /// The operator's next write of this kind fails, as if it had ended before it.
    private void endAt(String end) {
        String path =
                end.equals("job")
                        ? "/apis/batch/v1/namespaces/shop/jobs"
                        : "/api/v1/namespaces/shop/persistentvolumeclaims/" + end;
        var expected = end.equals("job") ? server.expect().post() : server.expect().patch();
        expected.withPath(path)
                .andReturn(500, new StatusBuilder().withCode(500).withMessage("the end").build())
                .once();
    }

    @ParameterizedTest(name = "ends at {0}")
    @ValueSource(
            strings = {
                "nothing",
                "status1",
                "status2",
                "status3",
                "status4",
                "begin data-orders-0",
                "begin data-orders-1",
                "begin data-orders-2",
                "begin job",
                "then data-orders-0",
                "then data-orders-1",
                "then data-orders-2"
            })
    void whereverTheOperatorEnds(String end) {
        reconcile();
        assertEquals("Planned", status().phase());
        approved = status().plan();
        statuses = 0;
        int failed = 0;
        if (end.startsWith("begin ")) {
            endAt(end.substring("begin ".length()));
        }
        int passes = 0;
        while (!"Recovered".equals(status().phase())) {
            assertTrue(passes++ < PASSES, () -> status().toString());
            try {
                reconcile(end);
            } catch (KubernetesClientException e) {
                assertEquals(500, e.getCode(), e::getMessage);
                failed++;
            }
            assertSound();
            if (passes % 3 == 1) {
                pass();
            } else if (passes % 3 == 2 && jobEnds("Complete") && end.startsWith("then ")) {
                endAt(end.substring("then ".length()));
            }
            assertSound();
        }
        assertEquals(end.contains(" ") ? 1 : 0, failed, "it ended where it should");
        String decision = String.valueOf(status().decision());
        assertEquals(List.of(decision), ran, "started once, and told");
        assertEquals(SIZE, pods());
        assertEquals(
                List.of(decision, decision, decision),
                ensemble.onClaims(Labels.RECOVERY),
                "on every volume");
    }

    @Test
    void thePlanTellsWhatIsKnownOfTheBackup() {
        EnsembleBackup backup = new EnsembleBackup();
        backup.getMetadata().setName("orders");
        backup.getMetadata().setNamespace(NAMESPACE);
        backup.setSpec(
                new EnsembleBackupSpec(
                        NAME,
                        new EnsembleBackupSpec.Destination(
                                new EnsembleBackupSpec.Claim("backups", "daily"), null),
                        null));
        backup.setStatus(
                new EnsembleBackupStatus(
                        "Complete",
                        "Verified",
                        "",
                        null,
                        null,
                        "daily/orders.ensemble",
                        "2026-01-31T11:59:00Z",
                        "0x300000005",
                        "id",
                        9L,
                        77L,
                        true));
        client.resource(backup).create();
        reconcile();
        String message = String.valueOf(status().message());
        assertTrue(
                message.contains(
                        "which holds ensemble id up to 0x300000005, as of 2026-01-31T11:59:00Z"),
                message);
        assertTrue(message.contains("orders-0 holds data of epoch 4"), message);
        EnsembleRecoveryStatus first = status();
        reconcile();
        assertEquals(first, status(), "that the members go on writing is no news");
        assertNull(job());
        assertTrue(mayRun());
    }

    @Test
    void theJobPutsTheDataBehindAllThatClientsSaw() {
        reconcile();
        approved = status().plan();
        reconcile();
        reconcile();
        pass();
        reconcile();
        Job job = Objects.requireNonNull(job());
        String decision = Objects.requireNonNull(status().decision());
        assertEquals(
                List.of(
                        "restore",
                        "/backup/daily/orders.ensemble",
                        "--config",
                        "/etc/ensemble/zoo.cfg",
                        "--myid",
                        "1",
                        "--recovery",
                        decision.substring(0, decision.indexOf(',')),
                        "--after-epoch",
                        "1004"),
                job.getSpec().getTemplate().getSpec().getContainers().getFirst().getArgs());
        assertTrue(decision.endsWith(".1234,1,0x0"), decision);
    }

    /// The pod needs both volumes on one node.
    @Test
    void theMemberIsOneWhoseVolumeCanBeUsedWhereTheBackupsCan() {
        bound("of-backups", "n2");
        bound("of-data-orders-0", "n1");
        bound("of-data-orders-1", "n2");
        bound("of-data-orders-2", "n2");
        reconcile();
        assertTrue(message().contains("on the volume of orders-1, which"), this::message);
        approved = status().plan();
        reconcile();
        String decision = String.valueOf(status().decision());
        assertTrue(decision.endsWith(".1234,2,0x0"), decision);
        // Decided is decided, wherever the volumes can be used from now on.
        client.persistentVolumes().withName("of-data-orders-0").delete();
        reconcile();
        pass();
        reconcile();
        var pod = Objects.requireNonNull(job()).getSpec().getTemplate().getSpec();
        List<String> arguments = pod.getContainers().getFirst().getArgs();
        assertEquals("2", arguments.get(arguments.indexOf("--myid") + 1));
        assertEquals(
                List.of("data-orders-1"),
                pod.getVolumes().stream()
                        .filter(each -> each.getName().equals("data"))
                        .map(each -> each.getPersistentVolumeClaim().getClaimName())
                        .toList());
        assertEquals(decision, ensemble.onClaims(Labels.RESTORING).getFirst());
    }

    @Test
    void wherePlansDifferInTheMemberTheyAreApprovedAnew() {
        bound("of-backups", "n1");
        reconcile();
        approved = status().plan();
        bound("of-data-orders-0", "n2");
        reconcile();
        assertEquals("Planned", status().phase());
        assertTrue(message().contains("on the volume of orders-1, which"), this::message);
        assertTrue(mayRun());
    }

    /// Nobody is stopped for a pod that no node can take.
    @Test
    void noPlanWhereNoNodeCanHaveBothVolumes() {
        bound("of-backups", "n9");
        bound("of-data-orders-0", "n1");
        bound("of-data-orders-1", "n2");
        bound("of-data-orders-2", "n3");
        reconcile();
        assertEquals("NotPossible", status().phase());
        assertTrue(
                message()
                        .contains(
                                "the volume of claim backups can be used on node n9, that of"
                                        + " data-orders-0 on node n1, that of data-orders-1 on"
                                        + " node n2, that of data-orders-2 on node n3"),
                this::message);
        assertTrue(message().contains("Copy the backup"), this::message);
        assertTrue(mayRun());
    }

    @Test
    void noPlanWithoutTheBackupsClaim() {
        client.persistentVolumeClaims().inNamespace(NAMESPACE).withName("backups").delete();
        reconcile();
        assertEquals("NotPossible", status().phase());
        assertTrue(message().contains("no PersistentVolumeClaim backups"), this::message);
    }

    @Test
    void withoutPermissionToReadVolumesTheirNodesAreAHint() {
        mayNotReadVolumes();
        selected("backups", "n3");
        selected("data-orders-0", "n1");
        selected("data-orders-1", "n2");
        selected("data-orders-2", "n3");
        reconcile();
        assertTrue(message().contains("on the volume of orders-2, which"), this::message);
    }

    @Test
    void aPodThatNoNodeTakesIsExplained() {
        mayNotReadVolumes();
        selected("backups", "n9");
        selected("data-orders-0", "n1");
        selected("data-orders-1", "n2");
        selected("data-orders-2", "n3");
        reconcile();
        assertTrue(
                message().contains("on the volume of orders-0, which"),
                () -> "a hint is no reason to refuse: " + message());
        approved = status().plan();
        reconcile();
        reconcile();
        pass();
        reconcile();
        client.resource(
                        new PodBuilder()
                                .withNewMetadata()
                                .withName("restore-pod")
                                .withNamespace(NAMESPACE)
                                .addToLabels(
                                        RestoreJob.LABEL,
                                        Objects.requireNonNull(job()).getMetadata().getName())
                                .endMetadata()
                                .withNewStatus()
                                .addNewCondition()
                                .withType("PodScheduled")
                                .withStatus("False")
                                .withReason("Unschedulable")
                                .withMessage("0/3 nodes are available")
                                .endCondition()
                                .endStatus()
                                .build())
                .create();
        reconcile();
        assertTrue(
                message()
                        .contains(
                                "0/3 nodes are available; its pod needs the volumes of the claims"
                                        + " backups (node n9) and data-orders-0 (node n1) on one"
                                        + " node"),
                this::message);
    }

    @Test
    void aJobThatFailsChangesNothingElse() {
        reconcile();
        approved = status().plan();
        reconcile();
        reconcile();
        pass();
        reconcile();
        jobEnds("Failed");
        reconcile();
        assertTrue(
                String.valueOf(status().message()).contains("the backup is not in place: Job"),
                () -> status().toString());
        assertFalse(mayRun());
        assertEquals(List.of("", "", ""), ensemble.onClaims(Labels.RECOVERY));
        client.resource(Objects.requireNonNull(job())).delete();
        reconcile();
        assertNotNull(job(), "tried again");
    }

    /// Else it would give up what the later one kept.
    @Test
    void whatWasDecidedOnLaterStands() {
        reconcile();
        approved = status().plan();
        reconcile();
        assertNotNull(status().decision());
        ensemble.annotateClaims(Labels.RECOVERY, "29990101T000000Z.9,2,0x1");
        reconcile();
        assertTrue(
                String.valueOf(status().message()).contains("was decided on later"),
                () -> status().toString());
        assertTrue(mayRun());
        assertNull(job());
    }

    @Test
    void oneAtATime() {
        ensemble.annotateClaims(Labels.RESTORING, "20260101T000000Z.9,1,0x0");
        reconcile();
        assertEquals("NotPossible", status().phase());
        assertNull(status().plan());
    }
}
