package dev.ensemble.operator.reconcile;

import static dev.ensemble.operator.reconcile.FormedEnsemble.NAME;
import static dev.ensemble.operator.reconcile.FormedEnsemble.NAMESPACE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.S3Bucket;
import dev.ensemble.operator.desired.BackupJob;
import dev.ensemble.operator.ensemble.BackupClient;
import dev.ensemble.operator.ensemble.MemberStatus;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// From an EnsembleBackup to the report of its Job, on a made-up API server.
@EnableKubernetesMockClient(crud = true)
@Timeout(60)
final class BackupReconcilerTest {
    private static final String BACKUP = "before-the-upgrade";
    private static final String HASH = "ab".repeat(32);
    private static final Clock CLOCK =
            Clock.fixed(Instant.parse("2026-01-31T12:00:00Z"), ZoneOffset.UTC);

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private EnsembleBackupSpec.Destination destination =
            new EnsembleBackupSpec.Destination(
                    new EnsembleBackupSpec.Claim("backups", "daily/orders"), null);

    private final Said said = new Said();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private @Nullable EnsembleBackupStatus status;

    /// Member 3 leads.
    private static final class Said implements Asked, BackupClient {
        private final List<String> permits = new ArrayList<>();
        private int size = 3;
        private long outOfSyncMillis;
        private @Nullable String refuses;

        @Override
        public Map<Integer, Answer> ask(Map<Integer, URI> members) {
            return Asked.all(members, this::status);
        }

        private MemberStatus status(int myid) {
            return Saying.of(myid)
                    .role(myid == size ? "leader" : "follower")
                    .outOfSync(myid == size ? 0 : outOfSyncMillis)
                    .configuration(Saying.voters(size))
                    .status();
        }

        @Override
        public Outcome permitBackup(URI member, String audience, String sha256, int seconds) {
            permits.add(member.getPort() + " " + audience + " " + sha256);
            String why = refuses;
            return why == null ? new Outcome.Done() : new Outcome.Refused(why);
        }
    }

    private void formed(int size) {
        said.size = size;
        new FormedEnsemble(client).form(size);
    }

    private void claimForBackups() {
        new FormedEnsemble(client).claim("backups", Map.of());
    }

    /// {@return the reason afterwards}
    private @Nullable String reconcile() {
        EnsembleBackup resource = new EnsembleBackup();
        resource.getMetadata().setName(BACKUP);
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.getMetadata().setUid("1234");
        resource.setSpec(
                new EnsembleBackupSpec(NAME, destination, new EnsembleBackupSpec.Retention(5, 2)));
        resource.setStatus(status);
        new BackupReconciler(
                        client,
                        said,
                        said,
                        FormedEnsemble.DEFAULTS,
                        metrics,
                        CLOCK,
                        pod ->
                                URI.create(
                                        "http://127.0.0.1:"
                                                + (1
                                                        + Labels.ordinal(
                                                                NAME,
                                                                "data-"
                                                                        + pod.getMetadata()
                                                                                .getName()))))
                .reconcile(resource, null)
                .getResource()
                .ifPresent(each -> status = each.getStatus());
        return status == null ? null : status.reason();
    }

    private String message() {
        return String.valueOf(Objects.requireNonNull(status).message());
    }

    private Job job() {
        return Objects.requireNonNull(
                client.batch().v1().jobs().inNamespace(NAMESPACE).withName(BACKUP).get());
    }

    private void pod(@Nullable String hash, @Nullable String report) {
        var pod =
                new PodBuilder()
                        .withNewMetadata()
                        .withName(BACKUP + "-x7k")
                        .withNamespace(NAMESPACE)
                        .addToLabels(BackupJob.LABEL, BACKUP)
                        .endMetadata()
                        .withNewStatus();
        if (hash != null) {
            pod =
                    pod.addNewInitContainerStatus()
                            .withName(BackupJob.SECRET)
                            .withNewState()
                            .withNewTerminated()
                            .withMessage(hash + "\n")
                            .endTerminated()
                            .endState()
                            .endInitContainerStatus();
        }
        if (report != null) {
            pod =
                    pod.addNewContainerStatus()
                            .withName(BackupJob.BACKUP)
                            .withNewState()
                            .withNewTerminated()
                            .withMessage(report)
                            .endTerminated()
                            .endState()
                            .endContainerStatus();
        }
        client.resource(pod.endStatus().build()).createOr(each -> each.update());
    }

    private void jobIs(String condition) {
        FormedEnsemble.end(client, job(), condition);
    }

