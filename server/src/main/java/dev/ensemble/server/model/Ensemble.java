package dev.ensemble.server.model;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;

/// A configuration: who belongs to the ensemble, in which role and incarnation.
///
/// @param id of the ensemble; empty before it has formed
/// @param version zxid of the transaction that made it; 0 for the one that a file declares
/// @param members by myid
/// @param groups what makes a quorum
/// @param level what may be in the log and on the links: raised only when all members know what it
///   stands for, and never lowered
public record Ensemble(
        String id, long version, Map<Integer, Member> members, Groups groups, int level) {
    /// What every build knows.
    public static final int FIRST_LEVEL = 1;

    /// From here on configurations may have groups.
    public static final int LEVEL_OF_GROUPS = 2;

    /// From here on a member may get more than one address.
    public static final int LEVEL_OF_ADDRESSES = 3;

    /// The highest level that this build knows.
    public static final int HIGHEST_LEVEL = LEVEL_OF_ADDRESSES;

    /// The top byte of a session's id is its member's; 255 there would look like the owner of a TTL
    /// node.
    public static final int MAX_MYID = 254;

    /// Whether a member votes.
    public enum Role {
        PARTICIPANT,
        OBSERVER;

        /// {@return as in `server.N=...:participant`}
        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /// @param host name or address that peers dial; a name is resolved at each dial
    /// @param port of peers
    /// @param electionPort accepted, kept and printed, not used
    /// @param client `host:port` for clients, if declared with the member
    /// @param incarnation of its disk; 0: not known yet, any matches
    /// @param more addresses at which peers may reach it too, on other networks
    public record Member(
            int myid,
            String host,
            int port,
            int electionPort,
            Role role,
            @Nullable String client,
            long incarnation,
            List<Address> more) {
        /// Where a member can be reached by others.
        public record Address(String host, int port, int electionPort) {
            private String text() {
                return (host.indexOf(':') >= 0 ? "[" + host + "]" : host)
                        + ":"
                        + port
                        + ":"
                        + electionPort;
            }
        }

        public Member {
            more = List.copyOf(more);
        }

        /// With one address.
        public Member(
                int myid,
                String host,
                int port,
                int electionPort,
                Role role,
                @Nullable String client,
                long incarnation) {
            this(myid, host, port, electionPort, role, client, incarnation, List.of());
        }

        /// {@return all its addresses, the first one in front}
        public List<Address> addresses() {
            var all = new ArrayList<Address>();
            all.add(new Address(host, port, electionPort));
            all.addAll(more);
            return all;
        }

        /// {@return this member with another disk}
        public Member withIncarnation(long next) {
            return new Member(myid, host, port, electionPort, role, client, next, more);
        }

        /// {@return this member with a vote}
        public Member voting() {
            return new Member(
                    myid, host, port, electionPort, Role.PARTICIPANT, client, incarnation, more);
        }

        /// {@return `host:port:electionPort[|...]:role[;client]`, as ZooKeeper writes it; an IPv6
        /// host in brackets}
        public String text() {
            return addresses().stream().map(Address::text).collect(Collectors.joining("|"))
                    + ":"
                    + role.text()
                    + (client == null ? "" : ";" + client);
        }
    }

    public Ensemble {
        members = java.util.Collections.unmodifiableMap(new TreeMap<>(members));
    }

    /// Of an ensemble in which the majority of the voters decides.
    public Ensemble(String id, long version, Map<Integer, Member> members) {
        this(id, version, members, Groups.NONE, FIRST_LEVEL);
    }

    /// {@return the configuration of these members, not committed by anyone}
    public static Ensemble declared(String id, Collection<Member> members) {
        return new Ensemble(
                id, 0, members.stream().collect(Collectors.toMap(Member::myid, m -> m)));
    }

    /// {@return the same members with another rule for quorums}
    public Ensemble with(Groups other) {
        return new Ensemble(id, version, members, other, level);
    }

    /// {@return the next configuration of the same ensemble, with other members}
    public Ensemble with(Map<Integer, Member> others, Groups rule) {
        return new Ensemble(id, 0, others, rule, level);
    }

    /// {@return the same configuration at another level}
    public Ensemble atLevel(int other) {
        return new Ensemble(id, version, members, groups, other);
    }

    /// {@return the same configuration of the ensemble `named`}
    public Ensemble named(String named) {
        return new Ensemble(named, version, members, groups, level);
    }

    /// {@return a level that was read; 0 is the first}
    ///
    /// @throws IllegalArgumentException if members of a later release have agreed on more than this
    ///   one knows
    public static int knownLevel(int level) {
        if (level > HIGHEST_LEVEL) {
            throw new IllegalArgumentException(
                    "the ensemble is at level "
                            + level
                            + "; this build is too old, and knows "
                            + HIGHEST_LEVEL);
        }
        return Math.max(FIRST_LEVEL, level);
    }

    /// {@return the ids of those that vote}
    public Set<Integer> voters() {
        return members.values().stream()
                .filter(m -> m.role() == Role.PARTICIPANT)
                .map(Member::myid)
                .collect(Collectors.toUnmodifiableSet());
    }

    /// {@return whether `myid` votes here with the disk `incarnation`}
    public boolean isVoter(int myid, long incarnation) {
        Member member = members.get(myid);
        return member != null
                && member.role() == Role.PARTICIPANT
                && (member.incarnation() == 0 || member.incarnation() == incarnation);
    }

    /// {@return whether this is a server that no other one can reach}
    public boolean isAlone() {
        return members.size() == 1 && members.values().iterator().next().port() == 0;
    }

    /// {@return how many voters at least are a quorum}
    public int needed() {
        return groups.decide() ? groups.needed(voters()) : voters().size() / 2 + 1;
    }

    /// {@return whether a member may lead: a voter, and not one whose word weighs nothing, since
    /// that may hold what no quorum does}
    public boolean mayLead(int myid) {
        return voters().contains(myid) && (!groups.decide() || groups.weight(myid) > 0);
    }

    /// {@return the ids of those that may lead}
    public Set<Integer> candidates() {
        return voters().stream().filter(this::mayLead).collect(Collectors.toUnmodifiableSet());
    }

    /// {@return whether the voters that `has` accepts are a quorum: the majority, unless there are
    /// groups}
    public boolean isQuorum(IntPredicate has) {
        if (groups.decide()) {
            return groups.isQuorum(voters(), has);
        }
        int count = 0;
        int voters = 0;
        for (Member member : members.values()) {
            if (member.role() == Role.PARTICIPANT) {
                voters++;
                count += has.test(member.myid()) ? 1 : 0;
            }
        }
        return count > voters / 2;
    }

    /// {@return this configuration as the transaction `zxid` makes it}
    public Ensemble at(long zxid) {
        return new Ensemble(id, zxid, members, groups, level);
    }

    /// {@return the configuration of this one member alone, at the same level, not committed by
    /// anyone}
    public Ensemble alone(int myid, long incarnation) {
        Member self = members.get(myid);
        if (self == null) {
            throw new IllegalArgumentException("no member " + myid + " in " + text());
        }
        return with(Map.of(myid, self.voting().withIncarnation(incarnation)), Groups.NONE);
    }

    /// {@return this configuration with another disk of one member}
    public Ensemble withIncarnation(int myid, long incarnation) {
        var changed = new TreeMap<>(members);
        changed.computeIfPresent(myid, (_, member) -> member.withIncarnation(incarnation));
        return new Ensemble(id, version, changed, groups, level);
    }

    /// {@return the text of `/zookeeper/config`: a line for each member, groups and weights if
    /// there are any, then the version}
    public String text() {
        var text = new StringBuilder();
        for (Member member : members.values()) {
            text.append("server.").append(member.myid()).append('=').append(member.text());
            text.append('\n');
        }
        if (groups.decide()) {
            text.append(groups.text(voters()));
        }
        return text.append("version=").append(Long.toHexString(version)).toString();
    }
}
