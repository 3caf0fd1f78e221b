package dev.ensemble.server.node;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The file of a member as it was read at the start, and what a later text of it changes.
///
/// It has no `toString` of its own, since there are secrets in it.
final class ConfigFile {
    private final Path path;
    private final String text;
    private final List<Map.Entry<String, String>> atStart;

    /// @param atStart keys as given, and values, in the order of the file
    ConfigFile(Path path, String text, List<Map.Entry<String, String>> atStart) {
        this.path = path;
        this.text = text;
        this.atStart = List.copyOf(atStart);
    }

    Path path() {
        return path;
    }

    /// {@return the file, with its secrets}
    String text() {
        return text;
    }

    /// {@return what went into the hash at the start}
    SortedMap<String, String> linesAtStart() {
        return hashed(atStart);
    }

    /// {@return what counts once the file is this: what can change while the member runs as it is
    /// now, everything else as it was at the start}
    List<Map.Entry<String, String>> inForce(List<Map.Entry<String, String>> now) {
        var both = new ArrayList<Map.Entry<String, String>>();
        for (Map.Entry<String, String> entry : atStart) {
            if (!ConfigKeys.isLive(entry.getKey())) {
                both.add(entry);
            }
        }
        for (Map.Entry<String, String> entry : now) {
            if (ConfigKeys.isLive(entry.getKey())) {
                both.add(entry);
            }
        }
        return both;
    }

    /// {@return keys that this file changes and that count from the next start on, sorted}
    List<String> waiting(List<Map.Entry<String, String>> now) {
        return differing(hashed(atStart), hashed(now)).stream()
                .filter(key -> !ConfigKeys.isLive(key))
                .toList();
    }

    /// {@return keys that differ, sorted; what membership and the bootstrap change is left out}
    static List<String> differing(
            SortedMap<String, String> before, SortedMap<String, String> after) {
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        keys.removeIf(key -> Objects.equals(before.get(key), after.get(key)));
        return List.copyOf(keys);
    }

    /// {@return keys as given, and values, of all that goes into the hash}
    static SortedMap<String, String> hashed(List<Map.Entry<String, String>> entries) {
        var lines = new TreeMap<String, String>();
        for (Map.Entry<String, String> entry : entries) {
            lines.put(entry.getKey(), entry.getValue());
        }
        lines.keySet().removeIf(ConfigFile::isMembership);
        return lines;
    }

    /// `docs/status.md` says what goes in.
    static String hash(List<Map.Entry<String, String>> entries) {
        return Config.sha256(
                hashed(entries).entrySet().stream()
                        .map(line -> line.getKey() + "=" + line.getValue() + "\n")
                        .collect(Collectors.joining()));
    }

    private static boolean isMembership(String key) {
        return Set.of("bootstrap", "ensembleId", "version").contains(key)
                || key.startsWith("server.")
                || key.startsWith("group.")
                || key.startsWith("weight.");
    }
}
