package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/// One member's replication, as a state machine: what it knows, and what it does about each event.
///
/// Pure: no clock, thread, socket or file, so one seed replays any run. Owned by the peer thread.
public final class Peer {
    /// What a person calls a member.
    public enum RoleName {
        LOOKING,
        LEADER,
        FOLLOWER,
        OBSERVER,
        /// Synchronising, or not one of the committed voters.
        LEARNER
    }

    /// What the leader knows of another member.
    public record Standing(
            int myid,
            long incarnation,
            boolean connected,
            boolean synced,
            long lag,
            List<String> reasonsNotToStop) {}

    /// A member that follows this leader and is no voter.
    ///
    /// @param level it may be made a voter
    public record Learning(int myid, long incarnation, long lag, boolean level) {}

    /// How long a rejected member waits before it tries again, in time-outs.
    private static final int REJECTED_TIMEOUTS = 2;

    final Local local;
    final Formation formation;
    private Role role;
    private @Nullable String halted;
    private long lastStepNanos;

    /// @param history empty, with the limits that are wanted; takes the recovered log
    public Peer(PeerConfig config, Recovered disk, History history, long nowNanos) {
        local = new Local(config, disk, history);
        local.now = nowNanos;
        lastStepNanos = nowNanos;
        formation = new Formation(local);
        role = new Looking(this, nowNanos);
    }

    /// Takes one event; emits what must be done, in order.
    ///
    /// @param nowNanos monotonic time of the event
    public void step(Event event, long nowNanos, Consumer<Effect> out) {
        local.out = out;
        local.now = nowNanos;
        if (halted != null) {
            return;
        }
        if (event instanceof Event.Tick) {
            noticeGap();
        }
        remember(event);
        if (halted != null) {
            return;
        }
        Role next = role.step(event);
        settle(next);
        if (role instanceof Leading leading) {
            leading.flushConfirmation();
        }
    }

    /// A gap between two ticks means that this process stood still: nobody else can be blamed for
    /// the silence (`safety.md` 12).
    private void noticeGap() {
        if (local.now - lastStepNanos > local.config.pauseNanos()) {
            switch (role) {
                case Leading leading -> leading.restartTimers();
                case Following following -> following.restartTimers();
                case Looking _ -> {}
            }
        }
        lastStepNanos = local.now;
    }

    private void remember(Event event) {
        switch (event) {
            case Event.LinkUp(int from, Hello hello) -> {
                local.links.put(from, hello);
                local.looking.remove(from);
                local.wouldFollow.remove(from);
                formation.linkUp(from, hello);
            }
            case Event.LinkDown(int from) -> {
                local.links.remove(from);
                local.looking.remove(from);
                local.wouldFollow.remove(from);
                formation.linkDown(from);
            }
            case Event.Received(int from, long incarnation, long _, Message.Notification said) -> {
                formation.said(from, said);
                if (said.state() == Message.State.LOOKING) {
                    local.looking.put(from, new Local.Said(incarnation, said));
                    local.wouldFollow.remove(from);
                } else {
                    local.looking.remove(from);
                }
            }
            case Event.Received(int from, long _, long _, Message.FollowerInfo info) ->
                    local.wouldFollow.put(from, info);
            case Event.Persisted(long upTo) -> local.onPersisted(upTo);
            case Event.Space(boolean full) -> local.full = full;
            case Event.Outdated(int from, long laterStart) ->
                    disown(
                            String.format(
                                    "the disk went back in time: this is start %d of incarnation"
                                            + " %x, and member %d has seen start %d",
                                    local.identity.starts(),
                                    local.identity.incarnation(),
                                    from,
                                    laterStart),
                            local.out);
            case Event.Received _,
                    Event.SnapshotFetched _,
                    Event.SnapshotFailed _,
                    Event.LogRead _,
                    Event.Tick _ -> {}
        }
    }

    private void settle(Role next) {
        if (next != role) {
            role = next;
            local.out.accept(new Effect.RoleChanged());
        }
    }

    // How one role becomes another. The new one is in office before it begins: what it does at once
    // may end it again.

    Role look() {
        return lookAt(local.now);
    }

    Role lookLater() {
        return lookAt(local.now + REJECTED_TIMEOUTS * local.config.timeoutNanos());
    }

    private Role lookAt(long notBefore) {
        local.wouldFollow.clear();
        return new Looking(this, notBefore).begin();
    }

    Role follow(int leader) {
        return new Following(this, leader, false, local.now + local.config.joinNanos()).begin();
    }

    Role lead() {
        return new Leading(this, local.now + local.config.joinNanos()).begin();
    }

