package dev.ensemble.server.net;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which sessions wait for changes of which znodes, at one moment. As in ZooKeeper's reports, who
/// waits for children alone is left out.
///
/// @param bySession paths, sorted
/// @param byPath sessions
/// @param count of pairs of a session and a path
public record WatchReport(
        SortedMap<Long, List<String>> bySession, SortedMap<String, List<Long>> byPath, int count) {

    /// @param loops paths by session, of each I/O thread
    static WatchReport of(List<Map<Long, List<String>>> loops) {
        var bySession = new TreeMap<Long, List<String>>();
        var byPath = new TreeMap<String, TreeSet<Long>>();
        int count = 0;
        for (Map<Long, List<String>> loop : loops) {
            for (Map.Entry<Long, List<String>> entry : loop.entrySet()) {
                bySession.put(entry.getKey(), entry.getValue().stream().sorted().toList());
                count += entry.getValue().size();
                for (String path : entry.getValue()) {
                    byPath.computeIfAbsent(path, _ -> new TreeSet<>()).add(entry.getKey());
                }
            }
        }
        var sessions = new TreeMap<String, List<Long>>();
        byPath.forEach((path, ids) -> sessions.put(path, List.copyOf(ids)));
        return new WatchReport(bySession, sessions, count);
    }
}
