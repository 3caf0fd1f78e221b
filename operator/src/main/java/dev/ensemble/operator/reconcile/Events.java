package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Tells in Kubernetes events what the operator did and what hinders it. A hindrance is told once,
/// and again only when it changes.
final class Events {
    private final Clock clock;

    /// What was told last, by uid of the resource and subject.
    private final Map<String, String> told = new ConcurrentHashMap<>();

    Events(Clock clock) {
        this.clock = clock;
    }

    /// What happened; the complete list.
    enum What {
        Applied("Normal", "The operator created or changed an object of the ensemble."),
        Bootstrapped("Normal", "The ensemble has formed, and never forms anew from here on."),
        Restored("Normal", "The first volume holds the backup that the ensemble begins with."),
        MemberEvicted("Normal", "A member is restarted through the Eviction API."),
        MemberDeleted("Normal", "The pod of a voter that is out is deleted, to be made anew."),
        OnlyMember("Warning", "The only voter is restarted; clients wait meanwhile."),
        BudgetRefused("Warning", "The disruption budget did not allow to restart a member now."),
        LeaderChanged("Normal", "Another member leads."),
        HandOver("Normal", "The leader was asked to let another member lead."),
        Resized("Normal", "There is to be another number of members; new ones have no vote yet."),
        VotersChanged("Normal", "Votes were given or taken by a transaction of the ensemble."),
        ServerRefused("Warning", "The leader refused what the operator asked of it."),
        VolumeGrows("Normal", "A volume claim asks for more."),
        SetReplaced(
                "Normal",
                "The StatefulSet is replaced under its running pods, for larger new volumes."),
        VolumeDeleted("Normal", "The volume of a member that was removed is deleted."),
        Hibernated("Normal", "No member is to run."),
        Resumed("Normal", "The members are to run again."),
        ConfigLoaded("Normal", "Every member has taken over a changed configuration as it ran."),
        ConfigNotLoaded(
                "Warning",
                "A member does not take over the changed configuration; the message says why."),
        TlsMoved("Normal", "The members take the next step on the way to TLS, or back."),
        CertificatesChanged(
                "Normal",
                "The operator has made or renewed certificates, or turned its authority."),
        CertificateTrouble(
                "Warning", "A certificate in use has ended, ends soon, or cannot be replaced."),
        SuperUserMissing(
                "Warning",
                "The superuser's Secret does not exist, or members cannot use what is in it."),
        BackupBegun(
                "Normal", "The Job of a backup was made; the event is about the EnsembleBackup."),
        BackupComplete("Normal", "A backup is in its destination, and was restored for a trial."),
        BackupFailed("Warning", "A backup has failed; the message says why."),
        BackupOverdue("Warning", "A backup that a schedule should have made is not there."),
        SpecInvalid("Warning", "The spec cannot work; what runs keeps running."),
        Hindered("Warning", "Something is missing: StorageClass, image, Secret, node, permission."),
        Ready("Normal", "All members are ready, in sync and up to date.");

        private final String type;
        private final String meaning;

        What(String type, String meaning) {
            this.type = type;
            this.meaning = meaning;
        }

        String type() {
            return type;
        }

        String meaning() {
            return meaning;
        }
    }

    /// Tells what was done.
    void tell(Cluster cluster, Ensemble about, What what, String message) {
        cluster.tell(event(about, what.name(), what.type, message));
    }

    /// {@return an event about any object}
    Event event(HasMetadata about, What what, String message) {
        return event(about, what.name(), what.type, message);
    }

    /// Tells how things stand with a subject, if that is news.
    ///
    /// @param reason goes into the event in place of the name of `what`
    void tellOnce(Cluster cluster, Ensemble about, What what, String reason, String message) {
        String key = about.getMetadata().getUid() + "/" + what;
        if (!message.equals(told.put(key, message))) {
            cluster.tell(event(about, reason, what.type, message));
        }
    }

    /// Forgets what was told about a subject, since it is over.
    void over(Ensemble about, What what) {
        told.remove(about.getMetadata().getUid() + "/" + what);
    }

    private Event event(HasMetadata about, String reason, String type, String message) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        String id =
                Integer.toHexString((reason + message).hashCode())
                        + "."
                        + Long.toHexString(clock.instant().toEpochMilli());
        return new EventBuilder()
                .withNewMetadata()
                .withName(about.getMetadata().getName() + "." + id)
                .withNamespace(about.getMetadata().getNamespace())
                .endMetadata()
                .withNewInvolvedObject()
                .withApiVersion(about.getApiVersion())
                .withKind(about.getKind())
                .withName(about.getMetadata().getName())
                .withNamespace(about.getMetadata().getNamespace())
                .withUid(about.getMetadata().getUid())
                .endInvolvedObject()
                .withReason(reason)
                .withMessage(message)
                .withType(type)
                .withNewSource()
                .withComponent(Labels.MANAGER)
                .endSource()
                .withReportingComponent(Labels.MANAGER)
                .withFirstTimestamp(now.toString())
                .withLastTimestamp(now.toString())
                .withCount(1)
                .build();
    }
}
