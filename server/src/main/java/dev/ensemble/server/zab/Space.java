package dev.ensemble.server.zab;

import java.util.HashSet;
import java.util.Set;

/// Whose disk is full, as a leader knows it, and what follows from that (`safety.md` 13).
///
/// Members whose disk is full rest as long as a quorum has space without them. If none has, they
/// are needed: all go on, from their reserve, and the leader refuses what makes data grow.
final class Space {
    private final Set<Integer> full = new HashSet<>();
    private final Set<Integer> resting = new HashSet<>();
    private boolean cramped;

    /// A member told how its disk is.
    void heard(int member, boolean isFull) {
        if (isFull) {
            full.add(member);
        } else {
            full.remove(member);
        }
    }

    void forget(int member) {
        full.remove(member);
        resting.remove(member);
    }

    boolean isFull(int member) {
        return full.contains(member);
    }

    /// {@return whether the member takes nothing in}
    boolean rests(int member) {
        return resting.contains(member);
    }

    /// {@return whether that is new}
    boolean rest(int member, boolean rests) {
        return rests ? resting.add(member) : resting.remove(member);
    }

    /// Without a quorum in any way nothing is learned of its space: learners that are still on
    /// their way, as after a hand-over, are not full.
    ///
    /// @param quorumHasSpace without the members whose disk is full
    /// @param quorumIsPresent with them
    void weigh(boolean quorumHasSpace, boolean quorumIsPresent) {
        if (quorumHasSpace || quorumIsPresent) {
            cramped = !quorumHasSpace;
        }
    }

    /// {@return whether no quorum has space}
    boolean isCramped() {
        return cramped;
    }
}
