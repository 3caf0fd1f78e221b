package dev.ensemble.server.zab;

/// A member that has chosen a leader: discovery, synchronisation, broadcast, from the learner's
/// side. Observers and members that are not (yet) voters take the same way; the leader does not
/// count them.
final class Following implements Role {
    private enum Phase {
        /// What the role before this one wrote is on its way to the disk (`safety.md` 3).
        SETTLING,
        /// FOLLOWERINFO is sent.
        CONNECTING,
        /// The epoch is being promised.
        PROMISING,
        /// What the leader has is coming in.
        SYNCING,
        /// A snapshot is fetched or installed.
        SNAPPING,
        /// NEWLEADER is here; the disk is catching up.
        ACKING,
        /// Acked; waiting for UPTODATE.
        WAITING,
        BROADCAST,
        /// The disk is full and the leader does without it: nothing is taken in.
        RESTING
    }

    private final Local local;
    private final Peer peer;
    private final int leader;
    private long joinBy;

    /// The leader was named by the one before it, and may not know yet.
    private final boolean handedOver;

    private Phase phase = Phase.SETTLING;
    private long epoch;

    private boolean promised;
    private boolean synchronising;
    private long ticket;
    private long snapZxid;
    private long acked;
    private long heardNanos;
    private boolean safeToStop;
    private java.util.List<String> reasons = java.util.List.of("the leader has not said yet");

    /// @param joinBy until when it must be in sync
    Following(Peer peer, int leader, boolean handedOver, long joinBy) {
        this.peer = peer;
        this.local = peer.local;
        this.leader = leader;
        this.handedOver = handedOver;
        this.heardNanos = local.now;
        this.joinBy = joinBy;
    }

    Role begin() {
        if (!local.links.containsKey(leader)) {
            return peer.look();
        }
        local.broadcast(notification());
        ticket = local.lastTicket();
        return persisted();
    }

    @Override
    public Message.Notification notification() {
        return local.notification(Message.State.FOLLOWING, leader, local.history.last(), epoch);
    }

    int leader() {
        return leader;
    }

    long epoch() {
        return epoch;
    }

    boolean isInSync() {
        return phase == Phase.BROADCAST;
    }

    boolean isResting() {
        return phase == Phase.RESTING;
    }

    boolean safeToStop() {
        return safeToStop;
    }

    java.util.List<String> reasons() {
        return reasons;
    }

    /// See [Peer#tickDueNanos]: a quarter of a heartbeat after the leader should have spoken again.
    long tickDueNanos() {
        return phase == Phase.BROADCAST
                ? heardNanos + local.config.heartbeatNanos() * 5 / 4
                : local.now;
    }

    /// The loop did not turn for a while: what the leader said meanwhile may still be in a queue.
    void restartTimers() {
        heardNanos = local.now;
    }

    @Override
    public Role step(Event event) {
        return switch (event) {
            case Event.LinkDown(int from) when from == leader -> peer.look();
            case Event.Received(int from, long incarnation, long at, Message message)
                    when from == leader ->
                    received(incarnation, at, message);
            case Event.Received(int from, long _, long _, Message.Notification said) -> {
                answer(from, said);
                yield this;
            }
            case Event.LinkUp(int from, Hello _) -> {
                local.send(from, 0, notification());
                yield this;
            }
            case Event.Persisted _ -> persisted();
            case Event.SnapshotFetched(long at, long zxid) -> {
                if (phase == Phase.SNAPPING && at == epoch && zxid == snapZxid && ticket == 0) {
                    ticket = local.install(zxid);
                }
                yield this;
            }
            case Event.SnapshotFailed(long at, long zxid, String reason) -> {
                if (phase == Phase.SNAPPING && at == epoch && zxid == snapZxid) {
                    local.warn("fetching the snapshot failed: " + reason);
                    yield peer.look();
                }
                yield this;
            }
            case Event.Tick _ -> {
                boolean silent = local.now - heardNanos > local.config.timeoutNanos();
                boolean late =
                        local.now > joinBy
                                && phase != Phase.BROADCAST
                                && phase != Phase.SNAPPING
                                && phase != Phase.RESTING;
                yield silent || late ? peer.look() : this;
            }
            case Event.LinkDown _,
                    Event.Received _,
                    Event.Space _,
                    Event.LogRead _,
                    Event.Outdated _ ->
                    this;
        };
    }

