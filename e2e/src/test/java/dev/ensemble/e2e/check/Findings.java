package dev.ensemble.e2e.check;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What a history says: promises that were broken, and figures.
///
/// A client's own znode holds a number and only that client writes to it, always the next number
/// and on condition of the version before. So at every version the number is the version, and one
/// that was acknowledged and is not there shows.
///
/// @param broken what must not happen and did, one sentence each
/// @param acked writes that were acknowledged
/// @param failed requests that failed, by request and code, such as `write CONNECTIONLOSS`
/// @param closed connections that ended under a client
/// @param watches watches that had to fire, and did
/// @param sessions sessions that were lost
/// @param longestSilenceMillis longest time between two acknowledged writes of one client
public record Findings(
        List<String> broken,
        long acked,
        Map<String, Long> failed,
        long closed,
        long watches,
        long sessions,
        long longestSilenceMillis) {

    public Findings {
        broken = List.copyOf(broken);
        failed = new TreeMap<>(failed);
    }

    /// The one error that a client may see while members stop and start: its connection closed
    /// under the request.
    private static final String CONNECTION_LOSS = "CONNECTIONLOSS";

    /// Judges a history.
    public static Findings of(History history) {
        var broken = new ArrayList<String>();
        if (!history.finished()) {
            broken.add("the history has no end: the clients did not finish");
        }
        Map<String, Entry.Final> last = new HashMap<>();
        history.of(Entry.Final.class).forEach(f -> last.put(f.path(), f));

        writes(history, last, broken);
        creations(history, last, broken);
        ephemerals(history, last, broken);
        long lost = sessions(history, broken);
        long watches = watches(history, last, broken);
        Map<String, Long> failed =
                history.of(Entry.Failed.class)
                        .collect(groupingBy(f -> f.request() + " " + f.code(), counting()));
        failed.forEach((kind, count) -> {
            if (!kind.endsWith(" " + CONNECTION_LOSS)) {
                broken.add(count + " requests failed with " + kind);
            }
        });
        return new Findings(
                broken,
                history.of(Entry.Acked.class).count(),
                failed,
                closed(history),
                watches,
                lost,
                longestSilence(history));
    }

    /// {@return how many connections ended under a client}
    ///
    /// A stock Java client fails what is in flight then, and what is asked of it within the next
    /// 100 ms. So a client that never waits so long sees about one failed request for each, however
    /// gently the server ends the connection.
    public static long closed(History history) {
        return history.of(Entry.Connection.class)
                .filter(c -> c.state().equals("Disconnected"))
                .count();
    }

    /// {@return the path of the znode that only this client writes to}
    public static String own(String root, int client) {
        return root + "/own-" + client;
    }

    private static void writes(
            History history, Map<String, Entry.Final> last, List<String> broken) {
        Map<Integer, Long> highest = new HashMap<>();
        for (Entry entry : history.entries()) {
            switch (entry) {
                case Entry.Acked a -> {
                    if (a.version() != a.number()) {
                        broken.add(
                                "client %d: the write of %d was acknowledged as version %d"
                                        .formatted(a.client(), a.number(), a.version()));
                    }
                    noneLost(a.client(), a.number() - 1, highest, "its next write", broken);
                    highest.merge(a.client(), a.number(), Math::max);
                }
                case Entry.Settled s -> {
                    if (s.version() != s.number()) {
                        broken.add(
                                "client %d: read %d at version %d"
                                        .formatted(s.client(), s.number(), s.version()));
                    }
                    noneLost(s.client(), s.number(), highest, "a read", broken);
                    highest.merge(s.client(), s.number(), Math::max);
                }
                case Entry.Connection _, Entry.Failed _, Entry.Created _, Entry.Armed _ -> {}
                case Entry.Fired _, Entry.Ephemeral _, Entry.Stopping _ -> {}
                case Entry.Final _, Entry.Finished _ -> {}
            }
        }
        highest.forEach((client, number) -> {
            Entry.Final there = endingWith(last, own("", client));
            if (there == null) {
                broken.add("client %d: its znode is gone".formatted(client));
            } else if (there.version() < number
                    || !there.data().equals(Integer.toString(there.version()))) {
                broken.add(
                        "client %d: %d was acknowledged, and at the end there is %s at version %d"
                                .formatted(client, number, there.data(), there.version()));
            }
        });
    }

    private static void noneLost(
            int client, long seen, Map<Integer, Long> highest, String by, List<String> broken) {
        long known = highest.getOrDefault(client, 0L);
        if (seen < known) {
            broken.add(
                    "client %d: %d was acknowledged, and %s found %d"
                            .formatted(client, known, by, seen));
        }
    }

    private static void creations(
            History history, Map<String, Entry.Final> last, List<String> broken) {
        history.of(Entry.Created.class)
                .filter(c -> !last.containsKey(c.path()))
                .forEach(c ->
                        broken.add(
                                "client %d: %s was created, and is not there at the end"
                                        .formatted(c.client(), c.path())));
    }

    private static void ephemerals(
            History history, Map<String, Entry.Final> last, List<String> broken) {
        history.of(Entry.Ephemeral.class)
                .forEach(e -> {
                    Entry.Final there = last.get(e.path());
                    if (there == null) {
                        broken.add("client %d: its ephemeral is gone".formatted(e.client()));
                    } else if (!there.owner().equals(e.owner())
                            || !there.czxid().equals(e.czxid())) {
                        broken.add(
                                "client %d: its ephemeral of %s, created at %s, is now of %s, created at %s"
                                        .formatted(
                                                e.client(),
                                                e.owner(),
                                                e.czxid(),
                                                there.owner(),
                                                there.czxid()));
                    }
                });
    }

    private static long sessions(History history, List<String> broken) {
        Map<Integer, Set<String>> sessions = new TreeMap<>();
        history.of(Entry.Connection.class)
                .filter(c -> c.state().equals("SyncConnected"))
                .forEach(c ->
                        sessions.computeIfAbsent(c.client(), _ -> new HashSet<>())
                                .add(c.session()));
        long lost = 0;
        for (var entry : sessions.entrySet()) {
            if (entry.getValue().size() > 1) {
                lost += entry.getValue().size() - 1;
                broken.add(
                        "client %d: had the sessions %s"
                                .formatted(entry.getKey(), entry.getValue()));
            }
        }
        List<Entry.Connection> ended =
                history.of(Entry.Connection.class)
                        .filter(c -> c.state().equals("Expired") || c.state().equals("AuthFailed"))
                        .toList();
        ended.forEach(c ->
                broken.add(
                        "client %d: session %s ended after %d ms: %s"
                                .formatted(c.client(), c.session(), c.at(), c.state())));
        return Math.max(lost, ended.size());
    }

    /// Every watch whose path has a later version than it was set at must have fired, and those of
    /// ephemerals never, since they are held to the end.
    ///
    /// @return how many had to fire
    private static long watches(
            History history, Map<String, Entry.Final> last, List<String> broken) {
        record Key(int client, long watch) {}
        Map<Key, Entry.Fired> fired = new HashMap<>();
        for (Entry.Fired f : history.of(Entry.Fired.class).toList()) {
            if (fired.put(new Key(f.client(), f.watch()), f) != null) {
                broken.add("client %d: watch %d fired twice".formatted(f.client(), f.watch()));
            }
        }
        Set<String> ephemeral = new HashSet<>();
        history.of(Entry.Ephemeral.class).forEach(e -> ephemeral.add(e.path()));
        long due = 0;
        for (Entry.Armed armed : history.of(Entry.Armed.class).toList()) {
            Entry.Fired event = fired.remove(new Key(armed.client(), armed.watch()));
            Entry.Final there = last.get(armed.path());
            if (ephemeral.contains(armed.path())) {
                if (event != null) {
                    broken.add(
                            "client %d: the watch on %s fired after %d ms: %s"
                                    .formatted(
                                            armed.client(),
                                            armed.path(),
                                            event.at(),
                                            event.type()));
                }
            } else if (there != null && there.version() > armed.version()) {
                due++;
                if (event == null) {
                    broken.add(
                            "client %d: the watch on %s, set at version %d after %d ms, did not fire; the version is %d now"
                                    .formatted(
                                            armed.client(),
                                            armed.path(),
                                            armed.version(),
                                            armed.at(),
                                            there.version()));
                } else if (!event.type().equals("NodeDataChanged")) {
                    broken.add(
                            "client %d: the watch on %s fired with %s"
                                    .formatted(armed.client(), armed.path(), event.type()));
                }
            }
        }
        fired.values()
                .forEach(f ->
                        broken.add(
                                "client %d: watch %d fired and was never set"
                                        .formatted(f.client(), f.watch())));
        return due;
    }

    private static long longestSilence(History history) {
        Map<Integer, Long> before = new HashMap<>();
        var silence = new LongSummaryStatistics();
        history.of(Entry.Acked.class)
                .forEach(a -> {
                    Long previous = before.put(a.client(), a.at());
                    silence.accept(previous == null ? 0 : a.at() - previous);
                });
        return silence.getCount() == 0 ? 0 : silence.getMax();
    }

    private static Entry.@Nullable Final endingWith(Map<String, Entry.Final> last, String name) {
        return last.values().stream().filter(f -> f.path().endsWith(name)).findAny().orElse(null);
    }

    /// {@return the figures, for the report}
    public String figures() {
        return "%d writes acknowledged, %d connections ended, failed requests %s, %d sessions lost, %d watches fired as they had to, longest time without an acknowledgement %d ms"
                .formatted(
                        acked,
                        closed,
                        failed.isEmpty() ? "none" : failed,
                        sessions,
                        watches,
                        longestSilenceMillis);
    }
}
