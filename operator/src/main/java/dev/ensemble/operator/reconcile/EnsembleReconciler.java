package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.certificates.Maker;
import dev.ensemble.operator.desired.Desired;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Plan;
import dev.ensemble.operator.plan.Reason;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.OperatorException;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;
import io.micrometer.core.instrument.MeterRegistry;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Observes everything, lets [Plan] decide, does one thing, and says so in the status. It keeps no
/// progress of its own: the next pass looks again. It never waits for anything inside a pass.
@ControllerConfiguration(
        name = Labels.MANAGER,
        maxReconciliationInterval =
                @MaxReconciliationInterval(interval = 5, timeUnit = TimeUnit.MINUTES))
@GradualRetry(maxAttempts = -1, initialInterval = 1000, maxInterval = 60_000)
public final class EnsembleReconciler implements Reconciler<Ensemble> {
    private static final Logger LOG = LoggerFactory.getLogger(EnsembleReconciler.class);
    private static final Duration BUSY = Duration.ofSeconds(2);
    private static final Duration IDLE = Duration.ofSeconds(5);

    private final KubernetesClient client;
    private final Clock clock;
    private final boolean serverSideApply;
    private final AtomicLong writes = new AtomicLong();
    private final Pass.Tools tools;

    /// @param image the server's image where a spec names none
    /// @param serverSideApply false only for an API server that does not know it
    public EnsembleReconciler(
            KubernetesClient client,
            EnsembleClient ensemble,
            Wanted.Defaults image,
            MeterRegistry metrics,
            Clock clock,
            boolean serverSideApply) {
        this(
                client,
                ensemble,
                image,
                metrics,
                clock,
                serverSideApply,
                Observation.Address::inCluster);
    }

    EnsembleReconciler(
            KubernetesClient client,
            EnsembleClient ensemble,
            Wanted.Defaults image,
            MeterRegistry metrics,
            Clock clock,
            boolean serverSideApply,
            Observation.Address address) {
        this.client = client;
        this.clock = clock;
        this.serverSideApply = serverSideApply;
        this.tools =
                new Pass.Tools(
                        ensemble,
                        new Observation(ensemble, address),
                        new Events(clock),
                        new Gauges(metrics, writes),
                        new Notes(),
                        clock,
                        image,
                        new Maker(),
                        Desired::of,
                        Plan::next);
    }

    private Cluster cluster(Context<Ensemble> context) {
        return new KubeCluster(client, context::getSecondaryResources, serverSideApply, writes);
    }

