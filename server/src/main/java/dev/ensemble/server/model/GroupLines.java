package dev.ensemble.server.model;

import java.util.Collection;
import java.util.TreeMap;

/// Reads `group.N=myid:myid:...` and `weight.myid=N`, line by line.
public final class GroupLines {
    private final TreeMap<Integer, Integer> groups = new TreeMap<>();
    private final TreeMap<Integer, Integer> weights = new TreeMap<>();
    private final TreeMap<Integer, String> lines = new TreeMap<>();

    /// {@return whether a line with this key belongs here}
    public static boolean isKey(String key) {
        return key.startsWith("group.") || key.startsWith("weight.");
    }

    /// Takes a line.
    ///
    /// @throws IllegalArgumentException with a text that says what would be valid
    public void add(String key, String value) {
        String line = key + "=" + value;
        String id = key.substring(key.indexOf('.') + 1);
        if (key.startsWith("weight.")) {
            int myid = number(line, id, 1, Ensemble.MAX_MYID);
            if (weights.put(myid, number(line, value.strip(), 0, Integer.MAX_VALUE)) != null) {
                throw invalid(line, "weight." + myid + " is given twice");
            }
            return;
        }
        int group = number(line, id, 0, Integer.MAX_VALUE);
        if (lines.put(group, line) != null) {
            throw invalid(line, "group." + group + " is given twice");
        }
        for (String each : value.split(":", -1)) {
            int myid = number(line, each.strip(), 1, Ensemble.MAX_MYID);
            if (groups.put(myid, group) != null) {
                throw invalid(line, "member " + myid + " is in another group, or named twice");
            }
        }
    }

    /// {@return what the lines say of these members}
    ///
    /// @throws IllegalArgumentException with a text that says what would be valid
    public Groups of(Collection<Ensemble.Member> members) {
        if (groups.isEmpty() && weights.isEmpty()) {
            return Groups.NONE;
        }
        if (groups.isEmpty()) {
            throw new IllegalArgumentException(
                    "weight."
                            + weights.firstKey()
                            + " is not valid without groups: group.N=myid:myid:... must name every"
                            + " participant");
        }
        var known = new TreeMap<Integer, Ensemble.Member>();
        members.forEach(member -> known.put(member.myid(), member));
        for (int myid : groups.keySet()) {
            if (!known.containsKey(myid)) {
                throw invalid(
                        String.valueOf(lines.get(groups.get(myid))), "there is no server." + myid);
            }
        }
        for (int myid : weights.keySet()) {
            if (!known.containsKey(myid)) {
                throw invalid(
                        "weight." + myid + "=" + weights.get(myid), "there is no server." + myid);
            }
        }
        var read = new Groups(groups, weights);
        boolean decides = false;
        for (Ensemble.Member member : members) {
            if (member.role() == Ensemble.Role.PARTICIPANT) {
                if (!groups.containsKey(member.myid())) {
                    throw new IllegalArgumentException(
                            "server."
                                    + member.myid()
                                    + " is in no group: with groups every participant must be in"
                                    + " one");
                }
                decides |= read.weight(member.myid()) > 0;
            }
        }
        if (!decides) {
            throw new IllegalArgumentException(
                    "weight.* leaves no quorum: at least one participant must weigh more than 0");
        }
        return read;
    }

    private static int number(String line, String text, int least, int most) {
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Said below, like a number that is too large or too small.
        }
        String range =
                most == Integer.MAX_VALUE
                        ? "a whole number of at least " + least
                        : "a whole number from " + least + " to " + most;
        throw invalid(line, "it must be " + range);
    }

    private static IllegalArgumentException invalid(String line, String valid) {
        return new IllegalArgumentException(line + " is not valid: " + valid);
    }
}
