package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.InvalidSpec;
import dev.ensemble.operator.desired.RestoreJob;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.desired.ZooCfg;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Answer;
import dev.ensemble.operator.ensemble.MemberStatus;
import dev.ensemble.operator.plan.RecoveryPlan;
import dev.ensemble.operator.plan.RecoveryPlan.Candidate;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/// Plans the recovery of an ensemble that has lost its quorum for good, or that is to begin again
/// with a backup; once a person has approved the plan, puts the decision on record at the volume
/// claims. From there the ensemble's own pass ([Pass]) tells it to the members, the survivor first.
///
/// With a backup, the plan says whose volume it is put on, and the decision has that member. The
/// record that no member may run comes first; once none does, a Job puts the backup in the place of
/// what that volume holds; only then are the members told. Each step is seen by what is there, so
/// the operator may end anywhere between them.
@ControllerConfiguration(name = "ensemble-recovery")
@GradualRetry(maxAttempts = -1, initialInterval = 1000, maxInterval = 60_000)
public final class RecoveryReconciler implements Reconciler<EnsembleRecovery> {
    static final String NOT_POSSIBLE = "NotPossible";
    static final String PLANNED = "Planned";
    static final String RECOVERING = "Recovering";
    static final String RECOVERED = "Recovered";

    private static final Logger LOG = LoggerFactory.getLogger(RecoveryReconciler.class);
    private static final Duration AGAIN = Duration.ofSeconds(3);
    private static final int HASH_LENGTH = 12;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final KubernetesClient client;
    private final EnsembleClient members;
    private final Wanted.Defaults defaults;
    private final Clock clock;
    private final Observation.Address address;

    /// @param defaults the server's image where a spec names none
    public RecoveryReconciler(
            KubernetesClient client,
            EnsembleClient members,
            Wanted.Defaults defaults,
            Clock clock) {
        this(client, members, defaults, clock, Observation.Address::inCluster);
    }

    RecoveryReconciler(
            KubernetesClient client,
            EnsembleClient members,
            Wanted.Defaults defaults,
            Clock clock,
            Observation.Address address) {
        this.client = client;
        this.members = members;
        this.defaults = defaults;
        this.clock = clock;
        this.address = address;
    }

    @Override
    public UpdateControl<EnsembleRecovery> reconcile(
            EnsembleRecovery resource, @Nullable Context<EnsembleRecovery> context) {
        EnsembleRecoveryStatus before = resource.getStatus();
        if (resource.getMetadata().getDeletionTimestamp() != null
                || (before != null && RECOVERED.equals(before.phase()))) {
            return UpdateControl.noUpdate();
        }
        EnsembleRecoveryStatus status = next(resource, before);
        if (status.equals(before)) {
            return UpdateControl.<EnsembleRecovery>noUpdate().rescheduleAfter(AGAIN);
        }
        EnsembleRecovery fresh = new EnsembleRecovery();
        fresh.getMetadata().setName(resource.getMetadata().getName());
        fresh.getMetadata().setNamespace(resource.getMetadata().getNamespace());
        fresh.setStatus(status);
        return UpdateControl.patchStatus(fresh).rescheduleAfter(AGAIN);
    }

    private EnsembleRecoveryStatus next(
            EnsembleRecovery resource, @Nullable EnsembleRecoveryStatus before) {
        String namespace = resource.getMetadata().getNamespace();
        EnsembleRecoverySpec spec = Objects.requireNonNull(resource.getSpec());
        Ensemble ensemble =
                client.resources(Ensemble.class)
                        .inNamespace(namespace)
                        .withName(spec.ensemble())
                        .get();
        if (ensemble == null) {
            return notPossible("there is no Ensemble %s".formatted(spec.ensemble()), List.of());
        }
        World world = World.read(client, namespace, spec.ensemble());
        String decision = before == null ? null : before.decision();
        if (before == null || decision == null) {
            return plan(resource, spec, before, ensemble, world);
        }
        String waiting =
                spec.fromBackup() == null
                        ? null
                        : putInPlace(spec.fromBackup(), before, decision, ensemble, world);
        return waiting == null
                ? goOn(before, decision, ensemble, world)
                : before.with(RECOVERING, waiting, decision);
    }

    private static EnsembleRecoveryStatus notPossible(String why, List<String> lines) {
        return new EnsembleRecoveryStatus(
                NOT_POSSIBLE, why, null, null, lines.isEmpty() ? null : lines, null, null);
    }

