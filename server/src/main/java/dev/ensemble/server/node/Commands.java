package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.ClientStats;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/// ZooKeeper's admin commands, as far as there is something to tell here (`admin` section 2.2).
final class Commands {
    private static final String NOT_SERVING =
            "This ZooKeeper instance is not currently serving requests";

    /// @param needsService what it tells has no meaning while the member does not serve
    private record Command(String name, boolean needsService, BiConsumer<Json, Facts> answer) {}

    private final Observed observed;
    private final MemberFacts words;
    private final Metrics metrics;
    private final Map<String, Command> byName = new HashMap<>();
    private final TreeSet<String> names = new TreeSet<>();

    Commands(Observed observed, MemberFacts words, Metrics metrics) {
        this.observed = observed;
        this.words = words;
        this.metrics = metrics;
        add(true, this::configuration, "configuration", "conf", "config");
        add(true, this::dirs, "dirs");
        add(false, this::environment, "environment", "env", "envi");
        add(true, this::initialConfiguration, "initial_configuration", "icfg");
        add(true, (json, _) -> json.put("read_only", false), "is_read_only", "isro");
        add(true, this::leader, "leader", "lead");
        add(false, this::monitor, "monitor", "mntr");
        add(true, (_, _) -> {}, "ruok");
        add(true, this::serverStats, "server_stats", "srvr");
        add(false, Commands::properties, "system_properties", "sysp");
        add(true, this::votingView, "voting_view");
        add(false, this::zabState, "zabstate");
    }

    private void add(boolean needsService, BiConsumer<Json, Facts> answer, String... aliases) {
        var command = new Command(aliases[0], needsService, answer);
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

    HttpServer.Response run(String name) {
        Command command = byName.get(name);
        var json = new Json();
        if (command == null) {
            return answer(json, name, "Unknown command: " + name);
        }
        Facts facts = observed.facts();
        if (facts == null || (command.needsService() && !facts.serving())) {
            return answer(json, command.name(), NOT_SERVING);
        }
        command.answer().accept(json, facts);
        return answer(json, command.name(), (String) json.fields().remove("error"));
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
        json.put("version", words.version())
                .put("read_only", false)
                .put(
                        "server_stats",
                        new Json()
                                .put("packets_sent", stats.sent())
                                .put("packets_received", stats.received())
                                .put("server_state", words.mode())
                                .put("outstanding_requests", stats.outstanding())
                                .put("min_latency", stats.minLatencyMillis())
                                .put("avg_latency", stats.avgLatencyMillis())
                                .put("max_latency", stats.maxLatencyMillis())
                                .put("data_dir_size", words.dataBytes())
                                .put("log_dir_size", words.logBytes())
                                .put("last_processed_zxid", facts.committed())
                                .put("num_alive_client_connections", stats.connections())
                                .put("uptime", observed.uptimeMillis()))
                .put("node_count", facts.tree().znodeCount() + 1);
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
                .put("server_addresses", List.of(address(member, member.port())))
                .put("election_addresses", List.of(address(member, member.electionPort())))
                .put("client_address", member.client() == null ? "" : member.client())
                .put("learner_type", member.role().text())
                .fields();
    }

    private static String address(Ensemble.Member member, int port) {
        return new Endpoint(member.host(), port).toString();
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
                .put("voting", votes)
                .put("last_zxid", Zxid.text(facts.committed()))
                .put("zab_epoch", Zxid.epoch(facts.committed()))
                .put("zab_counter", Zxid.counter(facts.committed()))
                .put("zabstate", phase(facts.role()));
    }

    private static String phase(Peer.RoleName role) {
        return switch (role) {
            case LOOKING -> "election";
            case LEARNER -> "synchronization";
            case LEADER, FOLLOWER, OBSERVER -> "broadcast";
        };
    }
}
