package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Reason;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/// What Kubernetes says is missing: a StorageClass, an image, a Secret, a node, a permission. Where
/// an object does not tell, its events do; they are read only when something is wrong.
final class Troubles {
    private static final Set<String> IMAGE =
            Set.of("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull");
    private static final Set<String> CONFIG =
            Set.of("CreateContainerConfigError", "CreateContainerError", "RunContainerError");

    private final Cluster cluster;

    Troubles(Cluster cluster) {
        this.cluster = cluster;
    }

    /// {@return whether its container does not run, and kubelet or scheduler say that it cannot}
    static boolean stuck(Pod pod) {
        ContainerState state = state(pod);
        if (state != null && state.getRunning() != null) {
            return false;
        }
        String waiting = waiting(pod);
        return IMAGE.contains(waiting)
                || CONFIG.contains(waiting)
                || waiting.equals("CrashLoopBackOff")
                || unschedulable(pod) != null;
    }

    /// {@return whether its container may run, as far as kubelet has told}
    static boolean mayRun(Pod pod) {
        ContainerState state = state(pod);
        return state == null || state.getRunning() != null;
    }

    private static @Nullable ContainerState state(Pod pod) {
        ContainerStatus status = container(pod);
        return status == null ? null : status.getState();
    }

    static @Nullable ContainerStatus container(Pod pod) {
        if (pod.getStatus() == null || pod.getStatus().getContainerStatuses() == null) {
            return null;
        }
        return pod.getStatus().getContainerStatuses().stream()
                .filter(each -> "server".equals(each.getName()))
                .findFirst()
                .orElse(null);
    }

    private static String waiting(Pod pod) {
        ContainerState state = state(pod);
        if (state == null || state.getWaiting() == null || state.getWaiting().getReason() == null) {
            return "";
        }
        return state.getWaiting().getReason();
    }

    private static @Nullable String unschedulable(Pod pod) {
        if (pod.getStatus() == null || pod.getStatus().getConditions() == null) {
            return null;
        }
        return pod.getStatus().getConditions().stream()
                .filter(each -> "PodScheduled".equals(each.getType()))
                .filter(each -> "False".equals(each.getStatus()))
                .filter(each -> "Unschedulable".equals(each.getReason()))
                .map(each -> Objects.requireNonNullElse(each.getMessage(), "no node fits"))
                .findFirst()
                .orElse(null);
    }

    /// {@return what is wrong with a pod, in words that do not change while nothing else does}
    @Nullable Trouble of(Pod pod, @Nullable PersistentVolumeClaim claim) {
        String name = pod.getMetadata().getName();
        ContainerStatus container = container(pod);
        String waiting = waiting(pod);
        if (container != null && IMAGE.contains(waiting)) {
            Event secret =
                    latest(pod, each -> "FailedToRetrieveImagePullSecret".equals(each.getReason()));
            return secret == null
                    ? new Trouble(
                            Reason.ImagePullFailed,
                            "the image %s of pod %s cannot be pulled"
                                    .formatted(container.getImage(), name))
                    : new Trouble(
                            Reason.SecretMissing,
                            "pod %s: %s".formatted(name, secret.getMessage()));
        }
        if (container != null && CONFIG.contains(waiting)) {
            String message = container.getState().getWaiting().getMessage();
            return new Trouble(
                    message != null && message.contains("not found")
                            ? Reason.SecretMissing
                            : Reason.PodRefused,
                    "pod %s: %s".formatted(name, message == null ? waiting : message));
        }
        if (container != null && waiting.equals("CrashLoopBackOff")) {
            return new Trouble(Reason.CrashLooping, crashed(name, container));
        }
        String unschedulable = unschedulable(pod);
        if (unschedulable != null || container == null) {
            Trouble volume = claim == null ? null : of(claim);
            if (volume != null) {
                return volume;
            }
        }
        if (unschedulable != null) {
            return new Trouble(Reason.Unschedulable, "pod %s: %s".formatted(name, unschedulable));
        }
        if (waiting.equals("ContainerCreating")) {
            Event mount =
                    latest(
                            pod,
                            each ->
                                    "FailedMount".equals(each.getReason())
                                            && each.getMessage().contains("not found"));
            if (mount != null) {
                return new Trouble(
                        Reason.SecretMissing, "pod %s: %s".formatted(name, mount.getMessage()));
            }
        }
        return null;
    }

