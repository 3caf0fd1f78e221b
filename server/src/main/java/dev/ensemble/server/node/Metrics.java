package dev.ensemble.server.node;

import dev.ensemble.server.net.ClientStats;
import dev.ensemble.server.store.LogMetrics;
import dev.ensemble.server.zab.Peer;

import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The figures of a member under ZooKeeper's names, for `mntr`, the admin port and Prometheus;
/// those of the JVM come from Micrometer.
///
/// Written out here, since Prometheus' own library would add `_total` to the names of counters,
/// which dashboards do not know.
final class Metrics implements AutoCloseable {
    /// One figure.
    ///
    /// @param counter it only grows
    record Sample(String name, boolean counter, String help, Number value) {
        /// {@return as ZooKeeper prints it: integers plain, others as decimals}
        String text() {
            return value instanceof Double || value instanceof Float
                    ? String.format(Locale.ROOT, "%.4f", value.doubleValue())
                    : value.toString();
        }
    }

    private final Observed observed;
    private final @Nullable PrometheusMeterRegistry jvm;
    private final @Nullable JvmGcMetrics gc;

    /// @param exportJvm the JVM's too
    Metrics(Observed observed, boolean exportJvm) {
        this.observed = observed;
        if (exportJvm) {
            jvm = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            gc = new JvmGcMetrics();
            gc.bindTo(jvm);
            new JvmMemoryMetrics().bindTo(jvm);
            new JvmThreadMetrics().bindTo(jvm);
            new ProcessorMetrics().bindTo(jvm);
            new FileDescriptorMetrics().bindTo(jvm);
            new UptimeMetrics().bindTo(jvm);
        } else {
            jvm = null;
            gc = null;
        }
    }

    /// {@return the page that Prometheus reads}
    String page() {
        var page = new StringBuilder();
        List<Sample> all = new ArrayList<>(clients());
        all.addAll(member());
        for (Sample sample : all) {
            page.append("# HELP ").append(sample.name()).append(' ').append(sample.help());
            page.append("\n# TYPE ").append(sample.name());
            page.append(sample.counter() ? " counter\n" : " gauge\n");
            page.append(sample.name()).append(' ').append(sample.text()).append('\n');
        }
        if (jvm != null) {
            page.append(jvm.scrape());
        }
        return page.toString();
    }

    @Override
    public void close() {
        if (gc != null) {
            gc.close();
        }
        if (jvm != null) {
            jvm.close();
        }
    }

    /// {@return what the client side counts; empty while the member starts}
    List<Sample> clients() {
        Facts facts = observed.facts();
        if (facts == null) {
            return List.of();
        }
        ClientStats stats = observed.parts().clients().stats();
        var to = new ArrayList<Sample>();
        gauge(to, "avg_latency", "Latency of requests in ms, average", stats.avgLatencyMillis());
        gauge(to, "min_latency", "Latency of requests in ms, least", stats.minLatencyMillis());
        gauge(to, "max_latency", "Latency of requests in ms, most", stats.maxLatencyMillis());
        gauge(to, "packets_received", "Requests received", stats.received());
        gauge(to, "packets_sent", "Replies and events sent", stats.sent());
        gauge(to, "num_alive_connections", "Connections of clients", stats.connections());
        gauge(to, "outstanding_requests", "Requests under way", stats.outstanding());
        gauge(to, "znode_count", "Znodes, the root twice", facts.tree().znodeCount() + 1);
        gauge(to, "watch_count", "Watches of all kinds", stats.watches());
        gauge(to, "ephemerals_count", "Ephemeral znodes", facts.tree().ephemeralCount());
        gauge(
                to,
                "approximate_data_size",
                "Bytes of paths and data",
                facts.tree().approximateDataSize());
        gauge(to, "global_sessions", "Sessions", facts.tree().sessionCount());
        gauge(to, "local_sessions", "Local sessions", 0);
        return to;
    }

    /// {@return what the rest counts: what `mntr` shows behind the client side's figures}
    List<Sample> member() {
        Facts facts = observed.facts();
        if (facts == null) {
            return List.of();
        }
        var to = new ArrayList<Sample>();
        gauge(to, "uptime", "Time since the start in ms", observed.uptimeMillis());
        replication(to, facts);
        log(to, observed.parts().store().metrics());
        long flush = observed.parts().flushing().millis();
        if (flush >= 0) {
            gauge(to, "snapshottime", "Time of the last flush of the state in ms", flush);
        }
        return to;
    }

    private static void replication(List<Sample> to, Facts facts) {
        Facts.Counts counts = facts.counts();
        gauge(to, "quorum_size", "Voting members", facts.configuration().voters().size());
        counter(to, "looking_count", "How often this member looked for a leader", counts.looking());
        counter(to, "commit_count", "Transactions committed", counts.commits());
        counter(to, "proposal_count", "Transactions proposed by this member", counts.proposals());
        counter(to, "snap_count", "Snapshots promised to learners", counts.snapshots());
        counter(to, "election_time_count", "Searches for a leader that ended", counts.elections());
        counter(to, "election_time_sum", "Time of them in ms", counts.electionNanos() / 1e6);
        gauge(
                to,
                "max_election_time",
                "The longest of them in ms",
                counts.maxElectionNanos() / 1e6);
        if (facts.isLeader()) {
            long voters = facts.voters().stream().filter(voter -> other(facts, voter)).count();
            long behind =
                    facts.voters().stream()
                            .filter(voter -> voter.connected() && !voter.synced())
                            .count();
            gauge(to, "synced_followers", "Followers in sync", voters);
            gauge(to, "learners", "Connected learners", voters + behind + facts.learners().size());
            gauge(
                    to,
                    "synced_observers",
                    "Members in contact that do not vote",
                    facts.learners().size());
            gauge(to, "pending_syncs", "Voters that are synchronising", behind);
            long led = (facts.nanos() - facts.leaderSinceNanos()) / 1_000_000;
            gauge(to, "leader_uptime", "Time as leader in ms", led);
            gauge(to, "last_proposal_size", "Bytes", counts.lastProposalBytes());
            gauge(to, "min_proposal_size", "Bytes", counts.minProposalBytes());
            gauge(to, "max_proposal_size", "Bytes", counts.maxProposalBytes());
        }
    }

    private static boolean other(Facts facts, Peer.Standing voter) {
        return voter.synced() && voter.myid() != facts.identity().myid();
    }

    private static void log(List<Sample> to, LogMetrics log) {
        counter(to, "fsynctime_count", "Syncs of the log", log.syncs());
        counter(to, "fsynctime_sum", "Time of them in ms", log.syncNanos() / 1e6);
        gauge(to, "max_fsynctime", "The longest in ms", log.maxSyncNanos() / 1e6);
        counter(to, "log_bytes", "Bytes written to the log", log.bytes());
        gauge(to, "max_sync_batch_size", "Most transactions of one sync", log.maxBatchEntries());
    }

    private static void gauge(List<Sample> to, String name, String help, Number value) {
        to.add(new Sample(name, false, help, value));
    }

    private static void counter(List<Sample> to, String name, String help, Number value) {
        to.add(new Sample(name, true, help, value));
    }
}
