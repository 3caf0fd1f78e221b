package dev.ensemble.server.node;

/// Counts what a member does. Owned by the peer thread.
final class Statistics {
    private long looking = 1;
    private long commits;
    private long proposals;
    private long snapshots;
    private long elections;
    private long electionNanos;
    private long maxElectionNanos;
    private int lastProposalBytes = -1;
    private int minProposalBytes = -1;
    private int maxProposalBytes = -1;

    void committed() {
        commits++;
    }

    void proposed(int bytes) {
        proposals++;
        lastProposalBytes = bytes;
        minProposalBytes = minProposalBytes < 0 ? bytes : Math.min(minProposalBytes, bytes);
        maxProposalBytes = Math.max(maxProposalBytes, bytes);
    }

    void promisedSnapshot() {
        snapshots++;
    }

    void lookingAgain() {
        looking++;
    }

    void elected(long nanos) {
        elections++;
        electionNanos += nanos;
        maxElectionNanos = Math.max(maxElectionNanos, nanos);
    }

    Facts.Counts counts() {
        return new Facts.Counts(
                looking,
                commits,
                proposals,
                snapshots,
                elections,
                electionNanos,
                maxElectionNanos,
                lastProposalBytes,
                minProposalBytes,
                maxProposalBytes);
    }
}