    @Test
    void fromTheResourceToTheReport() {
        assertEquals("EnsembleMissing", reconcile());
        formed(3);
        assertEquals("ClaimMissing", reconcile());
        claimForBackups();
        assertEquals("PodStarting", reconcile());
        PodSpec pod = job().getSpec().getTemplate().getSpec();
        assertEquals("Never", pod.getRestartPolicy());
        assertFalse(pod.getAutomountServiceAccountToken());
        Container backup = pod.getContainers().getFirst();
        assertEquals("registry.test/server:1", backup.getImage());
        assertEquals("/backup/daily/orders/before-the-upgrade.ensemble", backup.getArgs().get(1));
        assertTrue(backup.getArgs().get(3).contains("http://orders-2.orders-peers.shop.svc:8080"));
        assertEquals(
                List.of("--keep", "5", "--keep-hours", "48"),
                backup.getArgs().subList(backup.getArgs().size() - 4, backup.getArgs().size()));
        assertEquals("1234", job().getMetadata().getOwnerReferences().getFirst().getUid());

        assertEquals("PodStarting", reconcile());
        pod(null, null);
        assertEquals("PodStarting", reconcile());
        assertEquals(List.of(), said.permits);
        pod(HASH, null);
        assertEquals("Taking", reconcile());
        assertEquals("orders-1 gives the backup", message(), "not the leader, orders-2");
        assertEquals(List.of("2 id " + HASH), said.permits);
        said.refuses = "this member leads";
        assertEquals("NoMember", reconcile());
        said.refuses = null;

        jobIs("Complete");
        pod(
                HASH,
                "{\"zxid\":\"0x400000005\",\"time\":\"2026-01-31T11:59:00Z\",\"bytes\":77,"
                        + "\"znodes\":9,\"ensembleId\":\"id\"}");
        assertEquals("Verified", reconcile());
        assertEquals(
                new EnsembleBackupStatus(
                        "Complete",
                        "Verified",
                        message(),
                        job().getMetadata().getCreationTimestamp(),
                        "2026-01-31T12:00:00Z",
                        "daily/orders/before-the-upgrade.ensemble",
                        "2026-01-31T11:59:00Z",
                        "0x400000005",
                        "id",
                        9L,
                        77L,
                        true),
                status);
        client.resource(job()).delete();
        assertEquals("Verified", reconcile());
        assertNull(
                client.batch().v1().jobs().inNamespace(NAMESPACE).withName(BACKUP).get(),
                "it is taken once");
        assertEquals(
                List.of(
                        "BackupBegun EnsembleBackup before-the-upgrade",
                        "BackupComplete EnsembleBackup before-the-upgrade"),
                events());
        assertEquals(1, count("complete"));
        assertEquals(0, count("failed"));
    }

    private List<String> events() {
        return client.v1().events().inNamespace(NAMESPACE).list().getItems().stream()
                .map(each ->
                        each.getReason()
                                + " "
                                + each.getInvolvedObject().getKind()
                                + " "
                                + each.getInvolvedObject().getName())
                .sorted()
                .toList();
    }

    private double count(String result) {
        return metrics.get("ensemble_backups")
                .tags("namespace", NAMESPACE, "ensemble", NAME, "result", result)
                .counter()
                .count();
    }

    /// The credentials are files of the pod, and nowhere else.
    @Test
    void aBucketsKeyIsMounted() {
        destination =
                new EnsembleBackupSpec.Destination(
                        null,
                        new S3Bucket(
                                "vault",
                                "daily",
                                "http://s3.test:9000",
                                "us-east-1",
                                null,
                                "s3-key"));
        formed(3);
        assertEquals("SecretMissing", reconcile());
        assertEquals("there is no Secret s3-key", message());
        secret(Map.of(S3Bucket.ACCESS_KEY, "SUQ="));
        assertEquals("SecretMissing", reconcile());
        assertEquals("Secret s3-key has no AWS_SECRET_ACCESS_KEY", message());
        secret(Map.of(S3Bucket.ACCESS_KEY, "SUQ=", S3Bucket.SECRET_KEY, "c2VjcmV0"));
        assertEquals("PodStarting", reconcile());

        PodSpec pod = job().getSpec().getTemplate().getSpec();
        List<String> arguments = pod.getContainers().getFirst().getArgs();
        assertEquals("s3://vault/daily/before-the-upgrade.ensemble", arguments.get(1));
        assertEquals(
                List.of(
                        "--s3-region",
                        "us-east-1",
                        "--s3-endpoint",
                        "http://s3.test:9000",
                        "--s3-credentials",
                        "/credentials",
                        "--keep",
                        "5"),
                arguments.subList(arguments.size() - 10, arguments.size() - 2));
        assertEquals(
                List.of("work", "tmp", "credentials"),
                pod.getVolumes().stream().map(Volume::getName).toList());
        assertEquals("s3-key", pod.getVolumes().getLast().getSecret().getSecretName());
        String written = client.getKubernetesSerialization().asYaml(job());
        assertFalse(written.contains("secretKeyRef"), written);
        assertFalse(written.contains("c2VjcmV0"), written);

        pod(HASH, "{\"zxid\":\"0x1\",\"stayed\":\"Access Denied\"}");
        jobIs("Complete");
        assertEquals("Verified", reconcile());
        assertEquals("daily/before-the-upgrade.ensemble", Objects.requireNonNull(status).file());
        assertEquals(
                "the backup was restored for a trial, and is good; older ones could not be deleted:"
                        + " Access Denied",
                message());
    }

    private void secret(Map<String, String> data) {
        client.resource(
                        new SecretBuilder()
                                .withNewMetadata()
                                .withName("s3-key")
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .withData(data)
                                .build())
                .createOr(each -> each.update());
    }

    @Test
    void aJobThatFailsSaysWhy() {
        formed(3);
        claimForBackups();
        reconcile();
        pod(HASH, "no backup: No space left on device");
        jobIs("Failed");
        assertEquals("JobFailed", reconcile());
        assertEquals("no backup: No space left on device", message());
        assertEquals("Failed", Objects.requireNonNull(status).phase());
        assertEquals(
                List.of(
                        "BackupBegun EnsembleBackup before-the-upgrade",
                        "BackupFailed EnsembleBackup before-the-upgrade"),
                events());
        assertEquals(1, count("failed"));
        assertEquals(0, count("complete"));
    }

    @Test
    void noLeaderGivesOneUnlessItIsAlone() {
        formed(3);
        claimForBackups();
        reconcile();
        pod(HASH, null);
        said.outOfSyncMillis = 500;
        assertEquals("NoMember", reconcile());
        said.outOfSyncMillis = 0;
        assertEquals("Taking", reconcile());
    }

    @Test
    void aSingleMemberGivesOne() {
        formed(1);
        claimForBackups();
        reconcile();
        pod(HASH, null);
        assertEquals("Taking", reconcile());
        assertEquals(List.of("1 id " + HASH), said.permits);
    }
}
