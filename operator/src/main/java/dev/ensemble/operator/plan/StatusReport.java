package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Observed.Voter;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The status that tells about what was observed and decided. Equal to the one before it, times and
/// all, if nothing has changed that a person would want to know.
public final class StatusReport {
    private static final String TRUE = "True";
    private static final String FALSE = "False";
    private static final String UNKNOWN = "Unknown";
    private static final int MAX_REASONS = 3;

    private final About about;
    private final @Nullable EnsembleStatus before;
    private final String now;

    /// What the status is about.
    ///
    /// @param invalid what is wrong with the spec, empty if nothing is
    /// @param trouble what hinders the ensemble as a whole, if anything
    /// @param metrics figures, null if no member told any
    public record About(
            String name,
            String namespace,
            long generation,
            boolean paused,
            List<String> invalid,
            @Nullable Trouble trouble,
            @Nullable String ensembleId,
            @Nullable String bootstrapped,
            String clientEndpoint,
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
        List<Condition> conditions = conditions(seen);
        int ready = (int) seen.members().stream().filter(Member::ready).count();
        int pods = (int) seen.members().stream().filter(each -> each.pod() != null).count();
        return new EnsembleStatus(
                about.generation(),
                phase(seen, conditions),
                about.ensembleId(),
                about.bootstrapped(),
                pods,
                ready,
                ready + "/" + seen.replicas(),
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
                                                        Labels.CLIENT_PORT))
                                .toList()),
                about.metrics(),
                conditions);
    }

    private List<Condition> conditions(Observed seen) {
        List<Condition> conditions = new ArrayList<>();
        conditions.add(ready(seen));
        conditions.add(quorumAvailable(seen));
        conditions.add(upToDate(seen));
        conditions.add(membershipStable(seen));
        conditions.add(
                about.invalid().isEmpty()
                        ? condition("SpecValid", TRUE, Reason.Valid, "The spec can work.")
                        : condition(
                                "SpecValid",
                                FALSE,
                                Reason.Invalid,
                                String.join("; ", about.invalid())));
        return conditions;
    }

    private Condition ready(Observed seen) {
        Trouble trouble = about.trouble() != null ? about.trouble() : trouble(seen);
        if (trouble != null) {
            return condition("Ready", FALSE, trouble.reason(), trouble.message());
        }
        if (!seen.bootstrapped() && !about.invalid().isEmpty()) {
            return condition("Ready", FALSE, Reason.Invalid, String.join("; ", about.invalid()));
        }
        if (!seen.bootstrapped()) {
            return condition("Ready", FALSE, Reason.Forming, "Waiting for " + waiting(seen));
        }
        List<String> notReady =
                seen.members().stream().filter(each -> !each.ready()).map(Member::name).toList();
        if (seen.leadership() instanceof Leadership.None) {
            return condition("Ready", FALSE, Reason.NoQuorum, "Waiting for " + waiting(seen));
        }
        if (!notReady.isEmpty() || seen.leader() == null) {
            return condition("Ready", FALSE, Reason.MemberNotReady, "Waiting for " + waiting(seen));
        }
        if (seen.members().stream().anyMatch(each -> !each.synced())) {
            return condition("Ready", FALSE, Reason.MemberNotReady, "Waiting for " + waiting(seen));
        }
        Condition upToDate = upToDate(seen);
        // What runs is well while the spec cannot work: that is told by SpecValid.
        boolean compared = !about.paused() && about.invalid().isEmpty();
        if (compared && !upToDate.getStatus().equals(TRUE)) {
            return condition("Ready", FALSE, Reason.NotUpToDate, upToDate.getMessage());
        }
        return condition(
                "Ready",
                TRUE,
                Reason.AllMembersReady,
                "All members are ready, in sync and up to date.");
    }

    private static @Nullable Trouble trouble(Observed seen) {
        return seen.members().stream()
                .map(Member::pod)
                .filter(Objects::nonNull)
                .map(Pod::trouble)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static String waiting(Observed seen) {
        List<String> waiting = RollPlan.notWell(seen);
        return waiting.isEmpty() ? "its record" : String.join("; ", waiting);
    }

    private Condition quorumAvailable(Observed seen) {
        return switch (seen.leadership()) {
            case Leadership.Known known ->
                    condition(
                            "QuorumAvailable",
                            TRUE,
                            Reason.QuorumPresent,
                            "Member %d leads; %d of %d voters are in sync, %d are needed."
                                    .formatted(
                                            known.myid(),
                                            known.synced(),
                                            known.configured(),
                                            known.needed()));
            case Leadership.None none ->
                    condition(
                            "QuorumAvailable",
                            FALSE,
                            seen.bootstrapped() ? Reason.NoQuorum : Reason.Forming,
                            "No leader: " + none.why());
            case Leadership.Unknown unknown ->
                    condition(
                            "QuorumAvailable",
                            UNKNOWN,
                            Reason.MembersUnreachable,
                            "Not known: " + unknown.why());
        };
    }

    private Condition upToDate(Observed seen) {
        if (!about.invalid().isEmpty()) {
            return condition(
                    "UpToDate",
                    FALSE,
                    Reason.Invalid,
                    "The spec cannot work, so what runs is what ran before.");
        }
        if (about.paused()) {
            return condition(
                    "UpToDate",
                    UNKNOWN,
                    Reason.Paused,
                    "spec.paused is set; the operator changes nothing.");
        }
        List<Member> behind = seen.members().stream().filter(each -> !each.current()).toList();
        List<Member> late =
                seen.members().stream()
                        .filter(each ->
                                each.current()
                                        && !each.ready()
                                        && each.pod() != null
                                        && each.pod().readySeconds() > seen.memberTimeoutSeconds())
                        .toList();
        if (!behind.isEmpty() && !late.isEmpty()) {
            return condition(
                    "UpToDate",
                    FALSE,
                    Reason.MemberNotBack,
                    "%s did not become ready within %d s; no other member is restarted."
                            .formatted(names(late), seen.memberTimeoutSeconds()));
        }
        if (!behind.isEmpty()) {
            return seen.manual()
                    ? condition(
                            "UpToDate",
                            FALSE,
                            Reason.ManualUpdate,
                            "Delete the pods yourself, one after the other: " + names(behind))
                    : condition(
                            "UpToDate",
                            FALSE,
                            Reason.RollingRestart,
                            "To be restarted, or on the way: " + names(behind));
        }
        List<Member> other =
                seen.members().stream()
                        .filter(each ->
                                each.said() != null
                                        && each.said().configHash() != null
                                        && !each.said()
                                                .configHash()
                                                .equals(seen.targetConfigHash()))
                        .toList();
        if (!other.isEmpty()) {
            return condition(
                    "UpToDate",
                    FALSE,
                    Reason.ConfigNotLoaded,
                    "Another configuration is loaded in "
                            + names(other)
                            + "; delete the pod to load the new one.");
        }
        return condition(
                "UpToDate", TRUE, Reason.AllCurrent, "Every member runs what the spec asks for.");
    }

    private Condition membershipStable(Observed seen) {
        Leadership.Known leader = seen.leader();
        if (leader == null) {
            return seen.leadership() instanceof Leadership.Unknown unknown
                    ? condition(
                            "MembershipStable",
                            UNKNOWN,
                            Reason.MembersUnreachable,
                            "Not known: " + unknown.why())
                    : condition(
                            "MembershipStable",
                            FALSE,
                            seen.bootstrapped() ? Reason.NoQuorum : Reason.Forming,
                            "There is no leader.");
        }
        List<Member> out = seen.members().stream().filter(each -> !each.synced()).toList();
        return out.isEmpty() && !leader.pending()
                ? condition(
                        "MembershipStable", TRUE, Reason.AllVotersSynced, "Every voter is in sync.")
                : condition(
                        "MembershipStable",
                        FALSE,
                        Reason.MemberMissing,
                        out.isEmpty()
                                ? "A change of the configuration is under way."
                                : "Not in sync: " + names(out));
    }

    private Condition condition(String type, String status, Reason reason, String message) {
        String since =
                before == null || before.conditions() == null
                        ? now
                        : before.conditions().stream()
                                .filter(each -> each.getType().equals(type))
                                .filter(each -> each.getStatus().equals(status))
                                .map(Condition::getLastTransitionTime)
                                .findFirst()
                                .orElse(now);
        return new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(reason.name())
                .withMessage(message)
                .withObservedGeneration(about.generation())
                .withLastTransitionTime(since)
                .build();
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
        if (!seen.bootstrapped()) {
            return seen.members().stream().allMatch(each -> each.pod() == null)
                    ? "Pending"
                    : "Forming";
        }
        if (FALSE.equals(status.get("QuorumAvailable"))) {
            return "QuorumLost";
        }
        if (FALSE.equals(status.get("UpToDate"))) {
            return "Restarting";
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
            reasons.add("not among the voters of the committed configuration");
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
        if (about.paused()) {
            return null;
        }
        boolean outdated = seen.members().stream().anyMatch(Member::outdated);
        String type = !seen.bootstrapped() ? "Create" : outdated ? "RollingRestart" : "Recover";
        EnsembleStatus.Operation last = before == null ? null : before.operation();
        String since = last != null && last.type().equals(type) ? last.startedAt() : now;
        return switch (step) {
            case Step.Nothing _ -> null;
            case Step.Wait wait ->
                    new EnsembleStatus.Operation(type, "Waiting", null, since, wait.waitingFor());
            case Step.MarkBootstrapped _ ->
                    new EnsembleStatus.Operation(type, "Recording", null, since, null);
            case Step.Restart restart ->
                    new EnsembleStatus.Operation(
                            type,
                            "Restarting",
                            restart.pod(),
                            since,
                            List.of(restart.pod() + " to come back"));
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

    private static String names(List<Member> members) {
        return String.join(", ", members.stream().map(Member::name).toList());
    }
}
