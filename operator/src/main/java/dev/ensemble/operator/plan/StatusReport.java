package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Observed.Voter;

import io.fabric8.kubernetes.api.model.Condition;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The status that tells about what was observed and decided. Equal to the one before it, times and
/// all, if nothing has changed that a person would want to know.
public final class StatusReport {
    private static final String TRUE = "True";
    private static final String FALSE = "False";
    private static final int MAX_REASONS = 3;

    /// Members take over a changed configuration while they run.
    static final String RELOAD = "Reload";

    private final About about;
    private final @Nullable EnsembleStatus before;
    private final String now;

    /// What the status is about.
    ///
    /// @param invalid what is wrong with the spec, empty if nothing is
    /// @param trouble what hinders the ensemble as a whole, if anything
    /// @param growthRefused why the volumes cannot grow, if that is so
    /// @param clientPort port of each member that clients connect to
    /// @param rotation what the rotation of the operator's authority waits for; null if none is
    ///   under way
    /// @param superUser name of the superuser's Secret; null if there is to be none
    /// @param backups the schedules that back it up
    /// @param metrics figures, null if no member told any
    public record About(
            String name,
            String namespace,
            long generation,
            boolean paused,
            List<String> invalid,
            @Nullable Trouble trouble,
            @Nullable String growthRefused,
            @Nullable String ensembleId,
            @Nullable String bootstrapped,
            String clientEndpoint,
            int clientPort,
            @Nullable String rotation,
            @Nullable String superUser,
            Backups backups,
            EnsembleStatus.@Nullable Metrics metrics) {}

    private StatusReport(About about, @Nullable EnsembleStatus before, String now) {
        this.about = about;
        this.before = before;
        this.now = now;
    }

    /// {@return the status}
    ///
    /// @param before the status that is stored, null if there is none
    /// @param now a time as Kubernetes writes it
    public static EnsembleStatus of(
            About about, Observed seen, Step step, @Nullable EnsembleStatus before, String now) {
        return new StatusReport(about, before, now).report(seen, step);
    }

    private EnsembleStatus report(Observed seen, Step step) {
        List<Condition> conditions = new Conditions(about, seen, step, before, now).all();
        int ready = (int) seen.members().stream().filter(Member::ready).count();
        int pods = (int) seen.members().stream().filter(each -> each.pod() != null).count();
        return new EnsembleStatus(
                about.generation(),
                phase(seen, conditions),
                about.ensembleId(),
                about.bootstrapped(),
                pods,
                ready,
                ready + "/" + seen.wish().replicas(),
                Labels.selector(about.name()).entrySet().stream()
                        .map(each -> each.getKey() + "=" + each.getValue())
                        .collect(Collectors.joining(",")),
                quorum(seen),
                leader(seen),
                seen.members().stream().map(each -> member(seen, each)).toList(),
                operation(seen, step),
                versions(seen),
                new EnsembleStatus.Endpoints(
                        about.clientEndpoint(),
                        seen.members().stream()
                                .map(each ->
                                        "%s.%s.%s.svc:%d"
                                                .formatted(
                                                        each.name(),
                                                        Labels.peers(about.name()),
                                                        about.namespace(),
                                                        about.clientPort()))
                                .toList()),
                about.metrics(),
                certificates(seen),
                lastBackup(),
                conditions);
    }

    /// Only what was verified is complete.
    private EnsembleStatus.@Nullable LastBackup lastBackup() {
        Backups.Schedule newest = about.backups().newest();
        return newest == null
                ? null
                : new EnsembleStatus.LastBackup(
                        Objects.requireNonNull(newest.last()),
                        Objects.requireNonNull(newest.lastTime()).toString(),
                        true);
    }

    private static @Nullable List<EnsembleStatus.Certificate> certificates(Observed seen) {
        List<EnsembleStatus.Certificate> all = new ArrayList<>();
        certificates(seen, "members", Observed.Said::links, all);
        certificates(seen, "clients", Observed.Said::clients, all);
        return all.isEmpty() ? null : all;
    }

