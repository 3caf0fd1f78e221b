package dev.ensemble.server.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/// Hierarchical quorums, as ZooKeeper has them: a quorum holds more than half of the weight of a
/// group, in more than half of the groups.
///
/// Groups that weigh nothing do not count. Only voters weigh anything: an observer may be named,
/// and matters once it is promoted.
///
/// @param groups the group of each member, by myid; empty: the majority of the voters decides
/// @param weights of members, by myid: those that are not 1
public record Groups(Map<Integer, Integer> groups, Map<Integer, Integer> weights) {
    /// The majority of the voters decides.
    public static final Groups NONE = new Groups(Map.of(), Map.of());

    private record Share(long all, long held) {
        Share plus(int weight, boolean holds) {
            return new Share(all + weight, holds ? held + weight : held);
        }
    }

    public Groups {
        groups = Collections.unmodifiableMap(new TreeMap<>(groups));
        var given = new TreeMap<>(weights);
        given.values().removeIf(weight -> weight == 1); // Said or not, it is the same.
        weights = Collections.unmodifiableMap(given);
    }

    /// {@return whether groups decide, and not the majority}
    public boolean decide() {
        return !groups.isEmpty();
    }

    /// {@return how much that voter's word counts: without groups as much as any other's}
    public int weight(int myid) {
        return weights.getOrDefault(myid, 1);
    }

    /// {@return whether the voters that `has` accepts are a quorum}
    boolean isQuorum(Collection<Integer> voters, IntPredicate has) {
        var shares = new TreeMap<Integer, Share>();
        for (int voter : voters) {
            Integer group = groups.get(voter);
            if (group != null) {
                Share share = shares.getOrDefault(group, new Share(0, 0));
                shares.put(group, share.plus(weight(voter), has.test(voter)));
            }
        }
        long counted = shares.values().stream().filter(share -> share.all > 0).count();
        long held =
                shares.values().stream()
                        .filter(share -> share.held > share.all - share.held)
                        .count();
        return held > counted / 2;
    }

    /// {@return how many voters at least are a quorum}
    int needed(Collection<Integer> voters) {
        var heaviest = new ArrayList<>(voters);
        heaviest.sort((a, b) -> Integer.compare(weight(b), weight(a)));
        var members = new TreeMap<Integer, List<Integer>>();
        for (int voter : heaviest) {
            members.computeIfAbsent(groups.getOrDefault(voter, -1), _ -> new ArrayList<>())
                    .add(weight(voter));
        }
        int[] fewest =
                members.values().stream()
                        .filter(weights -> weights.getFirst() > 0)
                        .mapToInt(Groups::fewest)
                        .sorted()
                        .toArray();
        int needed = 0;
        for (int i = 0; i <= fewest.length / 2 && i < fewest.length; i++) {
            needed += fewest[i];
        }
        return needed;
    }

    /// {@return how many of these weights, heaviest first, are more than half of all}
    private static int fewest(List<Integer> weights) {
        long all = weights.stream().mapToLong(Integer::longValue).sum();
        long held = 0;
        int count = 0;
        while (held <= all - held) {
            held += weights.get(count++);
        }
        return count;
    }

    /// {@return the lines of `/zookeeper/config`, as ZooKeeper writes them: with the weight of each
    /// voter, also if nobody gave it}
    String text(Collection<Integer> voters) {
        var named = new TreeMap<Integer, StringBuilder>();
        groups.forEach((myid, group) -> {
            StringBuilder list = named.computeIfAbsent(group, _ -> new StringBuilder());
            list.append(list.isEmpty() ? "" : ":").append(myid);
        });
        var shown = new TreeMap<>(weights);
        voters.forEach(voter -> shown.putIfAbsent(voter, 1));
        var text = new StringBuilder();
        named.forEach((group, list) ->
                text.append("group.").append(group).append('=').append(list).append('\n'));
        shown.forEach((myid, weight) ->
                text.append("weight.").append(myid).append('=').append(weight).append('\n'));
        return text.toString();
    }
}
