package dev.ensemble.server.zab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/// Scripts: this state, this event, expect these effects. What safety rests on is the order of disk
/// and message.
class PeerTest {
    private static final long MILLI = 1_000_000;

    /// One peer, its disk confirmed by hand.
    static final class Bench {
        final Peer peer;
        final List<Effect> effects = new ArrayList<>();
        long now;
        long tickets;

        Bench(int myid, int voters, Recovered disk) {
            this(myid, voters, Groups.NONE, disk);
        }

        Bench(int myid, int voters, Groups groups, Recovered disk) {
            var members = IntStream.rangeClosed(1, voters).mapToObj(PeerTest::voter).toList();
            var declared = Ensemble.declared("e", members).with(groups);
            var config =
                    new PeerConfig(
                            myid,
                            declared,
                            PeerConfig.Bootstrap.UNANIMOUS,
                            "record",
                            100 * MILLI,
                            400 * MILLI,
                            20_000 * MILLI,
                            10 * MILLI,
                            Hello.PROTOCOL);
            peer = new Peer(config, disk, new History(disk.base(), 1000, 1 << 20), 0);
        }

        List<Effect> step(Event event) {
            effects.clear();
            peer.step(event, now, effects::add);
            for (Effect effect : effects) {
                if (effect instanceof Effect.Disk(long ticket, DiskOp _)) {
                    tickets = ticket;
                }
            }
            return List.copyOf(effects);
        }

        List<Effect> receive(int from, long epoch, Message message) {
            return step(new Event.Received(from, from, epoch, message));
        }

        /// Confirms all that was handed to the disk.
        List<Effect> persist() {
            return step(new Event.Persisted(tickets));
        }

        void linkUp(int from, Identity.State state) {
            step(
                    new Event.LinkUp(
                            from, new Hello(Hello.PROTOCOL, "e", from, from, 1, state, "record")));
        }

        /// Makes the peer a follower of `leader` that has promised `epoch`.
        void promise(int leader, long epoch) {
            linkUp(leader, Identity.State.MEMBER);
            receive(leader, 0, leading(leader, epoch));
            receive(leader, epoch, new Message.LeaderInfo("e", 0));
            persist();
        }
    }

    static Ensemble.Member voter(int id) {
        return new Ensemble.Member(id, "h" + id, 2888, 3888, Ensemble.Role.PARTICIPANT, null, 0);
    }

    static Recovered blank(int myid) {
        return new Recovered(
                new Identity(Identity.State.BLANK, "", myid, myid, 1, Map.of()),
                0,
                0,
                0,
                Ensemble.declared("", List.of()),
                List.of(),
                0);
    }

    /// A member of three, whose log holds two transactions of epoch 1, the first of them committed.
    static Recovered member(int myid) {
        return new Recovered(
                new Identity(
                        Identity.State.MEMBER, "e", myid, myid, 1, Map.of(1, 1L, 2, 2L, 3, 3L)),
                1,
                1,
                0,
                Ensemble.declared("", List.of()),
                List.of(entry(1, 1), entry(1, 2)),
                Zxid.of(1, 1));
    }

    static History.Entry entry(long epoch, long counter) {
        return new History.Entry(Zxid.of(epoch, counter), payload());
    }

    static Payload payload() {
        return new Payload(new Header(0, 0, 0, 0, 0), new Txn.Refused(Code.NO_NODE), new byte[8]);
    }

    static Message.Notification leading(int leader, long epoch) {
        return new Message.Notification(
                Message.State.LEADING, leader, 0, epoch, 1, Identity.State.MEMBER, Map.of(), 0);
    }

    static Message.Notification vote(int leader, long zxid, long epoch, long round) {
        return new Message.Notification(
                Message.State.LOOKING,
                leader,
                zxid,
                epoch,
                round,
                Identity.State.MEMBER,
                Map.of(),
                0);
    }

    static List<Message> sent(List<Effect> effects) {
        return effects.stream()
                .filter(Effect.Send.class::isInstance)
                .map(effect -> ((Effect.Send) effect).message())
                .toList();
    }

    static List<DiskOp> disk(List<Effect> effects) {
        return effects.stream()
                .filter(Effect.Disk.class::isInstance)
                .map(effect -> ((Effect.Disk) effect).op())
                .toList();
    }

    static boolean has(List<?> all, Class<?> type) {
        return all.stream().anyMatch(type::isInstance);
    }

