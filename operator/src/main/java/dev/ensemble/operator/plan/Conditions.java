package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Observed.Voter;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// The conditions of the status.
final class Conditions {
    private final StatusReport.About about;
    private final Observed seen;
    private final Step step;
    private final @Nullable EnsembleStatus before;
    private final String now;

    /// The complete list, in the order of the status.
    enum Type {
        Ready("all members are ready, in sync and up to date"),
        QuorumAvailable("a leader has a quorum behind it"),
        FullyReplicated("every voter that the spec asks for has a vote and is in sync"),
        UpToDate("every member runs what the spec asks for"),
        MembershipStable("every voter is in sync and no change of the members is under way"),
        DisruptionAllowed("the leader lets a member stop, so a node may be drained"),
        StorageHealthy("every volume has the size that the spec asks for"),
        TLSReady("connections are secured as the spec asks, by certificates that are valid"),
        SuperUserReady("every member knows the superuser that the spec names, if it names one"),
        BackupCurrent("every schedule has its last backup; there is no such condition without one"),
        Progressing("the operator does something, or waits to do it"),
        Paused("`spec.paused` is set, and the operator changes nothing"),
        RecoveryRequired(
                "a majority of the members have lost their data, and a person must decide"),
        SpecValid("the spec can work");

        private final String meaning;

        Type(String meaning) {
            this.meaning = meaning;
        }

        String meaning() {
            return meaning;
        }
    }

    Conditions(
            StatusReport.About about,
            Observed seen,
            Step step,
            @Nullable EnsembleStatus before,
            String now) {
        this.about = about;
        this.seen = seen;
        this.step = step;
        this.before = before;
        this.now = now;
    }

    List<Condition> all() {
        List<Condition> conditions = new ArrayList<>();
        for (Type type : Type.values()) {
            if (type == Type.BackupCurrent && about.backups().schedules().isEmpty()) {
                continue;
            }
            conditions.add(condition(type, finding(type)));
        }
        return conditions;
    }

    private Finding finding(Type type) {
        return switch (type) {
            case Ready -> ready();
            case QuorumAvailable -> quorumAvailable();
            case FullyReplicated -> fullyReplicated();
            case UpToDate -> upToDate();
            case MembershipStable -> membershipStable();
            case DisruptionAllowed -> disruptionAllowed();
            case StorageHealthy -> storageHealthy();
            case TLSReady -> CertificateFinding.of(seen, about.rotation(), Instant.parse(now));
            case SuperUserReady -> superUser();
            case BackupCurrent -> about.backups().finding(Instant.parse(now));
            case Progressing -> progressing();
            case Paused -> paused();
            case RecoveryRequired -> recoveryRequired();
            case SpecValid -> specValid();
        };
    }

    private Finding ready() {
        Trouble trouble = about.trouble() != null ? about.trouble() : memberTrouble();
        if (trouble != null) {
            return Finding.not(trouble.reason(), trouble.message());
        }
        if (!seen.bootstrapped() && !about.invalid().isEmpty()) {
            return Finding.not(Reason.Invalid, invalid());
        }
        if (seen.wish().hibernate()) {
            return hibernated();
        }
        if (!seen.bootstrapped()) {
            return Finding.not(Reason.Forming, "Waiting for " + waiting());
        }
        if (seen.leadership() instanceof Leadership.None) {
            return Finding.not(Reason.NoQuorum, "Waiting for " + waiting());
        }
        if (seen.leader() == null
                || seen.voters().stream().anyMatch(each -> !each.ready() || !each.synced())) {
            return Finding.not(Reason.MemberNotReady, "Waiting for " + waiting());
        }
        // What runs is well while the spec cannot work or is not looked at: other conditions tell.
        boolean compared = !about.paused() && about.invalid().isEmpty();
        Finding upToDate = upToDate();
        if (compared && !upToDate.isTrue()) {
            return Finding.not(Reason.NotUpToDate, upToDate.message());
        }
        Finding replicated = fullyReplicated();
        if (compared && !replicated.isTrue()) {
            return Finding.not(Reason.Scaling, replicated.message());
        }
        return Finding.is(Reason.AllMembersReady, "All members are ready, in sync and up to date.");
    }