    private void answer(int from, Message.Notification said) {
        if (said.state() == Message.State.LOOKING) {
            local.send(from, 0, notification());
        }
    }

    private Role received(long incarnation, long at, Message message) {
        heardNanos = local.now;
        if (message instanceof Message.Notification said) {
            return leaderSaid(said);
        }
        if (message instanceof Message.Rejected(String reason)) {
            local.warn("member " + leader + " will not have this member: " + reason);
            return peer.lookLater();
        }
        if (message instanceof Message.LeaderInfo(String ensembleId, long to)) {
            boolean isAnswer = to == local.attempts || to == 0;
            return phase == Phase.CONNECTING && isAnswer ? promise(at, ensembleId) : this;
        }
        if (!isPromised() || at != epoch) {
            return this; // of an earlier leadership
        }
        return inEpoch(incarnation, message);
    }

    private Role leaderSaid(Message.Notification said) {
        answer(leader, said);
        if (said.state() != Message.State.LOOKING) {
            local.round = Math.max(local.round, said.round()); // See [Leading].
        }
        boolean leads =
                switch (said.state()) {
                    case LEADING, PREPARING -> true;
                    case FOLLOWING -> handedOver && !isPromised();
                    // Before the leader decided it may repeat the vote that this member decided on.
                    case LOOKING ->
                            !isPromised() && said.leader() == leader && said.round() == local.round;
                };
        return leads ? this : peer.look();
    }

    private boolean isPromised() {
        return phase.compareTo(Phase.PROMISING) >= 0;
    }

    private Role promise(long newEpoch, String ensembleId) {
        if (newEpoch < local.acceptedEpoch) {
            return peer.look();
        }
        epoch = newEpoch;
        phase = Phase.PROMISING;
        promised = newEpoch > local.acceptedEpoch || local.promisedTo == leader;
        if (promised) {
            local.promisedTo = leader;
        }
        local.becomeMember(ensembleId, peer.formation.record(leader));
        if (newEpoch > local.acceptedEpoch) {
            local.storeEpochs(newEpoch, local.currentEpoch);
        }
        ticket = local.lastTicket();
        return persisted();
    }

    private void sendAckEpoch() {
        local.send(
                leader,
                epoch,
                new Message.AckEpoch(
                        promised,
                        local.currentEpoch,
                        local.history.last(),
                        local.history.epochEnds()));
        phase = Phase.SYNCING;
        synchronising = false;
    }

    /// What waits for the disk, in the order that safety needs: the promise before ACKEPOCH, data
    /// and then epoch before the ack of NEWLEADER (C7, C8), and no ack of a proposal before that
    /// (C9).
    private Role persisted() {
        switch (phase) {
            case SETTLING -> {
                if (local.isPersisted(ticket)) {
                    phase = Phase.CONNECTING;
                    local.attempts++;
                    local.send(
                            leader,
                            0,
                            new Message.FollowerInfo(local.acceptedEpoch, local.attempts));
                }
            }
            case PROMISING -> {
                if (local.isPersisted(ticket)) {
                    sendAckEpoch();
                }
            }
            case SNAPPING -> {
                if (ticket != 0 && local.isPersisted(ticket)) {
                    sendAckEpoch();
                }
            }
            case ACKING -> {
                if (local.isPersisted(ticket)) {
                    phase = Phase.WAITING;
                    if (local.full) {
                        // Before it counts: the leader must not take it for one with space.
                        local.send(leader, epoch, new Message.Pong(0, true));
                    }
                    local.send(leader, epoch, new Message.AckNewLeader());
                    ack();
                }
            }
            case WAITING, BROADCAST -> ack();
            case CONNECTING, SYNCING, RESTING -> {}
        }
        return this;
    }

    private void ack() {
        if (local.durable() > acked) {
            acked = local.durable();
            local.send(leader, epoch, new Message.Ack(acked));
        }
    }

