package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.ClientCounter;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.ClientStats;
import dev.ensemble.server.net.ConnectionFacts;
import dev.ensemble.server.net.ServerFacts;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.ToIntFunction;

/// ZooKeeper's admin commands (`admin` section 2.2; `docs/admin.md` has the differences).
final class Commands {
    /// What changes something, if only what is counted. (`snapshot` and `restore` look themselves.)
    private static final Set<String> GUARDED =
            Set.of(
                    "connection_stat_reset",
                    "observer_connection_stat_reset",
                    "set_trace_mask",
                    "stat_reset");

    private static final String NOT_SERVING =
            "This ZooKeeper instance is not currently serving requests";

    /// What one command does.
    private interface Action {
        CompletionStage<HttpServer.Response> answer(HttpServer.Request request, Facts facts);
    }

    /// What one tells that is known at once.
    private interface Report {
        void fill(Json json, Facts facts);
    }

    /// @param method of HTTP
    /// @param needsService what it tells has no meaning while the member does not serve
    private record Command(String name, String method, boolean needsService, Action action) {}

    private final Observed observed;
    private final MemberFacts words;
    private final Metrics metrics;
    private final Map<String, Command> byName = new HashMap<>();
    private final TreeSet<String> names = new TreeSet<>();

    Commands(Observed observed, MemberFacts words, Metrics metrics, AdminSnapshot snapshots) {
        this.observed = observed;
        this.words = words;
        this.metrics = metrics;
        report(true, this::configuration, "configuration", "conf", "config");
        later(this::connections, "connections", "cons");
        later((_, _) -> reset(true), "connection_stat_reset", "crst");
        report(true, this::digests, "hash");
        report(true, this::dirs, "dirs");
        later(this::dump, "dump");
        report(false, this::environment, "environment", "env", "envi");
        report(false, this::traceMask, "get_trace_mask", "gtmk");
        add("GET", false, this::setTraceMask, "set_trace_mask", "stmk");
        report(true, this::initialConfiguration, "initial_configuration", "icfg");
        report(true, (json, _) -> json.put("read_only", servesReaders()), "is_read_only", "isro");
        report(true, this::lastSnapshot, "last_snapshot", "lsnp");
        report(true, this::leader, "leader", "lead");
        report(false, this::monitor, "monitor", "mntr");
        report(true, Commands::observers, "observers", "obsr");
        report(true, (_, _) -> {}, "observer_connection_stat_reset", "orst");
        report(true, (_, _) -> {}, "ruok");
        report(true, this::serverStats, "server_stats", "srvr");
        later(this::stats, "stats", "stat");
        later((_, _) -> reset(false), "stat_reset", "srst");
        report(false, Commands::properties, "system_properties", "sysp");
        report(true, this::votingView, "voting_view");
        later(this::watches, "watches", "wchc");
        later(this::watchesByPath, "watches_by_path", "wchp");
        later(this::watchSummary, "watch_summary", "wchs");
        report(false, this::zabState, "zabstate");
        add("GET", true, (request, _) -> snapshots.snapshot(request), "snapshot", "snap");
        add("POST", true, (request, _) -> snapshots.restore(request), "restore", "rest");
    }

    private void report(boolean needsService, Report report, String... aliases) {
        Action action =
                (_, facts) -> {
                    var json = new Json();
                    report.fill(json, facts);
                    return done(answer(json, aliases[0], (String) json.fields().remove("error")));
                };
        add("GET", needsService, action, aliases);
    }

    /// One that has to ask other threads.
    private void later(BiFunction<Json, Facts, CompletionStage<?>> question, String... aliases) {
        Action action =
                (_, facts) -> {
                    var json = new Json();
                    return question.apply(json, facts)
                            .thenApply(_ -> answer(json, aliases[0], null));
                };
        add("GET", true, action, aliases);
    }

    private void add(String method, boolean needsService, Action action, String... aliases) {
        var command = new Command(aliases[0], method, needsService, action);
        names.add(aliases[0]);
        for (String alias : aliases) {
            byName.put(alias, command);
        }
    }

    /// {@return links to all of them}
    HttpServer.Response index(String commandUrl) {
        var page = new StringBuilder();
        for (String name : names) {
            page.append(String.format("<a href=\"%s/%s\">%s</a><br/>%n", commandUrl, name, name));
        }
        return new HttpServer.Response(200, "text/html; charset=utf-8", page.toString());
    }

