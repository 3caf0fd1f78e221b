package dev.ensemble.operator.desired;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleSpec.SpreadPolicy;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.PodTemplate;
import dev.ensemble.operator.api.TlsStage;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The StatefulSet. `Parallel`, since members form a quorum only together, and `OnDelete`, since
/// when a member may restart is the servers' to say.
///
/// Every field that the API server would fill in is said here, so that what is there can be
/// compared with what is wanted. Nothing that membership, the bootstrap record or the number of
/// members changes is in the pods' template, which would restart them.
public final class Members {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
    static final long NON_ROOT = 65532;

    /// Time to drain: 5 s of further service, then open requests, then what the runtime needs to
    /// end.
    private static final long GRACE_SECONDS = 45;

    private static final int REVISION_LENGTH = 16;

    private Members() {}

    /// {@return the StatefulSet}
    ///
    /// @throws InvalidSpec if resources, affinity or tolerations are not what a pod can have
    public static StatefulSet of(Wanted wanted) throws InvalidSpec {
        EnsembleSpec spec = wanted.spec();
        PodTemplateSpec template = template(wanted);
        Map<String, String> annotations = new LinkedHashMap<>(wanted.identity());
        annotations.put(Labels.REVISION, revision(template));
        return new StatefulSetBuilder()
                .withMetadata(wanted.meta(wanted.name(), annotations))
                .withNewSpec()
                .withReplicas(spec.hibernate() ? 0 : wanted.size())
                .withServiceName(Labels.peers(wanted.name()))
                .withPodManagementPolicy("Parallel")
                .withNewUpdateStrategy()
                .withType("OnDelete")
                .endUpdateStrategy()
                .withRevisionHistoryLimit(10)
                .withNewPersistentVolumeClaimRetentionPolicy()
                .withWhenDeleted(spec.storage().retention().whenDeleted().name())
                // Not what the spec says: this would delete the volumes of an ensemble that sleeps,
                // or that somebody scales past the operator. The operator deletes what may go.
                .withWhenScaled("Retain")
                .endPersistentVolumeClaimRetentionPolicy()
                .withNewSelector()
                .withMatchLabels(Labels.selector(wanted.name()))
                .endSelector()
                .withTemplate(
                        new PodTemplateSpecBuilder(template)
                                .editMetadata()
                                .addToAnnotations(Labels.REVISION, revision(template))
                                .endMetadata()
                                .build())
                .withVolumeClaimTemplates(claim(wanted))
                .endSpec()
                .build();
    }

    /// {@return the hash of all that needs a restart to change, as pods and StatefulSet carry it}
    private static String revision(PodTemplateSpec template) {
        try {
            return ZooCfg.sha256(JSON.writeValueAsString(template)).substring(0, REVISION_LENGTH);
        } catch (JsonProcessingException e) {
            throw new AssertionError("a template is always JSON", e);
        }
    }

    private static PodTemplateSpec template(Wanted wanted) throws InvalidSpec {
        EnsembleSpec spec = wanted.spec();
        PodTemplate extra = spec.podTemplate();
        PodTemplate.Metadata metadata = extra == null ? null : extra.metadata();
        PodTemplate.PodSpec pod = extra == null ? null : extra.spec();
        Map<String, String> labels = new LinkedHashMap<>();
        Map<String, String> annotations = new LinkedHashMap<>();
        if (metadata != null && metadata.labels() != null) {
            labels.putAll(metadata.labels());
        }
        if (metadata != null && metadata.annotations() != null) {
            annotations.putAll(metadata.annotations());
        }
        labels.putAll(Labels.all(wanted.name()));
        annotations.put(Labels.CONFIG_HASH, wanted.zooCfg().restartHash());
        if (spec.restartedAt() != null) {
            annotations.put("ensemble.dev/restarted-at", spec.restartedAt());
        }
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(labels)
                .withAnnotations(annotations)
                .endMetadata()
                .withNewSpec()
                .withServiceAccountName(wanted.name())
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withTerminationGracePeriodSeconds(GRACE_SECONDS)
                .withDnsPolicy("ClusterFirst")
                .withRestartPolicy("Always")
                .withSchedulerName(
                        pod == null || pod.schedulerName() == null
                                ? "default-scheduler"
                                : pod.schedulerName())
                .withPriorityClassName(pod == null ? null : pod.priorityClassName())
                .withRuntimeClassName(pod == null ? null : pod.runtimeClassName())
                .withNodeSelector(pod == null ? null : pod.nodeSelector())
                .withAffinity(pod == null ? null : read("affinity", pod.affinity(), Affinity.class))
                .withTolerations(tolerations(pod))
                .withImagePullSecrets(pullSecrets(spec.image()))
                .withNewSecurityContext()
                .withRunAsNonRoot(true)
                .withRunAsUser(NON_ROOT)
                .withRunAsGroup(NON_ROOT)
                .withFsGroup(NON_ROOT)
                .withFsGroupChangePolicy("OnRootMismatch")
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext()
                .withTopologySpreadConstraints(spread(wanted))
                .withContainers(container(wanted, pod))
                .withVolumes(volumes(wanted))
                .endSpec()
                .build();
    }