    private EnsembleRecoveryStatus plan(
            EnsembleRecovery resource,
            EnsembleRecoverySpec spec,
            @Nullable EnsembleRecoveryStatus before,
            Ensemble ensemble,
            World world) {
        List<String> ids = world.ensembleIds(ensemble);
        if (world.bootstrapped(ensemble) == null || ids.size() != 1) {
            return notPossible(
                    ids.size() == 1
                            ? "the ensemble has never formed: there is no data to recover"
                            : "the volume claims hold data of several ensembles",
                    List.of());
        }
        if (world.restoring() != null) {
            return notPossible(
                    "the recovery %s puts a backup in place".formatted(world.restoring()),
                    List.of());
        }
        List<Candidate> candidates = candidates(spec.ensemble(), ensemble, world);
        List<String> lines = candidates.stream().map(Candidate::text).toList();
        EnsembleSpec.FromBackup source = spec.fromBackup();
        Places.Choice into = into(spec.ensemble(), source, ensemble, world);
        if (into.impossible() != null) {
            return notPossible(into.impossible(), lines);
        }
        RecoveryPlan.Outcome outcome =
                source == null
                        ? RecoveryPlan.of(ids.getFirst(), candidates)
                        : RecoveryPlan.restore(
                                ids.getFirst(),
                                candidates,
                                known(source, resource.getMetadata().getNamespace()),
                                Labels.pod(spec.ensemble(), into.ordinal()));
        switch (outcome) {
            case RecoveryPlan.Outcome.NotPossible(String why) -> {
                return notPossible(why, lines);
            }
            case RecoveryPlan.Outcome.Survive(Candidate survivor, String facts, String means) -> {
                String hash = ZooCfg.sha256(facts).substring(0, HASH_LENGTH);
                String zxid = "0x" + Long.toHexString(survivor.logged());
                var planned =
                        new EnsembleRecoveryStatus(
                                PLANNED,
                                means,
                                hash,
                                new EnsembleRecoveryStatus.Survivor(
                                        survivor.name(), survivor.myid(), survivor.epoch(), zxid),
                                lines,
                                null,
                                null);
                if (!hash.equals(spec.approvedPlan())) {
                    return planned;
                }
                // In the status first: what is decided stays so, whatever the members say next.
                return planned.with(
                        RECOVERING,
                        survivor.name() + " is told to go on alone",
                        decision(resource, survivor.myid(), zxid));
            }
            case RecoveryPlan.Outcome.Restore(long afterEpoch, String facts, String means) -> {
                String hash = ZooCfg.sha256(facts).substring(0, HASH_LENGTH);
                if (hash.equals(spec.approvedPlan())) {
                    return new EnsembleRecoveryStatus(
                            RECOVERING,
                            "the members are to stop",
                            hash,
                            null,
                            lines,
                            decision(resource, firstMyid(ensemble) + into.ordinal(), "0x0"),
                            afterEpoch);
                }
                // What a running ensemble holds changes all the time; it is told as it was first.
                return before != null && hash.equals(before.plan())
                        ? before
                        : new EnsembleRecoveryStatus(PLANNED, means, hash, null, lines, null, null);
            }
        }
    }

    /// {@return whose volume a backup is to be put on: of the members that stay}
    private Places.Choice into(
            String name, EnsembleSpec.@Nullable FromBackup source, Ensemble ensemble, World world) {
        String claim = source == null ? null : source.claim();
        if (claim == null) {
            return new Places.Choice(0, null);
        }
        int replicas =
                ensemble.getSpec() == null
                        ? EnsembleSpec.defaults().replicas()
                        : ensemble.getSpec().replicas();
        return new Places(client, ensemble.getMetadata().getNamespace())
                .choose(world, name, Math.min(replicas, world.size(name, replicas)), claim);
    }

    private String decision(EnsembleRecovery resource, int myid, String zxid) {
        return "%s.%s,%d,%s"
                .formatted(
                        TIME.format(clock.instant()), resource.getMetadata().getUid(), myid, zxid);
    }

    private static int firstMyid(Ensemble ensemble) {
        return ensemble.getSpec() == null
                ? EnsembleSpec.defaults().firstMyid()
                : ensemble.getSpec().firstMyid();
    }