    private @Nullable Trouble memberTrouble() {
        return seen.expected().stream()
                .map(Member::pod)
                .filter(Objects::nonNull)
                .map(Pod::trouble)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private String waiting() {
        List<String> waiting = Plan.notWell(seen);
        return waiting.isEmpty() ? "its record" : String.join("; ", waiting);
    }

    private String invalid() {
        return String.join("; ", about.invalid());
    }

    private static Finding hibernated() {
        return Finding.not(Reason.Hibernated, "spec.hibernate is set, so no member is to run.");
    }

    private static Finding unknown(Leadership.Unknown leadership) {
        return Finding.unknown(Reason.MembersUnreachable, "Not known: " + leadership.why());
    }

    private Finding none(Leadership.None leadership) {
        return Finding.not(
                seen.bootstrapped() ? Reason.NoQuorum : Reason.Forming,
                "No leader: " + leadership.why());
    }

    private Finding quorumAvailable() {
        return switch (seen.leadership()) {
            case Leadership.Known known ->
                    Finding.is(
                            Reason.QuorumPresent,
                            "Member %d leads; %d of %d voters are in sync, %d are needed."
                                    .formatted(
                                            known.myid(),
                                            known.synced(),
                                            known.configured(),
                                            known.needed()));
            case Leadership.None _ when seen.wish().hibernate() -> hibernated();
            case Leadership.None none -> none(none);
            case Leadership.Unknown unknown -> unknown(unknown);
        };
    }

    private Finding fullyReplicated() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() -> hibernated();
            case Leadership.None none -> none(none);
            case Leadership.Unknown unknown -> unknown(unknown);
            case Leadership.Known known -> {
                Set<Integer> voters = known.configuration().voters();
                List<Member> out = seen.voters().stream().filter(each -> !each.synced()).toList();
                if (!voters.equals(seen.wanted()) || seen.size() != seen.wish().replicas()) {
                    yield Finding.not(
                            Reason.Scaling,
                            "%d voters and %d members, on the way to %d."
                                    .formatted(voters.size(), seen.size(), seen.wish().replicas()));
                }
                yield out.isEmpty()
                        ? Finding.is(Reason.AllVotersSynced, "Every voter is in sync.")
                        : Finding.not(Reason.MemberMissing, "Not in sync: " + Plan.names(out));
            }
        };
    }

    private Finding upToDate() {
        if (!about.invalid().isEmpty()) {
            return Finding.not(
                    Reason.Invalid, "The spec cannot work, so what runs is what ran before.");
        }
        if (about.paused()) {
            return Finding.unknown(
                    Reason.Paused, "spec.paused is set; the operator changes nothing.");
        }
        if (seen.wish().hibernate()) {
            return hibernated();
        }
        List<Member> members = seen.expected();
        List<Member> behind = members.stream().filter(each -> !each.current()).toList();
        return behind.isEmpty() ? loaded() : behind(members, behind);
    }

    private Finding behind(List<Member> members, List<Member> behind) {
        List<Member> failed = members.stream().filter(this::failed).toList();
        long restarted = members.stream().filter(Member::current).count();
        if (!failed.isEmpty() && restarted == failed.size()) {
            return Finding.not(
                    Reason.CanaryFailed,
                    "%s, the first to run what the spec asks for, cannot; no other member is"
                                    .formatted(Plan.names(failed))
                            + " restarted. Correct the spec: it reaches this member first.");
        }
        if (!failed.isEmpty()) {
            return Finding.not(
                    Reason.MemberNotBack,
                    "%s did not come back; no other member is restarted."
                            .formatted(Plan.names(failed)));
        }
        if (seen.wish().manual() && !seen.wish().approved()) {
            return Finding.not(
                    Reason.ManualUpdate,
                    "To be restarted once approved: %s. Approve with: kubectl annotate ens %s -n %s --overwrite ensemble.dev/approved=%s"
                            .formatted(
                                    Plan.names(behind),
                                    about.name(),
                                    about.namespace(),
                                    seen.revision()));
        }
        return Finding.not(
                Reason.RollingRestart, "To be restarted, or on the way: " + Plan.names(behind));
    }

    private boolean failed(Member member) {
        Pod pod = member.pod();
        return pod != null
                && member.current()
                && !pod.ready()
                && (pod.stuck() || pod.readySeconds() > seen.wish().memberTimeoutSeconds());
    }

    private Finding loaded() {
        List<Member> behind = ReloadPlan.behind(seen);
        if (behind.isEmpty()) {
            List<Member> silent = ReloadPlan.silent(seen);
            return silent.isEmpty() || wasUpToDate()
                    ? Finding.is(Reason.AllCurrent, "Every member runs what the spec asks for.")
                    : Finding.unknown(
                            Reason.ConfigUnknown,
                            "Not known which configuration is in force in " + Plan.names(silent));
        }
        boolean late = reloadIsLate();
        List<String> why =
                behind.stream()
                        .map(each -> ReloadPlan.why(each, late))
                        .filter(Objects::nonNull)
                        .toList();
        return why.isEmpty()
                ? Finding.not(
                        Reason.ConfigReloading,
                        "The changed configuration is being taken over by " + Plan.names(behind))
                : Finding.not(
                        Reason.ConfigNotLoaded,
                        "The changed configuration is not in force: " + String.join("; ", why));
    }

    /// Who once said that this spec is in force need not say it again at each look.
    private boolean wasUpToDate() {
        return before != null
                && before.conditions() != null
                && before.conditions().stream()
                        .filter(each -> each.getType().equals(Type.UpToDate.name()))
                        .filter(each -> each.getStatus().equals(Finding.TRUE))
                        .anyMatch(each ->
                                Objects.equals(each.getObservedGeneration(), about.generation()));
    }

    private boolean reloadIsLate() {
        EnsembleStatus.Operation last = before == null ? null : before.operation();
        return last != null
                && last.type().equals(StatusReport.RELOAD)
                && !Instant.parse(now)
                        .isBefore(Instant.parse(last.startedAt()).plus(ReloadPlan.PATIENCE));
    }

    private Finding superUser() {
        String secret = about.superUser();
        if (secret == null) {
            return Finding.is(Reason.NoSuperUser, "spec.auth.superUser is not set.");
        }
        return seen.wish().hibernate() ? hibernated() : SuperUserFinding.of(seen, secret);
    }

    private Finding membershipStable() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() -> hibernated();
            case Leadership.None none -> none(none);
            case Leadership.Unknown unknown -> unknown(unknown);
            case Leadership.Known known -> membership(known);
        };
    }

    private Finding membership(Leadership.Known leader) {
        if (leader.configuration().pending()) {
            return Finding.not(
                    Reason.ReconfigPending, "A change of the configuration is not committed yet.");
        }
        List<Member> out = seen.voters().stream().filter(each -> !each.synced()).toList();
        if (!out.isEmpty()) {
            return Finding.not(Reason.MemberMissing, "Not in sync: " + Plan.names(out));
        }
        List<Member> learners =
                seen.expected().stream().filter(each -> !seen.voters().contains(each)).toList();
        if (!learners.isEmpty()) {
            return Finding.not(
                    seen.wish().replicas() < seen.size() ? Reason.Scaling : Reason.LearnerSyncing,
                    "Without a vote: " + Plan.names(learners));
        }
        return leader.configuration().voters().equals(seen.wanted())
                ? Finding.is(Reason.AllVotersSynced, "Every voter is in sync.")
                : Finding.not(
                        Reason.Scaling,
                        "%d voters, on the way to %d."
                                .formatted(leader.configured(), seen.wish().replicas()));
    }

    private Finding disruptionAllowed() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() -> hibernated();
            case Leadership.None none -> none(none);
            case Leadership.Unknown unknown -> unknown(unknown);
            case Leadership.Known known -> {
                boolean safe =
                        seen.voters().stream()
                                .map(Member::voter)
                                .allMatch(each -> each != null && each.safeToStop());
                yield safe
                        ? Finding.is(Reason.QuorumPresent, "Any one member may stop.")
                        : Finding.not(
                                known.configured() == 1
                                        ? Reason.NoRedundancy
                                        : Reason.MemberMissing,
                                "No synced member may stop now: " + unsafe());
            }
        };
    }

    private String unsafe() {
        return seen.voters().stream()
                .map(Member::voter)
                .filter(Objects::nonNull)
                .filter(each -> !each.safeToStop())
                .map(Voter::reasons)
                .filter(each -> !each.isEmpty())
                .map(List::getFirst)
                .findFirst()
                .orElse("the leader says so");
    }

    private Finding storageHealthy() {
        if (about.growthRefused() != null) {
            return Finding.not(Reason.GrowthRefused, about.growthRefused());
        }
        List<String> growing =
                seen.members().stream()
                        .map(Member::volume)
                        .filter(Objects::nonNull)
                        .filter(each ->
                                each.capacity() > 0
                                        && (each.capacity() < each.requested()
                                                || each.requested() < seen.wish().volumeBytes()))
                        .map(each ->
                                each.claim()
                                        + (each.waiting() == null ? "" : ": " + each.waiting()))
                        .toList();
        return growing.isEmpty()
                ? Finding.is(
                        Reason.VolumesAsWanted, "Every volume has the size that the spec asks for.")
                : Finding.not(Reason.VolumeGrowing, "To grow: " + String.join("; ", growing));
    }

    private Finding progressing() {
        return switch (step) {
            case Step.Nothing _ -> Finding.not(Reason.Settled, "There is nothing to do.");
            case Step.Wait wait ->
                    Finding.is(
                            Reason.Waiting, "Waiting for " + String.join("; ", wait.waitingFor()));
            case Step.MarkBootstrapped _,
                    Step.Restart _,
                    Step.Resize _,
                    Step.ChangeVoters _,
                    Step.HandOver _,
                    Step.GrowVolume _,
                    Step.MoveTls _,
                    Step.ReplaceSet _,
                    Step.DeleteVolume _ ->
                    Finding.is(Reason.Working, StatusReport.doing(step));
        };
    }

    private Finding paused() {
        return about.paused()
                ? Finding.is(Reason.Paused, "spec.paused is set; the operator changes nothing.")
                : Finding.not(Reason.NotPaused, "The operator is at work.");
    }

    /// A majority that answers and holds no data, of an ensemble that has formed: nothing that the
    /// operator may do would bring the data back.
    private Finding recoveryRequired() {
        List<Member> blank =
                seen.expected().stream()
                        .filter(each -> each.said() != null && !each.said().formed())
                        .toList();
        boolean lost =
                seen.bootstrapped()
                        && seen.leader() == null
                        && blank.size() > seen.expected().size() / 2;
        return lost
                ? Finding.is(
                        Reason.MajorityBlank,
                        "%s hold no data, so no quorum can be had. Restore a volume of the others,"
                                        .formatted(Plan.names(blank))
                                + " or delete the Ensemble with its claims to begin anew.")
                : Finding.not(
                        Reason.DataPresent,
                        "No majority of the members has lost its data, as far as is known.");
    }

    private Finding specValid() {
        return about.invalid().isEmpty()
                ? Finding.is(Reason.Valid, "The spec can work.")
                : Finding.not(Reason.Invalid, invalid());
    }

    /// With the time since when its status is what it is.
    private Condition condition(Type type, Finding finding) {
        String since =
                before == null || before.conditions() == null
                        ? now
                        : before.conditions().stream()
                                .filter(each -> each.getType().equals(type.name()))
                                .filter(each -> each.getStatus().equals(finding.status()))
                                .map(Condition::getLastTransitionTime)
                                .findFirst()
                                .orElse(now);
        return new ConditionBuilder()
                .withType(type.name())
                .withStatus(finding.status())
                .withReason(finding.reason().name())
                .withMessage(finding.message())
                .withObservedGeneration(about.generation())
                .withLastTransitionTime(since)
                .build();
    }
}
