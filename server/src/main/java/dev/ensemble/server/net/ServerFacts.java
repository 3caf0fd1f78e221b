package dev.ensemble.server.net;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.concurrent.CompletionStage;

/// What four-letter words tell that the client side does not know itself. A port, asked from any
/// I/O thread: it answers at once.
public interface ServerFacts {
    /// Bytes of proposals, -1 where there was none yet.
    record ProposalSizes(int last, int min, int max) {}

    /// {@return what follows `Zookeeper version: `}
    String version();

    /// {@return `standalone`, `leader`, `follower`, `observer` or `read-only`}
    String mode();

    /// {@return `leading - broadcast` and the like; null for a server alone}
    @Nullable String peerState();

    /// {@return null unless this member leads}
    @Nullable ProposalSizes proposalSizes();

    /// {@return the answer to `conf`, whole}
    String configuration();

    /// {@return the lines of `envi` behind its title, by key}
    SequencedMap<String, String> environment();

    /// {@return more of `mntr`: keys without `zk_`, and their values}
    SequencedMap<String, String> measures();

    /// {@return when each session ends if it is not heard from, by wall clock in ms; null unless
    /// this member leads, since nobody else decides that}
    CompletionStage<@Nullable SortedMap<Long, List<Long>>> sessionDeadlines();

    /// {@return bytes of the state on disk}
    long dataBytes();

    /// {@return bytes of the log on disk}
    long logBytes();
}
