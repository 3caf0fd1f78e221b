package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Wanted;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.OperatorException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// The reconciler on Fabric8's mock server. That has no controllers, so the test plays the
/// StatefulSet's; and no server-side apply, so writes are creates and updates here.
@EnableKubernetesMockClient(crud = true)
@Timeout(60)
final class EnsembleReconcilerTest {
    private static final String NAMESPACE = "shop";
    private static final String NAME = "orders";
    private static final long LONG_AGO_SECONDS = 3600;
    private static final long PAUSE_NANOS = 50_000_000;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesMockServer server;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private final FakeEnsemble members = new FakeEnsemble();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private @Nullable Operator operator;

    @BeforeEach
    void start() {
        members.reading(this::zooCfg);
        var reconciler =
                new EnsembleReconciler(
                        client,
                        members,
                        new Wanted.Defaults("ensemble-server", "0.1.0", null, "PEM\n"),
                        metrics,
                        Clock.systemUTC(),
                        false,
                        pod -> URI.create("http://127.0.0.1:1"));
        operator =
                new Operator(overrider ->
                        overrider
                                .withKubernetesClient(client)
                                .withCloseClientOnStop(false)
                                .checkingCRDAndValidateLocalModel(false)
                                .withUseSSAToPatchPrimaryResource(false)
                                .withReconciliationTerminationTimeout(Duration.ZERO));
        operator.register(reconciler);
        operator.start();
    }

    @AfterEach
    void stop() {
        Objects.requireNonNull(operator).stop();
    }

