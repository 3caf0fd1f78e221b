package dev.ensemble.server.store;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.Tree;

import java.util.List;

/// What a member's disk said at its start.
///
/// @param identity as of this start, on disk
/// @param base zxid of the stored state; the entries of `log` follow it
/// @param baseEnsemble the configuration as of `base`
/// @param tree as of `committed`
/// @param log all entries behind `base`, committed or not
/// @param committed the highest zxid known to be committed, at least `base` and at most the log's
///   end
/// @param warnings what a person should know
public record Recovered(
        Identity identity,
        long acceptedEpoch,
        long currentEpoch,
        long base,
        Ensemble baseEnsemble,
        Tree tree,
        List<LogEntry> log,
        long committed,
        List<String> warnings) {
    public Recovered {
        log = List.copyOf(log);
        warnings = List.copyOf(warnings);
    }

    /// {@return the zxid of the last entry, or of the state if there is none}
    public long logEnd() {
        return log.isEmpty() ? base : log.getLast().zxid();
    }

    /// {@return whether this disk once belonged to an ensemble and could not prove what it held: it
    /// joins again as a learner and must never take part in forming an ensemble, however many
    /// others are as blank (`safety.md` 9)}
    public boolean mustRejoin() {
        return identity.state() == Identity.State.BLANK && !identity.ensembleId().isEmpty();
    }

    @Override
    public String toString() {
        return "member "
                + identity.myid()
                + " "
                + identity.state()
                + ", start "
                + identity.starts()
                + ", epochs "
                + acceptedEpoch
                + " and "
                + currentEpoch
                + ", state of "
                + Zxid.text(base)
                + ", committed "
                + Zxid.text(committed)
                + ", log end "
                + Zxid.text(logEnd());
    }
}