    CompletionStage<HttpServer.Response> run(String name, HttpServer.Request request) {
        Command command = byName.get(name);
        if (command == null) {
            return done(answer(new Json(), name, "Unknown command: " + name));
        }
        if (!command.method().equals(request.method())) {
            return done(AdminServer.wrongMethod(command.method()));
        }
        Facts facts = observed.facts();
        if (facts == null || (command.needsService() && !facts.serving() && !servesReaders())) {
            return done(answer(new Json(), command.name(), NOT_SERVING));
        }
        HttpServer.Response refusal =
                GUARDED.contains(command.name())
                        ? AdminIdentity.refusal(observed, request, command.name())
                        : null;
        if (refusal != null) {
            return done(refusal);
        }
        return command.action().answer(request, facts);
    }

    /// {@return whether it has no leader, and answers those who only want to read}
    private boolean servesReaders() {
        return observed.parts().clients().isReadOnly();
    }

    private static CompletionStage<HttpServer.Response> done(HttpServer.Response response) {
        return CompletableFuture.completedStage(response);
    }

    private static HttpServer.Response answer(Json json, String name, @Nullable String error) {
        return HttpServer.Response.json(json.put("command", name).put("error", error).toString());
    }

    private void configuration(Json json, Facts facts) {
        Config config = observed.config();
        json.put("client_port", MemberFacts.port(config.clients().endpoint()))
                .put("data_dir", String.valueOf(words.settings().get("dataDir")))
                .put("data_log_dir", String.valueOf(words.settings().get("dataLogDir")))
                .put("tick_time", config.timing().tickMillis())
                .put("max_client_cnxns", config.clients().maxPerAddress())
                .put("min_session_timeout", config.timing().minSessionTimeoutMillis())
                .put("max_session_timeout", config.timing().maxSessionTimeoutMillis())
                .put("server_id", words.settings().get("serverId"))
                .put("client_port_listen_backlog", config.clients().backlog());
    }

    private CompletionStage<?> connections(Json json, Facts facts) {
        return connections(json, false);
    }

    /// @param brief without what concerns the session
    private CompletionStage<?> connections(Json json, boolean brief) {
        return observed.parts()
                .clients()
                .connections()
                .thenAccept(all -> {
                    json.put("connections", views(all, false, brief));
                    json.put("secure_connections", views(all, true, brief));
                });
    }

    private static List<Map<String, @Nullable Object>> views(
            List<ConnectionFacts> all, boolean secure, boolean brief) {
        return all.stream()
                .filter(each -> each.secure() == secure)
                .map(each -> view(each, brief))
                .toList();
    }

    private static Map<String, @Nullable Object> view(ConnectionFacts from, boolean brief) {
        var json =
                new Json()
                        .put("remote_socket_address", address(from.remote()))
                        .put("interest_ops", from.interest())
                        .put("outstanding_requests", from.queued())
                        .put("packets_received", from.received())
                        .put("packets_sent", from.sent());
        if (!brief) {
            json.put("session_id", from.session())
                    .put("last_operation", from.lastOperation())
                    .put("established", from.establishedMillis())
                    .put("session_timeout", from.timeoutMillis())
                    .put("last_cxid", from.lastXid())
                    .put("last_zxid", from.lastZxid())
                    .put("last_response_time", from.lastResponseMillis())
                    .put("last_latency", from.lastLatencyMillis())
                    .put("min_latency", from.minLatencyMillis())
                    .put("avg_latency", from.avgLatencyMillis())
                    .put("max_latency", from.maxLatencyMillis());
        }
        return json.fields();
    }

    private static String address(InetSocketAddress address) {
        return new Endpoint(address.getAddress().getHostAddress(), address.getPort()).toString();
    }

    /// @param connections of each connection, else of the server
    private CompletionStage<?> reset(boolean connections) {
        ClientServer clients = observed.parts().clients();
        return connections ? clients.resetConnections() : clients.resetStats();
    }

    private void digests(Json json, Facts facts) {
        json.put(
                "digests",
                observed.parts().clients().digests().stream()
                        .map(each ->
                                new Json()
                                        .put("zxid", each.zxid())
                                        .put("digest", each.digest())
                                        .put("digest_version", 2)
                                        .fields())
                        .toList());
    }

    private CompletionStage<?> dump(Json json, Facts facts) {
        return words.sessionDeadlines()
                .thenAccept(deadlines -> {
                    json.put(
                            "expiry_time_to_session_ids",
                            deadlines == null ? Map.of() : byText(deadlines));
                    var ephemerals = new TreeMap<Long, List<String>>();
                    facts.tree()
                            .forEachSession(session -> {
                                List<String> paths = facts.tree().ephemerals(session.id());
                                if (!paths.isEmpty()) {
                                    ephemerals.put(session.id(), paths);
                                }
                            });
                    json.put("session_id_to_ephemeral_paths", byText(ephemerals));
                });
    }