    private static String crashed(String name, ContainerStatus container) {
        ContainerState last = container.getLastState();
        if (last == null || last.getTerminated() == null) {
            return "pod %s ends soon after each start".formatted(name);
        }
        String message = last.getTerminated().getMessage();
        String end = message == null ? "" : complaint(message);
        return "pod %s ends soon after each start, with exit code %d%s"
                .formatted(
                        name, last.getTerminated().getExitCode(), end.isEmpty() ? "" : ": " + end);
    }

    /// {@return the line of a log that says best why a server ended: the first that is neither
    /// Java's own greeting nor mere information, since what follows it is a consequence}
    static String complaint(String log) {
        List<String> lines = log.strip().lines().filter(each -> !each.isBlank()).toList();
        return lines.stream()
                .filter(each -> !each.startsWith("NOTE: ") && !each.contains("level=INFO"))
                .findFirst()
                .orElse(lines.isEmpty() ? "" : lines.getLast());
    }

    /// {@return why a claim is not bound, if something is wrong with it}
    private @Nullable Trouble of(PersistentVolumeClaim claim) {
        if (claim.getStatus() == null || !"Pending".equals(claim.getStatus().getPhase())) {
            return null;
        }
        Event event =
                latest(
                        claim,
                        each ->
                                "ProvisioningFailed".equals(each.getReason())
                                        || "FailedBinding".equals(each.getReason()));
        if (event == null) {
            return null;
        }
        String name = claim.getMetadata().getName();
        String message = event.getMessage();
        if (message.contains("storageclass") && message.contains("not found")) {
            return new Trouble(
                    Reason.StorageClassMissing,
                    "StorageClass '%s' of volume claim %s does not exist"
                            .formatted(claim.getSpec().getStorageClassName(), name));
        }
        if (message.contains("no storage class is set")) {
            return new Trouble(
                    Reason.StorageClassMissing,
                    "volume claim %s names no StorageClass, and the cluster has no default; set"
                                    .formatted(name)
                            + " spec.storage.log.storageClassName");
        }
        return new Trouble(Reason.VolumePending, "volume claim %s: %s".formatted(name, message));
    }

    /// {@return why pods of the StatefulSet are not created, if its controller says so}
    @Nullable Trouble refused(HasMetadata members) {
        Event event = refusal(about(members));
        return event == null ? null : new Trouble(Reason.PodRefused, event.getMessage());
    }

    /// {@return the newest refusal to create a pod; null if one was created since: events stay for
    /// an hour, and a pod that is just being restarted is missing for a moment}
    static @Nullable Event refusal(List<Event> events) {
        Event refused = latest(events, each -> "FailedCreate".equals(each.getReason()));
        Event created = latest(events, each -> "SuccessfulCreate".equals(each.getReason()));
        return refused != null && created != null && time(created).compareTo(time(refused)) >= 0
                ? null
                : refused;
    }

    private @Nullable Event latest(HasMetadata about, Predicate<Event> which) {
        return latest(about(about), each -> "Warning".equals(each.getType()) && which.test(each));
    }

    private List<Event> about(HasMetadata object) {
        String uid = object.getMetadata().getUid();
        return cluster.events(object).stream()
                .filter(each ->
                        each.getInvolvedObject() != null
                                && uid.equals(each.getInvolvedObject().getUid()))
                .toList();
    }

    private static @Nullable Event latest(List<Event> events, Predicate<Event> which) {
        return events.stream()
                .filter(each -> each.getMessage() != null)
                .filter(which)
                .max(Comparator.comparing(Troubles::time))
                .orElse(null);
    }

    private static String time(Event event) {
        return Objects.requireNonNullElse(event.getLastTimestamp(), "");
    }
}
