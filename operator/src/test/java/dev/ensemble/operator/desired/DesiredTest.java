package dev.ensemble.operator.desired;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// The objects of an ensemble against golden files. When a difference is meant, copy the file that
/// the message names over the golden one, and read the difference before committing it.
final class DesiredTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final Path ACTUAL = Path.of("target/golden");

    private static final String CUSTOM =
            """
            replicas: 5
            firstMyid: 11
            version: 1.2.0
            image: {repository: example.org/server, pullPolicy: Always, pullSecrets: [registry]}
            config: {tickTime: "1000", maxClientCnxns: "0"}
            auth: {superUser: {secretName: orders-super}}
            jvm: {maxRAMPercentage: 50, options: [-Xlog:gc]}
            tls:
              peer: {secretName: orders-peer, mode: Prefer}
              client: {secretName: orders-client, clientAuth: Want}
            networkPolicy: {clientsFrom: [{podSelector: {matchLabels: {team: shop}}}]}
            storage:
              log: {size: 20Gi, storageClassName: fast}
              retention: {whenDeleted: Delete}
            availability: {spread: {zones: Required, hosts: "Off"}}
            restartedAt: "2026-01-01T00:00:00Z"
            podTemplate:
              metadata: {labels: {team: shop}, annotations: {note: "1"}}
              spec:
                resources: {requests: {cpu: 1000m, memory: 2Gi}, limits: {memory: 2Gi}}
                nodeSelector: {disk: ssd}
                tolerations: [{key: dedicated, operator: Exists}]
                affinity:
                  podAntiAffinity:
                    requiredDuringSchedulingIgnoredDuringExecution:
                      - topologyKey: kubernetes.io/hostname
                        labelSelector: {matchLabels: {app.kubernetes.io/instance: orders}}
                priorityClassName: high
            """;

    private static Wanted wanted(String spec, @Nullable String bootstrapped)
            throws JsonProcessingException {
        EnsembleSpec read = new ObjectMapper(new YAMLFactory()).readValue(spec, EnsembleSpec.class);
        return new Wanted(
                "orders",
                "shop",
                "uid-of-the-resource",
                read,
                "id-of-the-ensemble",
                bootstrapped,
                read.replicas(),
                read.storage().log().size(),
                new Wanted.Defaults("ensemble-server", "0.1.0", null, "PEM\n", "ensemble-system"));
    }

    static Stream<Arguments> goldens() {
        return Stream.of(
                arguments("default", "{}", null),
                arguments("custom", CUSTOM, "2026-01-01T00:00:00Z"),
                arguments("tls", "tls: {peer: {}, client: {mode: Required}}", null));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("goldens")
    void theObjectsAreTheGoldenOnes(String name, String spec, @Nullable String bootstrapped)
            throws IOException, InvalidSpec {
        Desired desired = Desired.of(wanted(spec, bootstrapped));
        List<HasMetadata> all = new ArrayList<>(desired.base());
        all.add(desired.members());
        StringBuilder text = new StringBuilder();
        for (HasMetadata each : all) {
            text.append("---\n")
                    .append(new KubernetesSerialization().asYaml(each).replace("---\n", ""));
        }
        Path golden = GOLDEN.resolve(name + ".yaml");
        Path actual = ACTUAL.resolve(name + ".yaml");
        Files.createDirectories(ACTUAL);
        Files.writeString(actual, text);
        assertEquals(
                Files.exists(golden) ? Files.readString(golden) : "",
                text.toString(),
                "differs from %s; what was rendered is in %s".formatted(golden, actual));
    }

    /// By the pods' arguments and not by the file: a node may hand out an old file for a while.
    @Test
    void aRecoveryIsAnArgumentOfThePods() throws JsonProcessingException, InvalidSpec {
        Wanted before = wanted("{}", "2026-01-01T00:00:00Z");
        String decision = "20260131T120000Z.1234,1,0x400000007";
        Wanted after =
                new Wanted(
                        before.name(),
                        before.namespace(),
                        before.uid(),
                        before.spec(),
                        before.ensembleId(),
                        before.bootstrapped(),
                        decision,
                        before.size(),
                        before.template(),
                        before.security(),
                        before.defaults());
        Desired desired = Desired.of(after);
        List<String> arguments =
                desired.members()
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .getFirst()
                        .getArgs();
        assertEquals(
                List.of("--recovery", decision),
                arguments.subList(arguments.size() - 2, arguments.size()));
        assertEquals(
                decision, desired.members().getMetadata().getAnnotations().get(Labels.RECOVERY));
        assertEquals(
                decision, desired.config().getMetadata().getAnnotations().get(Labels.RECOVERY));
        assertEquals(decision, after.withSize(5).recovery());
        assertEquals(before.zooCfg(), after.zooCfg());
        assertNotEquals(
                Desired.of(before).members().getMetadata().getAnnotations().get(Labels.REVISION),
                desired.members().getMetadata().getAnnotations().get(Labels.REVISION));
    }

    private static String revision(String spec, @Nullable String bootstrapped)
            throws JsonProcessingException, InvalidSpec {
        return Objects.requireNonNull(
                Desired.of(wanted(spec, bootstrapped))
                        .members()
                        .getMetadata()
                        .getAnnotations()
                        .get(Labels.REVISION));
    }

    /// What changes without a restart must not change the pods' template.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{replicas: 5}",
                "{storage: {retention: {whenDeleted: Delete}}}",
                "{update: {minReadySeconds: 60}}",
                "{config: {maxClientCnxns: '5', zookeeper.log.retainHours: '9'}}",
                "{paused: true}"
            })
    void thisRestartsNobody(String spec) throws JsonProcessingException, InvalidSpec {
        assertEquals(revision("{}", null), revision(spec, null));
        assertEquals(revision("{}", null), revision(spec, "2026-01-01T00:00:00Z"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{version: 1.2.0}",
                "{config: {tickTime: '1000'}}",
                "{auth: {superUser: {secretName: boss}}}",
                "{jvm: {maxRAMPercentage: 50}}",
                "{restartedAt: '2026-01-01T00:00:00Z'}",
                "{podTemplate: {spec: {resources: {limits: {memory: 3Gi}}}}}"
            })
    void thisRestartsMembers(String spec) throws JsonProcessingException, InvalidSpec {
        assertNotEquals(revision("{}", null), revision(spec, null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{podTemplate: {spec: {resources: {limits: 7}}}}",
                "{podTemplate: {spec: {affinity: {podAffinity: [1]}}}}",
                "{podTemplate: {spec: {tolerations: [{tolerationSeconds: soon}]}}}"
            })
    void whatNoPodCanHaveIsNamed(String spec) {
        InvalidSpec invalid = assertThrows(InvalidSpec.class, () -> Desired.of(wanted(spec, null)));
        assertEquals("spec.podTemplate.spec.", invalid.problem().field().substring(0, 22));
    }

    @ParameterizedTest
    @MethodSource("images")
    void theImage(String spec, String image) throws JsonProcessingException {
        assertEquals(image, wanted(spec, null).image());
    }

    static Stream<Arguments> images() {
        String digest = "sha256:" + "0".repeat(64);
        return Stream.of(
                arguments("{}", "ensemble-server:0.1.0"),
                arguments("{version: 2}", "ensemble-server:2"),
                arguments("{image: {tag: t}}", "ensemble-server:t"),
                arguments("{image: {repository: a/b}, version: 2}", "a/b:2"),
                arguments("{image: {repository: a/b, digest: '" + digest + "'}}", "a/b@" + digest));
    }

    @Test
    void whatTheApiServerAddsIsNoDifference() throws JsonProcessingException, InvalidSpec {
        StatefulSet wanted = Desired.of(wanted(CUSTOM, null)).members();
        StatefulSet there =
                new StatefulSetBuilder(wanted)
                        .editMetadata()
                        .withGeneration(3L)
                        .addToAnnotations("other", "theirs")
                        .endMetadata()
                        .editSpec()
                        .editTemplate()
                        .editSpec()
                        .withServiceAccount("orders")
                        .editFirstContainer()
                        .editResources()
                        .addToRequests("cpu", new Quantity("1"))
                        .endResources()
                        .endContainer()
                        .endSpec()
                        .endTemplate()
                        .endSpec()
                        .build();
        assertNull(Match.difference(there, wanted));
    }

    @Test
    void whatSomebodyChangedIsADifference() throws JsonProcessingException, InvalidSpec {
        StatefulSet wanted = Desired.of(wanted("{}", null)).members();
        StatefulSet there =
                new StatefulSetBuilder(wanted).editSpec().withReplicas(1).endSpec().build();
        assertEquals(".spec.replicas", Match.difference(there, wanted));
    }
}