    /// {@return the same with text as keys, which JSON needs}
    private static <V> Map<String, V> byText(Map<?, V> map) {
        var texts = new LinkedHashMap<String, V>();
        map.forEach((key, value) -> texts.put(String.valueOf(key), value));
        return texts;
    }

    private CompletionStage<?> watches(Json json, Facts facts) {
        return observed.parts()
                .clients()
                .watches()
                .thenAccept(report ->
                        json.put("session_id_to_watched_paths", byText(report.bySession())));
    }

    private CompletionStage<?> watchesByPath(Json json, Facts facts) {
        return observed.parts()
                .clients()
                .watches()
                .thenAccept(report -> json.put("path_to_session_ids", report.byPath()));
    }

    private CompletionStage<?> watchSummary(Json json, Facts facts) {
        return observed.parts()
                .clients()
                .watches()
                .thenAccept(report ->
                        json.put("num_connections", report.bySession().size())
                                .put("num_paths", report.byPath().size())
                                .put("num_total_watches", report.count()));
    }

    private void traceMask(Json json, Facts facts) {
        json.put("tracemask", observed.parts().clients().traceMask());
    }

    private CompletionStage<HttpServer.Response> setTraceMask(
            HttpServer.Request request, Facts facts) {
        var json = new Json();
        String text = request.parameters().get("traceMask");
        if (text == null) {
            return done(
                    answer(
                            json,
                            "set_trace_mask",
                            "setTraceMask requires long traceMask argument"));
        }
        try {
            long mask = Long.parseLong(text);
            observed.parts().clients().traceMask(mask);
            return done(answer(json.put("tracemask", mask), "set_trace_mask", null));
        } catch (NumberFormatException _) {
            return done(
                    answer(
                            json,
                            "set_trace_mask",
                            "setTraceMask requires long traceMask argument, got " + text));
        }
    }

    private void lastSnapshot(Json json, Facts facts) {
        Flushing flushing = observed.parts().flushing();
        json.put("zxid", Long.toHexString(flushing.storedZxid()))
                .put("timestamp", flushing.storedSeconds());
    }

    private static void observers(Json json, Facts facts) {
        json.put("synced_observers", facts.learners().size())
                .put(
                        "observers",
                        facts.learners().stream()
                                .map(learner -> new Json().put("sid", learner.myid()).fields())
                                .toList());
    }

    private CompletionStage<?> stats(Json json, Facts facts) {
        serverStats(json, facts);
        return connections(json, true);
    }

    private void dirs(Json json, Facts facts) {
        json.put("datadir_size", words.dataBytes()).put("logdir_size", words.logBytes());
    }

    private void environment(Json json, Facts facts) {
        words.environment().forEach(json::put);
    }

    private void initialConfiguration(Json json, Facts facts) {
        json.put("initial_configuration", observed.config().text());
    }

    private void leader(Json json, Facts facts) {
        if (observed.config().membership().standalone()) {
            json.put("error", "server is not initialized");
            return;
        }
        Ensemble.Member leader = facts.configuration().members().get(facts.leader());
        json.put("is_leader", facts.isLeader())
                .put("leader_id", facts.leader())
                .put("leader_ip", leader == null ? "" : leader.host());
    }

    private void monitor(Json json, Facts facts) {
        json.put("version", words.version()).put("server_state", words.mode());
        String state = words.peerState();
        if (state != null) {
            json.put("peer_state", state);
        }
        metrics.clients().forEach(sample -> sample.entries().forEach(json::put));
        metrics.member().forEach(sample -> sample.entries().forEach(json::put));
    }