    private void await(String what, BooleanSupplier met) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!met.getAsBoolean()) {
            assertTrue(
                    System.nanoTime() < deadline,
                    () -> "still not: " + what + "; the status is " + status());
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static EnsembleSpec spec(String yaml) {
        try {
            return new ObjectMapper(new YAMLFactory()).readValue(yaml, EnsembleSpec.class);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private Ensemble create(String specYaml) {
        Ensemble resource = new Ensemble();
        resource.getMetadata().setName(NAME);
        resource.getMetadata().setNamespace(NAMESPACE);
        resource.setSpec(spec(specYaml));
        return client.resource(resource).create();
    }

    private @Nullable EnsembleStatus status() {
        Ensemble resource =
                client.resources(Ensemble.class).inNamespace(NAMESPACE).withName(NAME).get();
        return resource == null ? null : resource.getStatus();
    }

    private String condition(String type) {
        EnsembleStatus status = status();
        if (status == null || status.conditions() == null) {
            return "";
        }
        return status.conditions().stream()
                .filter(each -> each.getType().equals(type))
                .map(each -> each.getStatus() + " " + each.getReason())
                .findFirst()
                .orElse("");
    }

    private @Nullable StatefulSet statefulSet() {
        return client.apps().statefulSets().inNamespace(NAMESPACE).withName(NAME).get();
    }

    /// Does what the controllers of a cluster would: pods and claims of the newest template.
    private void control() {
        StatefulSet set = Objects.requireNonNull(statefulSet());
        for (int i = 0; i < set.getSpec().getReplicas(); i++) {
            if (pod(i) == null) {
                createPod(set, i);
            }
            if (claim(i) == null) {
                PersistentVolumeClaim template = set.getSpec().getVolumeClaimTemplates().getFirst();
                client.resource(
                                new PersistentVolumeClaimBuilder(template)
                                        .editMetadata()
                                        .withName(Labels.claim(NAME, i))
                                        .withNamespace(NAMESPACE)
                                        .endMetadata()
                                        .build())
                        .create();
            }
        }
        while (!observed()) {}
    }

    /// {@return whether the controller could say what it has seen: the operator may write at the
    /// same time, and then it looks again}
    private boolean observed() {
        try {
            client.apps()
                    .statefulSets()
                    .inNamespace(NAMESPACE)
                    .withName(NAME)
                    .editStatus(it -> {
                        it.setStatus(
                                new io.fabric8.kubernetes.api.model.apps.StatefulSetStatusBuilder()
                                        .withObservedGeneration(it.getMetadata().getGeneration())
                                        .build());
                        return it;
                    });
            return true;
        } catch (KubernetesClientException conflict) {
            if (conflict.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw conflict;
            }
            return false;
        }
    }

    private void createPod(StatefulSet set, int ordinal) {
        String since = Clock.systemUTC().instant().minusSeconds(LONG_AGO_SECONDS).toString();
        client.resource(
                        new PodBuilder()
                                .withMetadata(set.getSpec().getTemplate().getMetadata())
                                .editMetadata()
                                .withName(Labels.pod(NAME, ordinal))
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .withSpec(set.getSpec().getTemplate().getSpec())
                                .withNewStatus()
                                .withPodIP("127.0.0.1")
                                .addNewCondition()
                                .withType("Ready")
                                .withStatus("True")
                                .withLastTransitionTime(since)
                                .endCondition()
                                .endStatus()
                                .build())
                .create();
    }

    private @Nullable Pod pod(int ordinal) {
        return client.pods().inNamespace(NAMESPACE).withName(Labels.pod(NAME, ordinal)).get();
    }

    private @Nullable PersistentVolumeClaim claim(int ordinal) {
        return client.persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName(Labels.claim(NAME, ordinal))
                .get();
    }

    private @Nullable String annotation(@Nullable PersistentVolumeClaim claim, String key) {
        return claim == null ? null : claim.getMetadata().getAnnotations().get(key);
    }

    private List<String> events() {
        return client.v1().events().inNamespace(NAMESPACE).list().getItems().stream()
                .map(Event::getReason)
                .toList();
    }

    private String zooCfg() {
        ConfigMap config =
                client.configMaps().inNamespace(NAMESPACE).withName(Labels.config(NAME)).require();
        return config.getData().getOrDefault("zoo.cfg", "");
    }

    /// Brings the ensemble up, as all tests need it.
    private void form(String spec) {
        create(spec);
        await("the StatefulSet", () -> statefulSet() != null);
        control();
        await("Ready", () -> condition("Ready").startsWith("True"));
    }

    /// A second edit takes back what members refused.
    @Test
    void aChangeThatMembersTakeOverWhileTheyRunRestartsNobody() {
        form("replicas: 3");
        String revision = revision();
        members.refusing("maxClientCnxns=-5 is not valid: it must be at least 0");
        edit("replicas: 3\nconfig: {maxClientCnxns: '-5'}");
        await("the refusal", () -> condition("UpToDate").equals("False ConfigNotLoaded"));
        assertTrue(zooCfg().contains("maxClientCnxns=-5\n"));
        await("the event", () -> events().contains("ConfigNotLoaded"));
        assertEquals("False NotUpToDate", condition("Ready"));
        edit("replicas: 3\nconfig: {maxClientCnxns: '100'}");
        await("the corrected file", () -> zooCfg().contains("maxClientCnxns=100\n"));
        members.refusing(null);
        await("all to have it", () -> condition("UpToDate").equals("True AllCurrent"));
        await("the event", () -> events().contains("ConfigLoaded"));
        assertEquals(revision, revision(), "no template has changed");
        edit("replicas: 3\nconfig: {tickTime: '1500'}");
        await("a restart", () -> !revision.equals(revision()));
    }

    private String revision() {
        return Objects.requireNonNull(statefulSet())
                .getSpec()
                .getTemplate()
                .getMetadata()
                .getAnnotations()
                .getOrDefault(Labels.REVISION, "");
    }

    private void edit(String specYaml) {
        while (!edited(specYaml)) {}
    }

    /// {@return whether nobody else wrote at the same time: the operator may}
    private boolean edited(String specYaml) {
        try {
            client.resources(Ensemble.class)
                    .inNamespace(NAMESPACE)
                    .withName(NAME)
                    .edit(it -> {
                        it.setSpec(spec(specYaml));
                        return it;
                    });
            return true;
        } catch (KubernetesClientException conflict) {
            if (conflict.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw conflict;
            }
            return false;
        }
    }

    private @Nullable Secret secret(String name) {
        return client.secrets().inNamespace(NAMESPACE).withName(name).get();
    }

    @Test
    void itKeepsAnAuthorityAndSignsForEachMember() {
        create("tls: {peer: {}, client: {}}");
        await("the StatefulSet", () -> statefulSet() != null);
        Secret authority = Objects.requireNonNull(secret(NAME + "-authority"));
        assertEquals(Set.of("current.crt", "current.key"), authority.getData().keySet());
        Secret keys = Objects.requireNonNull(secret(NAME + "-tls"));
        assertEquals(
                Set.of(
                        "1.pem",
                        "2.pem",
                        "3.pem",
                        "4.pem",
                        "5.pem",
                        "6.pem",
                        "7.pem",
                        "8.pem",
                        "9.pem",
                        "ca.crt",
                        "clients.pem"),
                keys.getData().keySet());
        await(
                "whom clients have to trust",
                () ->
                        client.configMaps().inNamespace(NAMESPACE).withName(NAME + "-ca").get()
                                != null);
        client.secrets().inNamespace(NAMESPACE).withName(NAME + "-tls").delete();
        await("new certificates", () -> secret(NAME + "-tls") != null);
        assertEquals(
                keys.getData().get("ca.crt"),
                Objects.requireNonNull(secret(NAME + "-tls")).getData().get("ca.crt"));
        await("the condition", () -> condition("TLSReady").equals("Unknown CertificatesUnknown"));
    }

    @Test
    void aSecretOfSomebodyElseIsLeftAlone() {
        client.resource(
                        new SecretBuilder()
                                .withNewMetadata()
                                .withName(NAME + "-tls")
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .addToData("tls.crt", "YQ==")
                                .build())
                .create();
        create("tls: {peer: {}}");
        await("a refusal", () -> condition("Ready").equals("False ApiError"));
        assertEquals(
                Map.of("tls.crt", "YQ=="), Objects.requireNonNull(secret(NAME + "-tls")).getData());
    }

    private static final int MANY = 10_000;
    private static final String ISSUED = "tls: {peer: {issuerRef: {name: ours}}}";

    private static final ResourceDefinitionContext CERTIFICATES =
            new ResourceDefinitionContext.Builder()
                    .withGroup("cert-manager.io")
                    .withVersion("v1")
                    .withKind("Certificate")
                    .withPlural("certificates")
                    .withNamespaced(true)
                    .build();

    private List<GenericKubernetesResource> certificates() {
        return client.genericKubernetesResources(CERTIFICATES)
                .inNamespace(NAMESPACE)
                .list()
                .getItems();
    }

    /// The mock has whatever it is asked for, but what it is told to lack.
    private void certManagerIsAbsent(int times) {
        server.expect()
                .get()
                .withPath("/apis/cert-manager.io/v1")
                .andReturn(404, new StatusBuilder().withCode(404).build())
                .times(times);
    }

    /// No member is made that could not start; what somebody installs later is found.
    @Test
    void membersBeginWithACertificateOfCertManager() {
        certManagerIsAbsent(3);
        create(ISSUED);
        await("the event", () -> events().contains("CertManagerMissing"));
        assertNull(statefulSet());
        await("the Certificate", () -> !certificates().isEmpty());
        GenericKubernetesResource certificate = certificates().getFirst();
        assertEquals(List.of("*.orders-peers.shop.svc"), certificate.get("spec", "dnsNames"));
        assertEquals(
                Map.of("name", "ours", "kind", "Issuer", "group", "cert-manager.io"),
                certificate.get("spec", "issuerRef"));
        assertEquals("PKCS8", certificate.get("spec", "privateKey", "encoding"));
        await("a wait", () -> condition("Ready").equals("False Forming"));
        assertNull(statefulSet());

        certificate.setAdditionalProperty(
                "status", Map.of("conditions", List.of(Map.of("type", "Ready", "status", "True"))));
        client.genericKubernetesResources(CERTIFICATES)
                .inNamespace(NAMESPACE)
                .resource(certificate)
                .update();
        await("the StatefulSet", () -> statefulSet() != null);
        assertEquals(
                List.of(String.valueOf(certificate.<String>get("spec", "secretName"))), secrets());
        assertTrue(
                zooCfg().contains("ssl.quorum.keyStore.location=/etc/ensemble-tls/peer/tls.crt"));
    }

    /// {@return the Secrets in the members' template}
    private List<String> secrets() {
        return Objects.requireNonNull(statefulSet())
                .getSpec()
                .getTemplate()
                .getSpec()
                .getVolumes()
                .stream()
                .filter(each -> each.getSecret() != null)
                .map(each -> each.getSecret().getSecretName())
                .toList();
    }

    @Test
    void whatRunsGoesOnWithoutCertManager() {
        certManagerIsAbsent(MANY);
        form("update: {minReadySeconds: 0}");
        await("the file", () -> zooCfg().contains("bootstrap=bootstrapped"));
        client.resources(Ensemble.class)
                .inNamespace(NAMESPACE)
                .withName(NAME)
                .edit(it -> {
                    it.setSpec(spec("{update: {minReadySeconds: 0}, %s}".formatted(ISSUED)));
                    return it;
                });
        await("the hindrance", () -> condition("Ready").equals("False CertManagerMissing"));
        assertEquals(List.of(), secrets());
        assertFalse(zooCfg().contains("ssl."), zooCfg());
    }

    /// What a recovery with a backup asks for: none runs, and then all know of it.
    @Test
    void noMemberRunsWhileABackupIsPutInPlace() {
        form("update: {minReadySeconds: 0}");
        String decision = "20260131T120000Z.1234,1,0x0";
        mark(Map.of(Labels.RESTORING, decision));
        await("none to run", () -> replicas() == 0);
        await("the reason", () -> condition("Ready").equals("False RestoringInPlace"));
        mark(Map.of(Labels.RESTORING, "", Labels.RECOVERY, decision));
        await("all to run", () -> replicas() == 3);
        assertEquals(
                List.of("--recovery", decision),
                Objects.requireNonNull(statefulSet())
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .getFirst()
                        .getArgs()
                        .subList(6, 8));
    }

    private int replicas() {
        return Objects.requireNonNull(statefulSet()).getSpec().getReplicas();
    }

    private void mark(Map<String, String> annotations) {
        for (int i = 0; i < 3; i++) {
            client.persistentVolumeClaims()
                    .inNamespace(NAMESPACE)
                    .withName(Labels.claim(NAME, i))
                    .edit(it -> {
                        it.getMetadata().getAnnotations().putAll(annotations);
                        return it;
                    });
        }
    }

    private static final String FROM_BACKUP =
            "bootstrap: {fromBackup: {claim: backups, file: daily/orders.ensemble}}";

    private @Nullable Job restoreJob() {
        return client.batch().v1().jobs().inNamespace(NAMESPACE).withName("orders-restore").get();
    }

    private void restoreIs(String condition) {
        Job job = Objects.requireNonNull(restoreJob());
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

    /// No member before its volume holds the backup; from then on it is an ensemble that has
    /// formed.
    @Test
    void anEnsembleBeginsWithABackup() {
        create(FROM_BACKUP);
        await("the Job", () -> restoreJob() != null);
        var container =
                Objects.requireNonNull(restoreJob())
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .getFirst();
        assertEquals(
                List.of(
                        "restore",
                        "/backup/daily/orders.ensemble",
                        "--config",
                        "/etc/ensemble/zoo.cfg",
                        "--myid",
                        "1"),
                container.getArgs());
        await("a wait", () -> condition("Ready").equals("False Forming"));
        assertNull(statefulSet());
        restoreIs("Complete");
        await("the members", () -> statefulSet() != null);
        String formed =
                Objects.requireNonNull(claim(0))
                        .getMetadata()
                        .getAnnotations()
                        .get(Labels.BOOTSTRAPPED);
        assertNotNull(formed);
        ConfigMap config =
                Objects.requireNonNull(
                        client.configMaps()
                                .inNamespace(NAMESPACE)
                                .withName(Labels.config(NAME))
                                .get());
        assertTrue(
                Objects.requireNonNull(config.getData().get("zoo.cfg"))
                        .contains("bootstrap=bootstrapped"),
                "no blank member may form another one");
    }

    @Test
    void theBackupMayBeInABucket() {
        create(
                "bootstrap: {fromBackup: {file: daily/orders.ensemble,"
                        + " s3: {bucket: vault, region: eu-1, pathStyle: true, secretName: key}}}");
        await("the Job", () -> restoreJob() != null);
        var pod = Objects.requireNonNull(restoreJob()).getSpec().getTemplate().getSpec();
        assertEquals(
                List.of(
                        "restore",
                        "s3://vault/daily/orders.ensemble",
                        "--config",
                        "/etc/ensemble/zoo.cfg",
                        "--myid",
                        "1",
                        "--s3-region",
                        "eu-1",
                        "--s3-path-style",
                        "true",
                        "--s3-credentials",
                        "/credentials"),
                pod.getContainers().getFirst().getArgs());
        assertTrue(
                pod.getVolumes().stream()
                        .anyMatch(each ->
                                each.getSecret() != null
                                        && each.getSecret().getSecretName().equals("key")));
    }

    @Test
    void aRestoreThatFailsIsACondition() {
        create(FROM_BACKUP);
        await("the Job", () -> restoreJob() != null);
        restoreIs("Failed");
        await("the condition", () -> condition("Ready").equals("False RestoreFailed"));
        assertNull(statefulSet());
    }

    @Test
    void makesTheObjectsAndRecordsTheFormation() {
        create("replicas: 3");
        await("the StatefulSet", () -> statefulSet() != null);
        assertTrue(zooCfg().contains("bootstrap=unanimous"), zooCfg());
        assertNotNull(service(Labels.peers(NAME)));
        assertNotNull(service(Labels.client(NAME)));
        assertNotNull(
                client.resources(PodDisruptionBudget.class)
                        .inNamespace(NAMESPACE)
                        .withName(NAME)
                        .get());
        await("Forming", () -> condition("Ready").equals("False Forming"));

        control();
        await("Ready", () -> condition("Ready").equals("True AllMembersReady"));
        EnsembleStatus status = Objects.requireNonNull(status());
        assertEquals("3/3", status.ready());
        assertEquals("Running", status.phase());
        assertEquals("orders-0", Objects.requireNonNull(status.leader()).member());
        assertNotNull(status.bootstrapped());
        await("the file", () -> zooCfg().contains("bootstrap=bootstrapped"));
        await("the record on the volumes", () -> annotation(claim(2), Labels.BOOTSTRAPPED) != null);
        assertEquals(status.ensembleId(), annotation(claim(2), Labels.ENSEMBLE_ID));
        assertTrue(events().containsAll(List.of("Applied", "Bootstrapped", "Ready")));
    }

    private @Nullable Service service(String name) {
        return client.services().inNamespace(NAMESPACE).withName(name).get();
    }

    @Test
    void anIdleEnsembleIsNotWrittenTo() {
        form("{replicas: 3, update: {minReadySeconds: 0}}");
        await("the file", () -> zooCfg().contains("bootstrap=bootstrapped"));
        await("steady", () -> status() != null && status().operation() == null);
        String before = version();
        double writes = metrics.get(Gauges.WRITES).functionCounter().count();
        // A leader change is seen by the next pass, so a pass has happened when it shows.
        members.leader(2);
        await(
                "the new leader",
                () -> {
                    EnsembleStatus status = status();
                    return status != null && status.leader() != null && status.leader().myid() == 2;
                });
        assertFalse(version().equals(before), "the change of leader was written");
        assertEquals(writes, metrics.get(Gauges.WRITES).functionCounter().count());
    }

    private String version() {
        return client.resources(Ensemble.class)
                .inNamespace(NAMESPACE)
                .withName(NAME)
                .require()
                .getMetadata()
                .getResourceVersion();
    }

    /// The mock server cannot evict, so here a member is out, which is deleted directly.
    @Test
    void aChangeRestartsABrokenMemberFirst() {
        form("{replicas: 3, update: {minReadySeconds: 0}}");
        Pod before = Objects.requireNonNull(pod(2));
        members.out(3, true);
        client.pods()
                .inNamespace(NAMESPACE)
                .withName(before.getMetadata().getName())
                .editStatus(it -> {
                    it.getStatus().getConditions().getFirst().setStatus("False");
                    return it;
                });
        change("{replicas: 3, update: {minReadySeconds: 0}, restartedAt: '2026-01-01T00:00:00Z'}");
        await(
                "the new template",
                () ->
                        !Objects.equals(
                                revision(statefulSet()),
                                before.getMetadata().getAnnotations().get(Labels.REVISION)));
        control();
        await("the deletion", () -> pod(2) == null);
        assertNotNull(pod(0));
        assertNotNull(pod(1));
        await("the event", () -> events().contains("MemberDeleted"));
    }

    private @Nullable String revision(@Nullable StatefulSet set) {
        return set == null ? null : set.getMetadata().getAnnotations().get(Labels.REVISION);
    }

    private void change(String spec) {
        client.resources(Ensemble.class)
                .inNamespace(NAMESPACE)
                .withName(NAME)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"spec\":%s}".formatted(Serialization.asJson(spec(spec))));
    }

    @Test
    void whenNobodyAnswersNothingIsRestarted() {
        form("{replicas: 3, update: {minReadySeconds: 0}}");
        members.silent(true);
        change("{replicas: 3, update: {minReadySeconds: 0}, restartedAt: '2026-01-01T00:00:00Z'}");
        await("unknown", () -> condition("QuorumAvailable").equals("Unknown MembersUnreachable"));
        control();
        await("behind", () -> condition("UpToDate").equals("False RollingRestart"));
        for (int i = 0; i < 3; i++) {
            assertNotNull(pod(i));
        }
    }

    @Test
    void anInvalidSpecIsSaidAndWhatRunsKeepsRunning() {
        form("replicas: 3");
        String revision = revision(statefulSet());
        change("{replicas: 3, podTemplate: {spec: {resources: {limits: 7}}}}");
        await("SpecValid", () -> condition("SpecValid").equals("False Invalid"));
        assertEquals(revision, revision(statefulSet()));
        await("the event", () -> events().contains("SpecInvalid"));
        assertEquals("True AllMembersReady", condition("Ready"));
    }

    @Test
    void pausedChangesNothing() {
        form("replicas: 3");
        String revision = revision(statefulSet());
        change("{replicas: 3, paused: true, config: {tickTime: '1000'}}");
        await("Paused", () -> condition("UpToDate").equals("Unknown Paused"));
        assertEquals(revision, revision(statefulSet()));
    }

    /// The volumes of an earlier resource of this name are still there.
    @Test
    void retainedVolumesAreTakenOverAndNeverFormedAnew() {
        form("replicas: 3");
        await("the record", () -> annotation(claim(0), Labels.BOOTSTRAPPED) != null);
        String id = annotation(claim(0), Labels.ENSEMBLE_ID);
        client.resources(Ensemble.class).inNamespace(NAMESPACE).withName(NAME).delete();
        client.apps().statefulSets().inNamespace(NAMESPACE).withName(NAME).delete();
        client.configMaps().inNamespace(NAMESPACE).withName(Labels.config(NAME)).delete();
        client.services().inNamespace(NAMESPACE).delete();
        client.serviceAccounts().inNamespace(NAMESPACE).delete();
        client.resources(PodDisruptionBudget.class).inNamespace(NAMESPACE).delete();
        client.pods().inNamespace(NAMESPACE).delete();
        create("replicas: 3");
        await("the StatefulSet", () -> statefulSet() != null);
        assertTrue(zooCfg().contains("bootstrap=bootstrapped"), zooCfg());
        assertTrue(zooCfg().contains("ensembleId=" + id), zooCfg());
    }

    @Test
    void aServiceOfSomebodyElseIsLeftAlone() {
        client.resource(
                        new io.fabric8.kubernetes.api.model.ServiceBuilder()
                                .withNewMetadata()
                                .withName(Labels.client(NAME))
                                .withNamespace(NAMESPACE)
                                .endMetadata()
                                .build())
                .create();
        create("replicas: 3");
        await("the refusal", () -> condition("Ready").equals("False ApiError"));
        assertNull(Objects.requireNonNull(service(Labels.client(NAME))).getSpec());
        assertNull(statefulSet());
    }

    @Test
    void aMissingPermissionIsNamed() {
        var forbidden =
                new KubernetesClientException(
                        "no",
                        403,
                        new io.fabric8.kubernetes.api.model.StatusBuilder()
                                .withMessage("services is forbidden: cannot patch")
                                .build());
        // As the framework gives it to the reconciler.
        var trouble = EnsembleReconciler.trouble(new OperatorException(forbidden));
        assertEquals(dev.ensemble.operator.plan.Reason.PermissionDenied, trouble.reason());
        assertEquals("services is forbidden: cannot patch", trouble.message());
    }
}
