package dev.ensemble.server.node;

import dev.ensemble.server.metrics.Summary;
import dev.ensemble.server.zab.Message;
import dev.ensemble.server.zab.Peer;

import java.util.ArrayDeque;

/// Counts what a member does. Owned by the peer thread but for the summaries, which any thread may
/// read. Times are in microseconds.
final class Statistics {
    /// Proposals whose time is taken at once; more than that are not measured.
    private static final int MAX_OPEN = 100_000;

    private record Open(long zxid, long nanos) {}

    final Summary electionTime = new Summary();
    final Summary unavailableTime = new Summary();
    final Summary leaderUnavailableTime = new Summary();
    final Summary followerSyncTime = new Summary();
    final Summary observerSyncTime = new Summary();
    final Summary quorumAckLatency = new Summary();

    private final ArrayDeque<Open> open = new ArrayDeque<>();
    private long looking = 1;
    private long commits;
    private long proposals;
    private long snapshots;
    private long diffs;
    private long proposalsReceived;
    private long commitsReceived;
    private int lastProposalBytes = -1;
    private int minProposalBytes = -1;
    private int maxProposalBytes = -1;
    private long notServingSinceNanos;
    private long learnerSinceNanos;

    Statistics(long nowNanos) {
        notServingSinceNanos = nowNanos;
    }

    void committed(long zxid, long nowNanos) {
        commits++;
        while (!open.isEmpty() && open.peekFirst().zxid() <= zxid) {
            quorumAckLatency.add(micros(nowNanos - open.removeFirst().nanos()));
        }
    }

    void proposed(long zxid, int bytes, long nowNanos) {
        proposals++;
        lastProposalBytes = bytes;
        minProposalBytes = minProposalBytes < 0 ? bytes : Math.min(minProposalBytes, bytes);
        maxProposalBytes = Math.max(maxProposalBytes, bytes);
        if (open.size() < MAX_OPEN) {
            open.addLast(new Open(zxid, nowNanos));
        }
    }

    /// A message to another member.
    void sent(Message message) {
        if (message instanceof Message.Diff) {
            diffs++;
        }
    }

    /// A message of another member.
    void received(Message message) {
        switch (message) {
            case Message.Proposal _ -> proposalsReceived++;
            case Message.Commit _ -> commitsReceived++;
            default -> {}
        }
    }

    void promisedSnapshot() {
        snapshots++;
    }

    void lookingAgain() {
        looking++;
    }

    void elected(long nanos) {
        electionTime.add(micros(nanos));
    }

    void roleChanged(Peer.RoleName role, long nowNanos) {
        if (role != Peer.RoleName.LEADER) {
            open.clear();
        }
        if (role == Peer.RoleName.LEARNER) {
            learnerSinceNanos = nowNanos;
        } else if (learnerSinceNanos != 0) {
            long micros = micros(nowNanos - learnerSinceNanos);
            learnerSinceNanos = 0;
            if (role == Peer.RoleName.FOLLOWER) {
                followerSyncTime.add(micros);
            } else if (role == Peer.RoleName.OBSERVER) {
                observerSyncTime.add(micros);
            }
        }
    }

    void serving(boolean now, boolean leads, long nowNanos) {
        if (!now) {
            notServingSinceNanos = nowNanos;
            return;
        }
        long micros = micros(nowNanos - notServingSinceNanos);
        unavailableTime.add(micros);
        if (leads) {
            leaderUnavailableTime.add(micros);
        }
    }

    private static long micros(long nanos) {
        return nanos / 1000;
    }

    Facts.Counts counts(long expiredSessions) {
        return new Facts.Counts(
                looking,
                commits,
                proposals,
                snapshots,
                diffs,
                proposalsReceived,
                commitsReceived,
                expiredSessions,
                lastProposalBytes,
                minProposalBytes,
                maxProposalBytes);
    }
}
