package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// The parts of a pod that a person may set: a curated few, so that the resource definition stays
/// small and nothing that data safety rests on can be overridden.
///
/// What Kubernetes nests deeply (`resources`, `affinity`, `tolerations`) is passed on as it stands
/// and checked when the pod is rendered: a wrong type there shows as `SpecValid=False` and must not
/// stop the operator from reading the resource.
@JsonClassDescription("What the members' pods have in addition.")
public record PodTemplate(
        @JsonPropertyDescription("Labels and annotations of the pods.") @Nullable Metadata metadata,
        @JsonPropertyDescription("Placement and resources of the pods.") @Nullable PodSpec spec) {

    @JsonClassDescription("Labels and annotations of the pods.")
    public record Metadata(
            @JsonPropertyDescription("Labels in addition to the operator's own.")
                    @Size(max = 64)
                    @ValidationRule(
                            value =
                                    "self.all(k, !k.startsWith('app.kubernetes.io/') &&"
                                            + " !k.startsWith('ensemble.dev/'))",
                            message =
                                    "labels that begin with app.kubernetes.io/ or ensemble.dev/ are"
                                            + " set by the operator")
                    @Nullable Map<String, String> labels,
            @JsonPropertyDescription("Annotations in addition to the operator's own.")
                    @Size(max = 64)
                    @ValidationRule(
                            value = "self.all(k, !k.startsWith('ensemble.dev/'))",
                            message =
                                    "annotations that begin with ensemble.dev/ are set by the"
                                            + " operator")
                    @Nullable Map<String, String> annotations) {}

    @JsonClassDescription("Placement and resources of the pods.")
    public record PodSpec(
            @JsonPropertyDescription(
                            "Resources of the server's container, as in a pod: requests and"
                                    + " limits.")
                    @PreserveUnknownFields
                    @Nullable Map<String, Object> resources,
            @JsonPropertyDescription("Affinity, as in a pod.") @PreserveUnknownFields
                    @Nullable Map<String, Object> affinity,
            @JsonPropertyDescription("Tolerations, as in a pod.") @Size(max = 64)
                    @Nullable List<Map<String, Object>> tolerations,
            @JsonPropertyDescription("Labels that a node must have.") @Size(max = 64)
                    @Nullable Map<String, String> nodeSelector,
            @JsonPropertyDescription("PriorityClass of the pods.")
                    @Nullable String priorityClassName,
            @JsonPropertyDescription("RuntimeClass of the pods.") @Nullable String runtimeClassName,
            @JsonPropertyDescription("Scheduler of the pods.") @Nullable String schedulerName) {}
}
