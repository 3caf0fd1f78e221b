package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ensemble.operator.api.EnsembleSpec;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// Every rule of the resource on a real API server, the one that `KUBECONFIG` names: what breaks it
/// is refused in words that say what would do, what keeps it is taken. Nothing is created but the
/// definition and one namespace; resources are tried with a dry run, except where a change is
/// refused. A definition that was not there before goes again: left behind, it would belong to no
/// release, and Helm refuses to install a chart over it.
final class RulesIT {
    private static final String NAMESPACE = "ensemble-rules-it";

    private static @Nullable KubernetesClient client;

    /// The definitions that this class has put there.
    private static final List<CustomResourceDefinition> ADDED = new ArrayList<>();

    @BeforeAll
    static void connect() throws IOException {
        String kubeconfig = System.getenv("KUBECONFIG");
        assumeTrue(
                kubeconfig != null && !kubeconfig.isBlank(),
                "skipped: KUBECONFIG names no cluster");
        KubernetesClient made = new KubernetesClientBuilder().withConfig(Kube.config(null)).build();
        client = made;
        for (String file : CrdMain.FILES.keySet()) {
            define(made, file);
        }
        made.resource(
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withName(NAMESPACE)
                                .endMetadata()
                                .build())
                .serverSideApply();
    }

    private static void define(KubernetesClient made, String file) throws IOException {
        CustomResourceDefinition definition =
                made.getKubernetesSerialization()
                        .unmarshal(
                                Files.readString(Path.of("../crds", file)),
                                CustomResourceDefinition.class);
        if (made.resource(definition).get() == null) {
            ADDED.add(definition);
        }
        made.resource(definition).fieldManager("rules-it").forceConflicts().serverSideApply();
        made.resource(definition)
                .waitUntilCondition(
                        it ->
                                it.getStatus() != null
                                        && it.getStatus().getConditions() != null
                                        && it.getStatus().getConditions().stream()
                                                .anyMatch(each ->
                                                        each.getType().equals("Established")
                                                                && each.getStatus().equals("True")),
                        30,
                        TimeUnit.SECONDS);
    }

    @AfterAll
    static void cleanUp() {
        KubernetesClient made = client;
        if (made != null) {
            made.namespaces().withName(NAMESPACE).delete();
            for (CustomResourceDefinition mine : ADDED) {
                made.resource(mine).delete();
                made.resource(mine).waitUntilCondition(Objects::isNull, 60, TimeUnit.SECONDS);
            }
            made.close();
        }
    }

    private static Resource<GenericKubernetesResource> resource(String name, String spec) {
        return resource("Ensemble", name, spec);
    }

    private static Resource<GenericKubernetesResource> resource(
            String kind, String name, String spec) {
        KubernetesClient made = Objects.requireNonNull(client);
        GenericKubernetesResource object =
                made.getKubernetesSerialization()
                        .unmarshal(
                                """
                                apiVersion: ensemble.dev/v1alpha1
                                kind: %s
                                metadata: {name: %s, namespace: %s}
                                spec: %s
                                """
                                        .formatted(kind, name, NAMESPACE, spec),
                                GenericKubernetesResource.class);
        return made.resource(object).inNamespace(NAMESPACE);
    }