    /// Writes a status where the API server does not know how to apply one.
    ///
    /// @return whether it did; else it is to be applied
    private boolean statusWithoutApply(Ensemble fresh) {
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

    @Override
    public List<EventSource<?, Ensemble>> prepareEventSources(
            EventSourceContext<Ensemble> context) {
        List<EventSource<?, Ensemble>> sources = new ArrayList<>();
        sources.add(owned(StatefulSet.class, context));
        sources.add(owned(ConfigMap.class, context));
        sources.add(owned(Service.class, context));
        sources.add(owned(ServiceAccount.class, context));
        sources.add(owned(PodDisruptionBudget.class, context));
        sources.add(owned(NetworkPolicy.class, context));
        sources.add(labelled(Pod.class, context));
        sources.add(labelled(PersistentVolumeClaim.class, context));
        sources.add(schedules(context));
        return sources;
    }

    /// A schedule names the ensemble that it backs up.
    private static EventSource<?, Ensemble> schedules(EventSourceContext<Ensemble> context) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(EnsembleBackupSchedule.class, Ensemble.class)
                        .withSecondaryToPrimaryMapper(each ->
                                each.getSpec() == null
                                        ? Set.of()
                                        : Set.of(
                                                new ResourceID(
                                                        each.getSpec().ensemble(),
                                                        each.getMetadata().getNamespace())))
                        .build(),
                context);
    }

    private static <T extends HasMetadata> EventSource<?, Ensemble> owned(
            Class<T> type, EventSourceContext<Ensemble> context) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(type, Ensemble.class)
                        .withLabelSelector("app.kubernetes.io/managed-by=" + Labels.MANAGER)
                        .build(),
                context);
    }

    /// Pods and claims belong to the StatefulSet; a label says which ensemble it is.
    private static <T extends HasMetadata> EventSource<?, Ensemble> labelled(
            Class<T> type, EventSourceContext<Ensemble> context) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(type, Ensemble.class)
                        .withLabelSelector("app.kubernetes.io/name=ensemble")
                        .withSecondaryToPrimaryMapper(each ->
                                Set.of(
                                        new ResourceID(
                                                each.getMetadata()
                                                        .getLabels()
                                                        .get("app.kubernetes.io/instance"),
                                                each.getMetadata().getNamespace())))
                        .build(),
                context);
    }

    @Override
    public UpdateControl<Ensemble> reconcile(Ensemble resource, Context<Ensemble> context) {
        if (resource.getMetadata().getDeletionTimestamp() != null) {
            return UpdateControl.noUpdate();
        }
        Pass pass = new Pass(tools, cluster(context), resource);
        EnsembleStatus status = pass.run();
        Duration next = pass.steady() ? IDLE : BUSY;
        if (status.equals(resource.getStatus())) {
            return UpdateControl.<Ensemble>noUpdate().rescheduleAfter(next);
        }
        Ensemble fresh = onlyStatus(resource, status);
        return statusWithoutApply(fresh)
                ? UpdateControl.<Ensemble>noUpdate().rescheduleAfter(next)
                : UpdateControl.patchStatus(fresh).rescheduleAfter(next);
    }

    /// A fresh object: what is applied is the status and nothing else.
    private static Ensemble onlyStatus(Ensemble resource, EnsembleStatus status) {
        Ensemble fresh = new Ensemble();
        fresh.getMetadata().setName(resource.getMetadata().getName());
        fresh.getMetadata().setNamespace(resource.getMetadata().getNamespace());
        fresh.setStatus(status);
        return fresh;
    }

    /// The API server refused something: that is the condition `Ready`, beside all that was known
    /// before.
    @Override
    public ErrorStatusUpdateControl<Ensemble> updateErrorStatus(
            Ensemble resource, Context<Ensemble> context, Exception failure) {
        Trouble trouble = trouble(failure);
        LOG.atWarn()
                .addKeyValue("namespace", resource.getMetadata().getNamespace())
                .addKeyValue("name", resource.getMetadata().getName())
                .setCause(failure)
                .log("a pass failed");
        tools.events()
                .tellOnce(
                        cluster(context),
                        resource,
                        Events.What.Hindered,
                        trouble.reason().name(),
                        trouble.message());
        EnsembleStatus before = resource.getStatus();
        EnsembleStatus status = withReady(resource, before, trouble);
        return status.equals(before)
                ? ErrorStatusUpdateControl.noStatusUpdate()
                : ErrorStatusUpdateControl.patchStatus(onlyStatus(resource, status));
    }

    /// The framework wraps what a pass throws, so the cause is what counts.
    static Trouble trouble(Throwable failure) {
        if (failure instanceof OperatorException && failure.getCause() != null) {
            return trouble(failure.getCause());
        }
        String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        if (failure instanceof KubernetesClientException api) {
            String says =
                    api.getStatus() == null || api.getStatus().getMessage() == null
                            ? message
                            : api.getStatus().getMessage();
            return api.getCode() == HttpURLConnection.HTTP_FORBIDDEN
                    ? new Trouble(Reason.PermissionDenied, says)
                    : new Trouble(Reason.ApiError, says);
        }
        return new Trouble(Reason.ApiError, message);
    }

    private EnsembleStatus withReady(
            Ensemble resource, @Nullable EnsembleStatus before, Trouble trouble) {
        List<Condition> conditions = new ArrayList<>();
        String since = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        if (before != null) {
            for (Condition each : News.conditions(before).toList()) {
                if (!each.getType().equals("Ready")) {
                    conditions.add(each);
                } else if ("False".equals(each.getStatus())) {
                    since = each.getLastTransitionTime();
                }
            }
        }
        conditions.addFirst(
                new ConditionBuilder()
                        .withType("Ready")
                        .withStatus("False")
                        .withReason(trouble.reason().name())
                        .withMessage(trouble.message())
                        .withObservedGeneration(resource.getMetadata().getGeneration())
                        .withLastTransitionTime(since)
                        .build());
        return before == null
                ? new EnsembleStatus(
                        null,
                        "Degraded",
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        conditions)
                : before.with(
                        "Running".equals(before.phase()) ? "Degraded" : before.phase(), conditions);
    }
}
