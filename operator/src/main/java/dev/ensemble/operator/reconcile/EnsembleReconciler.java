package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.SpecRules;
import dev.ensemble.operator.desired.ClientService;
import dev.ensemble.operator.desired.Desired;
import dev.ensemble.operator.desired.InvalidSpec;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.plan.Figures;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Reason;
import dev.ensemble.operator.plan.RollPlan;
import dev.ensemble.operator.plan.StatusReport;
import dev.ensemble.operator.plan.Step;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
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
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/// Observes everything, lets [RollPlan] decide, does one thing, and says so in the status. It keeps
/// no progress of its own: the next pass looks again. It never waits for anything inside a pass.
@ControllerConfiguration(
        name = Labels.MANAGER,
        maxReconciliationInterval =
                @MaxReconciliationInterval(interval = 5, timeUnit = TimeUnit.MINUTES))
@GradualRetry(maxAttempts = -1, initialInterval = 1000, maxInterval = 60_000)
public final class EnsembleReconciler implements Reconciler<Ensemble> {
    private static final Logger LOG = LoggerFactory.getLogger(EnsembleReconciler.class);
    private static final Duration BUSY = Duration.ofSeconds(2);
    private static final Duration IDLE = Duration.ofSeconds(5);

    private final Wanted.DefaultImage image;
    private final Clock clock;
    private final Observation observation;
    private final Writes writes;
    private final Events events;
    private final Gauges gauges;
    private final KubernetesClient client;

