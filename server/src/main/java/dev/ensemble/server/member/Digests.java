package dev.ensemble.server.member;

import dev.ensemble.server.model.Ensemble;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Whether members hold the same: a leader's collection of their trees' digests, each as of the
/// same transactions (`safety.md` 9).
///
/// Transactions are applied alike everywhere, so a digest that differs means a fault: of a disk, of
/// a memory, or ours. The value that a quorum of the voters has is believed.
final class Digests {
    /// At every so many transactions of an epoch.
    private static final int INTERVAL = 64;

    /// Of how many of those what was said is kept.
    private static final int MOST = 32;

    private record Said(Map<Integer, Long> digests, Set<Integer> judged) {}

    private final TreeMap<Long, Said> said = new TreeMap<>();

    /// What follows from a report.
    ///
    /// @param wrong members that hold something else than a majority, and were not known to
    /// @param believed the digest of the majority, if there are any
    /// @param undecided all voters have reported, and there is no majority
    record Verdict(Set<Integer> wrong, long believed, boolean undecided) {
        static final Verdict NONE = new Verdict(Set.of(), 0, false);
    }

    static boolean isDue(long zxid) {
        return zxid % INTERVAL == 0;
    }

    /// Takes what a member says, itself included.
    ///
    /// @param ensemble its voters are those whose word counts
    Verdict report(int member, long zxid, long digest, Ensemble ensemble) {
        Said at = said.computeIfAbsent(zxid, _ -> new Said(new TreeMap<>(), new TreeSet<>()));
        at.digests().put(member, digest);
        if (said.size() > MOST) {
            said.pollFirstEntry();
        }
        for (long each : Set.copyOf(at.digests().values())) {
            if (ensemble.isQuorum(id -> Long.valueOf(each).equals(at.digests().get(id)))) {
                return judge(at, each);
            }
        }
        Set<Integer> voters = ensemble.voters();
        boolean all = at.digests().keySet().containsAll(voters) && voters.contains(member);
        return new Verdict(Set.of(), 0, all);
    }

    private static Verdict judge(Said at, long believed) {
        var wrong = new TreeSet<Integer>();
        at.digests()
                .forEach((id, each) -> {
                    if (each != believed && at.judged().add(id)) {
                        wrong.add(id);
                    }
                });
        return wrong.isEmpty() ? Verdict.NONE : new Verdict(wrong, believed, false);
    }

    void clear() {
        said.clear();
    }
}
