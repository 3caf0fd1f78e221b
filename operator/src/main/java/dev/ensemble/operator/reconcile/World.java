package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.desired.Wanted;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The objects of an ensemble that decisions rest on, read from the API server just now and never
/// from a cache: a stale one would show a pod that is long gone, or a volume that is another's.
///
/// @param pods by name
/// @param claims by name
record World(
        @Nullable StatefulSet members,
        @Nullable ConfigMap config,
        Map<String, Pod> pods,
        Map<String, PersistentVolumeClaim> claims) {

    static World read(KubernetesClient client, String namespace, String name) {
        Map<String, String> selector = Labels.selector(name);
        Map<String, Pod> pods = new TreeMap<>();
        client.pods()
                .inNamespace(namespace)
                .withLabels(selector)
                .list()
                .getItems()
                .forEach(pod -> pods.put(pod.getMetadata().getName(), pod));
        Map<String, PersistentVolumeClaim> claims = new TreeMap<>();
        client.persistentVolumeClaims()
                .inNamespace(namespace)
                .withLabels(selector)
                .list()
                .getItems()
                .forEach(claim -> claims.put(claim.getMetadata().getName(), claim));
        return new World(
                client.apps().statefulSets().inNamespace(namespace).withName(name).get(),
                client.configMaps().inNamespace(namespace).withName(Labels.config(name)).get(),
                pods,
                claims);
    }

    /// {@return whose data the volumes hold, as every place that has it on record says; more than
    /// one means that somebody mixed volumes up}
    List<String> ensembleIds(Ensemble resource) {
        TreeSet<String> ids = new TreeSet<>();
        claims.values().forEach(claim -> add(ids, annotation(claim, Labels.ENSEMBLE_ID)));
        if (ids.isEmpty()) {
            add(ids, annotation(members, Labels.ENSEMBLE_ID));
        }
        EnsembleStatus status = resource.getStatus();
        if (ids.isEmpty() && status != null) {
            add(ids, status.ensembleId());
        }
        if (ids.isEmpty()) {
            add(ids, resource.getMetadata().getUid());
        }
        return new ArrayList<>(ids);
    }

    /// {@return when the ensemble first formed, by any record of it; null if none is found}
    @Nullable String bootstrapped(Ensemble resource) {
        EnsembleStatus status = resource.getStatus();
        return Stream.concat(
                        Stream.of(
                                status == null ? "" : text(status.bootstrapped()),
                                text(annotation(members, Labels.BOOTSTRAPPED)),
                                text(annotation(config, Labels.BOOTSTRAPPED))),
                        claims.values().stream()
                                .map(claim -> text(annotation(claim, Labels.BOOTSTRAPPED))))
                .filter(each -> !each.isEmpty())
                .findFirst()
                .orElse(null);
    }

    /// {@return the last recovery that a person decided on, by any record of it; null if there was
    /// none}
    @Nullable String recovery() {
        return Stream.concat(
                        Stream.of(
                                text(annotation(members, Labels.RECOVERY)),
                                text(annotation(config, Labels.RECOVERY))),
                        claims.values().stream()
                                .map(claim -> text(annotation(claim, Labels.RECOVERY))))
                .filter(each -> !each.isEmpty())
                .max(Comparator.naturalOrder()) // It begins with the time.
                .orElse(null);
    }

    /// {@return the recovery for which no member may run, while a backup is put in place; null if
    /// that is not so}
    @Nullable String restoring() {
        return claims.values().stream()
                .map(claim -> text(annotation(claim, Labels.RESTORING)))
                .filter(each -> !each.isEmpty())
                .max(Comparator.naturalOrder())
                .orElse(null);
    }

    /// {@return what the objects of a formed ensemble are made of}
    Wanted wanted(Ensemble resource, String bootstrapped, Wanted.Defaults defaults) {
        EnsembleSpec spec =
                resource.getSpec() == null ? EnsembleSpec.defaults() : resource.getSpec();
        String name = resource.getMetadata().getName();
        return new Wanted(
                name,
                resource.getMetadata().getNamespace(),
                resource.getMetadata().getUid(),
                spec,
                ensembleIds(resource).getFirst(),
                bootstrapped,
                size(name, spec.replicas()),
                spec.storage().log().size(),
                defaults);
    }

    /// {@return the myid of the member that a recovery chose and that does not know it yet; 0 if
    /// there is none}
    int untoldSurvivor(String name, int firstMyid) {
        String recovery = recovery();
        String[] parts = recovery == null ? new String[0] : recovery.split(",", -1);
        if (parts.length != 3 || !parts[1].matches("[0-9]{1,3}")) {
            return 0;
        }
        int myid = Integer.parseInt(parts[1]);
        Pod pod = pods.get(Labels.pod(name, myid - firstMyid));
        boolean told =
                pod == null
                        || pod.getSpec() == null
                        || pod.getSpec().getContainers().stream()
                                .anyMatch(each -> each.getArgs().contains(recovery));
        return told ? 0 : myid;
    }

    /// {@return how far the members have come with TLS; what the spec asks for if there are none}
    TlsStage tls(String name, EnsembleSpec spec) {
        for (HasMetadata each : new HasMetadata[] {members, config}) {
            TlsStage stage = TlsStage.parse(text(annotation(each, Labels.TLS)));
            if (stage != null) {
                return stage;
            }
        }
        if (members == null || config == null) {
            return TlsStage.target(name, spec);
        }
        Map<String, String> secrets = new TreeMap<>();
        List<Volume> volumes = members.getSpec().getTemplate().getSpec().getVolumes();
        for (Volume volume : volumes == null ? List.<Volume>of() : volumes) {
            if (volume.getSecret() != null) {
                secrets.put(volume.getName(), volume.getSecret().getSecretName());
            }
        }
        Map<String, String> data = config.getData() == null ? Map.of() : config.getData();
        return TlsStage.found("\n" + data.getOrDefault("zoo.cfg", ""), secrets);
    }

    /// {@return whether pods are left that have a port for plaintext}
    boolean plainPods() {
        return pods.values().stream()
                .filter(each -> each.getSpec() != null && each.getSpec().getContainers() != null)
                .flatMap(each -> each.getSpec().getContainers().stream())
                .filter(each -> each.getPorts() != null)
                .flatMap(each -> each.getPorts().stream())
                .anyMatch(each -> "client".equals(each.getName()));
    }

    /// {@return how many members there should be now}
    ///
    /// Without a StatefulSet, and without the ConfigMap that outlives its replacement, the resource
    /// is a new one: each volume that it takes over may be a voter's, so each gets its member.
    int size(String name, int replicas) {
        for (HasMetadata each : new HasMetadata[] {members, config}) {
            String size = annotation(each, Labels.SIZE);
            if (size != null && size.matches("[1-9][0-9]{0,2}")) {
                return Integer.parseInt(size);
            }
        }
        if (members != null && members.getSpec().getReplicas() > 0) {
            return members.getSpec().getReplicas();
        }
        return claims.values().stream()
                .filter(each -> annotation(each, Labels.BOOTSTRAPPED) != null)
                .mapToInt(each -> Labels.ordinal(name, each.getMetadata().getName()) + 1)
                .reduce(replicas, Math::max);
    }

    /// {@return the size of the volumes that the StatefulSet makes; null if there is none}
    @Nullable String template() {
        if (members == null || members.getSpec().getVolumeClaimTemplates() == null) {
            return null;
        }
        return members.getSpec().getVolumeClaimTemplates().stream()
                .map(each -> each.getSpec().getResources().getRequests().get("storage"))
                .filter(Objects::nonNull)
                .map(Quantity::toString)
                .findFirst()
                .orElse(null);
    }

    /// {@return whether the StatefulSet is on its way out}
    boolean leaving() {
        return members != null && members.getMetadata().getDeletionTimestamp() != null;
    }

    static @Nullable String annotation(@Nullable HasMetadata object, String key) {
        if (object == null || object.getMetadata().getAnnotations() == null) {
            return null;
        }
        return object.getMetadata().getAnnotations().get(key);
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static void add(TreeSet<String> ids, @Nullable String id) {
        if (id != null && !id.isEmpty()) {
            ids.add(id);
        }
    }

    /// {@return whether the StatefulSet's controller has seen the newest template}
    boolean controllerCurrent(String revision) {
        return members != null
                && members.getStatus() != null
                && Objects.equals(
                        members.getStatus().getObservedGeneration(),
                        members.getMetadata().getGeneration())
                && revision.equals(annotation(members, Labels.REVISION));
    }
}