    /// {@return what an EnsembleBackup tells of a backup, if there is one}
    private RecoveryPlan.Backup known(EnsembleSpec.FromBackup source, String namespace) {
        String holds =
                client
                        .resources(EnsembleBackup.class)
                        .inNamespace(namespace)
                        .list()
                        .getItems()
                        .stream()
                        .filter(each -> isOf(each, source))
                        .map(EnsembleBackup::getStatus)
                        .map(each ->
                                "which holds ensemble %s up to %s, as of %s"
                                        .formatted(each.ensembleId(), each.zxid(), each.time()))
                        .findFirst()
                        .orElse(null);
        return new RecoveryPlan.Backup(source.text(), holds);
    }

    private static boolean isOf(EnsembleBackup backup, EnsembleSpec.FromBackup source) {
        if (backup.getStatus() == null
                || backup.getSpec() == null
                || !source.file().equals(backup.getStatus().file())) {
            return false;
        }
        EnsembleBackupSpec.Destination destination = backup.getSpec().destination();
        return source.s3() != null
                ? destination.s3() != null
                        && source.s3().bucket().equals(destination.s3().bucket())
                        && Objects.equals(source.s3().endpoint(), destination.s3().endpoint())
                : destination.claim() != null && destination.claim().name().equals(source.claim());
    }

    /// {@return what is to be waited for before the members may be told; null if nothing}
    private @Nullable String putInPlace(
            EnsembleSpec.FromBackup source,
            EnsembleRecoveryStatus before,
            String decision,
            Ensemble ensemble,
            World world) {
        String bootstrapped = world.bootstrapped(ensemble);
        if (bootstrapped == null) {
            return "the volume claims are gone: there is nothing to put a backup in the place of";
        }
        String since = ensemble.getMetadata().getCreationTimestamp();
        if (since != null && TIME.format(Instant.parse(since)).compareTo(decision) > 0) {
            return "the Ensemble was made anew after this was decided: nothing is done";
        }
        String last = world.recovery();
        if (last != null && last.compareTo(decision) > 0) {
            return "the recovery %s was decided on later: nothing is done".formatted(last);
        }
        KubeCluster cluster = cluster();
        if (!decision.equals(last)) {
            String waiting =
                    untilRestored(source, before, decision, ensemble, world, bootstrapped, cluster);
            if (waiting != null) {
                return waiting;
            }
        }
        // Both at once: a claim on which the one stands and not the other would let members run
        // that hold what was given up.
        boolean told = false;
        for (PersistentVolumeClaim claim : world.claims().values()) {
            if (!decision.equals(World.annotation(claim, Labels.RECOVERY))
                    || decision.equals(World.annotation(claim, Labels.RESTORING))) {
                cluster.annotate(claim, Map.of(Labels.RECOVERY, decision, Labels.RESTORING, ""));
                told = true;
            }
        }
        return told ? "the backup is in place; the members are told" : null;
    }

    private @Nullable String untilRestored(
            EnsembleSpec.FromBackup source,
            EnsembleRecoveryStatus before,
            String decision,
            Ensemble ensemble,
            World world,
            String bootstrapped,
            KubeCluster cluster) {
        boolean told = false;
        for (PersistentVolumeClaim claim : world.claims().values()) {
            if (!decision.equals(World.annotation(claim, Labels.RESTORING))) {
                cluster.annotate(claim, Map.of(Labels.RESTORING, decision));
                told = true;
            }
        }
        StatefulSet set = world.members();
        if (told || !world.pods().isEmpty() || (set != null && set.getSpec().getReplicas() != 0)) {
            return "the members stop, of which run: " + String.join(", ", world.pods().keySet());
        }
        Wanted wanted = world.wanted(ensemble, bootstrapped, defaults);
        String[] decided = decision.split(",", -1);
        int ordinal = Integer.parseInt(decided[1]) - firstMyid(ensemble);
        Cluster.Restore state;
        try {
            state =
                    cluster.restore(
                            RestoreJob.claim(wanted, ordinal),
                            RestoreJob.inPlace(
                                    wanted,
                                    source,
                                    ordinal,
                                    decided[0],
                                    Objects.requireNonNullElse(before.afterEpoch(), 0L)));
        } catch (InvalidSpec e) {
            return e.problem().toString();
        }
        return switch (state) {
            case Cluster.Restore.Under(String why) ->
                    "the backup is put in place: "
                            + why
                            + homeless(source, wanted, decided[0], ordinal);
            case Cluster.Restore.Failed(String why) ->
                    "the backup is not in place: %s. Repair what it says and delete the Job: then it is"
                                    .formatted(why)
                            + " tried again";
            case Cluster.Restore.Done _ -> null;
        };
    }

