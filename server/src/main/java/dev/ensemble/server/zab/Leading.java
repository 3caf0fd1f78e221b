package dev.ensemble.server.zab;

import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Zxid;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A member that has been elected: discovery, synchronisation, broadcast, from the leader's side.
final class Leading implements Role {
    /// How long a hand-over may take on either side of it.
    static final long HAND_OVER_NANOS = 250_000_000;

    private enum Phase {
        /// Collecting FOLLOWERINFO of a quorum, while what the role before this one wrote gets on
        /// disk (`safety.md` 3).
        DISCOVERY,
        /// The new epoch is being stored, then promised by a quorum.
        PROMISING,
        /// The current epoch is being stored.
        ACTIVATING,
        /// Learners synchronise; nobody is served.
        SYNCING,
        ESTABLISHED,
        /// The successor catches up with the last proposals; nothing new is proposed.
        HANDING,
        /// The counter of this epoch is used up, or another reason to make room for a new epoch.
        CLOSING
    }

    private final Local local;
    private final Peer peer;
    private final long joinBy;
    private final Map<Integer, Learner> learners = new TreeMap<>();
    private final Acks acks = new Acks();
    private final Space space = new Space();
    private final Map<Integer, Replay> replays = new HashMap<>();
    private Standings standings;
    private Phase phase = Phase.DISCOVERY;
    private long epoch;
    private long ticket;
    private long initialEnd;
    private long round;
    private long confirmed;
    private boolean confirmWanted;
    private long pingAt;
    private long quorumHeardNanos;
    private int successor;
    private long handBy;
    private long arrivals;

    /// @param joinBy until when it must be established
    Leading(Peer peer, long joinBy) {
        this.peer = peer;
        this.local = peer.local;
        this.joinBy = joinBy;
        this.quorumHeardNanos = local.now;
        this.standings = new Standings(local, learners, this::isEstablished, epoch);
    }

    Role begin() {
        ticket = local.lastTicket();
        local.broadcast(notification());
        pingAt = local.now + local.config.heartbeatNanos();
        for (var asked : new TreeMap<>(local.wouldFollow).entrySet()) {
            Hello hello = local.links.get(asked.getKey());
            if (hello != null) {
                connect(asked.getKey(), hello.incarnation(), asked.getValue());
            }
        }
        return discover();
    }

    @Override
    public Message.Notification notification() {
        return local.notification(
                isEstablished() ? Message.State.LEADING : Message.State.PREPARING,
                local.myid(),
                local.history.last(),
                epoch);
    }

    long epoch() {
        return epoch;
    }

    /// {@return whether no quorum has space on its disks: then nothing may be proposed that makes
    /// data grow}
    boolean isCramped() {
        return space.isCramped();
    }

    boolean isEstablished() {
        return phase == Phase.ESTABLISHED || phase == Phase.HANDING;
    }

    boolean isHandingOver() {
        return phase == Phase.HANDING;
    }

    Standings standings() {
        return standings;
    }

    /// Proposals that are out may commit.
    private boolean commits() {
        return isEstablished() || phase == Phase.CLOSING;
    }

    @Override
    public Role step(Event event) {
        Role next = stepInOffice(event);
        return next == this ? handOn() : next;
    }

    private Role stepInOffice(Event event) {
        return switch (event) {
            case Event.LinkUp(int from, Hello _) -> {
                local.send(from, 0, notification());
                yield this;
            }
            case Event.LinkDown(int from) -> {
                // The leader stays in office; if it lost its quorum, its time-out says so
                // (`safety.md` 12).
                forget(from);
                yield this;
            }
            case Event.Received(int from, long incarnation, long at, Message message) ->
                    received(from, incarnation, at, message);
            case Event.Persisted _ -> persisted();
            case Event.Tick _ -> tick();
            case Event.LogRead(int learner, long at, long after, var entries) -> {
                if (at == epoch) {
                    logRead(learner, after, entries);
                }
                yield this;
            }
            case Event.SnapshotFetched _, Event.SnapshotFailed _, Event.Space _, Event.Outdated _ ->
                    this;
        };
    }

    private void forget(int id) {
        learners.remove(id);
        acks.remove(id);
        space.forget(id);
        replays.remove(id);
    }

    private Role received(int from, long incarnation, long at, Message message) {
        if (message instanceof Message.Notification said) {
            // Members that are in the same round choose the next leader without having to find a
            // round first.
            local.round = Math.max(local.round, said.round());
            if (said.state() == Message.State.LOOKING) {
                // It left. Tell it at once that there is a leader; it may come back.
                forget(from);
                local.send(from, 0, notification());
            }
            return this;
        }
        if (message instanceof Message.FollowerInfo info) {
            return connect(from, incarnation, info);
        }
        Learner learner = learners.get(from);
        if (learner == null || learner.incarnation != incarnation || at != epoch) {
            return this; // of an earlier leadership
        }
        learner.heardNanos = local.now;
        return inEpoch(learner, message);
    }

