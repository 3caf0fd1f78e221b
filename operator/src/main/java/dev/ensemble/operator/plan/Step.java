package dev.ensemble.operator.plan;

import dev.ensemble.operator.api.TlsStage;

import java.util.List;

/// What to do now: one thing, or nothing.
public sealed interface Step {
    /// All is as it should be.
    record Nothing() implements Step {}

    /// Something must become true first.
    ///
    /// @param waitingFor in words for people, the most important first
    record Wait(List<String> waitingFor) implements Step {
        Wait(String waitingFor) {
            this(List.of(waitingFor));
        }
    }

    /// Let the members take the next step with TLS.
    record MoveTls(TlsStage to) implements Step {}

    /// The ensemble has formed: put that on record, so that it never forms anew.
    record MarkBootstrapped() implements Step {}

    /// Restart a member.
    ///
    /// @param uid of the pod that was looked at; another pod of that name is left alone
    /// @param how whether the disruption budget is asked
    record Restart(int myid, String pod, String uid, How how, String why) implements Step {}

    /// Let there be another number of members. New ones have no vote yet, and those that go have
    /// none any more.
    record Resize(int from, int to) implements Step {}

    /// Change the voters, by one transaction of the ensemble.
    ///
    /// @param leader who is asked
    /// @param version the configuration that this rests on; the leader refuses under another one
    record ChangeVoters(int leader, String version, List<Integer> add, List<Integer> remove)
            implements Step {
        public ChangeVoters {
            add = List.copyOf(add);
            remove = List.copyOf(remove);
        }
    }

    /// Let another member lead.
    ///
    /// @param from who leads and is asked
    record HandOver(int from, int to, String why) implements Step {}

    /// Let a volume grow.
    record GrowVolume(String claim, long bytes) implements Step {}

    /// Replace the StatefulSet under its running pods, for what cannot be changed in it: the size
    /// of the volumes that it makes.
    record ReplaceSet() implements Step {}

    /// Delete the volume of a member that was removed.
    ///
    /// @param uid of the claim that was looked at
    record DeleteVolume(String claim, String uid) implements Step {}

    /// How a pod is ended.
    enum How {
        /// Through the Eviction API, so that the operator and `kubectl drain` never take two at
        /// once.
        EVICT,
        /// Directly: only pods of voters that are out, whose end costs the quorum nothing.
        DELETE
    }
}
