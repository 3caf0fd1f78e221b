package dev.ensemble.operator.plan;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Volume;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/// Decides on the members' volumes: they grow, and they go when their member has gone and the spec
/// says so. No other volume is ever deleted.
final class VolumePlan {
    private VolumePlan() {}

    /// Needs no quorum and no member that runs: a full disk may be why there is none.
    ///
    /// @return null if the volumes ask for the size that is wanted
    static @Nullable Step grow(Observed seen) {
        long wanted = seen.wish().volumeBytes();
        for (Member member : seen.members()) {
            Volume volume = member.volume();
            if (volume != null && !volume.deleting() && volume.requested() < wanted) {
                return new Step.GrowVolume(volume.claim(), wanted);
            }
        }
        if (seen.template() == 0 || seen.template() >= wanted) {
            return null;
        }
        // A pod that is ending would come back under nobody's eyes while there is no StatefulSet.
        List<String> ending =
                seen.members().stream()
                        .filter(each -> each.pod() != null && each.pod().terminating())
                        .map(each -> each.name() + " to end")
                        .toList();
        return ending.isEmpty() ? new Step.ReplaceSet() : new Step.Wait(ending);
    }

    /// {@return what a volume waits for that was told to grow, if one does}
    static @Nullable Step await(Observed seen) {
        List<String> waiting =
                seen.members().stream()
                        .map(Member::volume)
                        .filter(Objects::nonNull)
                        .filter(each -> each.capacity() > 0 && each.capacity() < each.requested())
                        .map(each ->
                                each.claim()
                                        + " to grow"
                                        + (each.waiting() == null ? "" : ": " + each.waiting()))
                        .toList();
        return waiting.isEmpty() ? null : new Step.Wait(waiting);
    }

    /// {@return the deletion of a volume whose member was removed, if the spec asks for that}
    static @Nullable Step delete(Observed seen) {
        Leadership.Known leader = seen.leader();
        if (!seen.wish().deleteVolumes()
                || leader == null
                || !leader.confirmed()
                || leader.configuration().pending()) {
            return null;
        }
        for (Volume volume : seen.spare()) {
            int myid = seen.wish().firstMyid() + volume.ordinal();
            boolean used =
                    leader.configuration().voters().contains(myid)
                            || volume.ordinal() < seen.size()
                            || volume.ordinal() < seen.wish().replicas()
                            || seen.members().stream()
                                    .anyMatch(each -> each.myid() == myid && each.pod() != null);
            if (!used && !volume.deleting()) {
                return new Step.DeleteVolume(volume.claim(), volume.uid());
            }
        }
        return null;
    }
}