    private Role connect(int from, long incarnation, Message.FollowerInfo info) {
        forget(from);
        Hello hello = local.links.get(from);
        int level = local.level();
        if (hello != null && hello.protocol() < level) {
            String reason =
                    "its release knows level "
                            + hello.protocol()
                            + ", and this ensemble is at level "
                            + level;
            local.warn("member " + from + " cannot join: " + reason);
            local.send(from, epoch, new Message.Rejected(reason));
            return this;
        }
        Learner learner = new Learner(from, incarnation, info, local.now);
        learners.put(from, learner);
        if (phase == Phase.DISCOVERY) {
            return discover();
        }
        if (learner.acceptedEpoch > epoch) {
            // It promised a later epoch to somebody who never made it. Only a still later one can
            // have it again.
            return peer.look();
        }
        inform(learner);
        return this;
    }

    private void inform(Learner learner) {
        if (phase == Phase.PROMISING && !local.isPersisted(ticket)) {
            return; // Once the promise is on disk, all of them are told.
        }
        learner.stage = Learner.Stage.INFORMED;
        local.send(
                learner.id,
                epoch,
                new Message.LeaderInfo(local.identity.ensembleId(), learner.attempt));
    }

    private Role discover() {
        if (phase != Phase.DISCOVERY || !local.isPersisted(ticket)) {
            return this;
        }
        var connected = self();
        long highest = local.acceptedEpoch;
        for (Learner learner : learners.values()) {
            connected.put(learner.id, learner.incarnation);
            // Those who do not vote too: who promised more than the epoch at hand could never join.
            highest = Math.max(highest, learner.acceptedEpoch);
        }
        if (!local.isQuorum(connected)) {
            return this;
        }
        epoch = highest + 1;
        standings = new Standings(local, learners, this::isEstablished, epoch);
        phase = Phase.PROMISING;
        local.promisedTo = local.myid();
        local.becomeMember(peer.formation.newEnsembleId(), Map.of());
        ticket = local.storeEpochs(epoch, local.currentEpoch);
        return persisted();
    }

    private Map<Integer, Long> self() {
        var self = new HashMap<Integer, Long>();
        self.put(local.myid(), local.identity.incarnation());
        return self;
    }

    private Role persisted() {
        if (phase == Phase.DISCOVERY) {
            return discover();
        }
        if (phase == Phase.PROMISING && local.isPersisted(ticket)) {
            for (Learner learner : learners.values()) {
                if (learner.stage == Learner.Stage.CONNECTED) {
                    inform(learner);
                }
            }
            return promised();
        }
        if (phase == Phase.ACTIVATING && local.isPersisted(ticket)) {
            phase = Phase.SYNCING;
            initialEnd = local.history.last();
            acks.put(local.myid(), local.identity.incarnation(), Zxid.of(epoch, 0));
            for (Learner learner : learners.values()) {
                if (learner.stage == Learner.Stage.PROMISED) {
                    synchronise(learner);
                }
            }
            return establish();
        }
        if (commits()) {
            acks.put(
                    local.myid(),
                    local.identity.incarnation(),
                    Math.max(Zxid.of(epoch, 0), local.durable()));
            commit();
        }
        return this;
    }

    private Role promised() {
        var promised = self();
        for (Learner learner : learners.values()) {
            if (learner.stage == Learner.Stage.PROMISED && learner.position.promised()) {
                promised.put(learner.id, learner.incarnation);
            }
        }
        if (local.isQuorum(promised)) {
            phase = Phase.ACTIVATING;
            ticket = local.storeEpochs(local.acceptedEpoch, epoch);
            return persisted();
        }
        return this;
    }

