package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How far each member's log is on disk, in this epoch.
///
/// Links are FIFO and logs have no gaps, so an ack covers everything before it: one number for each
/// member, where an ack set for each proposal would grow with the load. Starts empty in each epoch;
/// who has not acked NEWLEADER does not count.
final class Acks {
    private record Ack(long incarnation, long zxid) {}

    private final Map<Integer, Ack> acks = new HashMap<>();

    /// @param zxid at first `epoch << 32`, for NEWLEADER
    void put(int myid, long incarnation, long zxid) {
        acks.put(myid, new Ack(incarnation, zxid));
    }

    void remove(int myid) {
        acks.remove(myid);
    }

    /// {@return who has acked anything, by myid with the incarnation of the disk that it is on}
    Map<Integer, Long> members() {
        var members = new HashMap<Integer, Long>();
        acks.forEach((id, ack) -> members.put(id, ack.incarnation()));
        return members;
    }

    /// {@return the highest zxid that a quorum of every configuration in force has on disk; 0 if
    /// there is none}
    long quorumZxid(List<Ensemble> inForce) {
        long quorum = Long.MAX_VALUE;
        for (Ensemble ensemble : inForce) {
            quorum = Math.min(quorum, quorumZxid(ensemble));
        }
        return quorum;
    }

    private long quorumZxid(Ensemble ensemble) {
        if (ensemble.groups().decide()) {
            return byGroups(ensemble);
        }
        long[] ascending =
                ensemble.voters().stream().mapToLong(id -> ackedBy(id, ensemble)).toArray();
        Arrays.sort(ascending);
        return ascending.length == 0 ? 0 : ascending[(ascending.length - 1) / 2];
    }

    private long byGroups(Ensemble ensemble) {
        return ensemble.voters().stream()
                .mapToLong(id -> ackedBy(id, ensemble))
                .filter(zxid -> ensemble.isQuorum(id -> ackedBy(id, ensemble) >= zxid))
                .max()
                .orElse(0);
    }

    private long ackedBy(int id, Ensemble ensemble) {
        Ack ack = acks.get(id);
        return ack != null && ensemble.isVoter(id, ack.incarnation()) ? ack.zxid() : 0;
    }
}
