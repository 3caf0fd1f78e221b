package dev.ensemble.operator.reconcile;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// What Kubernetes says of a Job and its pods.
final class JobPods {
    private JobPods() {}

    static boolean isDone(Job job, String type) {
        return job.getStatus() != null
                && job.getStatus().getConditions() != null
                && job.getStatus().getConditions().stream()
                        .anyMatch(each ->
                                each.getType().equals(type) && "True".equals(each.getStatus()));
    }

    /// A pod that failed is followed by another one.
    static @Nullable Pod newest(
            KubernetesClient client, String namespace, String label, String job) {
        return client.pods().inNamespace(namespace).withLabel(label, job).list().getItems().stream()
                .max(
                        Comparator.comparing((Pod each) ->
                                        Objects.requireNonNullElse(
                                                each.getMetadata().getCreationTimestamp(), ""))
                                .thenComparing(each -> each.getMetadata().getName()))
                .orElse(null);
    }

    /// {@return what a container left when it ended; null if it has not ended}
    static @Nullable String lastWords(Pod pod, String container) {
        return statuses(pod)
                .filter(each -> each.getName().equals(container))
                .map(ContainerStatus::getState)
                .filter(Objects::nonNull)
                .map(ContainerState::getTerminated)
                .filter(Objects::nonNull)
                .map(each -> Objects.requireNonNullElse(each.getMessage(), "").strip())
                .findFirst()
                .orElse(null);
    }

    private static Stream<ContainerStatus> statuses(Pod pod) {
        if (pod.getStatus() == null) {
            return Stream.of();
        }
        return Stream.concat(
                Stream.ofNullable(pod.getStatus().getInitContainerStatuses()).flatMap(List::stream),
                Stream.ofNullable(pod.getStatus().getContainerStatuses()).flatMap(List::stream));
    }

    /// {@return whether Kubernetes has looked for a node, and found none}
    static boolean homeless(Pod pod) {
        return pod.getStatus() != null
                && pod.getStatus().getConditions() != null
                && pod.getStatus().getConditions().stream()
                        .anyMatch(each ->
                                each.getType().equals("PodScheduled")
                                        && "False".equals(each.getStatus())
                                        && "Unschedulable".equals(each.getReason()));
    }

    /// {@return why, as far as Kubernetes says}
    static String waiting(Pod pod) {
        Stream<String> containers =
                statuses(pod)
                        .map(ContainerStatus::getState)
                        .filter(state -> state != null && state.getWaiting() != null)
                        .map(state -> state.getWaiting().getReason())
                        .filter(reason -> reason != null && !reason.equals("PodInitializing"));
        Stream<String> scheduling =
                pod.getStatus() == null || pod.getStatus().getConditions() == null
                        ? Stream.of()
                        : pod.getStatus().getConditions().stream()
                                .filter(each ->
                                        each.getType().equals("PodScheduled")
                                                && "False".equals(each.getStatus()))
                                .map(each -> Objects.requireNonNullElse(each.getMessage(), ""));
        return Stream.concat(scheduling, containers)
                .filter(each -> !each.isEmpty())
                .findFirst()
                .map(each -> ": " + each)
                .orElse("");
    }
}