    @Test
    @DisplayName("one member alone forms, promises, leads: each on disk before the next")
    void oneMemberAlone() {
        var bench = new Bench(1, 1, blank(1));
        var forming = disk(bench.step(new Event.Tick()));
        assertEquals(
                Identity.State.FORMING,
                assertInstanceOf(DiskOp.StoreIdentity.class, forming.getFirst())
                        .identity()
                        .state());
        assertEquals(1, forming.size());

        var promised = disk(bench.persist());
        assertEquals(
                Identity.State.MEMBER,
                assertInstanceOf(DiskOp.StoreIdentity.class, promised.get(0)).identity().state());
        assertEquals(new DiskOp.Epochs(1, 0), promised.get(1));

        assertEquals(List.of(new DiskOp.Epochs(1, 1)), disk(bench.persist()));
        assertEquals(0, bench.peer.nextZxid());
        var established = bench.persist();
        assertTrue(has(established, Effect.InSync.class));
        assertEquals(Zxid.of(1, 1), bench.peer.nextZxid());
        assertEquals(Peer.RoleName.LEADER, bench.peer.role());
    }

    @Test
    @DisplayName(
            "nothing is committed before this member's own disk has it, if it is the quorum (B10)")
    void leaderCountsItsOwnDisk() {
        var bench = new Bench(1, 1, blank(1));
        bench.step(new Event.Tick());
        bench.persist();
        bench.persist();
        bench.persist();
        bench.effects.clear();
        bench.peer.propose(payload(), bench.effects::add);
        bench.tickets++;
        assertFalse(has(bench.effects, Effect.Deliver.class));
        assertTrue(has(bench.persist(), Effect.Deliver.class));
    }

    @Test
    @DisplayName(
            "a blank member forms nothing while one voter has not been seen, and never beside a"
                    + " MEMBER (safety 7)")
    void blankMembersWaitForAll() {
        var bench = new Bench(1, 3, blank(1));
        bench.step(new Event.Tick());
        bench.linkUp(2, Identity.State.BLANK);
        assertEquals(List.of(), disk(bench.step(new Event.Tick())));
        bench.linkUp(3, Identity.State.MEMBER);
        assertEquals(List.of(), disk(bench.step(new Event.Tick())));
        // It does not even vote for somebody else.
        var said = sent(bench.receive(2, 0, vote(2, 5, 1, 9)));
        assertTrue(
                said.stream()
                        .allMatch(message ->
                                message instanceof Message.Notification n && n.leader() == 0));

        var other = new Bench(1, 3, blank(1));
        other.step(new Event.Tick());
        other.linkUp(2, Identity.State.BLANK);
        other.linkUp(3, Identity.State.FORMING);
        var record =
                assertInstanceOf(
                        DiskOp.StoreIdentity.class,
                        new DiskOp.StoreIdentity(other.peer.identity()));
        assertEquals(Identity.State.FORMING, record.identity().state());
        assertEquals(Map.of(1, 1L, 2, 2L, 3, 3L), record.identity().voters());
    }

