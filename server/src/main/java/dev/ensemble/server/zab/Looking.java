package dev.ensemble.server.zab;

import dev.ensemble.server.model.Identity;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Fast leader election (`replication.md` A2), without its waiting: a member decides at once when
/// every voter that it reaches has voted alike, else a few milliseconds after a quorum has.
///
/// Only a hint: discovery refuses a leader whose history is not the newest of a quorum.
final class Looking implements Role {
    /// How often a vote is said again. Links lose nothing, so this is only for what a bound
    /// dropped.
    private static final int RESEND_HEARTBEATS = 5;

    private final Local local;
    private final Peer peer;

    /// Everything that an earlier role wrote must be on disk before this one votes (`safety.md` 3).
    private long readyTicket;

    private final long notBefore;
    private boolean begun;
    private Vote proposed = Vote.NONE;
    private final Map<Integer, Local.Said> votes = new HashMap<>();
    private long decideAt = Long.MAX_VALUE;
    private long resendAt;

    /// @param notBeforeNanos when to begin at the earliest: a rejected member waits
    Looking(Peer peer, long notBeforeNanos) {
        this.peer = peer;
        this.local = peer.local;
        this.readyTicket = local.lastTicket();
        this.notBefore = notBeforeNanos;
    }

    /// {@return the role to be in at once, this one if there is more to hear}
    Role begin() {
        if (!local.isPersisted(readyTicket) || local.now < notBefore) {
            return this;
        }
        if (peer.formation.tryToForm()) {
            readyTicket = local.lastTicket();
            begun = false;
            return this;
        }
        begun = true;
        local.round++;
        return propose(ownVote());
    }

    private Vote ownVote() {
        return local.mayLead()
                ? new Vote(local.myid(), local.history.last(), local.currentEpoch)
                : Vote.NONE;
    }

    private Role propose(Vote vote) {
        proposed = vote;
        decideAt = Long.MAX_VALUE;
        say();
        votes.clear();
        for (var said : new TreeMap<>(local.looking).entrySet()) {
            Role next = heard(said.getKey(), said.getValue());
            if (next != this) {
                return next;
            }
        }
        return decide();
    }

    private void say() {
        resendAt = local.now + RESEND_HEARTBEATS * local.config.heartbeatNanos();
        local.broadcast(notification());
    }

    @Override
    public Message.Notification notification() {
        return local.notification(
                Message.State.LOOKING,
                begun ? proposed.leader() : 0,
                proposed.zxid(),
                proposed.epoch());
    }

    @Override
    public Role step(Event event) {
        return switch (event) {
            case Event.LinkUp(int from, Hello _) -> {
                local.send(from, 0, notification());
                yield begun && !formsNow() ? this : begin();
            }
            case Event.LinkDown(int from) -> {
                votes.remove(from);
                // Nobody follows a leader that cannot be reached.
                yield begun && proposed.leader() == from ? begin() : this;
            }
            case Event.Received(int from, long incarnation, long _, Message.Notification said) -> {
                if (formsNow()) {
                    yield begin();
                }
                if (!begun) {
                    yield this;
                }
                if (local.learnCommitted(said.committed())) {
                    Role next = begin(); // Other members vote now, perhaps this one too.
                    if (next != this) {
                        yield next;
                    }
                }
                yield said.state() == Message.State.LOOKING
                        ? heard(from, new Local.Said(incarnation, said))
                        : inOffice(from, said);
            }
            case Event.Persisted _ -> begun ? this : begin();
            case Event.Tick _ -> tick();
            case Event.Received _,
                    Event.SnapshotFetched _,
                    Event.SnapshotFailed _,
                    Event.Space _,
                    Event.LogRead _,
                    Event.Outdated _ ->
                    this;
        };
    }

    private boolean formsNow() {
        if (peer.formation.tryToForm()) {
            readyTicket = local.lastTicket();
            begun = false;
            return true;
        }
        return false;
    }

    private Role tick() {
        if (!begun) {
            return begin();
        }
        if (local.now >= decideAt) {
            return decided();
        }
        if (local.now >= resendAt) {
            say();
        }
        return this;
    }

    private Role heard(int from, Local.Said said) {
        Message.Notification n = said.notification();
        boolean counts = n.leader() != 0 && local.isVoter(from, said.incarnation());
        Vote vote = new Vote(n.leader(), n.zxid(), n.peerEpoch());
        if (n.round() > local.round) {
            // Also of a member that proposes nobody: a candidate that alone knows of the change
            // that made it a voter needs it, and it cannot go back to the candidate's round.
            local.round = n.round();
            Vote own = ownVote();
            return propose(counts && vote.compareTo(own) > 0 && maySupport(vote) ? vote : own);
        }
        if (!counts) {
            return this;
        }
        if (n.round() < local.round) {
            local.send(from, 0, notification());
            return this;
        }
        votes.put(from, said);
        if (vote.compareTo(proposed) > 0 && maySupport(vote)) {
            return propose(vote);
        }
        return decide();
    }

    /// {@return whether this member may speak for that leader}
    ///
    /// Anyone but a blank one may, also where the configuration known here does not count it: who
    /// has been readmitted with a new disk may be the last to know, and the vote counts, or does
    /// not, where it is received.
    private boolean maySupport(Vote vote) {
        return vote.leader() == local.myid()
                ? local.mayLead()
                : local.identity.state() != Identity.State.BLANK
                        && local.links.containsKey(vote.leader());
    }

    /// Joins a leader that says of itself that it is one. Which epoch it may lead, discovery
    /// decides: if this member has promised a later one, the leader has to make one later still.
    private Role inOffice(int from, Message.Notification said) {
        if (said.leader() != from) {
            return this;
        }
        return switch (said.state()) {
            case LEADING -> peer.follow(from);
            // Elected by a quorum that the configuration known here may not count, while it needs
            // this member to go on. If its history is the newer one, as discovery checks, it gets
            // it.
            case PREPARING -> {
                boolean newer = said.zxid() >= local.history.last();
                yield newer && local.identity.state() != Identity.State.BLANK
                        ? peer.follow(from)
                        : this;
            }
            case LOOKING, FOLLOWING -> this;
        };
    }

    private Role decide() {
        if (proposed.leader() == 0) {
            return this;
        }
        var alike = new HashMap<Integer, Long>();
        alike.put(local.myid(), local.identity.incarnation());
        boolean all = true;
        for (var link : local.links.entrySet()) {
            int id = link.getKey();
            Local.Said said = votes.get(id);
            if (said != null && isProposed(said.notification())) {
                alike.put(id, said.incarnation());
            } else if (local.isVoter(id, link.getValue().incarnation())) {
                all = false;
            }
        }
        if (!local.isQuorum(alike)) {
            decideAt = Long.MAX_VALUE;
            return this;
        }
        if (all) {
            return decided();
        }
        if (decideAt == Long.MAX_VALUE) {
            decideAt = local.now + local.config.electionWaitNanos();
        }
        return this;
    }

    private boolean isProposed(Message.Notification n) {
        return n.leader() == proposed.leader()
                && n.zxid() == proposed.zxid()
                && n.peerEpoch() == proposed.epoch();
    }

    private Role decided() {
        return proposed.leader() == local.myid() ? peer.lead() : peer.follow(proposed.leader());
    }
}
