package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.EnsembleBackupScheduleStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.SpecRules;
import dev.ensemble.operator.certificates.Maker;
import dev.ensemble.operator.certificates.Rotation;
import dev.ensemble.operator.desired.ClientService;
import dev.ensemble.operator.desired.Desired;
import dev.ensemble.operator.desired.InvalidSpec;
import dev.ensemble.operator.desired.RestoreJob;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.desired.ZooCfg;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Outcome;
import dev.ensemble.operator.plan.Backups;
import dev.ensemble.operator.plan.Figures;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Reason;
import dev.ensemble.operator.plan.StatusReport;
import dev.ensemble.operator.plan.Step;
import dev.ensemble.operator.plan.Windows;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/// One pass over one resource: what is, what should be, one step, the status. It may end anywhere,
/// by an error or with the process: the next one looks again.
final class Pass {
    private static final Logger LOG = LoggerFactory.getLogger(Pass.class);

    /// What a pass works with.
    ///
    /// @param image the server's image where a spec names none
    /// @param maker makes keys and certificates
    /// @param rendering makes the objects
    /// @param planner decides
    record Tools(
            EnsembleClient ensemble,
            Observation observation,
            Events events,
            Gauges gauges,
            Notes notes,
            Clock clock,
            Wanted.Defaults image,
            Maker maker,
            Rendering rendering,
            Function<Observed, Step> planner) {}

    /// From all that objects are made of to the objects.
    interface Rendering {
        Desired of(Wanted wanted) throws InvalidSpec;
    }

    private final Tools tools;
    private final Cluster cluster;
    private final Troubles troubles;
    private final Ensemble resource;
    private EnsembleSpec spec;
    private final String name;
    private final String namespace;
    private final Instant now;
    private @Nullable Trouble trouble;
    private @Nullable String bootstrapped;
    private final Securing securing;
    private Step step = new Step.Nothing();

    Pass(Tools tools, Cluster cluster, Ensemble resource) {
        this.tools = tools;
        this.cluster = cluster;
        this.troubles = new Troubles(cluster);
        this.resource = resource;
        this.spec = resource.getSpec() == null ? EnsembleSpec.defaults() : resource.getSpec();
        this.name = resource.getMetadata().getName();
        this.namespace = resource.getMetadata().getNamespace();
        this.now = tools.clock().instant().truncatedTo(ChronoUnit.SECONDS);
        this.securing =
                new Securing(
                        cluster,
                        tools.maker(),
                        now,
                        done -> tell(Events.What.CertificatesChanged, done));
    }

    boolean steady() {
        return step instanceof Step.Nothing && trouble == null;
    }