    /// As if the election had chosen the successor. Who is not there in time looks again.
    Role handedOver(int successor) {
        if (successor != local.myid()) {
            return followHandedOver(successor);
        }
        return local.mayLead()
                ? new Leading(this, local.now + Leading.HAND_OVER_NANOS).begin()
                : look();
    }

    Role followHandedOver(int successor) {
        long by = local.now + Leading.HAND_OVER_NANOS;
        return new Following(this, successor, true, by).begin();
    }

    /// This member's state cannot be trusted: it does nothing more.
    public void disown(String reason, Consumer<Effect> out) {
        halted = reason;
        out.accept(new Effect.Disown(reason));
    }

    void halt(String reason) {
        halted = reason;
        local.out.accept(new Effect.Halt(reason));
    }

    // The upper half.

    /// {@return the zxid that the next proposal gets; 0 if this member is not an established
    /// leader}
    public long nextZxid() {
        return role instanceof Leading leading ? leading.nextZxid() : 0;
    }

    /// Proposes a transaction under [#nextZxid()], which must not be 0.
    public void propose(Payload payload, Consumer<Effect> out) {
        local.out = out;
        if (role instanceof Leading leading && leading.nextZxid() != 0) {
            leading.propose(payload);
        } else {
            throw new IllegalStateException("proposed by a member that does not lead");
        }
    }

    /// {@return a round to wait for, see [Effect.Confirmed]; the leadership is confirmed for all
    /// that was known before}
    public long wantConfirmation(Consumer<Effect> out) {
        local.out = out;
        if (role instanceof Leading leading) {
            long round = leading.wantConfirmation();
            leading.flushConfirmation();
            return round;
        }
        throw new IllegalStateException("confirmation asked of a member that does not lead");
    }

    /// Begins to hand the leadership over; nothing is proposed from here on. It ends with another
    /// role, or with [Effect.HandOverFailed].
    ///
    /// @param to who shall lead; 0: the voter whose log is nearest
    /// @param among who may be chosen if nobody is named
    /// @return null if it has begun, else why it cannot
    public @Nullable String handOver(int to, Set<Integer> among, Consumer<Effect> out) {
        local.out = out;
        if (!(role instanceof Leading leading) || leading.nextZxid() == 0) {
            return "this member does not lead, or is handing over";
        }
        if (local.isConfigurationPending() || configuration().version() == 0) {
            return "a change of the membership is under way";
        }
        Integer successor = leading.standings().successor(to == 0 ? among : Set.of(to));
        if (successor == null) {
            return to == 0
                    ? "no other voter is in sync"
                    : "member " + to + " is no other voter in sync";
        }
        leading.handOver(successor);
        settle(leading.handOn());
        return null;
    }

    // Of an established leader only: what another configuration would find.

    /// {@return see [Standings#withDisks(Ensemble)]}
    public Ensemble withDisks(Ensemble next) {
        return role instanceof Leading leading ? leading.standings().withDisks(next) : next;
    }

    /// {@return whether a quorum of that configuration is in sync with this leader}
    public boolean hasQuorum(Ensemble next) {
        return role instanceof Leading leading && leading.standings().hasQuorum(next);
    }

    /// {@return whether a member may become a voter: it follows this leader and lacks nothing}
    public boolean isLevel(int myid) {
        return role instanceof Leading leading && leading.standings().isLevel(myid);
    }

    /// {@return whether a hand-over is under way: what is asked of the leader must wait}
    public boolean isHandingOver() {
        return role instanceof Leading leading && leading.isHandingOver();
    }

    /// {@return a number that changes whenever the learner comes anew to this leader, and 0 while
    /// it is away: it asks again then for all that it does not find in the log, so that what it
    /// asked for before must not be done any more}
    public long arrivalOf(int learner) {
        return role instanceof Leading leading ? leading.arrivalOf(learner) : 0;
    }

    /// Sends a message of the upper half under the epoch in force.
    public void send(int to, Message message, Consumer<Effect> out) {
        out.accept(new Effect.Send(to, epoch(), message));
    }

    /// The configuration in the snapshot that is about to be installed.
    public void fetched(Ensemble ensemble) {
        local.fetched = ensemble;
    }

    /// {@return the configuration that this leader should propose now, or null}
    public @Nullable Ensemble wantedConfiguration() {
        return role instanceof Leading leading ? leading.standings().wanted() : null;
    }

    // Facts.

