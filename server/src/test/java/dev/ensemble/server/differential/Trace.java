package dev.ensemble.server.differential;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the clients of a program saw, line by line, and with it what must be taken out before two
/// servers can be compared: zxids count what clients do not see as well, times are times, session
/// ids are anything.
final class Trace {
    private static final Pattern ZXID = Pattern.compile("\\{([zh])(-?\\d+)}");

    private final List<String> lines = new ArrayList<>();
    private final TreeSet<Long> zxids = new TreeSet<>();
    private final Map<Long, Long> times = new HashMap<>();
    private final List<Long> sessions = new ArrayList<>();
    private final Set<String> closings = new HashSet<>();

    void line(String text) {
        lines.add(text);
    }

    /// {@return what stands for the zxid of a transaction that clients know of}
    String zxid(long zxid) {
        if (zxid > 0) {
            zxids.add(zxid);
        }
        return "{z" + zxid + "}";
    }

    /// {@return what stands for a zxid that tells how far the server is, perhaps further than any
    /// client has seen a reason for}
    static String atLeast(long zxid) {
        return "{h" + zxid + "}";
    }

    /// {@return nothing; or the complaint that a transaction has two times}
    String time(long zxid, long millis) {
        Long before = zxid == 0 ? Long.valueOf(0) : times.putIfAbsent(zxid, millis);
        return before == null || before == millis ? "" : " TIME OF " + zxid(zxid) + " DIFFERS";
    }

    /// A session ended with this zxid: in which order its ephemerals went is not defined.
    void closing(long zxid) {
        closings.add("event at " + zxid(zxid));
    }

    void session(long id) {
        if (!sessions.contains(id)) {
            sessions.add(id);
        }
    }

    String owner(long session) {
        return session == 0
                ? "0"
                : sessions.contains(session) ? "session" + sessions.indexOf(session) : "nobody";
    }

    /// {@return the lines; instead of zxids they have ranks among the known ones, so the order of
    /// what happened is compared as well}
    List<String> lines() {
        Map<Long, Integer> ranks = new HashMap<>();
        for (long zxid : zxids) {
            ranks.put(zxid, ranks.size() + 1);
        }
        return ordered().stream().map(line -> ranked(line, ranks)).toList();
    }

    private List<String> ordered() {
        List<String> ordered = new ArrayList<>(lines);
        int from = 0;
        for (int i = 1; i <= ordered.size(); i++) {
            String event = event(ordered.get(from));
            if (i == ordered.size() || !event.equals(event(ordered.get(i)))) {
                if (closings.contains(event)) {
                    Collections.sort(ordered.subList(from, i));
                }
                from = i;
            }
        }
        return ordered;
    }

    /// {@return the beginning that events of the same transaction share}
    private static String event(String line) {
        return line.substring(0, Math.max(0, line.indexOf(':')));
    }

    private String ranked(String line, Map<Long, Integer> ranks) {
        Matcher matcher = ZXID.matcher(line);
        return matcher.replaceAll(found -> {
            long zxid = Long.parseLong(found.group(2));
            if (zxid <= 0) {
                return "" + zxid;
            }
            Long known = zxids.floor(zxid);
            return known == null ? "0" : "" + ranks.get(known);
        });
    }
}
