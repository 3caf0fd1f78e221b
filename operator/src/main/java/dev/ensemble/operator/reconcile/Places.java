package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.NodeSelectorRequirement;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;

import java.net.HttpURLConnection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// On which nodes the volumes of claims can be used: a backup is put in place by a pod that has its
/// volume and a member's, so some node must have both.
///
/// What says so is the volume, which belongs to no namespace. Where the operator may not read that,
/// the node for which Kubernetes made the volume has to do.
final class Places {
    private static final String NODE = "node";
    private static final String SELECTED_NODE = "volume.kubernetes.io/selected-node";

    private final KubernetesClient client;
    private final String namespace;
    private boolean mayReadVolumes = true;

    Places(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    /// Where a volume can be used.
    ///
    /// @param ways each suffices: values that the node's labels may have; none: anywhere
    /// @param sure false: it may be that other nodes will do, too
    record Place(List<Map<String, Set<String>>> ways, boolean sure) {
        static final Place ANYWHERE = new Place(List.of(), true);

        Place {
            ways = List.copyOf(ways);
        }

        /// {@return whether there can be a node for both}
        boolean meets(Place other) {
            return ways.isEmpty()
                    || other.ways.isEmpty()
                    || ways.stream()
                            .anyMatch(
                                    mine -> other.ways.stream().anyMatch(its -> agree(mine, its)));
        }

        private static boolean agree(
                Map<String, Set<String>> one, Map<String, Set<String>> another) {
            return one.entrySet().stream()
                    .allMatch(each -> {
                        Set<String> values = another.get(each.getKey());
                        return values == null
                                || each.getValue().stream().anyMatch(values::contains);
                    });
        }

        /// {@return the same for people}
        String text() {
            return ways.isEmpty()
                    ? "anywhere"
                    : ways.stream()
                            .map(way ->
                                    way.entrySet().stream()
                                            .map(each -> text(each.getKey(), each.getValue()))
                                            .collect(Collectors.joining(" and ")))
                            .collect(Collectors.joining(" or "));
        }

        private static String text(String label, Set<String> values) {
            String all = String.join(" or ", values);
            return switch (label) {
                case NODE, "kubernetes.io/hostname" -> "node " + all;
                case "topology.kubernetes.io/zone" -> "zone " + all;
                default -> label + " " + all;
            };
        }
    }

    /// Which member's volume a backup is put on.
    ///
    /// @param ordinal of the member; the first one if none would do
    /// @param impossible why no member would do, in words for people; null if that is not known
    record Choice(int ordinal, @Nullable String impossible) {}

    /// {@return the first member whose volume can be used where the backup's can}
    ///
    /// @param size how many members there are to choose from
    Choice choose(World world, String ensemble, int size, String backups) {
        PersistentVolumeClaim source = claim(backups);
        if (source == null) {
            return new Choice(
                    0,
                    "there is no PersistentVolumeClaim %s in this namespace, where the backup is to"
                                    .formatted(backups)
                            + " be");
        }
        Place its = of(source);
        boolean sure = its.sure();
        List<String> others = new ArrayList<>();
        for (int ordinal = 0; ordinal < size; ordinal++) {
            String name = Labels.claim(ensemble, ordinal);
            PersistentVolumeClaim claim = world.claims().get(name);
            Place place = claim == null ? Place.ANYWHERE : of(claim);
            if (place.meets(its)) {
                return new Choice(ordinal, null);
            }
            sure &= place.sure();
            others.add("that of %s on %s".formatted(name, place.text()));
        }
        return new Choice(
                0,
                sure
                        ? "no node can have the backup's volume and a member's: the volume of claim"
                                + " %s can be used on %s, %s. Copy the backup to a claim where one"
                                        .formatted(backups, its.text(), String.join(", ", others))
                                + " of those can be used, or to a bucket, and make another"
                                + " EnsembleRecovery"
                        : null);
    }

    /// {@return why no node takes the pod that puts a backup in place, and what can be done}
    String homeless(String backups, String member) {
        String both =
                Stream.of(backups, member)
                        .map(name -> {
                            PersistentVolumeClaim claim = claim(name);
                            return claim == null
                                    ? name + " (not there)"
                                    : "%s (%s)".formatted(name, of(claim).text());
                        })
                        .collect(Collectors.joining(" and "));
        return "its pod needs the volumes of the claims %s on one node that takes pods"
                        .formatted(both)
                + ". Let such a node take it; or give this up: delete the EnsembleRecovery and the"
                + " annotation %s of the members' claims, and use a copy of the backup in a bucket,"
                        .formatted(Labels.RESTORING)
                + " or in a claim that can be used where a member's can";
    }

    private @Nullable PersistentVolumeClaim claim(String name) {
        return client.persistentVolumeClaims().inNamespace(namespace).withName(name).get();
    }

    private Place of(PersistentVolumeClaim claim) {
        String volume = claim.getSpec() == null ? null : claim.getSpec().getVolumeName();
        if (volume == null || volume.isEmpty()) {
            return Place.ANYWHERE; // Made, or bound, where the first pod needs it.
        }
        PersistentVolume found = mayReadVolumes ? read(volume) : null;
        return found == null ? guess(claim) : of(found);
    }

    private @Nullable PersistentVolume read(String volume) {
        try {
            return client.persistentVolumes().withName(volume).get();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
                throw e;
            }
            mayReadVolumes = false;
            return null;
        }
    }

    private static Place guess(PersistentVolumeClaim claim) {
        String node = World.annotation(claim, SELECTED_NODE);
        return new Place(node == null ? List.of() : List.of(Map.of(NODE, Set.of(node))), false);
    }

    private static Place of(PersistentVolume volume) {
        var affinity = volume.getSpec() == null ? null : volume.getSpec().getNodeAffinity();
        if (affinity == null || affinity.getRequired() == null) {
            return Place.ANYWHERE;
        }
        return new Place(
                affinity.getRequired().getNodeSelectorTerms().stream().map(Places::way).toList(),
                true);
    }

    /// What is not a list of values is left out: then more nodes seem to do than really will.
    private static Map<String, Set<String>> way(NodeSelectorTerm term) {
        Map<String, Set<String>> way = new LinkedHashMap<>();
        Objects.requireNonNullElse(term.getMatchExpressions(), List.<NodeSelectorRequirement>of())
                .forEach(each -> add(way, each.getKey(), each));
        Objects.requireNonNullElse(term.getMatchFields(), List.<NodeSelectorRequirement>of())
                .forEach(each -> add(way, "field " + each.getKey(), each));
        return way;
    }

    private static void add(
            Map<String, Set<String>> way, String label, NodeSelectorRequirement required) {
        if ("In".equals(required.getOperator())) {
            way.merge(
                    label,
                    new TreeSet<>(required.getValues()),
                    (one, another) -> {
                        one.retainAll(another);
                        return one;
                    });
        }
    }
}