    /// On one link, in one epoch: the leader may answer late to what the learner has given up
    /// since, and means a log that has changed.
    @Test
    @DisplayName("S3: what answers an earlier attempt to follow is dropped")
    void answersToAnEarlierAttemptAreDropped() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.linkUp(2, Identity.State.MEMBER);
        long first = attempt(bench.receive(2, 0, leading(2, 2)));
        bench.now += TimeUnit.MINUTES.toNanos(1);
        bench.step(new Event.Tick());
        long second = attempt(bench.receive(2, 0, leading(2, 2)));
        assertTrue(second > first);
        bench.receive(2, 2, new Message.LeaderInfo("e", first));
        assertFalse(has(sent(bench.persist()), Message.AckEpoch.class));
        assertEquals(List.of(), disk(bench.receive(2, 2, new Message.Trunc(Zxid.of(1, 1)))));
        bench.receive(2, 2, new Message.LeaderInfo("e", second));
        assertTrue(has(sent(bench.persist()), Message.AckEpoch.class));
    }

    private static long attempt(List<Effect> effects) {
        return sent(effects).stream()
                .filter(Message.FollowerInfo.class::isInstance)
                .map(Message.FollowerInfo.class::cast)
                .findFirst()
                .orElseThrow()
                .attempt();
    }

    @Test
    @DisplayName("the epoch is on disk before it is promised (B10)")
    void promiseIsDurable() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.linkUp(2, Identity.State.MEMBER);
        assertTrue(has(sent(bench.receive(2, 0, leading(2, 2))), Message.FollowerInfo.class));
        var told = bench.receive(2, 2, new Message.LeaderInfo("e", 0));
        assertEquals(List.of(new DiskOp.Epochs(2, 1)), disk(told));
        assertFalse(has(sent(told), Message.AckEpoch.class));
        var ack = assertInstanceOf(Message.AckEpoch.class, sent(bench.persist()).getFirst());
        assertEquals(new Message.AckEpoch(true, 1, Zxid.of(1, 2), List.of(Zxid.of(1, 2))), ack);
    }

    @Test
    @DisplayName(
            "C5, C7, C8: NEWLEADER is acked once data and then the epoch are on disk, in that"
                    + " order")
    void newLeaderIsAckedLast() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        var appended = bench.receive(2, 2, new Message.Proposal(Zxid.of(1, 3), payload()));
        assertInstanceOf(DiskOp.Append.class, disk(appended).getFirst());
        long dataTicket = bench.tickets;
        var newLeader = bench.receive(2, 2, new Message.NewLeader(Zxid.of(1, 3)));
        assertEquals(List.of(new DiskOp.Epochs(2, 2)), disk(newLeader));
        assertFalse(has(sent(newLeader), Message.AckNewLeader.class));
        assertFalse(
                has(sent(bench.step(new Event.Persisted(dataTicket))), Message.AckNewLeader.class));
        assertEquals(1, bench.peer.currentEpoch());
        assertTrue(has(sent(bench.persist()), Message.AckNewLeader.class));
        assertEquals(2, bench.peer.currentEpoch());
    }

    @Test
    @DisplayName(
            "C9: what is proposed behind NEWLEADER is acked behind it, however fast the log is")
    void proposalIsAckedBehindNewLeader() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        bench.receive(2, 2, new Message.NewLeader(Zxid.of(1, 2)));
        bench.receive(2, 2, new Message.Proposal(Zxid.of(2, 1), payload()));
        var acks = sent(bench.persist());
        assertInstanceOf(Message.AckNewLeader.class, acks.get(0));
        assertEquals(new Message.Ack(Zxid.of(2, 1)), acks.get(1));
    }

    @Test
    @DisplayName("C6: a commit between the ack of NEWLEADER and UPTODATE is applied")
    void commitBeforeUpToDate() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        bench.receive(2, 2, new Message.NewLeader(Zxid.of(1, 2)));
        bench.persist();
        assertEquals(
                1,
                bench.receive(2, 2, new Message.Commit(Zxid.of(1, 2))).stream()
                        .filter(Effect.Deliver.class::isInstance)
                        .count());
        assertFalse(bench.peer.isInSync());
        assertTrue(
                has(bench.receive(2, 2, new Message.UpToDate(Zxid.of(1, 2))), Effect.InSync.class));
    }

    @Test
    @DisplayName("a message of another epoch changes nothing (safety 3)")
    void otherEpochsAreDropped() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        for (long epoch : new long[] {0, 1, 3}) {
            assertEquals(
                    List.of(),
                    bench.receive(2, epoch, new Message.Proposal(Zxid.of(1, 3), payload())));
            assertEquals(List.of(), bench.receive(2, epoch, new Message.Commit(Zxid.of(1, 2))));
        }
        assertEquals(Zxid.of(1, 2), bench.peer.history().last());
    }

    @Test
    @DisplayName("C12: a hole in what the leader sends ends the link")
    void holesEndTheLink() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        var effects = bench.receive(2, 2, new Message.Proposal(Zxid.of(1, 4), payload()));
        assertTrue(has(effects, Effect.Disconnect.class));
        assertEquals(Peer.RoleName.LOOKING, bench.peer.role());
        assertEquals(Zxid.of(1, 2), bench.peer.history().last());
    }

    @Test
    @DisplayName("a log is never cut below what is committed: the process stops instead (safety 1)")
    void refusesToCutWhatIsCommitted() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        var effects = bench.receive(2, 2, new Message.Trunc(0));
        assertTrue(has(effects, Effect.Halt.class));
        assertEquals(List.of(), disk(effects));
    }

    @Test
    @DisplayName("C10: a role begins once the disk has confirmed all that the last one wrote")
    void roleBeginsAfterTheDisk() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        bench.receive(2, 2, new Message.Proposal(Zxid.of(1, 3), payload()));
        bench.linkUp(3, Identity.State.MEMBER);
        bench.step(new Event.LinkDown(2));
        // Not on disk yet: it proposes nobody and follows nobody.
        assertFalse(
                has(
                        sent(bench.receive(3, 0, vote(3, Zxid.of(1, 2), 1, 9))),
                        Message.FollowerInfo.class));
        var afterwards = sent(bench.persist());
        assertTrue(
                afterwards.stream()
                        .anyMatch(message ->
                                message instanceof Message.Notification n
                                        && n.leader() == 1
                                        && n.zxid() == Zxid.of(1, 3)));
        assertFalse(has(afterwards, Message.Ack.class));
    }

    @Test
    @DisplayName("a member learns from others that the change at the end of its log is committed")
    void learnsWhichConfigurationIsCommitted() {
        var alone =
                Ensemble.declared("e", List.of(voter(1)))
                        .withIncarnation(1, 1); // Of the voters 1, 2 and 3, 2 and 3 have gone.
        var change =
                new History.Entry(
                        Zxid.of(1, 2),
                        new Payload(
                                new Header(0, 0, 0, 0, 0), new Txn.Configure(alone), new byte[8]));
        Recovered before = member(1);
        var bench =
                new Bench(
                        1,
                        3,
                        new Recovered(
                                before.identity(),
                                1,
                                1,
                                0,
                                before.ensemble(),
                                List.of(entry(1, 1), change),
                                Zxid.of(1, 1)));
        bench.step(new Event.Tick());
        bench.linkUp(2, Identity.State.MEMBER);
        // Its own log is the longer one, and it votes no more.
        bench.receive(2, 0, gone(Zxid.of(1, 5), Zxid.of(1, 1)));
        bench.persist();
        assertEquals(Peer.RoleName.LOOKING, bench.peer.role());

        bench.receive(2, 0, gone(Zxid.of(1, 5), Zxid.of(1, 3)));
        bench.persist();
        bench.persist();
        assertEquals(Peer.RoleName.LEADER, bench.peer.role());
        assertEquals(Zxid.of(2, 1), bench.peer.nextZxid());
    }

    private static Message.Notification gone(long zxid, long committed) {
        return new Message.Notification(
                Message.State.LOOKING, 0, zxid, 1, 0, Identity.State.MEMBER, Map.of(), committed);
    }

    @Test
    @DisplayName("b274, C22: the newest epoch wins over the longest log, the log over the id")
    void votesInOrder() {
        assertTrue(new Vote(1, 1, 2).compareTo(new Vote(9, 99, 1)) > 0);
        assertTrue(new Vote(1, 5, 1).compareTo(new Vote(9, 4, 1)) > 0);
        assertTrue(new Vote(9, 5, 1).compareTo(new Vote(1, 5, 1)) > 0);
        assertEquals(0, new Vote(1, 5, 1).compareTo(new Vote(1, 5, 1)));
    }

    @Test
    @DisplayName("b278: a voter that weighs nothing proposes others only, and nobody waits for it")
    void weightlessNeverLeads() {
        var groups = new Groups(Map.of(1, 1, 2, 1, 3, 1), Map.of(3, 0));
        var bench = new Bench(3, 3, groups, member(3));
        bench.linkUp(1, Identity.State.MEMBER);
        bench.linkUp(2, Identity.State.MEMBER);
        var none = (Message.Notification) sent(bench.effects).getLast();
        assertEquals(0, none.leader());
        long round = none.round();
        bench.receive(1, 0, vote(1, Zxid.of(1, 1), 1, round));
        bench.receive(2, 0, vote(1, Zxid.of(1, 1), 1, round));
        assertEquals(1, bench.peer.leader());

        // What only it has is not what a quorum has: the leader need not have it.
        var leader = new Bench(1, 3, groups, member(1));
        for (int other = 2; other <= 3; other++) {
            leader.linkUp(other, Identity.State.MEMBER);
        }
        round = ((Message.Notification) sent(leader.effects).getLast()).round();
        for (int other = 2; other <= 3; other++) {
            leader.receive(other, 0, vote(1, Zxid.of(1, 2), 1, round));
        }
        assertEquals(1, leader.peer.leader());
        leader.receive(2, 0, new Message.FollowerInfo(1, 0));
        leader.receive(3, 0, new Message.FollowerInfo(1, 0));
        leader.persist();
        leader.receive(3, 2, new Message.AckEpoch(true, 1, Zxid.of(1, 9), List.of(Zxid.of(1, 9))));
        assertEquals(1, leader.peer.leader());
        leader.receive(2, 2, new Message.AckEpoch(true, 1, Zxid.of(1, 9), List.of(Zxid.of(1, 9))));
        assertEquals(0, leader.peer.leader());
    }

    @Test
    @DisplayName(
            "a leader that is silent is left, one that was not heard since this process stood still"
                    + " is not")
    void leavesSilentLeader() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        bench.now += 5_000 * MILLI; // This process stood still: nobody is to blame.
        bench.step(new Event.Tick());
        assertEquals(2, bench.peer.leader());
        for (int i = 0; i < 9; i++) {
            bench.now += 50 * MILLI;
            bench.step(new Event.Tick());
        }
        assertEquals(0, bench.peer.leader());
    }

    @Test
    @DisplayName(
            "safety.md 12: who is not heard from wants ticks, and given them only when they are due"
                    + " a follower leaves a silent leader as soon as it may")
    void ticksAreDueWhereTheyMatter() {
        var follower = new Bench(1, 3, member(1));
        follower.step(new Event.Tick());
        assertTrue(follower.peer.tickDueNanos() <= follower.now, "there is no leader");
        follower.promise(2, 2);
        follower.receive(2, 2, new Message.Diff());
        follower.receive(2, 2, new Message.NewLeader(Zxid.of(1, 2)));
        follower.persist();
        assertTrue(follower.peer.tickDueNanos() <= follower.now, "it is not in sync");
        follower.receive(2, 2, new Message.UpToDate(Zxid.of(1, 2)));
        long heard = follower.now;
        long due = follower.peer.tickDueNanos();
        assertTrue(due > heard + 100 * MILLI, "the leader's next heartbeat comes first");
        while (follower.peer.leader() == 2) {
            follower.now = Math.max(follower.now + 25 * MILLI, follower.peer.tickDueNanos());
            follower.step(new Event.Tick());
        }
        assertTrue(follower.now - heard > 400 * MILLI, "not before its time-out");
        assertTrue(follower.now - heard <= 425 * MILLI, "and not much later");

        var leader = new Bench(1, 1, member(1));
        leader.step(new Event.Tick());
        leader.persist();
        leader.persist();
        assertTrue(leader.peer.isInSync());
        assertEquals(leader.now + 100 * MILLI, leader.peer.tickDueNanos(), "its next heartbeat");
    }

    @Test
    @DisplayName(
            "safety.md 13: a member whose disk is full says so before it counts, takes nothing in"
                    + " while it is told to rest, and comes back by what its log holds")
    void fullMemberRests() {
        var bench = new Bench(1, 3, member(1));
        bench.step(new Event.Tick());
        bench.step(new Event.Space(true));
        bench.promise(2, 2);
        bench.receive(2, 2, new Message.Diff());
        bench.receive(2, 2, new Message.NewLeader(Zxid.of(1, 2)));
        var acked = sent(bench.persist());
        assertTrue(
                acked.indexOf(new Message.Pong(0, true))
                        < acked.indexOf(new Message.AckNewLeader()));
        assertTrue(acked.contains(new Message.Pong(0, true)));
        bench.receive(2, 2, new Message.UpToDate(Zxid.of(1, 2)));
        assertTrue(bench.peer.isInSync());

        bench.receive(2, 2, new Message.Ping(1, Zxid.of(1, 2), true, List.of(), true));
        assertTrue(bench.peer.isResting());
        assertFalse(bench.peer.isInSync());
        assertEquals(
                List.of(),
                disk(bench.receive(2, 2, new Message.Proposal(Zxid.of(2, 1), payload()))));

        bench.step(new Event.Space(false));
        var back =
                sent(
                        bench.receive(
                                2, 2, new Message.Ping(2, Zxid.of(1, 2), true, List.of(), false)));
        assertFalse(bench.peer.isResting());
        assertTrue(back.contains(new Message.Pong(2, false)));
        assertEquals(
                Zxid.of(1, 2),
                back.stream()
                        .filter(Message.AckEpoch.class::isInstance)
                        .map(Message.AckEpoch.class::cast)
                        .findFirst()
                        .orElseThrow()
                        .lastZxid());
    }
}