    private static void certificates(
            Observed seen,
            String use,
            Function<Observed.Said, Observed.@Nullable Shown> which,
            List<EnsembleStatus.Certificate> all) {
        Map<String, List<String>> members = new TreeMap<>();
        Map<String, String> until = new TreeMap<>();
        for (Member member : seen.members()) {
            Observed.Shown shown = member.said() == null ? null : which.apply(member.said());
            if (shown != null) {
                members.computeIfAbsent(shown.fingerprint(), _ -> new ArrayList<>())
                        .add(member.name());
                until.put(shown.fingerprint(), shown.notAfter().toString());
            }
        }
        members.forEach((fingerprint, names) ->
                all.add(
                        new EnsembleStatus.Certificate(
                                use,
                                fingerprint,
                                Objects.requireNonNull(until.get(fingerprint)),
                                names)));
    }

    private String phase(Observed seen, List<Condition> conditions) {
        Map<String, String> status =
                conditions.stream()
                        .collect(Collectors.toMap(Condition::getType, Condition::getStatus));
        if (about.paused()) {
            return "Paused";
        }
        if (!about.invalid().isEmpty()) {
            return "Invalid";
        }
        if (seen.wish().hibernate()) {
            return "Hibernated";
        }
        if (!seen.bootstrapped()) {
            return seen.members().stream().allMatch(each -> each.pod() == null)
                    ? "Pending"
                    : "Forming";
        }
        if (FALSE.equals(status.get("QuorumAvailable"))) {
            return "QuorumLost";
        }
        if (FALSE.equals(status.get("UpToDate"))) {
            return ReloadPlan.behind(seen).isEmpty()
                            || seen.expected().stream().anyMatch(each -> !each.current())
                    ? "Restarting"
                    : "Reloading";
        }
        Condition replicated =
                conditions.stream()
                        .filter(each -> each.getType().equals("FullyReplicated"))
                        .findFirst()
                        .orElseThrow();
        if (replicated.getReason().equals(Reason.Scaling.name())) {
            return "Scaling";
        }
        return TRUE.equals(status.get("Ready")) ? "Running" : "Degraded";
    }

    private static EnsembleStatus.@Nullable Quorum quorum(Observed seen) {
        Leadership.Known leader = seen.leader();
        return leader == null
                ? null
                : new EnsembleStatus.Quorum(
                        leader.configured(), leader.needed(), leader.synced(), leader.canLose());
    }

