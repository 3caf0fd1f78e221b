package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleBackupSchedule;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// The API server, as much of it as a pass needs. What it does to an object rests on the object
/// that was looked at: another one of that name, or a newer version, is left alone.
interface Cluster {
    /// {@return what decisions rest on, read just now}
    World read(String namespace, String name);

    /// {@return the object as the caches have it, if they have}
    <T extends HasMetadata> @Nullable T cached(T like);

    /// {@return the schedules that back this ensemble up, as the caches have them}
    Set<EnsembleBackupSchedule> schedules();

    /// Makes an object as it is wanted.
    ///
    /// @param there as it is, as far as we know; null if it is not known to exist
    /// @return whether anything was written
    /// @throws NotOurs if it belongs to somebody else
    <T extends HasMetadata> boolean apply(T wanted, @Nullable T there);

    /// {@return a Secret, read just now; null if there is none}
    @Nullable Secret secret(String namespace, String name);

    /// Writes a Secret onto the one that was looked at.
    ///
    /// @param there null if there was none
    /// @return whether it was still that one
    boolean write(Secret wanted, @Nullable Secret there);

    /// {@return whether the StatefulSet is still the version that was looked at}
    ///
    /// Unlike what was read, this cannot be an old answer.
    boolean unchanged(StatefulSet set);

    /// Adds annotations to a volume claim, which belongs to the StatefulSet.
    void annotate(PersistentVolumeClaim claim, Map<String, String> annotations);

    /// Lets a volume claim ask for more.
    ///
    /// @return null if it does now; else why the API server refuses that for good
    @Nullable String grow(PersistentVolumeClaim claim, long bytes);

    /// Deletes a StatefulSet and lets its pods and claims live on.
    ///
    /// @return whether it was the one that was looked at
    boolean orphan(StatefulSet set);

    /// Evicts a pod.
    ///
    /// @return whether the budget allowed it
    boolean evict(String namespace, String pod, String uid);

    /// Deletes a pod.
    ///
    /// @return whether it was the one that was looked at
    boolean delete(String namespace, String pod, String uid);

    /// Deletes a volume claim.
    ///
    /// @return whether it was the one that was looked at
    boolean deleteClaim(String namespace, String claim, String uid);

    /// How far a restore is.
    sealed interface Restore {
        /// @param why what it waits for, in words for people
        record Under(String why) implements Restore {}

        /// The claim holds the backup.
        record Done() implements Restore {}

        /// @param why in words for people
        record Failed(String why) implements Restore {}
    }

    /// Makes the claim and the Job of a restore, unless they are there. {@return how far it is}
    Restore restore(PersistentVolumeClaim claim, Job job);

    /// How far cert-manager is with a certificate.
    sealed interface Issue {
        /// Its Secret holds it.
        record Done() implements Issue {}

        /// @param why what it waits for, in words for people
        record Under(String why) implements Issue {}

        /// There is no cert-manager here.
        record Impossible() implements Issue {}
    }

    /// Asks cert-manager for a certificate, unless that was done. {@return how far it is}
    ///
    /// @throws NotOurs if one of that name belongs to somebody else
    Issue issue(GenericKubernetesResource certificate);

    /// {@return the events about an object}
    List<Event> events(HasMetadata about);

    /// Writes an event. One that cannot be written is lost: it is news, not state.
    void tell(Event event);

    /// An object of the wanted name exists and is somebody else's.
    final class NotOurs extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotOurs(HasMetadata object) {
            super(
                    "%s %s exists and does not belong to this Ensemble; delete or rename it"
                            .formatted(object.getKind(), object.getMetadata().getName()));
        }
    }
}
