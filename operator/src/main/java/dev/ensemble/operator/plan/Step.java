package dev.ensemble.operator.plan;

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

    /// The ensemble has formed: put that on record, so that it never forms anew.
    record MarkBootstrapped() implements Step {}

    /// Restart a member.
    ///
    /// @param uid of the pod that was looked at; another pod of that name is left alone
    /// @param how whether the disruption budget is asked
    record Restart(int myid, String pod, String uid, How how, String why) implements Step {}

    /// How a pod is ended.
    enum How {
        /// Through the Eviction API, so that the operator and `kubectl drain` never take two at
        /// once.
        EVICT,
        /// Directly: only pods of voters that are out, whose end costs the quorum nothing.
        DELETE
    }
}
