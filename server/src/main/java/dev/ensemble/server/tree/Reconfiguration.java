package dev.ensemble.server.tree;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.GroupLines;
import dev.ensemble.server.model.MemberLine;
import dev.ensemble.server.model.Request;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Reads what a client wants of the membership (`client-protocol` section 11).
public final class Reconfiguration {
    /// What the leader knows of the members and the tree does not hold.
    public interface Members {
        /// {@return whether a change is not committed yet}
        boolean isPending();

        /// {@return that configuration with the disks that its members have}
        Ensemble withDisks(Ensemble next);

        /// {@return whether a quorum of that configuration is in sync with the leader}
        boolean hasQuorum(Ensemble next);
    }

    private Reconfiguration() {}

    /// {@return the configuration that is asked for}
    ///
    /// @param fewestVoters that may be left
    /// @param severalAddresses whether a member may have more than one
    /// @throws IllegalArgumentException if there can be no such configuration
    static Ensemble of(
            Request.Reconfig request,
            Ensemble present,
            int fewestVoters,
            boolean severalAddresses) {
        var members = new TreeMap<Integer, Ensemble.Member>();
        var groups = new GroupLines();
        String all = request.newMembers();
        if (all != null) {
            // With all of them given, who joins and leaves is ignored.
            for (String line : items(all)) {
                int equals = line.indexOf('=');
                if (GroupLines.isKey(line) && equals >= 0) {
                    groups.add(line.substring(0, equals).strip(), line.substring(equals + 1));
                } else if (!line.startsWith("version=")) {
                    add(members, line);
                }
            }
        } else if (present.groups().decide()) {
            throw new IllegalArgumentException(
                    "with groups all members must be given, and their groups");
        } else {
            members.putAll(present.members());
            for (String id : items(request.leavingServers())) {
                members.remove(Integer.parseInt(id));
            }
            var joining = new TreeMap<Integer, Ensemble.Member>();
            items(request.joiningServers()).forEach(line -> add(joining, line));
            members.putAll(joining);
        }
        checkAddresses(members.values());
        if (!severalAddresses && members.values().stream().anyMatch(m -> !m.more().isEmpty())) {
            throw new IllegalArgumentException("several addresses need multiAddress.enabled=true");
        }
        if (present.level() < Ensemble.LEVEL_OF_ADDRESSES
                && addsAddresses(present, members.values())) {
            throw new IllegalArgumentException(
                    "not all members are of a release that lets a member have several addresses, or"
                            + " were connected at once since they are");
        }
        var next = present.with(members, groups.of(members.values()));
        if (next.groups().decide() && present.level() < Ensemble.LEVEL_OF_GROUPS) {
            throw new IllegalArgumentException(
                    "not all members are of a release that knows groups, or were connected at once"
                            + " since they are");
        }
        if (next.voters().size() < fewestVoters) {
            throw new IllegalArgumentException("too few voters: " + next.voters());
        }
        return next;
    }

    /// Those that have them already keep them.
    private static boolean addsAddresses(Ensemble present, Collection<Ensemble.Member> members) {
        return members.stream()
                .anyMatch(member -> {
                    Ensemble.Member was = present.members().get(member.myid());
                    return !member.more().isEmpty()
                            && (was == null || !was.more().equals(member.more()));
                });
    }

    private static List<String> items(@Nullable String list) {
        var items = new ArrayList<String>();
        for (String item : list == null ? new String[0] : list.split("[,\n]", -1)) {
            if (!item.isBlank()) {
                items.add(item.strip());
            }
        }
        return items;
    }

    private static void add(Map<Integer, Ensemble.Member> members, String line) {
        Ensemble.Member member = MemberLine.parse(line);
        if (members.put(member.myid(), member) != null) {
            throw new IllegalArgumentException("server." + member.myid() + " is given twice");
        }
    }

    private static void checkAddresses(Iterable<Ensemble.Member> members) {
        var taken = new HashSet<String>();
        for (Ensemble.Member member : members) {
            boolean free = true;
            for (Ensemble.Member.Address address : member.addresses()) {
                free &= taken.add(address.host() + ":" + address.port());
                free &= taken.add(address.host() + ":" + address.electionPort());
            }
            String client = member.client();
            // Of every host it may be the same.
            free &= client == null || client.startsWith("0.0.0.0:") || taken.add(client);
            if (!free) {
                throw new IllegalArgumentException(
                        "server." + member.myid() + " has an address of another member");
            }
        }
    }
}
