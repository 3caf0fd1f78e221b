package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Match;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.NonDeletingOperation;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/// Everything that the operator writes, but status and events. Each write is counted: an idle
/// ensemble must not cause any.
final class Writes {
    private static final Logger LOG = LoggerFactory.getLogger(Writes.class);
    private static final int TOO_MANY_REQUESTS = 429;

    private final KubernetesClient client;
    private final boolean serverSideApply;
    private final AtomicLong count;

    /// @param serverSideApply false only where the API server does not know it (Fabric8's mock)
    Writes(KubernetesClient client, boolean serverSideApply, AtomicLong count) {
        this.client = client;
        this.serverSideApply = serverSideApply;
        this.count = count;
    }

    /// An object of the wanted name exists and is somebody else's.
    static final class NotOurs extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotOurs(HasMetadata object) {
            super(
                    "%s %s exists and does not belong to this Ensemble; delete or rename it"
                            .formatted(object.getKind(), object.getMetadata().getName()));
        }
    }

    /// Makes an object as it is wanted.
    ///
    /// @param there as it is, as far as we know; null if it is not known to exist
    /// @return whether anything was written
    <T extends HasMetadata> boolean apply(T wanted, @Nullable T there) {
        String difference = there == null ? "missing" : Match.difference(there, wanted);
        if (difference == null) {
            return false;
        }
        if (there == null) {
            T live = client.resource(wanted).get();
            if (live != null && !sameOwner(live, wanted)) {
                throw new NotOurs(live);
            }
        }
        LOG.atInfo()
                .addKeyValue("kind", wanted.getKind())
                .addKeyValue("namespace", wanted.getMetadata().getNamespace())
                .addKeyValue("name", wanted.getMetadata().getName())
                .addKeyValue("differs", difference)
                .log("apply");
        count.incrementAndGet();
        if (serverSideApply) {
            client.resource(wanted).fieldManager(Labels.MANAGER).forceConflicts().serverSideApply();
        } else {
            client.resource(wanted).createOr(NonDeletingOperation::update);
        }
        return true;
    }

    private static boolean sameOwner(HasMetadata live, HasMetadata wanted) {
        String uid = wanted.getMetadata().getOwnerReferences().getFirst().getUid();
        return live.getMetadata().getOwnerReferences() != null
                && live.getMetadata().getOwnerReferences().stream()
                        .anyMatch(each -> each.getUid().equals(uid));
    }

    /// Writes a status where the API server does not know how to apply one.
    ///
    /// @return whether it did; else it is to be applied
    boolean statusWithoutApply(Ensemble fresh) {
        if (!serverSideApply) {
            client.resources(Ensemble.class)
                    .inNamespace(fresh.getMetadata().getNamespace())
                    .withName(fresh.getMetadata().getName())
                    .editStatus(live -> {
                        live.setStatus(fresh.getStatus());
                        return live;
                    });
        }
        return !serverSideApply;
    }

    /// Adds annotations to a volume claim, which belongs to the StatefulSet.
    void annotateClaim(HasMetadata claim, Map<String, String> annotations) {
        count.incrementAndGet();
        client.persistentVolumeClaims()
                .inNamespace(claim.getMetadata().getNamespace())
                .withName(claim.getMetadata().getName())
                .edit(it -> {
                    it.getMetadata().getAnnotations().putAll(annotations);
                    return it;
                });
    }

    /// Evicts a pod, if it is still the one that was looked at.
    ///
    /// @return whether the budget allowed it
    boolean evict(String namespace, String name, String uid) {
        count.incrementAndGet();
        try {
            return client.pods()
                    .inNamespace(namespace)
                    .withName(name)
                    .evict(
                            new EvictionBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .withNamespace(namespace)
                                    .endMetadata()
                                    .withDeleteOptions(
                                            new DeleteOptionsBuilder()
                                                    .withNewPreconditions()
                                                    .withUid(uid)
                                                    .endPreconditions()
                                                    .build())
                                    .build());
        } catch (KubernetesClientException e) {
            if (e.getCode() == TOO_MANY_REQUESTS) {
                return false;
            }
            throw e;
        }
    }

    /// Deletes a pod, if it is still the one that was looked at.
    ///
    /// @return whether it was
    boolean delete(String namespace, String name, String uid) {
        Pod pod = client.pods().inNamespace(namespace).withName(name).get();
        if (pod == null || !Objects.equals(pod.getMetadata().getUid(), uid)) {
            return false;
        }
        count.incrementAndGet();
        try {
            client.resource(pod)
                    .lockResourceVersion(pod.getMetadata().getResourceVersion())
                    .delete();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return false;
            }
            throw e;
        }
    }
}