    /// {@return what this member is}
    public RoleName role() {
        return switch (role) {
            case Looking _ -> RoleName.LOOKING;
            case Leading leading -> leading.isEstablished() ? RoleName.LEADER : RoleName.LOOKING;
            case Following following -> followerName(following);
        };
    }

    private RoleName followerName(Following following) {
        Ensemble.Member self = local.configuration().members().get(local.myid());
        if (!following.isInSync() || self == null) {
            return RoleName.LEARNER;
        }
        if (self.role() == Ensemble.Role.OBSERVER) {
            return RoleName.OBSERVER;
        }
        return local.isVoter(local.myid(), local.identity.incarnation())
                ? RoleName.FOLLOWER
                : RoleName.LEARNER;
    }

    /// {@return when the next tick can do something, if nothing arrives until then; monotonic time}
    ///
    /// For whoever makes the ticks, so that an idle member is not woken for nothing. In the past
    /// wherever there is more to wait for than heartbeats: ticks are then wanted as often as they
    /// can be had.
    public long tickDueNanos() {
        return switch (role) {
            case Looking _ -> local.now;
            case Leading leading -> leading.tickDueNanos();
            case Following following -> following.tickDueNanos();
        };
    }

    /// {@return whether this member is an established leader, or in sync with one}
    public boolean isInSync() {
        return switch (role) {
            case Looking _ -> false;
            case Leading leading -> leading.isEstablished();
            case Following following -> following.isInSync();
        };
    }

    /// {@return whether this member takes nothing in, since its disk is full and the others can do
    /// without it}
    public boolean isResting() {
        return role instanceof Following following && following.isResting();
    }

    /// {@return whether this member leads and no quorum has space: then nothing may be proposed
    /// that makes data grow (`safety.md` 13)}
    public boolean isCramped() {
        return role instanceof Leading leading && leading.isCramped();
    }

    /// {@return the leader that this member leads or follows, 0 for none}
    public int leader() {
        return switch (role) {
            case Looking _ -> 0;
            case Leading _ -> local.myid();
            case Following following -> following.leader();
        };
    }

    /// {@return the epoch of the leadership that this member is in, 0 for none}
    public long epoch() {
        return switch (role) {
            case Looking _ -> 0;
            case Leading leading -> leading.epoch();
            case Following following -> following.epoch();
        };
    }

    public long currentEpoch() {
        return local.currentEpoch;
    }

    public long acceptedEpoch() {
        return local.acceptedEpoch;
    }

    public Identity identity() {
        return local.identity;
    }

    public History history() {
        return local.history;
    }

    /// {@return the end of the log on disk}
    public long durableZxid() {
        return local.durable();
    }

    /// {@return the committed configuration; version 0: what the file declares}
    public Ensemble configuration() {
        return local.configuration();
    }

    /// {@return whether this leader should give its office away by itself: it completed a change
    /// that leaves it out of those who may lead, or its disk is full while a quorum has space}
    public boolean shouldHandOver() {
        Ensemble committed = local.configuration();
        boolean votes =
                committed.isVoter(local.myid(), local.identity.incarnation())
                        && committed.mayLead(local.myid());
        return role instanceof Leading leading
                && leading.nextZxid() != 0
                && (!votes || (local.full && !leading.isCramped()));
    }

    public boolean isConfigurationPending() {
        return local.isConfigurationPending();
    }

    /// {@return what this leader knows of each voter, itself included; empty if it does not lead}
    public List<Standing> voters() {
        if (!(role instanceof Leading leading) || !leading.isEstablished()) {
            return List.of();
        }
        Standings standings = leading.standings();
        return local.configuration().members().values().stream()
                .filter(member -> member.role() == Ensemble.Role.PARTICIPANT)
                .map(member ->
                        new Standing(
                                member.myid(),
                                member.incarnation(),
                                standings.isConnected(member.myid()),
                                standings.isSynced(member.myid()),
                                standings.lag(member.myid()),
                                standings.reasonsNotToStop(member.myid())))
                .toList();
    }

    /// {@return connected members that are no voters; empty if this one does not lead}
    public List<Learning> learners() {
        return role instanceof Leading leading
                ? leading.standings().learnersThatDoNotVote()
                : List.of();
    }

    /// {@return why this member should not stop now, as the leader last said; null if there is no
    /// leader who could}
    public @Nullable List<String> reasonsNotToStop() {
        return switch (role) {
            case Looking _ -> null;
            case Leading leading ->
                    leading.isEstablished()
                            ? leading.standings().reasonsNotToStop(local.myid())
                            : null;
            case Following following ->
                    following.isInSync()
                            ? following.safeToStop() ? List.of() : following.reasons()
                            : null;
        };
    }
}