    private Role inEpoch(Learner learner, Message message) {
        switch (message) {
            case Message.AckEpoch position -> {
                return positioned(learner, position);
            }
            case Message.AckNewLeader _ when learner.stage == Learner.Stage.SYNCING -> {
                learner.stage = Learner.Stage.ACKED;
                learner.acked = Zxid.of(epoch, 0);
                learner.committedAtSync = local.history.committed();
                acks.put(learner.id, learner.incarnation, learner.acked);
                if (phase == Phase.SYNCING) {
                    return establish();
                }
                upToDate(learner);
            }
            case Message.Ack(long zxid) when learner.stage == Learner.Stage.ACKED -> {
                if (zxid > learner.acked) {
                    learner.acked = zxid;
                    acks.put(learner.id, learner.incarnation, zxid);
                    commit();
                }
            }
            case Message.Pong(long answered, boolean full) -> {
                space.heard(learner.id, full);
                learner.pongRound = Math.max(learner.pongRound, answered);
                replay(learner);
                confirm();
            }
            case Message.Forward _,
                    Message.ForwardConnect _,
                    Message.SyncRequest _,
                    Message.TreeDigest _,
                    Message.Touched _
                    when learner.stage == Learner.Stage.ACKED && isEstablished() ->
                    local.out.accept(new Effect.Relayed(learner.id, learner.incarnation, message));
            // Of a stage that is over, or not for a leader.
            case Message.Notification _,
                    Message.FollowerInfo _,
                    Message.LeaderInfo _,
                    Message.Diff _,
                    Message.Trunc _,
                    Message.Snap _,
                    Message.Proposal _,
                    Message.Commit _,
                    Message.NewLeader _,
                    Message.AckNewLeader _,
                    Message.UpToDate _,
                    Message.Ack _,
                    Message.Ping _,
                    Message.HandOver _,
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

    private Role positioned(Learner learner, Message.AckEpoch position) {
        if ((learner.stage != Learner.Stage.INFORMED && learner.stage != Learner.Stage.SNAPPING)
                || space.rests(learner.id)) {
            return this;
        }
        boolean again = learner.stage == Learner.Stage.SNAPPING;
        learner.position = position;
        learner.stage = Learner.Stage.PROMISED;
        learner.arrival = ++arrivals;
        if (phase == Phase.PROMISING) {
            var own = new Vote(0, local.history.last(), local.currentEpoch);
            var theirs = new Vote(0, position.lastZxid(), position.currentEpoch());
            if (local.mayLead(learner.id, learner.incarnation) && theirs.compareTo(own) > 0) {
                return peer.look(); // Its history is newer: it must lead.
            }
            return promised();
        }
        if (phase == Phase.SYNCING || isEstablished() || again) {
            synchronise(learner);
        }
        return this;
    }

    /// Tells a learner what it lacks and adds it to the broadcast in one step, so that nothing
    /// falls between (C25, C12).
    private void synchronise(Learner learner) {
        switch (local.history.catchUp(learner.position.epochEnds(), learner.position.lastZxid())) {
            case CatchUp.Diff(long common) -> {
                local.send(learner.id, epoch, new Message.Diff());
                sendFrom(learner, common);
            }
            case CatchUp.Trunc(long common) -> {
                local.send(learner.id, epoch, new Message.Trunc(common));
                sendFrom(learner, common);
            }
            case CatchUp.Replay(long common, boolean cut) -> {
                replays.put(learner.id, new Replay(common, cut));
                local.out.accept(new Effect.ReadLog(learner.id, epoch, common));
            }
            case CatchUp.Snap _ -> snap(learner);
        }
    }

    private void snap(Learner learner) {
        learner.stage = Learner.Stage.SNAPPING;
        local.send(learner.id, epoch, new Message.Snap(local.history.committed()));
    }

    private void logRead(int id, long after, List<History.Entry> entries) {
        Learner learner = learners.get(id);
        Replay replay = replays.get(id);
        if (learner == null || replay == null || replay.after != after || replay.next != null) {
            return; // Of an earlier connection.
        }
        if (!entries.isEmpty()) {
            replay.next = entries;
            replay(learner);
        } else if (replay.begun) {
            // It comes back, and then another way is found.
            forget(id);
            local.out.accept(new Effect.Disconnect(id, "the log that it was read from is gone"));
        } else {
            replays.remove(id);
            snap(learner);
        }
    }

    /// Sends the next piece from disk, if it is here and the learner has got the one before; what
    /// is in memory follows the last one.
    private void replay(Learner learner) {
        Replay replay = replays.get(learner.id);
        if (replay == null || replay.next == null || learner.pongRound < replay.round) {
            return;
        }
        if (!replay.begun) {
            replay.begun = true;
            local.send(
                    learner.id,
                    epoch,
                    replay.cut ? new Message.Trunc(replay.after) : new Message.Diff());
        }
        for (History.Entry entry : replay.next) {
            if (!Zxid.follows(replay.after, entry.zxid())) {
                throw new IllegalStateException(
                        "read "
                                + Local.text(entry.zxid())
                                + " behind "
                                + Local.text(replay.after)
                                + " from the log");
            }
            local.send(learner.id, epoch, new Message.Proposal(entry.zxid(), entry.payload()));
            replay.after = entry.zxid();
        }
        replay.next = null;
        if (replay.after >= local.history.base()) {
            replays.remove(learner.id);
            sendFrom(learner, replay.after);
            return;
        }
        local.send(learner.id, epoch, new Message.Commit(replay.after));
        local.out.accept(new Effect.ReadLog(learner.id, epoch, replay.after));
        ping();
        replay.round = round;
    }

    private void sendFrom(Learner learner, long common) {
        for (History.Entry entry : local.history.after(common)) {
            local.send(learner.id, epoch, new Message.Proposal(entry.zxid(), entry.payload()));
        }
        local.send(learner.id, epoch, new Message.Commit(local.history.committed()));
        local.send(learner.id, epoch, new Message.NewLeader(local.history.last()));
        learner.stage = Learner.Stage.SYNCING;
    }

    /// Once a quorum has acked NEWLEADER the whole initial history is committed, and clients are
    /// served.
    private Role establish() {
        if (!local.isQuorum(acks.members())) {
            return this;
        }
        phase = Phase.ESTABLISHED;
        quorumHeardNanos = local.now;
        local.commit(initialEnd);
        local.broadcast(notification());
        for (Learner learner : learners.values()) {
            if (learner.stage == Learner.Stage.ACKED) {
                upToDate(learner);
            } else if (learner.stage == Learner.Stage.SYNCING) {
                local.send(learner.id, epoch, new Message.Commit(initialEnd));
            }
        }
        local.out.accept(new Effect.RoleChanged());
        local.out.accept(new Effect.InSync(local.takeBySnapshot()));
        return this;
    }

    private void upToDate(Learner learner) {
        local.send(learner.id, epoch, new Message.UpToDate(local.history.committed()));
    }

    private void commit() {
        if (!commits()) {
            return;
        }
        long before = local.history.committed();
        long quorum = acks.quorumZxid(local.inForce());
        // Of this epoch only: what an earlier leader proposed was committed when this one was
        // established.
        if (quorum <= before || Zxid.epoch(quorum) != epoch) {
            return;
        }
        local.commit(quorum);
        long committed = local.history.committed();
        if (committed == before) {
            return; // Only NEWLEADER has been acked: no transaction of this epoch yet.
        }
        var commit = new Message.Commit(committed);
        for (Learner learner : learners.values()) {
            if (learner.isInBroadcast()) {
                local.send(learner.id, epoch, commit);
            }
        }
        // A configuration that has just been activated may need fewer.
        commit();
    }

    /// {@return the zxid that the next proposal gets, or 0 if none may be made}
    long nextZxid() {
        if (phase != Phase.ESTABLISHED) {
            return 0;
        }
        long last = local.history.last();
        return Zxid.epoch(last) == epoch ? last + 1 : Zxid.of(epoch, 1);
    }

    void propose(Payload payload) {
        long zxid = nextZxid();
        local.append(zxid, payload);
        var proposal = new Message.Proposal(zxid, payload); // One, so that it is encoded once.
        for (Learner learner : learners.values()) {
            if (learner.isInBroadcast()) {
                local.send(learner.id, epoch, proposal);
            }
        }
        if (Zxid.counter(zxid) == Zxid.MAX_COUNTER) {
            phase = Phase.CLOSING; // The next transaction needs a new epoch (C1).
        }
    }

    /// Begins to give the office away (`safety.md` 5): from here on nothing is proposed.
    ///
    /// @param to who shall lead, and is a voter in sync
    void handOver(int to) {
        phase = Phase.HANDING;
        successor = to;
        handBy = local.now + HAND_OVER_NANOS;
    }

    /// Gives the office away as soon as nobody can miss anything: all that was proposed is
    /// committed, and the successor holds it. If that takes too long this leader goes on.
    Role handOn() {
        if (phase != Phase.HANDING) {
            return this;
        }
        Learner next = learners.get(successor);
        if (next == null || !standings.isSynced(successor) || local.now >= handBy) {
            phase = Phase.ESTABLISHED;
            local.out.accept(new Effect.HandOverFailed(successor));
            return this;
        }
        long last = local.history.last();
        if (local.history.committed() != last || next.acked < Math.max(last, Zxid.of(epoch, 0))) {
            return this;
        }
        for (Learner learner : learners.values()) {
            if (learner.stage != Learner.Stage.CONNECTED) {
                local.send(learner.id, epoch, new Message.HandOver(successor));
            }
        }
        return peer.followHandedOver(successor);
    }

    /// {@return a round; once [Effect.Confirmed] tells of it, a quorum has answered a heartbeat
    /// that was sent after this call}
    long wantConfirmation() {
        confirmWanted = true;
        return round + 1;
    }

    /// Sends the round that was asked for. One is under way at a time, so that all who ask
    /// meanwhile share the next.
    void flushConfirmation() {
        if (confirmWanted && confirmed == round) {
            ping();
        }
    }

    private void ping() {
        round++;
        confirmWanted = false;
        pingAt = local.now + local.config.heartbeatNanos();
        for (Learner learner : learners.values()) {
            if (learner.stage != Learner.Stage.CONNECTED) {
                List<String> reasons = standings.reasonsNotToStop(learner.id);
                local.send(
                        learner.id,
                        epoch,
                        new Message.Ping(
                                round,
                                local.history.committed(),
                                reasons.isEmpty(),
                                reasons,
                                space.rests(learner.id)));
            } else {
                local.send(learner.id, 0, notification());
            }
        }
        confirm();
    }

    private void confirm() {
        if (!isEstablished() || confirmed == round) {
            return;
        }
        for (long candidate = round; candidate > confirmed; candidate--) {
            var answered = self();
            for (Learner learner : learners.values()) {
                if (learner.pongRound >= candidate && learner.stage == Learner.Stage.ACKED) {
                    answered.put(learner.id, learner.incarnation);
                }
            }
            if (local.isQuorum(answered)) {
                confirmed = candidate;
                local.out.accept(new Effect.Confirmed(candidate));
                flushConfirmation();
                return;
            }
        }
    }

    /// Lets members rest whose disk is full, or takes them back (see [Space]).
    private void weighSpace() {
        if (!isEstablished()) {
            return;
        }
        var roomy = local.full ? new HashMap<Integer, Long>() : self();
        var present = self();
        for (Learner learner : learners.values()) {
            boolean full = space.isFull(learner.id);
            if (full || learner.stage == Learner.Stage.ACKED) {
                present.put(learner.id, learner.incarnation);
            }
            if (!full && learner.stage == Learner.Stage.ACKED) {
                roomy.put(learner.id, learner.incarnation);
            }
        }
        space.weigh(local.isQuorum(roomy), local.isQuorum(present));
        boolean changed = false;
        for (Learner learner : learners.values()) {
            boolean needed = space.isCramped() && local.isVoter(learner.id, learner.incarnation);
            if (space.isFull(learner.id) && !needed) {
                changed |= rest(learner);
            } else {
                changed |= space.rest(learner.id, false);
            }
        }
        if (changed) {
            ping(); // Each change is told, in order: nobody may miss that it rested.
        }
    }

    /// Takes a member out of the broadcast until it says anew what its log holds.
    private boolean rest(Learner learner) {
        if (learner.stage == Learner.Stage.CONNECTED || learner.stage == Learner.Stage.INFORMED) {
            return false;
        }
        learner.stage = Learner.Stage.INFORMED;
        acks.remove(learner.id);
        replays.remove(learner.id);
        return space.rest(learner.id, true);
    }

    long arrivalOf(int id) {
        Learner learner = learners.get(id);
        return learner == null ? 0 : learner.arrival;
    }

    /// See [Peer#tickDueNanos].
    long tickDueNanos() {
        return phase == Phase.ESTABLISHED ? pingAt : local.now;
    }

    void restartTimers() {
        quorumHeardNanos = local.now;
        learners.values().forEach(learner -> learner.heardNanos = local.now);
    }

    private Role tick() {
        if (phase == Phase.CLOSING && local.history.committed() == local.history.last()) {
            return peer.look();
        }
        dropSilent();
        weighSpace();
        var heard = self();
        for (Learner learner : learners.values()) {
            if (!isSilent(learner)) {
                heard.put(learner.id, learner.incarnation);
            }
        }
        if (local.isQuorum(heard)) {
            quorumHeardNanos = local.now;
        }
        boolean late = !commits() && local.now > joinBy;
        if (late || local.now - quorumHeardNanos > local.config.timeoutNanos()) {
            return peer.look();
        }
        if (local.now >= pingAt) {
            ping();
        }
        return this;
    }

    private boolean isSilent(Learner learner) {
        return local.now - learner.heardNanos > local.config.timeoutNanos();
    }

    /// A learner that is not heard from may hear this leader still, and would go on serving its
    /// clients while their writes get nowhere and their sessions end.
    private void dropSilent() {
        for (Learner learner : List.copyOf(learners.values())) {
            if (learner.stage != Learner.Stage.CONNECTED && isSilent(learner)) {
                forget(learner.id);
                local.out.accept(new Effect.Disconnect(learner.id, "silent for too long"));
            }
        }
    }
}
