package dev.ensemble.server.node;

import com.sun.management.UnixOperatingSystemMXBean;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.net.ClientCounter;
import dev.ensemble.server.net.ClientStats;
import dev.ensemble.server.net.ClientSummary;
import dev.ensemble.server.store.LogMetrics;
import dev.ensemble.server.store.Recovered;
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
    private static final double MICROS = 1000;

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
        all.forEach(sample -> page.append(sample.page()));
        if (jvm != null) {
            page.append(JvmFamilies.page());
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

    /// {@return what words and commands show in front of the rest; empty while the member starts}
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

    /// {@return what `mntr` shows behind the figures of [#clients]}
    List<Sample> member() {
        Facts facts = observed.facts();
        if (facts == null) {
            return List.of();
        }
        Observed.Parts parts = observed.parts();
        var to = new ArrayList<Sample>();
        gauge(to, "uptime", "Time since the start in ms", observed.uptimeMillis());
        UnixOperatingSystemMXBean process = JvmFamilies.process();
        if (process != null) {
            long open = process.getOpenFileDescriptorCount();
            gauge(to, "open_file_descriptor_count", "Open files and sockets", open);
            long most = process.getMaxFileDescriptorCount();
            gauge(to, "max_file_descriptor_count", "The most that may be open", most);
        }
        traffic(to, parts.clients().stats());
        replication(to, facts);
        times(to, parts.loop().statistics());
        log(to, parts.store().metrics());
        space(to, parts.upkeep().space(), facts);
        damage(to, parts.store().recovered());
        time(
                to,
                "snapshottime",
                "Time of each flush of the state in ms",
                parts.flushing().micros());
        start(to, parts.start());
        PauseMonitor pauses = parts.pauses();
        if (pauses != null) {
            to.add(
                    new Sample.Distribution(
                            "jvm_pause_time_ms",
                            true,
                            1,
                            "How long the process stood still",
                            pauses.millis()));
        }
        return to;
    }

    private static void traffic(List<Sample> to, ClientStats stats) {
        ClientStats.ResponseSizes sizes = stats.responses();
        gauge(to, "last_client_response_size", "Bytes of the last reply", sizes.last());
        gauge(to, "min_client_response_size", "Bytes of the smallest reply", sizes.min());
        gauge(to, "max_client_response_size", "Bytes of the largest reply", sizes.max());
        for (ClientCounter each : ClientCounter.values()) {
            Number value = stats.counters().getOrDefault(each, 0L);
            if (each == ClientCounter.AUTH_FAILED_COUNT) {
                gauge(to, name(each), each.help(), value); // As the original has it.
            } else {
                counter(to, name(each), each.help(), value);
            }
        }
        for (ClientSummary each : ClientSummary.values()) {
            to.add(
                    new Sample.Distribution(
                            name(each),
                            each.isAdvanced(),
                            each.scale(),
                            each.help(),
                            stats.reading(each)));
        }
    }

    private static String name(Enum<?> metric) {
        return metric.name().toLowerCase(Locale.ROOT);
    }

    private static void replication(List<Sample> to, Facts facts) {
        Facts.Counts counts = facts.counts();
        gauge(to, "quorum_size", "Voting members", facts.configuration().voters().size());
        counter(to, "looking_count", "How often this member looked for a leader", counts.looking());
        counter(to, "commit_count", "Transactions committed", counts.commits());
        counter(to, "proposal_count", "Transactions proposed by this member", counts.proposals());
        counter(to, "snap_count", "Snapshots promised to learners", counts.snapshots());
        counter(to, "diff_count", "Learners synchronised without a snapshot", counts.diffs());
        counter(
                to,
                "learner_proposal_received_count",
                "Proposals of the leader",
                counts.proposalsReceived());
        counter(
                to,
                "learner_commit_received_count",
                "Messages of the leader that tell what is committed",
                counts.commitsReceived());
        counter(
                to,
                "stale_sessions_expired",
                "Sessions that nobody heard from",
                counts.expiredSessions());
        if (facts.isLeader()) {
            leader(to, facts);
        }
    }

    private static void leader(List<Sample> to, Facts facts) {
        Facts.Counts counts = facts.counts();
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

    private static boolean other(Facts facts, Peer.Standing voter) {
        return voter.synced() && voter.myid() != facts.identity().myid();
    }

    private static void times(List<Sample> to, Statistics statistics) {
        time(
                to,
                "election_time",
                "Time of each search for a leader in ms",
                statistics.electionTime.read());
        time(
                to,
                "unavailable_time",
                "Time without service in ms",
                statistics.unavailableTime.read());
        time(
                to,
                "leader_unavailable_time",
                "The same, of those times that ended with this member as the leader",
                statistics.leaderUnavailableTime.read());
        time(
                to,
                "follower_sync_time",
                "Time of each synchronisation as a follower in ms",
                statistics.followerSyncTime.read());
        time(
                to,
                "observer_sync_time",
                "Time of each synchronisation as an observer in ms",
                statistics.observerSyncTime.read());
        to.add(
                new Sample.Distribution(
                        "quorum_ack_latency",
                        true,
                        MICROS,
                        "From a proposal of this leader to its commit in ms",
                        statistics.quorumAckLatency.read()));
    }

    private static void space(List<Sample> to, Upkeep.Space space, Facts facts) {
        gauge(to, "disk_free_bytes", "Free bytes of the data folder's disk", space.freeBytes());
        gauge(to, "disk_low", "1: less is free than should be", space.low() ? 1 : 0);
        gauge(to, "disk_resting", "1: takes no part, for a full disk", facts.resting() ? 1 : 0);
        gauge(
                to,
                "disk_growth_refused",
                "1: leads, and refuses what makes data grow, since no quorum has space",
                facts.cramped() ? 1 : 0);
    }

    private static void damage(List<Sample> to, Recovered recovered) {
        gauge(
                to,
                "data_put_aside",
                "1: this start could not trust the data, and the member joined anew",
                recovered.warnings().isEmpty() ? 0 : 1);
    }

    private static void log(List<Sample> to, LogMetrics log) {
        time(to, "fsynctime", "Time of each sync of the log in ms", log.syncMicros());
        to.add(
                new Sample.Distribution(
                        "sync_processor_batch_size",
                        false,
                        1,
                        "Transactions of each sync of the log",
                        log.batchEntries()));
        counter(to, "log_bytes", "Bytes written to the log", log.bytes());
    }

    private static void start(List<Sample> to, Observed.Start start) {
        time(to, "dbinittime", "Time to load the data at the start in ms", start.micros());
        to.add(
                new Sample.Distribution(
                        "startup_txns_loaded",
                        false,
                        1,
                        "Transactions read from the log at the start",
                        start.transactions()));
    }

    private static void time(List<Sample> to, String name, String help, Reading micros) {
        to.add(new Sample.Distribution(name, false, MICROS, help, micros));
    }

    private static void gauge(List<Sample> to, String name, String help, Number value) {
        to.add(new Sample.Value(name, false, help, value));
    }

    private static void counter(List<Sample> to, String name, String help, Number value) {
        to.add(new Sample.Value(name, true, help, value));
    }
}