    private static GenericKubernetesResource dryRun(String name, String spec) {
        return resource(name, spec).dryRun().create();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{replicas: 2}                             | must be odd",
                "{replicas: 0}                             | greater than or equal to 1",
                "{replicas: 11}                            | less than or equal to 9",
                "{firstMyid: 0}                            | greater than or equal to 1",
                "{firstMyid: 99}                           | at most 100",
                "{version: '1', image: {tag: '2'}}         | either spec.version",
                "{version: 'a b'}                          | spec.version",
                "{image: {digest: 'x'}}                    | spec.image.digest",
                "{config: {dataDir: /x}}                   | the operator sets itself",
                "{config: {zookeeper.clientPort: '1'}}     | the operator sets itself",
                "{config: {server.1: 'a:1:2'}}             | the operator sets itself",
                "{config: {metricsProvider.httpPort: '1'}} | the operator sets itself",
                "{config: {admin.serverPort: '1'}}         | the operator sets itself",
                "{config: {'a b': '1'}}                    | letters, digits",
                "{config: {tickTime: \"1\\n2\"}}           | no line break",
                "{config: {tickTime: '1\\2'}}              | backslash",
                "{jvm: {maxRAMPercentage: 95}}             | less than or equal to 90",
                "{jvm: {options: ['-a -b']}}               | must begin with '-'",
                "{jvm: {options: ['@file']}}               | must begin with '-'",
                "{storage: {log: {size: '8'}}}             | spec.storage.log.size",
                "{storage: {log: {storageClassName: 'A'}}} | spec.storage.log.storageClassName",
                "{storage: {type: Ephemeral}}              | Unsupported value",
                "{storage: {retention: {whenDeleted: No}}} | whenDeleted",
                "{update: {memberTimeout: soon}}           | spec.update.memberTimeout",
                "{update: {strategy: Soon}}                | Unsupported value",
                "{update: {leader: First}}                 | Unsupported value",
                "{update: {maintenanceWindows: [{cron: daily}]}} | spec.update.maintenanceWindows",
                "{update: {maintenanceWindows: [{duration: 1h}]}} | Required value",
                "{update: {maintenanceWindows: [{cron: '0 2 * * *', duration: 25h}]}} | duration",
                "{config: {admin.operatorKeys: /x}}        | the operator sets itself",
                "{hibernate: maybe}                        | spec.hibernate",
                "{replicas: 4, allowEvenReplicas: false}   | must be odd",
                "{tls: {peer: {secretName: 'A'}}}          | spec.tls.peer.secretName",
                "{tls: {client: {mode: Prefer}}}           | Unsupported value",
                "{tls: {client: {trustSecretName: 'A'}}}   | spec.tls.client.trustSecretName",
                "{tls: {authority: {rotatedAt: now}}}      | spec.tls.authority.rotatedAt",
                "{tls: {authority: {overlap: soon}}}       | spec.tls.authority.overlap",
                "{tls: {peer: {secretName: a, mode: On}}}  | Unsupported value",
                "{tls: {client: {clientAuth: Need}}}       | trustSecretName must name a Secret",
                "{tls: {client: {secretName: 'A'}}}        | spec.tls.client.secretName",
                "{config: {secureClientPort: '1'}}         | the operator sets itself",
                "{config: {secureClientPortOnly: 'true'}}  | the operator sets itself",
                "{networkPolicy: {enabled: Maybe}}         | spec.networkPolicy.enabled",
                "{networkPolicy: {clientsFrom: all}}       | spec.networkPolicy.clientsFrom",
                "{restartedAt: today}                      | spec.restartedAt",
                "{availability: {spread: {zones: Yes}}}    | zones",
                "{tls: {peer: {secretName: a, issuerRef: {name: b}}}} | cannot be given together",
                "{tls: {client: {secretName: a, issuerRef: {name: b}}}}"
                        + "                                | cannot be given together",
                "{tls: {peer: {issuerRef: {kind: Issuer}}}} | spec.tls.peer.issuerRef.name",
                "{bootstrap: {fromBackup: {file: f}}}      | either claim or s3",
                "{bootstrap: {fromBackup: {file: f, claim: c, s3: {bucket: vau, secretName: k}}}}"
                        + "                                | either claim or s3",
                "{bootstrap: {fromBackup: {file: f, s3: {bucket: vau, secretName: k, prefix: p}}}}"
                        + "                                | the whole key",
                "{podTemplate: {metadata: {labels: {app.kubernetes.io/name: x}}}}"
                        + "                                | set by the operator",
                "{podTemplate: {metadata: {annotations: {ensemble.dev/revision: x}}}}"
                        + "                                | set by the operator"
            })
    void whatBreaksARuleIsRefusedInItsWords(String spec, String says) {
        var refusal = assertThrows(KubernetesClientException.class, () -> dryRun("orders", spec));
        assertEquals(422, refusal.getCode(), refusal::getMessage);
        assertTrue(text(refusal).contains(says), refusal::getMessage);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{}",
                "{replicas: 1}",
                "{replicas: 9, firstMyid: 92}",
                "{replicas: 4, allowEvenReplicas: true}",
                "{hibernate: true}",
                "{update: {leader: RestartLast, maintenanceWindows: [{cron: '0 2 * * 1-5'},"
                        + " {cron: '*/5 1,2 * * *', duration: 90m, tz: Europe/Berlin}]}}",
                "{version: '1.2.3'}",
                "{image: {repository: 'localhost:5000/a/b', tag: '2', pullPolicy: Never}}",
                "{version: '1', image: {repository: a/b}}",
                "{config: {4lw.commands.whitelist: 'ruok,srvr', jute.maxbuffer: '2000000'}}",
                "{jvm: {maxRAMPercentage: 90, options: ['-XX:+UseZGC', '-Dx=y']}}",
                "{storage: {log: {size: 20Gi, storageClassName: fast.x}}}",
                "{update: {strategy: Manual, minReadySeconds: 0, memberTimeout: 90s}}",
                "{restartedAt: '2026-01-01T00:00:00Z'}",
                "{networkPolicy: {enabled: false}}",
                "{networkPolicy: {clientsFrom: [{podSelector: {matchLabels: {a: b}}}, {ipBlock:"
                        + " {cidr: 10.0.0.0/8}}]}}",
                "{tls: {}}",
                "{tls: {peer: {}, client: {mode: Required}}}",
                "{tls: {client: {clientAuth: Want, trustSecretName: b}, authority: {overlap: 0s,"
                        + " rotatedAt: '2026-01-01T00:00:00Z'}}}",
                "{tls: {peer: {secretName: a.b}}}",
                "{tls: {peer: {issuerRef: {name: a}}, client: {clientAuth: Need,"
                        + " issuerRef: {name: a, kind: ClusterIssuer}}}}",
                "{tls: {peer: {secretName: a, mode: Accept}, client: {secretName: a,"
                        + " clientAuth: Need}}}",
                "{restartedAt: '2026-01-01T00:00:00.123Z', paused: true}",
                "{bootstrap: {fromBackup: {file: a/f, s3: {bucket: vau, secretName: k}}}}",
                "{podTemplate: {metadata: {labels: {team: x}}, spec: {resources: {limits: {memory:"
                        + " 1Gi}}}}}"
            })
    void whatKeepsTheRulesIsTaken(String spec) {
        assertDoesNotThrow(() -> dryRun("orders", spec));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "a23456789012345678901234567890123456789012345x",
        "1orders",
        "orders.shop",
    })
    void namesThatDoNotFitAreRefused(String name) {
        var refusal = assertThrows(KubernetesClientException.class, () -> dryRun(name, "{}"));
        assertTrue(text(refusal).contains("at most 45 characters"), refusal::getMessage);
    }

    @Test
    void theLongestNameIsTaken() {
        assertDoesNotThrow(() -> dryRun("a23456789012345678901234567890123456789012345", "{}"));
    }

    @Test
    void theApiServerFillsInTheDefaultsThatTheClassesHave() {
        GenericKubernetesResource made = dryRun("orders", "{}");
        var json = Objects.requireNonNull(client).getKubernetesSerialization();
        EnsembleSpec spec = json.convertValue(made.get("spec"), EnsembleSpec.class);
        assertEquals(EnsembleSpec.defaults(), spec);
    }

    @ParameterizedTest(name = "{0} to {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{replicas: 3} | {replicas: 4} | must be odd",
                "{firstMyid: 1} | {firstMyid: 2} | keep their myid",
                "{storage: {log: {size: 2Gi}}} | {storage: {log: {size: 1Gi}}} | may only grow",
                "{storage: {log: {size: 1Gi}}} | {storage: {log: {size: 1G}}} | may only grow",
                "{storage: {log: {storageClassName: a}}} | {storage: {log: {storageClassName: b}}}"
                        + " | a volume keeps its class",
                "{storage: {log: {storageClassName: a}}} | {} | a volume keeps its class",
                "{} | {bootstrap: {fromBackup: {claim: b, file: f}}} | an ensemble begins once",
                "{bootstrap: {fromBackup: {claim: b, file: f}}} | {} | an ensemble begins once"
            })
    void whatCannotChangeIsRefused(String before, String after, String says) {
        try {
            apply(before);
            var refusal = assertThrows(KubernetesClientException.class, () -> apply(after));
            assertTrue(text(refusal).contains(says), refusal::getMessage);
            assertDoesNotThrow(() -> apply(before), "the same is taken");
        } finally {
            resource("changes", before).delete();
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{}                                         | spec.ensemble",
                "{ensemble: ''}                             | spec.ensemble",
                "{ensemble: orders, approvedPlan: yes}      | spec.approvedPlan",
                "{ensemble: orders, approvedPlan: 'ABCDEF012345'} | spec.approvedPlan"
            })
    void aRecoveryThatNamesNothingIsRefused(String spec, String says) {
        var refusal =
                assertThrows(
                        KubernetesClientException.class,
                        () -> resource("EnsembleRecovery", "after", spec).dryRun().create());
        assertTrue(text(refusal).contains(says), refusal::getMessage);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | either claim or s3",
                "{claim: {name: b}, s3: {bucket: vault, secretName: k}} | either claim or s3",
                "{s3: {bucket: vault}} | spec.destination.s3.secretName",
                "{s3: {bucket: 'a/b', secretName: k}} | spec.destination.s3.bucket",
                "{s3: {bucket: vault, secretName: k, endpoint: 'ftp://x'}} | s3.endpoint",
                "{s3: {bucket: vault, secretName: k, prefix: /x}} | s3.prefix",
                "{claim: {name: b, path: ../x}} | spec.destination.claim.path"
            })
    void aBackupWithoutOneDestinationIsRefused(String destination, String says) {
        String spec = "{ensemble: orders, destination: %s}".formatted(destination);
        var refusal =
                assertThrows(
                        KubernetesClientException.class,
                        () -> resource("EnsembleBackup", "now", spec).dryRun().create());
        assertTrue(text(refusal).contains(says), refusal::getMessage);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{claim: {name: b}}",
                "{s3: {bucket: vault, secretName: k}}",
                "{s3: {bucket: vault, secretName: k, prefix: a/b, pathStyle: true, region: eu-1,"
                        + " endpoint: 'https://minio.storage.svc:9000'}}"
            })
    void aBackupWithADestinationIsTaken(String destination) {
        String spec = "{ensemble: orders, destination: %s}".formatted(destination);
        assertDoesNotThrow(() -> resource("EnsembleBackup", "now", spec).dryRun().create());
    }

    @Test
    void aRecoveryIsApprovedAndStaysThatOfItsEnsemble() {
        var recovery = resource("EnsembleRecovery", "after", "{ensemble: orders}");
        try {
            recovery.create();
            assertDoesNotThrow(() ->
                    resource(
                                    "EnsembleRecovery",
                                    "after",
                                    "{ensemble: orders, approvedPlan: 0123456789ab}")
                            .fieldManager("rules-it")
                            .forceConflicts()
                            .serverSideApply());
            var refusal =
                    assertThrows(
                            KubernetesClientException.class,
                            () ->
                                    resource("EnsembleRecovery", "after", "{ensemble: bills}")
                                            .fieldManager("rules-it")
                                            .forceConflicts()
                                            .serverSideApply());
            assertTrue(text(refusal).contains("cannot be changed"), refusal::getMessage);
            var added =
                    assertThrows(
                            KubernetesClientException.class,
                            () ->
                                    resource(
                                                    "EnsembleRecovery",
                                                    "after",
                                                    "{ensemble: orders, fromBackup: {claim: b,"
                                                            + " file: f}}")
                                            .fieldManager("rules-it")
                                            .forceConflicts()
                                            .serverSideApply());
            assertTrue(text(added).contains("make another"), added::getMessage);
        } finally {
            recovery.delete();
        }
    }

    @Test
    void theNumberOfVotersMayChange() {
        try {
            apply("{replicas: 1}");
            assertDoesNotThrow(() -> apply("{replicas: 5}"));
            assertDoesNotThrow(() -> apply("{replicas: 3}"));
        } finally {
            resource("changes", "{}").delete();
        }
    }

    @Test
    void aVolumeMayGrow() {
        try {
            apply("{storage: {log: {size: 1Gi}}}");
            assertDoesNotThrow(() -> apply("{storage: {log: {size: 1025Mi}}}"));
            assertDoesNotThrow(() -> apply("{storage: {log: {size: 2G}}}"));
        } finally {
            resource("changes", "{}").delete();
        }
    }

    /// Applied, not updated: an operator may write its status meanwhile.
    private static void apply(String spec) {
        resource("changes", spec).fieldManager("rules-it").forceConflicts().serverSideApply();
    }

    private static String text(KubernetesClientException refusal) {
        return refusal.getMessage() == null ? "" : refusal.getMessage();
    }
}