    /// @param image the server's image where a spec names none
    /// @param serverSideApply false only for an API server that does not know it
    public EnsembleReconciler(
            KubernetesClient client,
            EnsembleClient ensemble,
            Wanted.DefaultImage image,
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
            Wanted.DefaultImage image,
            MeterRegistry metrics,
            Clock clock,
            boolean serverSideApply,
            Observation.Address address) {
        this.client = client;
        this.image = image;
        this.clock = clock;
        AtomicLong count = new AtomicLong();
        this.observation = new Observation(ensemble, new Troubles(client), address);
        this.writes = new Writes(client, serverSideApply, count);
        this.events = new Events(client, clock);
        this.gauges = new Gauges(metrics, count);
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
        sources.add(labelled(Pod.class, context));
        sources.add(labelled(PersistentVolumeClaim.class, context));
        return sources;
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
        Pass pass = new Pass(resource, context);
        EnsembleStatus status = pass.run();
        Duration next = pass.steady() ? IDLE : BUSY;
        if (status.equals(resource.getStatus())) {
            return UpdateControl.<Ensemble>noUpdate().rescheduleAfter(next);
        }
        Ensemble fresh = onlyStatus(resource, status);
        return writes.statusWithoutApply(fresh)
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

    /// One pass over one resource.
    private final class Pass {
        private final Ensemble resource;
        private final Context<Ensemble> context;
        private final String name;
        private final String namespace;
        private final Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        private @Nullable Trouble trouble;
        private Step step = new Step.Nothing();

        Pass(Ensemble resource, Context<Ensemble> context) {
            this.resource = resource;
            this.context = context;
            this.name = resource.getMetadata().getName();
            this.namespace = resource.getMetadata().getNamespace();
        }

        boolean steady() {
            return step instanceof Step.Nothing && trouble == null;
        }

        EnsembleStatus run() {
            EnsembleSpec spec =
                    resource.getSpec() == null ? EnsembleSpec.defaults() : resource.getSpec();
            World world = World.read(client, namespace, name);
            List<String> ids = world.ensembleIds(resource);
            String bootstrapped =
                    world.bootstrapped(resource, cached(ConfigMap.class, Labels.config(name)));
            Wanted wanted =
                    new Wanted(
                            name,
                            namespace,
                            resource.getMetadata().getUid(),
                            spec,
                            ids.getFirst(),
                            bootstrapped,
                            image);
            List<String> invalid = new ArrayList<>();
            SpecRules.problems(name, spec).forEach(each -> invalid.add(each.toString()));
            Desired desired = null;
            try {
                desired = Desired.of(wanted);
            } catch (InvalidSpec e) {
                invalid.add(e.problem().toString());
            }
            if (ids.size() > 1) {
                trouble =
                        new Trouble(
                                Reason.ForeignData,
                                "the volume claims of this name hold data of several ensembles ("
                                        + String.join(", ", ids)
                                        + "); delete or rename those that do not belong here");
            }
            boolean free =
                    desired != null && invalid.isEmpty() && !spec.paused() && trouble == null;
            boolean applied = free && apply(Objects.requireNonNull(desired), world);
            String revision = revision(desired, world, free);
            Observation.Seen seen = observation.of(world, wanted, revision, now);
            if (free && !applied) {
                step = RollPlan.next(seen.observed());
                bootstrapped = perform(step, world, bootstrapped);
            } else if (applied) {
                step = new Step.Wait(List.of("what was just applied to take effect"));
            }
            if (trouble == null
                    && world.members() != null
                    && world.pods().size() < spec.replicas()) {
                trouble = new Troubles(client).refused(world.members());
            }
            gauges.update(resource, seen.observed(), step);
            return report(spec, invalid, ids.getFirst(), bootstrapped, seen);
        }

        private <T extends HasMetadata> @Nullable T cached(Class<T> type, String object) {
            return context.getSecondaryResources(type).stream()
                    .filter(each -> each.getMetadata().getName().equals(object))
                    .findFirst()
                    .orElse(null);
        }

        /// What the pods should be made of; while the spec is not acted on, what they are made of.
        private String revision(@Nullable Desired desired, World world, boolean free) {
            String is = World.annotation(world.members(), Labels.REVISION);
            String should =
                    desired == null ? null : World.annotation(desired.members(), Labels.REVISION);
            return should != null && free ? should : is == null ? "" : is;
        }

        /// Base objects and StatefulSet: no gate, since none of it restarts a member.
        private boolean apply(Desired desired, World world) {
            List<String> changed = new ArrayList<>();
            try {
                for (HasMetadata each : desired.base()) {
                    if (writes.apply(each, cachedLike(each))) {
                        changed.add(each.getKind() + " " + each.getMetadata().getName());
                    }
                }
                if (writes.apply(desired.members(), world.members())) {
                    changed.add("StatefulSet " + name);
                }
            } catch (Writes.NotOurs e) {
                trouble = new Trouble(Reason.ApiError, Objects.requireNonNull(e.getMessage()));
            }
            // A claim that was made after the ensemble formed, since its volume was lost.
            String bootstrapped = World.annotation(desired.members(), Labels.BOOTSTRAPPED);
            for (PersistentVolumeClaim claim : world.claims().values()) {
                if (bootstrapped != null && World.annotation(claim, Labels.BOOTSTRAPPED) == null) {
                    writes.annotateClaim(claim, Map.of(Labels.BOOTSTRAPPED, bootstrapped));
                    changed.add("PersistentVolumeClaim " + claim.getMetadata().getName());
                }
            }
            if (!changed.isEmpty()) {
                events.tell(resource, Events.What.Applied, "Applied " + String.join(", ", changed));
            }
            return !changed.isEmpty();
        }

        @SuppressWarnings("unchecked") // The class of an object is the class of its kind.
        private <T extends HasMetadata> @Nullable T cachedLike(T wanted) {
            return cached((Class<T>) wanted.getClass(), wanted.getMetadata().getName());
        }

        /// {@return when the ensemble formed, as it is on record now}
        private @Nullable String perform(Step decided, World world, @Nullable String bootstrapped) {
            switch (decided) {
                case Step.Nothing _, Step.Wait _ -> {}
                case Step.MarkBootstrapped _ -> {
                    String time = now.toString();
                    // The claims first: they outlive the resource and everything else.
                    world.claims()
                            .values()
                            .forEach(claim ->
                                    writes.annotateClaim(claim, Map.of(Labels.BOOTSTRAPPED, time)));
                    events.tell(
                            resource,
                            Events.What.Bootstrapped,
                            "The ensemble has formed; it never forms anew from here on");
                    return time;
                }
                case Step.Restart restart -> restart(restart);
            }
            return bootstrapped;
        }

        private void restart(Step.Restart restart) {
            boolean done =
                    switch (restart.how()) {
                        case EVICT -> writes.evict(namespace, restart.pod(), restart.uid());
                        case DELETE -> writes.delete(namespace, restart.pod(), restart.uid());
                    };
            LOG.atInfo()
                    .addKeyValue("namespace", namespace)
                    .addKeyValue("pod", restart.pod())
                    .addKeyValue("how", restart.how())
                    .addKeyValue("done", done)
                    .log(restart.why());
            if (!done) {
                if (restart.how() == Step.How.EVICT) {
                    String message =
                            "The disruption budget does not allow to restart %s now"
                                    .formatted(restart.pod());
                    step = new Step.Wait(List.of(message));
                    events.tellOnce(
                            resource,
                            Events.What.BudgetRefused,
                            Events.What.BudgetRefused.name(),
                            message);
                }
                return;
            }
            events.over(resource, Events.What.BudgetRefused);
            gauges.restarted(resource, restart.how());
            boolean only = resource.getSpec() != null && resource.getSpec().replicas() == 1;
            events.tell(
                    resource,
                    only
                            ? Events.What.OnlyMember
                            : restart.how() == Step.How.EVICT
                                    ? Events.What.MemberEvicted
                                    : Events.What.MemberDeleted,
                    "Restarting %s: %s".formatted(restart.pod(), restart.why()));
        }

        private EnsembleStatus report(
                EnsembleSpec spec,
                List<String> invalid,
                String ensembleId,
                @Nullable String bootstrapped,
                Observation.Seen seen) {
            EnsembleStatus before = resource.getStatus();
            EnsembleStatus.Metrics shown = before == null ? null : before.metrics();
            EnsembleStatus status =
                    StatusReport.of(
                            new StatusReport.About(
                                    name,
                                    namespace,
                                    Objects.requireNonNullElse(
                                            resource.getMetadata().getGeneration(), 0L),
                                    spec.paused(),
                                    invalid,
                                    trouble,
                                    ensembleId,
                                    bootstrapped,
                                    ClientService.endpoint(name, namespace),
                                    seen.metrics() == null
                                            ? shown
                                            : Figures.next(shown, seen.metrics())),
                            seen.observed(),
                            step,
                            before,
                            now.toString());
            tell(before, status, invalid);
            return status;
        }

        private void tell(
                @Nullable EnsembleStatus before, EnsembleStatus status, List<String> invalid) {
            if (invalid.isEmpty()) {
                events.over(resource, Events.What.SpecInvalid);
            } else {
                events.tellOnce(
                        resource,
                        Events.What.SpecInvalid,
                        Events.What.SpecInvalid.name(),
                        String.join("; ", invalid));
            }
            Trouble hindrance = trouble != null ? trouble : memberTrouble(status);
            if (hindrance == null) {
                events.over(resource, Events.What.Hindered);
            } else {
                events.tellOnce(
                        resource,
                        Events.What.Hindered,
                        hindrance.reason().name(),
                        hindrance.message());
            }
            EnsembleStatus.Leader leader = status.leader();
            EnsembleStatus.Leader last = before == null ? null : before.leader();
            if (leader != null && last != null && leader.myid() != last.myid()) {
                events.tell(
                        resource,
                        Events.What.LeaderChanged,
                        "%s leads now, in epoch %d".formatted(leader.member(), leader.epoch()));
            }
            if (isTrue(status, "Ready") && !(before != null && isTrue(before, "Ready"))) {
                events.tell(
                        resource,
                        Events.What.Ready,
                        "All members are ready, in sync and up to date");
            }
        }
    }

    /// What the condition `Ready` gives as a hindrance.
    private static @Nullable Trouble memberTrouble(EnsembleStatus status) {
        return conditions(status)
                .filter(each -> each.getType().equals("Ready"))
                .filter(each -> HINDRANCES.contains(Reason.valueOf(each.getReason())))
                .map(each -> new Trouble(Reason.valueOf(each.getReason()), each.getMessage()))
                .findFirst()
                .orElse(null);
    }

    private static final Set<Reason> HINDRANCES =
            EnumSet.of(
                    Reason.StorageClassMissing,
                    Reason.VolumePending,
                    Reason.ImagePullFailed,
                    Reason.SecretMissing,
                    Reason.Unschedulable,
                    Reason.PodRefused,
                    Reason.CrashLooping);

    private static boolean isTrue(EnsembleStatus status, String type) {
        return conditions(status)
                .anyMatch(each -> each.getType().equals(type) && "True".equals(each.getStatus()));
    }

    private static Stream<Condition> conditions(EnsembleStatus status) {
        return status.conditions() == null ? Stream.of() : status.conditions().stream();
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
        events.tellOnce(resource, Events.What.Hindered, trouble.reason().name(), trouble.message());
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
            for (Condition each : conditions(before).toList()) {
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
                        conditions)
                : before.withConditions(conditions);
    }
}
