package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Match;
import dev.ensemble.operator.desired.RestoreJob;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.NonDeletingOperation;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// A real API server. Each write, but of status and events, is counted: an idle ensemble must not
/// cause any.
///
/// @param caches what the event sources have seen
/// @param serverSideApply false only where the API server does not know it (Fabric8's mock)
record KubeCluster(
        KubernetesClient client, Caches caches, boolean serverSideApply, AtomicLong count)
        implements Cluster {
    /// Objects that belong to the ensemble, as far as the caches know.
    interface Caches {
        <T> Set<T> of(Class<T> type);
    }

    private static final ResourceDefinitionContext CERTIFICATES =
            new ResourceDefinitionContext.Builder()
                    .withGroup("cert-manager.io")
                    .withVersion("v1")
                    .withKind("Certificate")
                    .withPlural("certificates")
                    .withNamespaced(true)
                    .build();

    private static final Logger LOG = LoggerFactory.getLogger(KubeCluster.class);
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int UNPROCESSABLE = 422;

    @Override
    public World read(String namespace, String name) {
        return World.read(client, namespace, name);
    }

    @Override
    @SuppressWarnings("unchecked") // The class of an object is the class of its kind.
    public <T extends HasMetadata> @Nullable T cached(T like) {
        return caches.of((Class<T>) like.getClass()).stream()
                .filter(each -> each.getMetadata().getName().equals(like.getMetadata().getName()))
                .findFirst()
                .orElse(null);
    }

    @Override
    public Set<EnsembleBackupSchedule> schedules() {
        return caches.of(EnsembleBackupSchedule.class);
    }

    @Override
    public <T extends HasMetadata> boolean apply(T wanted, @Nullable T there) {
        String difference = there == null ? "missing" : Match.difference(there, wanted);
        if (difference == null) {
            return false;
        }
        if (there == null) {
            T live = client.resource(wanted).get();
            if (live != null && !sameOwner(live, wanted)) {
                throw new NotOurs(live);
            }
            if (live instanceof StatefulSet || live instanceof ConfigMap) {
                return true; // What said that there is none was old: look again.
            }
        }
        LOG.atInfo()
                .addKeyValue("kind", wanted.getKind())
                .addKeyValue("namespace", wanted.getMetadata().getNamespace())
                .addKeyValue("name", wanted.getMetadata().getName())
                .addKeyValue("differs", difference)
                .log("apply");
        count.incrementAndGet();
        if (!serverSideApply) {
            client.resource(wanted).createOr(NonDeletingOperation::update);
            return true;
        }
        try {
            client.resource(there == null ? wanted : locked(wanted, there))
                    .fieldManager(Labels.MANAGER)
                    .forceConflicts()
                    .serverSideApply();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            LOG.atInfo()
                    .addKeyValue("kind", wanted.getKind())
                    .addKeyValue("name", wanted.getMetadata().getName())
                    .log("changed meanwhile; the next pass looks again");
        }
        return true;
    }

    /// The number of members rests on what was read just now, so it goes only onto that: into the
    /// StatefulSet, and into the file, which an ensemble forms by. Other objects come from caches
    /// that may be behind, and what is applied to them does not depend on what they were.
    @SuppressWarnings("unchecked") // A copy is of the same class.
    private static <T extends HasMetadata> T locked(T wanted, T there) {
        String version = there.getMetadata().getResourceVersion();
        return switch (wanted) {
            case StatefulSet set ->
                    (T)
                            new StatefulSetBuilder(set)
                                    .editMetadata()
                                    .withResourceVersion(version)
                                    .endMetadata()
                                    .build();
            case ConfigMap config ->
                    (T)
                            new ConfigMapBuilder(config)
                                    .editMetadata()
                                    .withResourceVersion(version)
                                    .endMetadata()
                                    .build();
            default -> wanted;
        };
    }

    private static boolean sameOwner(HasMetadata live, HasMetadata wanted) {
        String uid = wanted.getMetadata().getOwnerReferences().getFirst().getUid();
        return live.getMetadata().getOwnerReferences() != null
                && live.getMetadata().getOwnerReferences().stream()
                        .anyMatch(each -> each.getUid().equals(uid));
    }

    @Override
    public @Nullable Secret secret(String namespace, String name) {
        return client.secrets().inNamespace(namespace).withName(name).get();
    }

    @Override
    public boolean write(Secret wanted, @Nullable Secret there) {
        count.incrementAndGet();
        return found(() -> {
            if (there == null) {
                client.resource(wanted).create();
            } else {
                client.resource(
                                new SecretBuilder(wanted)
                                        .editMetadata()
                                        .withResourceVersion(
                                                there.getMetadata().getResourceVersion())
                                        .endMetadata()
                                        .build())
                        .update();
            }
        });
    }

    /// A write that is not carried out: the API server compares versions as it does for any other.
    @Override
    public boolean unchanged(StatefulSet set) {
        try {
            client.apps()
                    .statefulSets()
                    .inNamespace(set.getMetadata().getNamespace())
                    .withName(set.getMetadata().getName())
                    .patch(
                            new PatchContext.Builder()
                                    .withPatchType(PatchType.JSON_MERGE)
                                    .withDryRun(List.of("All"))
                                    .build(),
                            "{\"metadata\":{\"uid\":\"%s\",\"resourceVersion\":\"%s\"}}"
                                    .formatted(
                                            set.getMetadata().getUid(),
                                            set.getMetadata().getResourceVersion()));
            return true;
        } catch (KubernetesClientException e) {
            if (Set.of(HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND)
                    .contains(e.getCode())) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void annotate(PersistentVolumeClaim claim, Map<String, String> annotations) {
        count.incrementAndGet();
        client.persistentVolumeClaims()
                .inNamespace(claim.getMetadata().getNamespace())
                .withName(claim.getMetadata().getName())
                .edit(it -> {
                    it.getMetadata().getAnnotations().putAll(annotations);
                    return it;
                });
    }

    @Override
    public @Nullable String grow(PersistentVolumeClaim claim, long bytes) {
        count.incrementAndGet();
        try {
            client.persistentVolumeClaims()
                    .inNamespace(claim.getMetadata().getNamespace())
                    .withName(claim.getMetadata().getName())
                    .edit(it -> {
                        it.getSpec()
                                .getResources()
                                .getRequests()
                                .put("storage", new Quantity(Long.toString(bytes)));
                        return it;
                    });
            return null;
        } catch (KubernetesClientException e) {
            // Forbidden is what Kubernetes answers if the StorageClass does not allow it, too.
            if (e.getCode() == UNPROCESSABLE || e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
                return e.getStatus() == null || e.getStatus().getMessage() == null
                        ? String.valueOf(e.getMessage())
                        : e.getStatus().getMessage();
            }
            throw e;
        }
    }

    @Override
    public boolean orphan(StatefulSet set) {
        count.incrementAndGet();
        return found(() ->
                client.raw(
                        "/apis/apps/v1/namespaces/%s/statefulsets/%s"
                                .formatted(
                                        set.getMetadata().getNamespace(),
                                        set.getMetadata().getName()),
                        "DELETE",
                        new DeleteOptionsBuilder()
                                .withPropagationPolicy("Orphan")
                                .withNewPreconditions()
                                .withUid(set.getMetadata().getUid())
                                .withResourceVersion(set.getMetadata().getResourceVersion())
                                .endPreconditions()
                                .build()));
    }

    @Override
    public boolean evict(String namespace, String name, String uid) {
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

    @Override
    public boolean delete(String namespace, String name, String uid) {
        Pod pod = client.pods().inNamespace(namespace).withName(name).get();
        if (pod == null || !Objects.equals(pod.getMetadata().getUid(), uid)) {
            return false;
        }
        count.incrementAndGet();
        return found(() ->
                client.resource(pod)
                        .lockResourceVersion(pod.getMetadata().getResourceVersion())
                        .delete());
    }

    @Override
    public boolean deleteClaim(String namespace, String name, String uid) {
        PersistentVolumeClaim claim =
                client.persistentVolumeClaims().inNamespace(namespace).withName(name).get();
        if (claim == null || !Objects.equals(claim.getMetadata().getUid(), uid)) {
            return false;
        }
        count.incrementAndGet();
        return found(() ->
                client.resource(claim)
                        .lockResourceVersion(claim.getMetadata().getResourceVersion())
                        .delete());
    }

    /// {@return whether the request found the version that was looked at}
    private static boolean found(Runnable request) {
        try {
            request.run();
            return true;
        } catch (KubernetesClientException e) {
            if (Set.of(HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND)
                    .contains(e.getCode())) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public Restore restore(PersistentVolumeClaim claim, Job job) {
        String namespace = job.getMetadata().getNamespace();
        String name = job.getMetadata().getName();
        create(
                claim,
                client.persistentVolumeClaims()
                        .inNamespace(namespace)
                        .withName(claim.getMetadata().getName())
                        .get());
        Job there = client.batch().v1().jobs().inNamespace(namespace).withName(name).get();
        create(job, there);
        if (there == null) {
            return new Restore.Under("Job %s was made".formatted(name));
        }
        Pod pod = JobPods.newest(client, namespace, RestoreJob.LABEL, name);
        if (JobPods.isDone(there, "Complete")) {
            return new Restore.Done();
        }
        if (JobPods.isDone(there, "Failed")) {
            String why = pod == null ? null : JobPods.lastWords(pod, RestoreJob.RESTORE);
            return new Restore.Failed(
                    "Job %s failed%s"
                            .formatted(name, why == null || why.isEmpty() ? "" : ": " + why));
        }
        return new Restore.Under(
                "Job %s%s".formatted(name, pod == null ? "" : JobPods.waiting(pod)));
    }

    @Override
    public Issue issue(GenericKubernetesResource certificate) {
        String name = certificate.getMetadata().getName();
        var all =
                client.genericKubernetesResources(CERTIFICATES)
                        .inNamespace(certificate.getMetadata().getNamespace());
        GenericKubernetesResource there = all.withName(name).get();
        if (there == null) {
            // Asked first, so that a pass without cert-manager writes nothing.
            if (client.getApiResources(certificate.getApiVersion()) == null) {
                return new Issue.Impossible();
            }
            count.incrementAndGet();
            all.resource(certificate).create();
            return new Issue.Under("it was asked for just now");
        }
        if (!sameOwner(there, certificate)) {
            throw new NotOurs(there);
        }
        Object conditions = there.get("status", "conditions");
        return state(conditions);
    }

    private static Issue state(@Nullable Object conditions) {
        if (conditions instanceof List<?> list) {
            for (Object each : list) {
                if (each instanceof Map<?, ?> condition && "Ready".equals(condition.get("type"))) {
                    return "True".equals(condition.get("status"))
                            ? new Issue.Done()
                            : new Issue.Under(String.valueOf(condition.get("message")));
                }
            }
        }
        return new Issue.Under("cert-manager has not looked at it yet");
    }

    private void create(HasMetadata wanted, @Nullable HasMetadata there) {
        if (there != null) {
            return;
        }
        count.incrementAndGet();
        try {
            client.resource(wanted).create();
        } catch (KubernetesClientException e) {
            // What said that there is none was old.
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
        }
    }

    @Override
    public List<Event> events(HasMetadata about) {
        return client.v1()
                .events()
                .inNamespace(about.getMetadata().getNamespace())
                .withField("involvedObject.name", about.getMetadata().getName())
                .list()
                .getItems();
    }

    @Override
    public void tell(Event event) {
        tell(client, event);
    }

    static void tell(KubernetesClient client, Event event) {
        try {
            client.resource(event).create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                LOG.atWarn()
                        .addKeyValue("reason", event.getReason())
                        .setCause(e)
                        .log("cannot write an event");
            }
        }
    }
}