    private String homeless(
            EnsembleSpec.FromBackup source, Wanted wanted, String recovery, int ordinal) {
        String claim = source.claim();
        if (claim == null) {
            return "";
        }
        Pod pod =
                JobPods.newest(
                        client,
                        wanted.namespace(),
                        RestoreJob.LABEL,
                        RestoreJob.inPlace(wanted.name(), recovery));
        return pod == null || !JobPods.homeless(pod)
                ? ""
                : "; "
                        + new Places(client, wanted.namespace())
                                .homeless(claim, Labels.claim(wanted.name(), ordinal));
    }

    private KubeCluster cluster() {
        return new KubeCluster(
                client,
                new KubeCluster.Caches() {
                    @Override
                    public <T> Set<T> of(Class<T> type) {
                        return Set.of();
                    }
                },
                true,
                new AtomicLong());
    }

    private List<Candidate> candidates(String name, Ensemble ensemble, World world) {
        EnsembleSpec spec =
                ensemble.getSpec() == null ? EnsembleSpec.defaults() : ensemble.getSpec();
        int size = world.size(name, spec.replicas());
        Map<Integer, URI> asked = new TreeMap<>();
        for (int i = 0; i < size; i++) {
            Pod pod = world.pods().get(Labels.pod(name, i));
            URI root = pod == null || !Troubles.mayRun(pod) ? null : address.of(pod);
            if (root != null) {
                asked.put(spec.firstMyid() + i, root);
            }
        }
        Map<Integer, Answer> answers = members.ask(asked);
        List<Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            int myid = spec.firstMyid() + i;
            MemberStatus status =
                    answers.get(myid) instanceof Answer.Known(MemberStatus known) ? known : null;
            candidates.add(candidate(myid, Labels.pod(name, i), status));
        }
        return candidates;
    }

    private static Candidate candidate(int myid, String name, @Nullable MemberStatus status) {
        if (status == null || status.identity() == null || status.zxid() == null) {
            return new Candidate(myid, name, false, false, false, 0, 0, 0, null);
        }
        String incarnation = status.identity().incarnation();
        List<MemberStatus.Member> voters =
                status.configuration() == null || status.configuration().members() == null
                        ? List.of()
                        : status.configuration().members().stream()
                                .filter(each -> !"observer".equals(each.role()))
                                .toList();
        boolean holds =
                "member".equals(status.identity().state())
                        && voters.stream()
                                .anyMatch(each ->
                                        each.myid() == myid
                                                && Objects.equals(each.incarnation(), incarnation));
        MemberStatus.Quorum quorum = status.quorum();
        return new Candidate(
                myid,
                name,
                true,
                holds,
                status.leads() && quorum != null && quorum.synced() >= quorum.needed(),
                voters.size(),
                status.epoch(),
                Long.parseUnsignedLong(status.zxid().logged().substring(2), 16),
                incarnation);
    }

    /// The record first, on every claim; then it is for the ensemble's own pass.
    private EnsembleRecoveryStatus goOn(
            EnsembleRecoveryStatus before, String decision, Ensemble ensemble, World world) {
        KubeCluster cluster = cluster();
        boolean told = false;
        for (PersistentVolumeClaim claim : world.claims().values()) {
            String there = World.annotation(claim, Labels.RECOVERY);
            if (there == null || there.compareTo(decision) < 0) {
                cluster.annotate(claim, Map.of(Labels.RECOVERY, decision));
                told = true;
            }
        }
        if (told) {
            LOG.atInfo()
                    .addKeyValue("namespace", ensemble.getMetadata().getNamespace())
                    .addKeyValue("name", ensemble.getMetadata().getName())
                    .addKeyValue("decision", decision)
                    .log("a person approved the recovery");
            return before;
        }
        boolean ready =
                ensemble.getStatus() != null
                        && decision.equals(World.annotation(world.members(), Labels.RECOVERY))
                        && News.conditions(ensemble.getStatus())
                                .anyMatch(each ->
                                        each.getType().equals("Ready")
                                                && "True".equals(each.getStatus()));
        return ready
                ? before.with(
                        RECOVERED,
                        "the ensemble goes on, with all members; what was put aside is on their"
                                + " volumes",
                        decision)
                : before.with(RECOVERING, "the Ensemble's status tells how far it is", decision);
    }
}