    private void serverStats(Json json, Facts facts) {
        ClientStats stats = observed.parts().clients().stats();
        Json sizes = sizes(stats.responses());
        json.put("version", words.version())
                .put("read_only", servesReaders())
                .put(
                        "server_stats",
                        new Json()
                                .put("packets_sent", stats.sent())
                                .put("packets_received", stats.received())
                                .put(
                                        "fsync_threshold_exceed_count",
                                        observed.parts().store().metrics().slowSyncs())
                                .put("client_response_stats", sizes.fields())
                                .put("provider_null", false)
                                .put("server_state", words.mode())
                                .put("outstanding_requests", stats.outstanding())
                                .put("min_latency", stats.minLatencyMillis())
                                .put("avg_latency", stats.avgLatencyMillis())
                                .put("max_latency", stats.maxLatencyMillis())
                                .put("data_dir_size", words.dataBytes())
                                .put("log_dir_size", words.logBytes())
                                .put("last_processed_zxid", facts.committed())
                                .put("num_alive_client_connections", stats.connections())
                                .put("uptime", observed.uptimeMillis())
                                .put(
                                        "auth_failed_count",
                                        stats.counters()
                                                .getOrDefault(ClientCounter.AUTH_FAILED_COUNT, 0L)))
                .put("client_response", sizes);
        ServerFacts.ProposalSizes proposals = words.proposalSizes();
        if (proposals != null) {
            json.put(
                    "proposal_stats",
                    sizes(
                            new ClientStats.ResponseSizes(
                                    proposals.last(), proposals.min(), proposals.max())));
        }
        json.put("node_count", facts.tree().znodeCount() + 1);
    }

    private static Json sizes(ClientStats.ResponseSizes sizes) {
        return new Json()
                .put("last_buffer_size", sizes.last())
                .put("min_buffer_size", sizes.min())
                .put("max_buffer_size", sizes.max());
    }

    private static void properties(Json json, Facts facts) {
        var sorted = new TreeMap<String, String>();
        System.getProperties().forEach((key, value) -> sorted.put("" + key, "" + value));
        sorted.forEach(json::put);
    }

    private void votingView(Json json, Facts facts) {
        var view = new TreeMap<String, Object>();
        if (!observed.config().membership().standalone()) {
            facts.configuration().members().values().stream()
                    .filter(member -> member.role() == Ensemble.Role.PARTICIPANT)
                    .forEach(member -> view.put("" + member.myid(), view(member)));
        }
        json.put("current_config", view);
    }

    private static Map<String, @Nullable Object> view(Ensemble.Member member) {
        return new Json()
                .put("server_addresses", shown(member, Ensemble.Member.Address::port))
                .put("election_addresses", shown(member, Ensemble.Member.Address::electionPort))
                .put("client_address", member.client() == null ? "" : member.client())
                .put("learner_type", member.role().text())
                .fields();
    }

    private static List<String> shown(
            Ensemble.Member member, ToIntFunction<Ensemble.Member.Address> port) {
        return member.addresses().stream()
                .map(each -> new Endpoint(each.host(), port.applyAsInt(each)).toString())
                .toList();
    }

    private void zabState(Json json, Facts facts) {
        if (observed.config().membership().standalone()) {
            json.put("voting", false).put("zabstate", "");
            return;
        }
        Ensemble.Member self = facts.configuration().members().get(observed.config().myid());
        boolean votes = self != null && self.role() == Ensemble.Role.PARTICIPANT;
        json.put("myid", observed.config().myid())
                .put("is_leader", facts.isLeader())
                .put(
                        "quorum_address",
                        self == null ? null : addresses(self, Ensemble.Member.Address::port))
                .put(
                        "election_address",
                        self == null
                                ? null
                                : addresses(self, Ensemble.Member.Address::electionPort))
                .put("client_address", self == null ? null : self.client())
                .put("voting", votes)
                .put("last_zxid", Zxid.text(facts.committed()))
                .put("zab_epoch", Zxid.epoch(facts.committed()))
                .put("zab_counter", Zxid.counter(facts.committed()))
                .put("zabstate", phase(facts.role()));
    }

    private static Json addresses(
            Ensemble.Member member, ToIntFunction<Ensemble.Member.Address> port) {
        List<String> all = shown(member, port);
        List<Integer> ports = member.addresses().stream().map(port::applyAsInt).distinct().toList();
        return new Json()
                .put("empty", false)
                .put("all_addresses", all)
                .put("wildcard_addresses", ports.stream().map(each -> "0.0.0.0:" + each).toList())
                .put("all_ports", ports)
                .put(
                        "all_host_strings",
                        all.stream().map(each -> each.substring(0, each.lastIndexOf(':'))).toList())
                .put("reachable_address", all.getFirst())
                .put("all_reachable_addresses", all)
                .put("all_reachable_addresses_or_all", all)
                .put("reachable_or_one", all.getFirst())
                .put("one", all.getFirst());
    }

    private static String phase(Peer.RoleName role) {
        return switch (role) {
            case LOOKING -> "election";
            case LEARNER -> "synchronization";
            case LEADER, FOLLOWER, OBSERVER -> "broadcast";
        };
    }
}