    private static Container container(Wanted wanted, PodTemplate.@Nullable PodSpec pod)
            throws InvalidSpec {
        return new ContainerBuilder()
                .withName("server")
                .withImage(wanted.image())
                .withImagePullPolicy(wanted.pullPolicy())
                .withArgs(arguments(wanted))
                .withEnv(podIndex(), options(wanted.spec().jvm()))
                .withPorts(ports(wanted))
                // Loading may take long, and a member that loads is not stuck.
                .withStartupProbe(probe("/startupz", 1, 600, 2))
                .withReadinessProbe(probe("/readyz", 2, 2, 2))
                .withLivenessProbe(probe("/livez", 10, 6, 5))
                .withNewLifecycle()
                .withNewPreStop()
                .withNewExec()
                .withCommand(
                        "/opt/ensemble/bin/ensemble-server",
                        "drain",
                        "--config",
                        "/etc/ensemble/" + Config.FILE)
                .endExec()
                .endPreStop()
                .endLifecycle()
                .withResources(resources(pod))
                .withNewSecurityContext()
                .withAllowPrivilegeEscalation(false)
                .withReadOnlyRootFilesystem(true)
                .withRunAsNonRoot(true)
                .withNewCapabilities()
                .withDrop("ALL")
                .endCapabilities()
                .endSecurityContext()
                .withTerminationMessagePath("/dev/termination-log")
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withVolumeMounts(
                        new VolumeMountBuilder()
                                .withName("data")
                                .withMountPath("/var/lib/ensemble")
                                .build(),
                        new VolumeMountBuilder()
                                .withName("config")
                                .withMountPath("/etc/ensemble")
                                .withReadOnly(true)
                                .build(),
                        new VolumeMountBuilder()
                                .withName("run")
                                .withMountPath("/run/ensemble")
                                .build(),
                        new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build())
                .addAllToVolumeMounts(TlsFiles.mounts(wanted))
                .addAllToVolumeMounts(SuperUser.mounts(wanted.spec()))
                .build();
    }

    private static List<ContainerPort> ports(Wanted wanted) {
        TlsStage.Side clients = wanted.security().stage().clients();
        List<ContainerPort> ports = new ArrayList<>();
        if (clients.mode() != TlsStage.Mode.Required) {
            ports.add(port("client", Labels.CLIENT_PORT));
        }
        ports.add(port("peer", Labels.PEER_PORT));
        ports.add(port("admin", Labels.ADMIN_PORT));
        ports.add(port("metrics", Labels.METRICS_PORT));
        if (clients.on()) {
            ports.add(port("secure-client", Labels.SECURE_PORT));
        }
        return ports;
    }