    private Role inEpoch(long incarnation, Message message) {
        switch (message) {
            case Message.Diff _ when phase == Phase.SYNCING -> synchronising = true;
            case Message.Trunc(long zxid) when phase == Phase.SYNCING -> {
                if (zxid < local.history.committed()) {
                    // What is committed cannot be wrong, so the disk or the leader is (`safety.md`
                    // 1).
                    peer.halt(
                            "the leader asks to cut the log to "
                                    + Local.text(zxid)
                                    + ", below the committed "
                                    + Local.text(local.history.committed()));
                    return peer.look();
                }
                local.truncate(zxid);
                synchronising = true;
            }
            case Message.Snap(long zxid) when phase == Phase.SYNCING && !synchronising -> {
                phase = Phase.SNAPPING;
                snapZxid = zxid;
                ticket = 0;
                local.out.accept(new Effect.Fetch(leader, epoch, zxid));
            }
            case Message.Proposal(long zxid, var payload) when synchronising -> {
                if (!dev.ensemble.server.model.Zxid.follows(local.history.last(), zxid)) {
                    return violated(
                            "proposal "
                                    + Local.text(zxid)
                                    + " behind "
                                    + Local.text(local.history.last()));
                }
                local.append(zxid, payload);
                if (phase == Phase.SYNCING) {
                    // Something comes: who lacks much may take as long as that takes.
                    joinBy = local.now + local.config.joinNanos();
                }
            }
            case Message.Commit(long zxid) when synchronising -> local.commit(zxid);
            case Message.NewLeader(long zxid) when synchronising && phase == Phase.SYNCING -> {
                if (zxid != local.history.last()) {
                    return violated(
                            "NEWLEADER at "
                                    + Local.text(zxid)
                                    + ", log end "
                                    + Local.text(local.history.last()));
                }
                phase = Phase.ACKING;
                ticket = local.storeEpochs(local.acceptedEpoch, epoch);
                return persisted();
            }
            case Message.UpToDate(long committed) when phase == Phase.WAITING -> {
                phase = Phase.BROADCAST;
                local.commit(committed);
                local.out.accept(new Effect.RoleChanged());
                local.out.accept(new Effect.InSync(local.takeBySnapshot()));
            }
            case Message.Ping(long round, long committed, boolean safe, var why, boolean rest) -> {
                local.send(leader, epoch, new Message.Pong(round, local.full));
                safeToStop = safe;
                reasons = why;
                if (rest != isResting()) {
                    return rest ? rest() : goOn();
                }
                if (synchronising) {
                    local.commit(committed);
                }
            }
            case Message.HandOver(int successor) -> {
                return peer.handedOver(successor);
            }
            case Message.ConnectRefused _, Message.SyncReply _, Message.TreeDigest _
                    when isInSync() ->
                    local.out.accept(new Effect.Relayed(leader, incarnation, message));
            // Of a phase that is over, or not for a learner: nothing of ours depends on it.
            case Message.Notification _,
                    Message.FollowerInfo _,
                    Message.LeaderInfo _,
                    Message.AckEpoch _,
                    Message.Diff _,
                    Message.Trunc _,
                    Message.Snap _,
                    Message.Proposal _,
                    Message.Commit _,
                    Message.NewLeader _,
                    Message.AckNewLeader _,
                    Message.UpToDate _,
                    Message.Ack _,
                    Message.Pong _,
                    Message.Rejected _,
                    Message.Forward _,
                    Message.ForwardConnect _,
                    Message.ConnectRefused _,
                    Message.SyncRequest _,
                    Message.SyncReply _,
                    Message.TreeDigest _,
                    Message.Touched _ -> {}
        }
        return this;
    }

    private Role rest() {
        phase = Phase.RESTING;
        synchronising = false;
        local.out.accept(new Effect.RoleChanged());
        return this;
    }

    /// As after the promise: the leader fills up what was missed.
    private Role goOn() {
        phase = Phase.PROMISING;
        joinBy = local.now + local.config.joinNanos();
        acked = 0;
        ticket = local.lastTicket();
        return persisted();
    }

    private Role violated(String what) {
        local.out.accept(new Effect.Disconnect(leader, "out of order: " + what));
        return peer.look();
    }
}