    private EnsembleStatus.@Nullable Leader leader(Observed seen) {
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return null;
        }
        EnsembleStatus.Leader last = before == null ? null : before.leader();
        boolean same =
                last != null && last.myid() == leader.myid() && last.epoch() == leader.epoch();
        String pod =
                seen.members().stream()
                        .filter(each -> each.myid() == leader.myid())
                        .map(Member::name)
                        .findFirst()
                        .orElse("myid " + leader.myid());
        return new EnsembleStatus.Leader(
                pod,
                leader.myid(),
                leader.epoch(),
                same ? Objects.requireNonNull(last).since() : now);
    }

    private static EnsembleStatus.Member member(Observed seen, Member member) {
        Voter voter = member.voter();
        Pod pod = member.pod();
        Observed.Said said = member.said();
        List<String> reasons = new ArrayList<>();
        if (pod != null && pod.trouble() != null) {
            reasons.add(pod.trouble().message());
        }
        if (voter != null) {
            reasons.addAll(voter.reasons());
        } else if (seen.leader() != null) {
            reasons.add(
                    member.learner() == null
                            ? "not among the voters of the committed configuration"
                            : "follows without a vote");
        }
        if (said != null) {
            reasons.addAll(said.warnings());
        } else if (member.silence() != null && pod != null) {
            reasons.add(member.silence());
        }
        return new EnsembleStatus.Member(
                member.myid(),
                member.name(),
                said == null ? "unknown" : said.role(),
                member.ready(),
                voter == null ? null : (Boolean) voter.synced(),
                voter == null || voter.lag() == null ? null : bucket(voter.lag()),
                voter == null ? null : (Boolean) voter.safeToStop(),
                reasons.isEmpty() ? null : reasons.stream().limit(MAX_REASONS).toList(),
                said == null ? null : said.incarnation(),
                said == null ? null : said.version(),
                said == null ? null : said.configHash(),
                member.current(),
                pod == null ? null : pod.node(),
                pod == null ? 0 : pod.restarts());
    }

    /// Wide enough that an ensemble at work stays in the first one.
    private static String bucket(long lag) {
        if (lag < 1000) {
            return "<1000";
        }
        return lag < 100_000 ? "<100k" : "100k or more";
    }

    private EnsembleStatus.@Nullable Operation operation(Observed seen, Step step) {
        if (about.paused() || step instanceof Step.Nothing) {
            return null;
        }
        String type = type(seen, step);
        EnsembleStatus.Operation last = before == null ? null : before.operation();
        String since = last != null && last.type().equals(type) ? last.startedAt() : now;
        return switch (step) {
            case Step.Wait wait ->
                    new EnsembleStatus.Operation(type, "Waiting", null, since, wait.waitingFor());
            case Step.Restart restart ->
                    new EnsembleStatus.Operation(
                            type,
                            "Restarting",
                            restart.pod(),
                            since,
                            List.of(restart.pod() + " to come back"));
            case Step.Nothing _,
                    Step.MarkBootstrapped _,
                    Step.Resize _,
                    Step.ChangeVoters _,
                    Step.HandOver _,
                    Step.MoveTls _,
                    Step.GrowVolume _,
                    Step.ReplaceSet _,
                    Step.DeleteVolume _ ->
                    new EnsembleStatus.Operation(type, doing(step), null, since, null);
        };
    }

    private static String type(Observed seen, Step step) {
        if (seen.wish().hibernate()) {
            return "Hibernate";
        }
        if (!seen.bootstrapped()) {
            return "Create";
        }
        if (step instanceof Step.GrowVolume || step instanceof Step.ReplaceSet) {
            return "GrowVolumes";
        }
        if (seen.expected().stream().anyMatch(Member::outdated)) {
            return "RollingRestart";
        }
        Leadership.Known leader = seen.leader();
        int voters = leader == null ? seen.size() : leader.configuration().voters().size();
        int wanted = seen.wish().replicas();
        if (Math.max(voters, seen.size()) > wanted || step instanceof Step.DeleteVolume) {
            return "ScaleDown";
        }
        if (Math.min(voters, seen.size()) < wanted) {
            return "ScaleUp";
        }
        boolean well = Plan.notWell(seen).isEmpty();
        return well && !ReloadPlan.behind(seen).isEmpty() ? RELOAD : "Recover";
    }

    /// {@return what a step does, in words for people}
    static String doing(Step step) {
        return switch (step) {
            case Step.Nothing _ -> "Nothing";
            case Step.Wait _ -> "Waiting";
            case Step.MarkBootstrapped _ -> "Recording that it has formed";
            case Step.Restart restart -> "Restarting " + restart.pod();
            case Step.Resize resize -> "Going to %d members".formatted(resize.to());
            case Step.ChangeVoters change ->
                    change.add().isEmpty()
                            ? "Taking the votes of members " + change.remove()
                            : "Giving votes to members " + change.add();
            case Step.MoveTls move -> "TLS: " + move.to().says();
            case Step.HandOver handOver -> "Handing over to member " + handOver.to();
            case Step.GrowVolume grow -> "Growing " + grow.claim();
            case Step.ReplaceSet _ -> "Replacing the StatefulSet under its pods";
            case Step.DeleteVolume delete -> "Deleting " + delete.claim();
        };
    }

    private static EnsembleStatus.Versions versions(Observed seen) {
        TreeSet<String> versions = new TreeSet<>();
        for (Member member : seen.members()) {
            if (member.said() != null && member.said().version() != null) {
                versions.add(member.said().version());
            }
        }
        return new EnsembleStatus.Versions(
                versions.isEmpty() ? null : String.join(",", versions), seen.targetImage());
    }
}
