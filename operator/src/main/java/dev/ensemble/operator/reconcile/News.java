package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Reason;

import io.fabric8.kubernetes.api.model.Condition;

import org.jspecify.annotations.Nullable;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The events that are not about what the operator does, but about what has become of an ensemble:
/// what its status says now and did not say before.
final class News {
    private static final Set<Reason> HINDRANCES =
            EnumSet.of(
                    Reason.StorageClassMissing,
                    Reason.VolumePending,
                    Reason.ImagePullFailed,
                    Reason.SecretMissing,
                    Reason.Unschedulable,
                    Reason.PodRefused,
                    Reason.CrashLooping);

    private static final Set<Reason> CERTIFICATES =
            EnumSet.of(
                    Reason.CertificateExpired,
                    Reason.CertificateExpiring,
                    Reason.CertificateRefused);

    private final Events events;
    private final Gauges gauges;
    private final Cluster cluster;
    private final Ensemble resource;

    News(Pass.Tools tools, Cluster cluster, Ensemble resource) {
        this.events = tools.events();
        this.gauges = tools.gauges();
        this.cluster = cluster;
        this.resource = resource;
    }

    /// @param before what was written of the last one; null if nothing was
    /// @param trouble that the pass met itself
    void tell(
            @Nullable EnsembleStatus before,
            EnsembleStatus status,
            List<String> invalid,
            @Nullable Trouble trouble) {
        if (invalid.isEmpty()) {
            events.over(resource, Events.What.SpecInvalid);
        } else {
            events.tellOnce(
                    cluster,
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
                    cluster,
                    resource,
                    Events.What.Hindered,
                    hindrance.reason().name(),
                    hindrance.message());
        }
        tellOfConfiguration(before, status);
        tellOfTroubles(status);
        EnsembleStatus.Leader leader = status.leader();
        EnsembleStatus.Leader last = before == null ? null : before.leader();
        if (leader != null && last != null && leader.myid() != last.myid()) {
            gauges.leaderChanged(resource);
            events.tell(
                    cluster,
                    resource,
                    Events.What.LeaderChanged,
                    "%s leads now, in epoch %d".formatted(leader.member(), leader.epoch()));
        }
        if (isTrue(status, "Ready") && !(before != null && isTrue(before, "Ready"))) {
            events.tell(
                    cluster,
                    resource,
                    Events.What.Ready,
                    "All members are ready, in sync and up to date");
        }
    }

    private void tellOfConfiguration(@Nullable EnsembleStatus before, EnsembleStatus status) {
        tellOfTrouble(
                status, "UpToDate", Set.of(Reason.ConfigNotLoaded), Events.What.ConfigNotLoaded);
        String last = before == null ? "" : reason(before, "UpToDate");
        boolean reloading =
                last.equals(Reason.ConfigNotLoaded.name())
                        || last.equals(Reason.ConfigReloading.name());
        if (reloading && reason(status, "UpToDate").equals(Reason.AllCurrent.name())) {
            events.tell(
                    cluster,
                    resource,
                    Events.What.ConfigLoaded,
                    "Every member has taken over the changed configuration as it ran");
        }
    }

    private static String reason(EnsembleStatus status, String type) {
        return conditions(status)
                .filter(each -> each.getType().equals(type))
                .map(Condition::getReason)
                .findFirst()
                .orElse("");
    }

    private void tellOfTroubles(EnsembleStatus status) {
        tellOfTrouble(status, "TLSReady", CERTIFICATES, Events.What.CertificateTrouble);
        tellOfTrouble(
                status,
                "SuperUserReady",
                Set.of(Reason.SuperUserMissing),
                Events.What.SuperUserMissing);
        tellOfTrouble(
                status, "BackupCurrent", Set.of(Reason.BackupOverdue), Events.What.BackupOverdue);
    }

    /// Tells of a condition once it has one of these reasons.
    private void tellOfTrouble(
            EnsembleStatus status, String type, Set<Reason> troubling, Events.What what) {
        Condition found =
                conditions(status)
                        .filter(each -> each.getType().equals(type))
                        .filter(each -> troubling.contains(Reason.valueOf(each.getReason())))
                        .findFirst()
                        .orElse(null);
        if (found == null) {
            events.over(resource, what);
        } else {
            events.tellOnce(cluster, resource, what, found.getReason(), found.getMessage());
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

    private static boolean isTrue(EnsembleStatus status, String type) {
        return conditions(status)
                .anyMatch(each -> each.getType().equals(type) && "True".equals(each.getStatus()));
    }

    static Stream<Condition> conditions(EnsembleStatus status) {
        return status.conditions() == null ? Stream.of() : status.conditions().stream();
    }
}