    /// A recovery is an argument, not a line of the file: a pod might start while its node still
    /// has the old file.
    private static List<String> arguments(Wanted wanted) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "serve",
                                "/etc/ensemble/" + Config.FILE,
                                "--first-myid",
                                Integer.toString(wanted.spec().firstMyid()),
                                "--pod-index",
                                "$(POD_INDEX)"));
        String recovery = wanted.recovery();
        if (recovery != null) {
            arguments.addAll(List.of("--recovery", recovery));
        }
        return arguments;
    }

    private static EnvVar podIndex() {
        return new EnvVarBuilder()
                .withName("POD_INDEX")
                .withNewValueFrom()
                .withNewFieldRef()
                .withApiVersion("v1")
                .withFieldPath("metadata.labels['apps.kubernetes.io/pod-index']")
                .endFieldRef()
                .endValueFrom()
                .build();
    }

    static EnvVar options(EnsembleSpec.Jvm jvm) {
        List<String> options = new ArrayList<>();
        options.add("-XX:MaxRAMPercentage=" + jvm.maxRAMPercentage());
        options.add("-XX:+ExitOnOutOfMemoryError");
        if (jvm.options() != null) {
            options.addAll(jvm.options());
        }
        return new EnvVarBuilder()
                .withName("JDK_JAVA_OPTIONS")
                .withValue(String.join(" ", options))
                .build();
    }

    private static ContainerPort port(String name, int number) {
        return new ContainerPortBuilder()
                .withName(name)
                .withContainerPort(number)
                .withProtocol("TCP")
                .build();
    }

    private static Probe probe(
            String path, int periodSeconds, int failureThreshold, int timeoutSeconds) {
        return new ProbeBuilder()
                .withNewHttpGet()
                .withPath(path)
                .withPort(new IntOrString("admin"))
                .withScheme("HTTP")
                .endHttpGet()
                .withPeriodSeconds(periodSeconds)
                .withFailureThreshold(failureThreshold)
                .withSuccessThreshold(1)
                .withTimeoutSeconds(timeoutSeconds)
                .build();
    }

    /// Without a limit the heap would be a share of the whole node's memory.
    static ResourceRequirements resources(PodTemplate.@Nullable PodSpec pod) throws InvalidSpec {
        ResourceRequirements given =
                pod == null ? null : read("resources", pod.resources(), ResourceRequirements.class);
        return given != null
                ? given
                : new ResourceRequirementsBuilder()
                        .addToRequests("cpu", new Quantity("250m"))
                        .addToRequests("memory", new Quantity("1Gi"))
                        .addToLimits("memory", new Quantity("1Gi"))
                        .build();
    }

    static List<Toleration> tolerations(PodTemplate.@Nullable PodSpec pod) throws InvalidSpec {
        List<Toleration> tolerations = new ArrayList<>();
        if (pod != null && pod.tolerations() != null) {
            for (int i = 0; i < pod.tolerations().size(); i++) {
                Toleration toleration =
                        read("tolerations[" + i + "]", pod.tolerations().get(i), Toleration.class);
                if (toleration != null) {
                    tolerations.add(toleration);
                }
            }
        }
        return tolerations;
    }

    static List<LocalObjectReference> pullSecrets(EnsembleSpec.@Nullable Image image) {
        return image == null || image.pullSecrets() == null
                ? List.of()
                : image.pullSecrets().stream().map(LocalObjectReference::new).toList();
    }

    private static List<TopologySpreadConstraint> spread(Wanted wanted) {
        EnsembleSpec.Spread spread = wanted.spec().availability().spread();
        List<TopologySpreadConstraint> constraints = new ArrayList<>();
        constrain(constraints, wanted, "topology.kubernetes.io/zone", spread.zones());
        constrain(constraints, wanted, "kubernetes.io/hostname", spread.hosts());
        return constraints;
    }

    private static void constrain(
            List<TopologySpreadConstraint> constraints,
            Wanted wanted,
            String key,
            SpreadPolicy policy) {
        if (policy == SpreadPolicy.Off) {
            return;
        }
        constraints.add(
                new TopologySpreadConstraintBuilder()
                        .withMaxSkew(1)
                        .withTopologyKey(key)
                        .withWhenUnsatisfiable(
                                policy == SpreadPolicy.Required
                                        ? "DoNotSchedule"
                                        : "ScheduleAnyway")
                        .withNewLabelSelector()
                        .withMatchLabels(Labels.selector(wanted.name()))
                        .endLabelSelector()
                        .build());
    }

    private static List<Volume> volumes(Wanted wanted) {
        List<Volume> volumes = new ArrayList<>(ownVolumes(wanted));
        volumes.addAll(TlsFiles.volumes(wanted));
        volumes.addAll(SuperUser.volumes(wanted.spec()));
        return volumes;
    }

    private static List<Volume> ownVolumes(Wanted wanted) {
        return List.of(
                new VolumeBuilder()
                        .withName("config")
                        .withNewConfigMap()
                        .withName(Labels.config(wanted.name()))
                        .withDefaultMode(0644)
                        .endConfigMap()
                        .build(),
                new VolumeBuilder()
                        .withName("run")
                        .withNewEmptyDir()
                        .withMedium("Memory")
                        .withSizeLimit(new Quantity("1Mi"))
                        .endEmptyDir()
                        .build(),
                new VolumeBuilder()
                        .withName("tmp")
                        .withNewEmptyDir()
                        .withSizeLimit(new Quantity("64Mi"))
                        .endEmptyDir()
                        .build());
    }

    /// The claim says whose data it will hold, and keeps saying so after the resource is gone.
    static PersistentVolumeClaim claim(Wanted wanted) {
        EnsembleSpec.Volume log = wanted.spec().storage().log();
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName("data")
                .withLabels(Labels.all(wanted.name()))
                .withAnnotations(Map.of(Labels.ENSEMBLE_ID, wanted.ensembleId()))
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadWriteOnce")
                .withStorageClassName(log.storageClassName())
                .withVolumeMode("Filesystem")
                .withNewResources()
                .addToRequests("storage", new Quantity(wanted.template()))
                .endResources()
                .endSpec()
                .build();
    }

    private static <T> @Nullable T read(
            String field, @Nullable Map<String, Object> given, Class<T> type) throws InvalidSpec {
        if (given == null) {
            return null;
        }
        try {
            return JSON.convertValue(given, type);
        } catch (IllegalArgumentException e) {
            String path =
                    e.getCause() instanceof JsonMappingException cause
                            ? cause.getPath().stream()
                                    .map(each ->
                                            each.getFieldName() == null
                                                    ? "[" + each.getIndex() + "]"
                                                    : "." + each.getFieldName())
                                    .collect(Collectors.joining())
                            : "";
            throw new InvalidSpec(
                    "spec.podTemplate.spec." + field + path,
                    "has not the type that a pod has there; valid: as in the spec of a pod");
        }
    }
}
