package dev.ensemble.server.member;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Reconfiguration;
import dev.ensemble.server.zab.Effect;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/// The changes that persons and the operator ask of a leader, until they are answered: another
/// leader, other members.
///
/// Owned by the peer thread, a part of [Member].
final class Changes implements Reconfiguration.Members {
    private record Committing(long ticket, long zxid) {}

    private final Peer peer;
    private final Consumer<Effect> effects;

    /// Proposes a configuration; gives its zxid, or 0 if nothing can be proposed now.
    private final ToLongFunction<Txn> propose;

    /// Tickets that wait for the end of the hand-over.
    private final List<Long> transfers = new ArrayList<>();

    private final ArrayDeque<Committing> committing = new ArrayDeque<>();

    Changes(Peer peer, Consumer<Effect> effects, ToLongFunction<Txn> propose) {
        this.peer = peer;
        this.effects = effects;
        this.propose = propose;
    }

    void transfer(Input.Transfer asked, Consumer<Output> out) {
        int self = peer.identity().myid();
        if (notLeading(asked.ticket(), out) || otherVersion(asked.ticket(), asked.version(), out)) {
            return;
        }
        if (asked.to() == self) {
            out.accept(new Output.Answered(asked.ticket(), new Answer.Transferred(self)));
            return;
        }
        String refusal = peer.handOver(asked.to(), peer.configuration().voters(), effects);
        if (refusal == null) {
            transfers.add(asked.ticket());
        } else {
            refuse(asked.ticket(), refusal, out);
        }
    }

    void change(Input.ChangeMembers asked, Consumer<Output> out) {
        if (notLeading(asked.ticket(), out) || otherVersion(asked.ticket(), asked.version(), out)) {
            return;
        }
        Ensemble present = peer.configuration();
        var members = new TreeMap<>(present.members());
        asked.leaving().forEach(members::remove);
        for (Ensemble.Member joining : asked.joining()) {
            members.put(joining.myid(), joining);
        }
        Ensemble next = peer.withDisks(present.with(members, present.groups()));
        if (next.members().equals(present.members())) {
            out.accept(new Output.Answered(asked.ticket(), new Answer.Changed(present)));
            return;
        }
        String refusal = refusal(present, next);
        if (refusal != null) {
            refuse(asked.ticket(), refusal, out);
        } else if (!next.mayLead(peer.identity().myid())) {
            handOverFirst(asked.ticket(), next, out);
        } else {
            long zxid = propose.applyAsLong(new Txn.Configure(next));
            if (zxid == 0) {
                refuse(asked.ticket(), "this member is handing over its leadership", out);
            } else {
                committing.addLast(new Committing(asked.ticket(), zxid));
            }
        }
    }

    private @Nullable String refusal(Ensemble present, Ensemble next) {
        if (isPending()) {
            return "a change of the membership is under way";
        }
        if (next.voters().isEmpty()) {
            return "no voter would be left";
        }
        if (present.groups().decide()) {
            return "with groups and weights the membership changes only as a whole: reconfig with"
                    + " all the members that there shall be";
        }
        for (int voter : next.voters()) {
            if (!present.voters().contains(voter) && !peer.isLevel(voter)) {
                return "member " + voter + " is not connected, or not level with the leader yet";
            }
        }
        return peer.hasQuorum(next) ? null : "no quorum of the new voters is in sync";
    }

    /// A leader that is not to lead any more stops before the change, and not by it.
    private void handOverFirst(long ticket, Ensemble next, Consumer<Output> out) {
        String refusal = peer.handOver(0, next.candidates(), effects);
        if (refusal != null) {
            refuse(ticket, "the leader itself would go, and cannot hand over: " + refusal, out);
        } else {
            transfers.add(-ticket);
        }
    }

    // What a client's change is weighed with.

    @Override
    public boolean isPending() {
        return peer.isConfigurationPending() || peer.configuration().version() == 0;
    }

    @Override
    public Ensemble withDisks(Ensemble next) {
        return peer.withDisks(next);
    }

    @Override
    public boolean hasQuorum(Ensemble next) {
        return peer.hasQuorum(next);
    }

    /// {@return whether the leader might lead no more afterwards}
    boolean endsOffice(Txn txn) {
        return txn instanceof Txn.Configure(Ensemble next) && !next.mayLead(peer.identity().myid());
    }

    /// {@return whether a hand-over to one of those who stay has begun}
    boolean giveUpOffice(Txn txn) {
        return txn instanceof Txn.Configure(Ensemble next)
                && peer.handOver(0, next.candidates(), effects) == null;
    }

    private boolean notLeading(long ticket, Consumer<Output> out) {
        if (peer.nextZxid() != 0 || peer.isHandingOver()) {
            return false;
        }
        int leader = peer.leader() == peer.identity().myid() ? 0 : peer.leader();
        var answer = new Answer.NotLeader("this member does not lead", leader);
        out.accept(new Output.Answered(ticket, answer));
        return true;
    }

    private boolean otherVersion(long ticket, long version, Consumer<Output> out) {
        if (version < 0 || version == peer.configuration().version()) {
            return false;
        }
        refuse(ticket, "the configuration has another version", out);
        return true;
    }

    private void refuse(long ticket, String reason, Consumer<Output> out) {
        var answer = new Answer.Refused(reason, peer.configuration().version());
        out.accept(new Output.Answered(ticket, answer));
    }

    /// The hand-over came to nothing.
    void handOverFailed(int successor, Consumer<Output> out) {
        for (long ticket : transfers) {
            String reason =
                    "member " + successor + " did not get level in time; this member leads on";
            refuse(Math.abs(ticket), reason, out);
        }
        transfers.clear();
    }

    void committed(Ensemble ensemble, Consumer<Output> out) {
        while (!committing.isEmpty() && committing.peekFirst().zxid() <= ensemble.version()) {
            long ticket = committing.removeFirst().ticket();
            out.accept(new Output.Answered(ticket, new Answer.Changed(ensemble)));
        }
    }

    /// This member leads no more, so nothing here will be decided by it.
    void lostOffice(Consumer<Output> out) {
        for (long ticket : transfers) {
            Answer answer =
                    ticket > 0
                            ? new Answer.Transferred(peer.leader())
                            : new Answer.NotLeader(
                                    "the leader itself would go, and has handed over: ask there",
                                    peer.leader());
            out.accept(new Output.Answered(Math.abs(ticket), answer));
        }
        transfers.clear();
        for (Committing each : committing) {
            String reason = "the leadership was lost meanwhile: whether it happened is not known";
            out.accept(
                    new Output.Answered(
                            each.ticket(), new Answer.NotLeader(reason, peer.leader())));
        }
        committing.clear();
    }
}