    EnsembleStatus run() {
        World world = cluster.read(namespace, name);
        List<String> ids = world.ensembleIds(resource);
        bootstrapped = world.bootstrapped(resource);
        if (world.restoring() != null) {
            spec = spec.asleep();
        }
        String template = world.template();
        Wanted wanted =
                new Wanted(
                        name,
                        namespace,
                        resource.getMetadata().getUid(),
                        spec,
                        ids.getFirst(),
                        bootstrapped,
                        world.recovery(),
                        world.size(name, spec.replicas()),
                        template == null ? spec.storage().log().size() : template,
                        new Wanted.Security(world.tls(name, spec), world.plainPods()),
                        tools.image());
        List<String> invalid = new ArrayList<>();
        SpecRules.problems(name, spec).forEach(each -> invalid.add(each.toString()));
        windows(invalid);
        Desired desired = null;
        try {
            desired = tools.rendering().of(wanted);
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
        boolean free = desired != null && invalid.isEmpty() && !spec.paused() && trouble == null;
        if (free) {
            securing.issue(wanted);
        }
        boolean applied = free && apply(Objects.requireNonNull(desired), world, wanted);
        String revision = revision(desired, world, free);
        Observation.Seen seen =
                tools.observation()
                        .of(world, troubles, wanted, wish(revision, world), revision, now);
        if (applied) {
            step = new Step.Wait(List.of("what was just applied to take effect"));
        } else if (free && world.leaving()) {
            step = new Step.Wait(List.of("the old StatefulSet to go"));
        } else if (free && restoring()) {
            restore(world, wanted);
        } else if (free) {
            step =
                    mayBegin(world)
                            ? tools.planner().apply(seen.observed())
                            : securing.waitForIssue();
            perform(step, world, wanted, seen);
        }
        if (free && trouble == null) {
            renew(wanted, seen.observed());
        }
        if (trouble == null && world.restoring() != null) {
            trouble =
                    new Trouble(
                            Reason.RestoringInPlace,
                            "a backup is put in place by the recovery "
                                    + world.restoring()
                                    + ", and no member may run until that is done; the"
                                    + " EnsembleRecovery tells how far it is");
        }
        if (trouble == null) {
            trouble = securing.trouble(seen.observed().tls());
        }
        StatefulSet members = world.members();
        if (trouble == null
                && members != null
                && world.pods().size()
                        < Objects.requireNonNullElse(members.getSpec().getReplicas(), 0)) {
            trouble = troubles.refused(members);
            if (trouble != null && step instanceof Step.Wait(List<String> others)) {
                List<String> waiting = new ArrayList<>(List.of(trouble.message()));
                waiting.addAll(others);
                step = new Step.Wait(waiting);
            }
        }
        tools.gauges().update(resource, seen.observed(), step);
        return report(invalid, wanted, seen);
    }

    /// {@return whether the first member's volume is still to be made of a backup}
    private boolean restoring() {
        return spec.bootstrap() != null && bootstrapped == null;
    }

    /// The volume gets the record that the ensemble has formed, since it holds the data of one:
    /// from there on its member leads, and the others, blank, can only learn from it.
    private void restore(World world, Wanted wanted) {
        EnsembleSpec.FromBackup source =
                Objects.requireNonNull(spec.bootstrap(), "checked before").fromBackup();
        PersistentVolumeClaim claim = RestoreJob.claim(wanted, 0);
        Cluster.Restore state;
        try {
            state = cluster.restore(claim, RestoreJob.of(wanted, source));
        } catch (InvalidSpec e) {
            throw new AssertionError("the same spec was valid for the members", e);
        }
        switch (state) {
            case Cluster.Restore.Under(String why) ->
                    step = new Step.Wait(List.of("the backup to be restored: " + why));
            case Cluster.Restore.Failed(String why) ->
                    trouble = new Trouble(Reason.RestoreFailed, why);
            case Cluster.Restore.Done _ -> {
                PersistentVolumeClaim there = world.claims().get(claim.getMetadata().getName());
                step = new Step.Wait(List.of("the restored volume"));
                if (there != null) {
                    cluster.annotate(there, Map.of(Labels.BOOTSTRAPPED, now.toString()));
                    tell(Events.What.Restored, "The ensemble begins with " + source.text());
                    bootstrapped = now.toString();
                }
            }
        }
    }

    private void windows(List<String> invalid) {
        List<EnsembleSpec.MaintenanceWindow> windows = spec.update().maintenanceWindows();
        for (int i = 0; windows != null && i < windows.size(); i++) {
            String problem = Windows.problem(windows.get(i));
            if (problem != null) {
                invalid.add("spec.update.maintenanceWindows[%d]: %s".formatted(i, problem));
            }
        }
    }

    private Observed.Wish wish(String revision, World world) {
        Notes.Note note = tools.notes().of(resource);
        List<EnsembleSpec.MaintenanceWindow> windows = spec.update().maintenanceWindows();
        return new Observed.Wish(
                spec.replicas(),
                spec.firstMyid(),
                spec.update().strategy() == EnsembleSpec.Strategy.Manual,
                revision.equals(World.annotation(resource, Labels.APPROVED)),
                Windows.closed(windows, now),
                spec.update().leader() == EnsembleSpec.Leader.TransferFirst
                        && !note.handOverRefused(now),
                spec.hibernate(),
                note.growthRefused(now) == null ? spec.storage().log().bytes() : 0,
                spec.storage().retention().whenScaled() == EnsembleSpec.Keep.Delete,
                spec.update().minReadySeconds(),
                spec.update().memberTimeoutSeconds(),
                world.untoldSurvivor(name, spec.firstMyid()));
    }

    /// What the pods should be made of; while the spec is not acted on, what they are made of.
    private static String revision(@Nullable Desired desired, World world, boolean free) {
        String is = World.annotation(world.members(), Labels.REVISION);
        String should =
                desired == null ? null : World.annotation(desired.members(), Labels.REVISION);
        return should != null && free ? should : is == null ? "" : is;
    }

    /// Base objects and StatefulSet: no gate, since none of it restarts a member.
    private boolean apply(Desired desired, World world, Wanted wanted) {
        List<String> changed = new ArrayList<>();
        try {
            if (world.members() == null) {
                // Before the pods that need them.
                securing.sign(wanted, wanted.security().stage(), Rotation.Loaded.UNKNOWN);
            }
            for (HasMetadata each : desired.base()) {
                HasMetadata there =
                        each instanceof ConfigMap ? world.config() : cluster.cached(each);
                if (each instanceof NetworkPolicy
                        && there == null
                        && !spec.networkPolicy().enabled()) {
                    continue;
                }
                if (cluster.apply(each, there)) {
                    changed.add(each.getKind() + " " + each.getMetadata().getName());
                }
            }
            if (!restoring()
                    && !world.leaving()
                    && mayBegin(world)
                    && cluster.apply(desired.members(), world.members())) {
                changed.add("StatefulSet " + name);
                sleepOrWake(world);
            }
        } catch (Cluster.NotOurs e) {
            trouble = new Trouble(Reason.ApiError, Objects.requireNonNull(e.getMessage()));
        }
        // A claim that was made after the ensemble formed, since its volume was lost.
        for (PersistentVolumeClaim claim : world.claims().values()) {
            if (bootstrapped != null && World.annotation(claim, Labels.BOOTSTRAPPED) == null) {
                cluster.annotate(claim, Map.of(Labels.BOOTSTRAPPED, bootstrapped));
                changed.add("PersistentVolumeClaim " + claim.getMetadata().getName());
            }
            String recovery = world.recovery();
            if (recovery != null && !recovery.equals(World.annotation(claim, Labels.RECOVERY))) {
                cluster.annotate(claim, Map.of(Labels.RECOVERY, recovery));
                changed.add("PersistentVolumeClaim " + claim.getMetadata().getName());
            }
        }
        if (!changed.isEmpty()) {
            tell(Events.What.Applied, "Applied " + String.join(", ", changed));
        }
        return !changed.isEmpty();
    }

    /// No member can start without its certificate, so none is made; later a certificate that is
    /// not there holds up nothing but a step of TLS.
    private boolean mayBegin(World world) {
        return world.members() != null || bootstrapped != null || securing.issued();
    }

    /// What the operator's own authority signs.
    private void renew(Wanted wanted, Observed seen) {
        try {
            step = securing.renew(wanted, seen, step);
        } catch (Cluster.NotOurs e) {
            trouble = new Trouble(Reason.ApiError, Objects.requireNonNull(e.getMessage()));
        }
    }

    /// Keys first, then the file, then the template: nobody starts without what the file names.
    private void moveTls(Step.MoveTls move, World world, Wanted wanted) {
        try {
            securing.sign(wanted, move.to(), Rotation.Loaded.UNKNOWN);
            Desired next = tools.rendering().of(wanted.withStage(move.to()));
            cluster.apply(next.config(), world.config());
            cluster.apply(next.members(), world.members());
        } catch (InvalidSpec e) {
            throw new AssertionError("the same spec at another stage was valid", e);
        } catch (Cluster.NotOurs e) {
            trouble = new Trouble(Reason.ApiError, Objects.requireNonNull(e.getMessage()));
            return;
        }
        tell(Events.What.TlsMoved, "To speak from here on: " + move.to().says());
    }

    private void sleepOrWake(World world) {
        StatefulSet members = world.members();
        if (members == null) {
            return;
        }
        boolean slept = Objects.requireNonNullElse(members.getSpec().getReplicas(), 0) == 0;
        if (spec.hibernate() && !slept) {
            tell(
                    Events.What.Hibernated,
                    world.restoring() == null
                            ? "spec.hibernate is set: no member is to run"
                            : "A backup is put in place: no member is to run until that is done");
        } else if (slept && !spec.hibernate()) {
            tell(
                    Events.What.Resumed,
                    "Nothing keeps the members from running any more: they come back");
        }
    }

    private void perform(Step decided, World world, Wanted wanted, Observation.Seen seen) {
        switch (decided) {
            case Step.Nothing _, Step.Wait _ -> {}
            case Step.MarkBootstrapped _ -> markBootstrapped(world);
            case Step.Restart restart -> restart(restart, seen.observed());
            case Step.Resize resize -> resize(resize, world, wanted);
            case Step.ChangeVoters change -> {
                // An old answer might still show members that are on their way out.
                if (world.members() != null && cluster.unchanged(world.members())) {
                    changeVoters(change, wanted, seen);
                } else {
                    step = new Step.Wait(List.of("a fresh look at the StatefulSet"));
                }
            }
            case Step.MoveTls move -> {
                if (securing.issued()) {
                    moveTls(move, world, wanted);
                } else {
                    step = securing.waitForIssue();
                }
            }
            case Step.HandOver handOver -> handOver(handOver, wanted, seen);
            case Step.GrowVolume grow -> grow(grow, world);
            case Step.ReplaceSet _ -> replaceSet(Objects.requireNonNull(world.members()));
            case Step.DeleteVolume delete -> deleteVolume(delete);
        }
    }

    private void markBootstrapped(World world) {
        String time = now.toString();
        // The claims first: they outlive the resource and everything else.
        world.claims()
                .values()
                .forEach(claim -> cluster.annotate(claim, Map.of(Labels.BOOTSTRAPPED, time)));
        tell(Events.What.Bootstrapped, "The ensemble has formed; it never forms anew from here on");
        bootstrapped = time;
    }

    private void restart(Step.Restart restart, Observed seen) {
        boolean done =
                switch (restart.how()) {
                    case EVICT -> cluster.evict(namespace, restart.pod(), restart.uid());
                    case DELETE -> cluster.delete(namespace, restart.pod(), restart.uid());
                };
        LOG.atInfo()
                .addKeyValue("namespace", namespace)
                .addKeyValue("pod", restart.pod())
                .addKeyValue("how", restart.how())
                .addKeyValue("done", done)
                .log(restart.why());
        if (!done) {
            if (restart.how() == Step.How.EVICT) {
                refused(
                        Events.What.BudgetRefused,
                        "The disruption budget does not allow to restart %s now"
                                .formatted(restart.pod()));
            }
            return;
        }
        tools.events().over(resource, Events.What.BudgetRefused);
        tools.gauges().restarted(resource, restart.how());
        boolean only =
                seen.leadership() instanceof Observed.Leadership.Known known
                        && known.configured() == 1
                        && known.myid() == restart.myid();
        tell(
                only
                        ? Events.What.OnlyMember
                        : restart.how() == Step.How.EVICT
                                ? Events.What.MemberEvicted
                                : Events.What.MemberDeleted,
                "Restarting %s: %s".formatted(restart.pod(), restart.why()));
    }

    /// The file first: a new member must find itself in it.
    private void resize(Step.Resize resize, World world, Wanted wanted) {
        try {
            Desired next = tools.rendering().of(wanted.withSize(resize.to()));
            cluster.apply(next.config(), world.config());
            cluster.apply(next.members(), world.members());
        } catch (InvalidSpec e) {
            throw new AssertionError("the same spec with another number was valid", e);
        }
        tell(
                Events.What.Resized,
                "There are to be %d members instead of %d".formatted(resize.to(), resize.from()));
    }

    private void changeVoters(Step.ChangeVoters change, Wanted wanted, Observation.Seen seen) {
        SortedMap<Integer, String> add = new TreeMap<>();
        ZooCfg.voters(name, namespace, spec.firstMyid(), wanted.size()).stream()
                .filter(each -> change.add().contains(each.myid()))
                .forEach(each -> add.put(each.myid(), each.line()));
        URI leader = Objects.requireNonNull(seen.admins().get(change.leader()));
        Outcome outcome =
                tools.ensemble()
                        .changeVoters(
                                leader,
                                wanted.ensembleId(),
                                new EnsembleClient.Change(change.version(), add, change.remove()));
        String what =
                change.add().isEmpty()
                        ? "take the votes of " + pods(change.remove())
                        : "give votes to " + pods(change.add());
        switch (outcome) {
            case Outcome.Done _ -> {
                tools.events().over(resource, Events.What.ServerRefused);
                tell(Events.What.VotersChanged, "The leader was asked to " + what);
            }
            case Outcome.Refused(String why) ->
                    refused(
                            Events.What.ServerRefused,
                            "The leader refused to %s: %s".formatted(what, why));
            case Outcome.Unknown(String why) ->
                    step =
                            new Step.Wait(
                                    List.of("news of the request to %s: %s".formatted(what, why)));
        }
    }

    private String pods(List<Integer> myids) {
        return String.join(
                " and ",
                myids.stream().map(each -> Labels.pod(name, each - spec.firstMyid())).toList());
    }

    private void handOver(Step.HandOver handOver, Wanted wanted, Observation.Seen seen) {
        URI leader = Objects.requireNonNull(seen.admins().get(handOver.from()));
        Outcome outcome = tools.ensemble().handOver(leader, wanted.ensembleId(), handOver.to());
        String to = pods(List.of(handOver.to()));
        switch (outcome) {
            case Outcome.Done _ -> {
                tools.events().over(resource, Events.What.ServerRefused);
                tell(
                        Events.What.HandOver,
                        "%s was asked to let %s lead: %s"
                                .formatted(pods(List.of(handOver.from())), to, handOver.why()));
            }
            case Outcome.Refused(String why) -> {
                tools.notes().of(resource).refuseHandOver(now);
                refused(
                        Events.What.ServerRefused,
                        "The leader refused to let %s lead: %s".formatted(to, why));
            }
            case Outcome.Unknown(String why) ->
                    step = new Step.Wait(List.of("news of the hand-over to " + to + ": " + why));
        }
    }

    private void grow(Step.GrowVolume grow, World world) {
        PersistentVolumeClaim claim = Objects.requireNonNull(world.claims().get(grow.claim()));
        String refusal = cluster.grow(claim, grow.bytes());
        if (refusal != null) {
            tools.notes().of(resource).refuseGrowth(now, refusal);
            step = new Step.Wait(List.of(grow.claim() + " to grow: " + refusal));
            return;
        }
        tell(
                Events.What.VolumeGrows,
                "Volume claim %s asks for %s now"
                        .formatted(grow.claim(), spec.storage().log().size()));
    }

    private void replaceSet(StatefulSet members) {
        if (cluster.orphan(members)) {
            tell(
                    Events.What.SetReplaced,
                    "The StatefulSet is replaced under its running pods, so that new volumes have"
                            + " the new size");
        }
    }

    private void deleteVolume(Step.DeleteVolume delete) {
        if (cluster.deleteClaim(namespace, delete.claim(), delete.uid())) {
            tell(
                    Events.What.VolumeDeleted,
                    "Deleted volume claim %s: its member was removed, and".formatted(delete.claim())
                            + " spec.storage.retention.whenScaled is Delete");
        }
    }

    private void refused(Events.What what, String message) {
        step = new Step.Wait(List.of(message));
        tools.events().tellOnce(cluster, resource, what, what.name(), message);
    }

    private void tell(Events.What what, String message) {
        tools.events().tell(cluster, resource, what, message);
    }

    private EnsembleStatus report(List<String> invalid, Wanted wanted, Observation.Seen seen) {
        EnsembleStatus before = resource.getStatus();
        EnsembleStatus.Metrics shown = before == null ? null : before.metrics();
        String growth = tools.notes().of(resource).growthRefused(now);
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
                                growth,
                                wanted.ensembleId(),
                                bootstrapped,
                                ClientService.endpoint(wanted),
                                ClientService.port(wanted),
                                securing.rotation(),
                                spec.superUserSecret(),
                                backups(),
                                seen.metrics() == null
                                        ? shown
                                        : Figures.next(shown, seen.metrics())),
                        seen.observed(),
                        step,
                        before,
                        now.toString());
        tools.gauges().backups(resource, status);
        new News(tools, cluster, resource).tell(before, status, invalid, trouble);
        return status;
    }

    private Backups backups() {
        return new Backups(
                cluster.schedules().stream()
                        .filter(each -> each.getMetadata().getDeletionTimestamp() == null)
                        .filter(each -> each.getSpec() != null)
                        .map(this::schedule)
                        .sorted(Comparator.comparing(Backups.Schedule::name))
                        .toList());
    }

    private Backups.Schedule schedule(EnsembleBackupSchedule each) {
        EnsembleBackupScheduleStatus status = each.getStatus();
        String made = each.getMetadata().getCreationTimestamp();
        String last = status == null ? null : status.lastCompleteTime();
        return new Backups.Schedule(
                each.getMetadata().getName(),
                each.getSpec().cron(),
                each.getSpec().tz(),
                each.getSpec().suspend(),
                made == null ? now : Instant.parse(made),
                status == null ? null : status.lastComplete(),
                last == null ? null : Instant.parse(last),
                status == null || status.message() == null
                        ? "the operator has not looked at it yet"
                        : status.message());
    }
}
