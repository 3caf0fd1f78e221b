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

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// The conditions of the status.
final class Conditions {
    private static final String TRUE = "True";
    private static final String FALSE = "False";
    private static final String UNKNOWN = "Unknown";

    /// A certificate with less time left is late: ours are renewed with 30 days left.
    private static final Duration ALARM = Duration.ofDays(3);

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
            conditions.add(
                    switch (type) {
                        case Ready -> ready();
                        case QuorumAvailable -> quorumAvailable();
                        case FullyReplicated -> fullyReplicated();
                        case UpToDate -> upToDate();
                        case MembershipStable -> membershipStable();
                        case DisruptionAllowed -> disruptionAllowed();
                        case StorageHealthy -> storageHealthy();
                        case TLSReady -> tlsReady();
                        case SuperUserReady -> superUser();
                        case BackupCurrent -> backupCurrent();
                        case Progressing -> progressing();
                        case Paused -> paused();
                        case RecoveryRequired -> recoveryRequired();
                        case SpecValid -> specValid();
                    });
        }
        return conditions;
    }

    private Condition ready() {
        Trouble trouble = about.trouble() != null ? about.trouble() : memberTrouble();
        if (trouble != null) {
            return condition(Type.Ready, FALSE, trouble.reason(), trouble.message());
        }
        if (!seen.bootstrapped() && !about.invalid().isEmpty()) {
            return condition(Type.Ready, FALSE, Reason.Invalid, invalid());
        }
        if (seen.wish().hibernate()) {
            return hibernated(Type.Ready);
        }
        if (!seen.bootstrapped()) {
            return condition(Type.Ready, FALSE, Reason.Forming, "Waiting for " + waiting());
        }
        if (seen.leadership() instanceof Leadership.None) {
            return condition(Type.Ready, FALSE, Reason.NoQuorum, "Waiting for " + waiting());
        }
        if (seen.leader() == null
                || seen.voters().stream().anyMatch(each -> !each.ready() || !each.synced())) {
            return condition(Type.Ready, FALSE, Reason.MemberNotReady, "Waiting for " + waiting());
        }
        // What runs is well while the spec cannot work or is not looked at: other conditions tell.
        boolean compared = !about.paused() && about.invalid().isEmpty();
        Condition upToDate = upToDate();
        if (compared && !upToDate.getStatus().equals(TRUE)) {
            return condition(Type.Ready, FALSE, Reason.NotUpToDate, upToDate.getMessage());
        }
        Condition replicated = fullyReplicated();
        if (compared && !replicated.getStatus().equals(TRUE)) {
            return condition(Type.Ready, FALSE, Reason.Scaling, replicated.getMessage());
        }
        return condition(
                Type.Ready,
                TRUE,
                Reason.AllMembersReady,
                "All members are ready, in sync and up to date.");
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

    private Condition hibernated(Type type) {
        return condition(
                type, FALSE, Reason.Hibernated, "spec.hibernate is set, so no member is to run.");
    }

    private Condition unknown(Type type, Leadership.Unknown leadership) {
        return condition(
                type, UNKNOWN, Reason.MembersUnreachable, "Not known: " + leadership.why());
    }

    private Condition none(Type type, Leadership.None leadership) {
        return condition(
                type,
                FALSE,
                seen.bootstrapped() ? Reason.NoQuorum : Reason.Forming,
                "No leader: " + leadership.why());
    }

    private Condition quorumAvailable() {
        return switch (seen.leadership()) {
            case Leadership.Known known ->
                    condition(
                            Type.QuorumAvailable,
                            TRUE,
                            Reason.QuorumPresent,
                            "Member %d leads; %d of %d voters are in sync, %d are needed."
                                    .formatted(
                                            known.myid(),
                                            known.synced(),
                                            known.configured(),
                                            known.needed()));
            case Leadership.None _ when seen.wish().hibernate() -> hibernated(Type.QuorumAvailable);
            case Leadership.None none -> none(Type.QuorumAvailable, none);
            case Leadership.Unknown unknown -> unknown(Type.QuorumAvailable, unknown);
        };
    }

    private Condition fullyReplicated() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() -> hibernated(Type.FullyReplicated);
            case Leadership.None none -> none(Type.FullyReplicated, none);
            case Leadership.Unknown unknown -> unknown(Type.FullyReplicated, unknown);
            case Leadership.Known known -> {
                Set<Integer> voters = known.configuration().voters();
                List<Member> out = seen.voters().stream().filter(each -> !each.synced()).toList();
                if (!voters.equals(seen.wanted()) || seen.size() != seen.wish().replicas()) {
                    yield condition(
                            Type.FullyReplicated,
                            FALSE,
                            Reason.Scaling,
                            "%d voters and %d members, on the way to %d."
                                    .formatted(voters.size(), seen.size(), seen.wish().replicas()));
                }
                yield out.isEmpty()
                        ? condition(
                                Type.FullyReplicated,
                                TRUE,
                                Reason.AllVotersSynced,
                                "Every voter is in sync.")
                        : condition(
                                Type.FullyReplicated,
                                FALSE,
                                Reason.MemberMissing,
                                "Not in sync: " + Plan.names(out));
            }
        };
    }

    private Condition upToDate() {
        if (!about.invalid().isEmpty()) {
            return condition(
                    Type.UpToDate,
                    FALSE,
                    Reason.Invalid,
                    "The spec cannot work, so what runs is what ran before.");
        }
        if (about.paused()) {
            return condition(
                    Type.UpToDate,
                    UNKNOWN,
                    Reason.Paused,
                    "spec.paused is set; the operator changes nothing.");
        }
        if (seen.wish().hibernate()) {
            return hibernated(Type.UpToDate);
        }
        List<Member> members = seen.expected();
        List<Member> behind = members.stream().filter(each -> !each.current()).toList();
        return behind.isEmpty() ? loaded() : behind(members, behind);
    }

    private Condition behind(List<Member> members, List<Member> behind) {
        List<Member> failed = members.stream().filter(this::failed).toList();
        long restarted = members.stream().filter(Member::current).count();
        if (!failed.isEmpty() && restarted == failed.size()) {
            return condition(
                    Type.UpToDate,
                    FALSE,
                    Reason.CanaryFailed,
                    "%s, the first to run what the spec asks for, cannot; no other member is"
                                    .formatted(Plan.names(failed))
                            + " restarted. Correct the spec: it reaches this member first.");
        }
        if (!failed.isEmpty()) {
            return condition(
                    Type.UpToDate,
                    FALSE,
                    Reason.MemberNotBack,
                    "%s did not come back; no other member is restarted."
                            .formatted(Plan.names(failed)));
        }
        if (seen.wish().manual() && !seen.wish().approved()) {
            return condition(
                    Type.UpToDate,
                    FALSE,
                    Reason.ManualUpdate,
                    "To be restarted once approved: %s. Approve with: kubectl annotate ens %s -n %s --overwrite ensemble.dev/approved=%s"
                            .formatted(
                                    Plan.names(behind),
                                    about.name(),
                                    about.namespace(),
                                    seen.revision()));
        }
        return condition(
                Type.UpToDate,
                FALSE,
                Reason.RollingRestart,
                "To be restarted, or on the way: " + Plan.names(behind));
    }

    private boolean failed(Member member) {
        Pod pod = member.pod();
        return pod != null
                && member.current()
                && !pod.ready()
                && (pod.stuck() || pod.readySeconds() > seen.wish().memberTimeoutSeconds());
    }

    private Condition loaded() {
        List<Member> behind = ReloadPlan.behind(seen);
        if (behind.isEmpty()) {
            List<Member> silent = ReloadPlan.silent(seen);
            return silent.isEmpty() || wasUpToDate()
                    ? condition(
                            Type.UpToDate,
                            TRUE,
                            Reason.AllCurrent,
                            "Every member runs what the spec asks for.")
                    : condition(
                            Type.UpToDate,
                            UNKNOWN,
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
                ? condition(
                        Type.UpToDate,
                        FALSE,
                        Reason.ConfigReloading,
                        "The changed configuration is being taken over by " + Plan.names(behind))
                : condition(
                        Type.UpToDate,
                        FALSE,
                        Reason.ConfigNotLoaded,
                        "The changed configuration is not in force: " + String.join("; ", why));
    }

    /// Who once said that this spec is in force need not say it again at each look.
    private boolean wasUpToDate() {
        return before != null
                && before.conditions() != null
                && before.conditions().stream()
                        .filter(each -> each.getType().equals(Type.UpToDate.name()))
                        .filter(each -> each.getStatus().equals(TRUE))
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

    private Condition superUser() {
        String secret = about.superUser();
        if (secret == null) {
            return condition(
                    Type.SuperUserReady,
                    TRUE,
                    Reason.NoSuperUser,
                    "spec.auth.superUser is not set.");
        }
        if (seen.wish().hibernate()) {
            return hibernated(Type.SuperUserReady);
        }
        List<String> problems = new ArrayList<>();
        List<Member> silent = new ArrayList<>();
        for (Member member : seen.expected()) {
            Observed.SuperUser known = member.said() == null ? null : member.said().superUser();
            if (known == null) {
                silent.add(member);
            } else if (known.problem() != null || !known.known()) {
                problems.add(member.name() + ": " + known.problem());
            }
        }
        if (!problems.isEmpty()) {
            return condition(
                    Type.SuperUserReady,
                    FALSE,
                    Reason.SuperUserMissing,
                    "Secret %s must have the key password or digest; %s"
                            .formatted(secret, String.join("; ", problems)));
        }
        return silent.isEmpty()
                ? condition(
                        Type.SuperUserReady,
                        TRUE,
                        Reason.SuperUserKnown,
                        "Every member has Secret %s.".formatted(secret))
                : condition(
                        Type.SuperUserReady,
                        UNKNOWN,
                        Reason.SuperUserUnknown,
                        "Not known of %s whether it has Secret %s"
                                .formatted(Plan.names(silent), secret));
    }

    private Condition backupCurrent() {
        List<Backups.Schedule> active =
                about.backups().schedules().stream().filter(each -> !each.suspended()).toList();
        if (active.isEmpty()) {
            return condition(
                    Type.BackupCurrent,
                    UNKNOWN,
                    Reason.BackupsSuspended,
                    "Every schedule is suspended.");
        }
        List<String> missing =
                active.stream()
                        .map(each -> each.missing(Instant.parse(now)))
                        .filter(Objects::nonNull)
                        .toList();
        if (!missing.isEmpty()) {
            return condition(
                    Type.BackupCurrent,
                    FALSE,
                    Reason.BackupOverdue,
                    "Overdue: " + String.join("; ", missing));
        }
        Backups.Schedule newest = about.backups().newest();
        return newest == null
                ? condition(
                        Type.BackupCurrent,
                        TRUE,
                        Reason.BackupNotDue,
                        "No backup has been due for an hour yet.")
                : condition(
                        Type.BackupCurrent,
                        TRUE,
                        Reason.BackupFresh,
                        "The last backup is %s, of %s."
                                .formatted(newest.last(), newest.lastTime()));
    }

    private Condition membershipStable() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() ->
                    hibernated(Type.MembershipStable);
            case Leadership.None none -> none(Type.MembershipStable, none);
            case Leadership.Unknown unknown -> unknown(Type.MembershipStable, unknown);
            case Leadership.Known known -> membership(known);
        };
    }

    private Condition membership(Leadership.Known leader) {
        if (leader.configuration().pending()) {
            return condition(
                    Type.MembershipStable,
                    FALSE,
                    Reason.ReconfigPending,
                    "A change of the configuration is not committed yet.");
        }
        List<Member> out = seen.voters().stream().filter(each -> !each.synced()).toList();
        if (!out.isEmpty()) {
            return condition(
                    Type.MembershipStable,
                    FALSE,
                    Reason.MemberMissing,
                    "Not in sync: " + Plan.names(out));
        }
        List<Member> learners =
                seen.expected().stream().filter(each -> !seen.voters().contains(each)).toList();
        if (!learners.isEmpty()) {
            return condition(
                    Type.MembershipStable,
                    FALSE,
                    seen.wish().replicas() < seen.size() ? Reason.Scaling : Reason.LearnerSyncing,
                    "Without a vote: " + Plan.names(learners));
        }
        return leader.configuration().voters().equals(seen.wanted())
                ? condition(
                        Type.MembershipStable,
                        TRUE,
                        Reason.AllVotersSynced,
                        "Every voter is in sync.")
                : condition(
                        Type.MembershipStable,
                        FALSE,
                        Reason.Scaling,
                        "%d voters, on the way to %d."
                                .formatted(leader.configured(), seen.wish().replicas()));
    }

    private Condition disruptionAllowed() {
        return switch (seen.leadership()) {
            case Leadership.None _ when seen.wish().hibernate() ->
                    hibernated(Type.DisruptionAllowed);
            case Leadership.None none -> none(Type.DisruptionAllowed, none);
            case Leadership.Unknown unknown -> unknown(Type.DisruptionAllowed, unknown);
            case Leadership.Known known -> {
                boolean safe =
                        seen.voters().stream()
                                .map(Member::voter)
                                .allMatch(each -> each != null && each.safeToStop());
                yield safe
                        ? condition(
                                Type.DisruptionAllowed,
                                TRUE,
                                Reason.QuorumPresent,
                                "Any one member may stop.")
                        : condition(
                                Type.DisruptionAllowed,
                                FALSE,
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

    private Condition storageHealthy() {
        if (about.growthRefused() != null) {
            return condition(
                    Type.StorageHealthy, FALSE, Reason.GrowthRefused, about.growthRefused());
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
                ? condition(
                        Type.StorageHealthy,
                        TRUE,
                        Reason.VolumesAsWanted,
                        "Every volume has the size that the spec asks for.")
                : condition(
                        Type.StorageHealthy,
                        FALSE,
                        Reason.VolumeGrowing,
                        "To grow: " + String.join("; ", growing));
    }

    private Condition tlsReady() {
        Observed.Tls tls = seen.tls();
        if (tls.equals(Observed.Tls.OFF)) {
            return condition(Type.TLSReady, TRUE, Reason.TLSOff, "Nothing is to speak TLS.");
        }
        List<String> ended = new ArrayList<>();
        List<String> ending = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        Instant time = Instant.parse(now);
        for (Member member : seen.expected()) {
            Observed.Said said = member.said();
            Observed.Shown links = said == null ? null : said.links();
            Observed.Shown clients = said == null ? null : said.clients();
            for (Observed.Shown shown : Arrays.asList(links, clients)) {
                if (shown == null) {
                    continue;
                }
                String until = "%s until %s".formatted(member.name(), shown.notAfter());
                if (!time.isBefore(shown.notAfter())) {
                    ended.add(until);
                } else if (!time.isBefore(shown.notAfter().minus(ALARM))) {
                    ending.add(until);
                }
                if (shown.refused() != null) {
                    refused.add(member.name() + ": " + shown.refused());
                }
            }
            if ((tls.is().peers().on() && links == null)
                    || (tls.is().clients().on() && clients == null)) {
                silent.add(member.name());
            }
        }
        if (!ended.isEmpty()) {
            return tlsReady(FALSE, Reason.CertificateExpired, "Certificates have ended: ", ended);
        }
        if (!refused.isEmpty()) {
            return tlsReady(
                    FALSE, Reason.CertificateRefused, "Changed files are not used by ", refused);
        }
        if (!ending.isEmpty()) {
            return tlsReady(FALSE, Reason.CertificateExpiring, "Certificates end soon: ", ending);
        }
        if (!tls.is().equals(tls.target())) {
            return condition(
                    Type.TLSReady,
                    FALSE,
                    Reason.TLSMoving,
                    "Now: %s. On the way to: %s.".formatted(tls.is().says(), tls.target().says()));
        }
        if (!silent.isEmpty()) {
            return tlsReady(
                    UNKNOWN, Reason.CertificatesUnknown, "No certificate is known of ", silent);
        }
        return about.rotation() == null
                ? condition(
                        Type.TLSReady,
                        TRUE,
                        Reason.CertificatesInUse,
                        "As the spec asks: %s.".formatted(tls.is().says()))
                : condition(
                        Type.TLSReady,
                        TRUE,
                        Reason.AuthorityRotating,
                        "The authority is being replaced, and waits for " + about.rotation());
    }

    private Condition tlsReady(String status, Reason reason, String says, List<String> each) {
        return condition(Type.TLSReady, status, reason, says + String.join("; ", each));
    }

    private Condition progressing() {
        return switch (step) {
            case Step.Nothing _ ->
                    condition(Type.Progressing, FALSE, Reason.Settled, "There is nothing to do.");
            case Step.Wait wait ->
                    condition(
                            Type.Progressing,
                            TRUE,
                            Reason.Waiting,
                            "Waiting for " + String.join("; ", wait.waitingFor()));
            case Step.MarkBootstrapped _,
                    Step.Restart _,
                    Step.Resize _,
                    Step.ChangeVoters _,
                    Step.HandOver _,
                    Step.GrowVolume _,
                    Step.MoveTls _,
                    Step.ReplaceSet _,
                    Step.DeleteVolume _ ->
                    condition(Type.Progressing, TRUE, Reason.Working, StatusReport.doing(step));
        };
    }

    private Condition paused() {
        return about.paused()
                ? condition(
                        Type.Paused,
                        TRUE,
                        Reason.Paused,
                        "spec.paused is set; the operator changes nothing.")
                : condition(Type.Paused, FALSE, Reason.NotPaused, "The operator is at work.");
    }

    /// A majority that answers and holds no data, of an ensemble that has formed: nothing that the
    /// operator may do would bring the data back.
    private Condition recoveryRequired() {
        List<Member> blank =
                seen.expected().stream()
                        .filter(each -> each.said() != null && !each.said().formed())
                        .toList();
        boolean lost =
                seen.bootstrapped()
                        && seen.leader() == null
                        && blank.size() > seen.expected().size() / 2;
        return lost
                ? condition(
                        Type.RecoveryRequired,
                        TRUE,
                        Reason.MajorityBlank,
                        "%s hold no data, so no quorum can be had. Restore a volume of the others,"
                                        .formatted(Plan.names(blank))
                                + " or delete the Ensemble with its claims to begin anew.")
                : condition(
                        Type.RecoveryRequired,
                        FALSE,
                        Reason.DataPresent,
                        "No majority of the members has lost its data, as far as is known.");
    }

    private Condition specValid() {
        return about.invalid().isEmpty()
                ? condition(Type.SpecValid, TRUE, Reason.Valid, "The spec can work.")
                : condition(Type.SpecValid, FALSE, Reason.Invalid, invalid());
    }

    private Condition condition(Type type, String status, Reason reason, String message) {
        String since =
                before == null || before.conditions() == null
                        ? now
                        : before.conditions().stream()
                                .filter(each -> each.getType().equals(type.name()))
                                .filter(each -> each.getStatus().equals(status))
                                .map(Condition::getLastTransitionTime)
                                .findFirst()
                                .orElse(now);
        return new ConditionBuilder()
                .withType(type.name())
                .withStatus(status)
                .withReason(reason.name())
                .withMessage(message)
                .withObservedGeneration(about.generation())
                .withLastTransitionTime(since)
                .build();
    }
}
