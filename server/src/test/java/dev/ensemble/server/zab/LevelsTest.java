package dev.ensemble.server.zab;

import static dev.ensemble.server.zab.PeerTest.member;
import static dev.ensemble.server.zab.PeerTest.sent;
import static dev.ensemble.server.zab.PeerTest.vote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.zab.PeerTest.Bench;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/// Members of two releases in one ensemble: what the older one does not know waits.
final class LevelsTest {
    private static final int OLD = Ensemble.HIGHEST_LEVEL - 1;

    private static void link(Bench bench, int from, int protocol) {
        bench.step(
                new Event.LinkUp(
                        from,
                        new Hello(protocol, "e", from, from, 1, Identity.State.MEMBER, "record")));
    }

    /// Member 1 leads 2; both promised epoch 2.
    private static Bench established(Groups groups, int protocolOf2, int protocolOf3) {
        var bench = new Bench(1, 3, groups, member(1));
        bench.step(new Event.Tick());
        link(bench, 2, protocolOf2);
        link(bench, 3, protocolOf3);
        bench.receive(2, 0, vote(1, Zxid.of(1, 2), 1, 1));
        bench.receive(3, 0, vote(1, Zxid.of(1, 2), 1, 1));
        bench.receive(2, 0, new Message.FollowerInfo(1, 0));
        bench.persist();
        bench.receive(2, 2, new Message.AckEpoch(true, 1, Zxid.of(1, 2), List.of(Zxid.of(1, 2))));
        bench.persist();
        bench.receive(2, 2, new Message.AckNewLeader());
        bench.receive(2, 2, new Message.Ack(Zxid.of(1, 2)));
        assertEquals(Peer.RoleName.LEADER, bench.peer.role());
        return bench;
    }

    private static void commit(Bench bench, Ensemble ensemble) {
        bench.effects.clear();
        bench.peer.propose(
                new Payload(new Header(0, 0, 0, 0, 0), new Txn.Configure(ensemble), new byte[8]),
                bench.effects::add);
        bench.tickets++;
        bench.persist();
        bench.receive(2, 2, new Message.Ack(bench.peer.history().last()));
        assertEquals(bench.peer.history().last(), bench.peer.history().committed());
    }

    @Test
    @DisplayName("a new ensemble begins at the level of its voters, with groups at theirs")
    void founding() {
        int newest = Ensemble.HIGHEST_LEVEL;
        var wanted = established(Groups.NONE, newest, newest).peer.wantedConfiguration();
        assertEquals(newest, assertNotNullEnsemble(wanted).level());
        wanted = established(Groups.NONE, newest, OLD).peer.wantedConfiguration();
        assertEquals(OLD, assertNotNullEnsemble(wanted).level());
        var groups = new Groups(Map.of(1, 1, 2, 1, 3, 1), Map.of());
        var bench = established(groups, newest, newest);
        bench.step(new Event.LinkDown(3));
        wanted = bench.peer.wantedConfiguration();
        assertEquals(Ensemble.LEVEL_OF_GROUPS, assertNotNullEnsemble(wanted).level());
    }

    private static Ensemble assertNotNullEnsemble(@org.jspecify.annotations.Nullable Ensemble is) {
        assertNotNull(is);
        return is;
    }

    /// Seen to fail with a level that counts only members that are connected.
    @Test
    @DisplayName("the level is raised once every member is there and knows it")
    void raised() {
        var bench = established(Groups.NONE, Ensemble.HIGHEST_LEVEL, OLD);
        commit(bench, assertNotNullEnsemble(bench.peer.wantedConfiguration()));
        assertEquals(OLD, bench.peer.configuration().level());
        assertNull(bench.peer.wantedConfiguration());
        bench.step(new Event.LinkDown(3));
        assertNull(bench.peer.wantedConfiguration(), "who is away may come back as it was");
        link(bench, 3, Ensemble.HIGHEST_LEVEL);
        link(bench, 9, OLD);
        bench.receive(9, 0, new Message.FollowerInfo(1, 0));
        assertNull(bench.peer.wantedConfiguration(), "a learner that is no member");
        bench.step(new Event.LinkDown(9));
        Ensemble wanted = assertNotNullEnsemble(bench.peer.wantedConfiguration());
        assertEquals(Ensemble.HIGHEST_LEVEL, wanted.level());
        assertEquals(bench.peer.configuration().members(), wanted.members());
        commit(bench, wanted);
        assertNull(bench.peer.wantedConfiguration());
    }

    /// Seen to fail without the check: the member gets a log that it cannot read.
    @Test
    @DisplayName("a member that does not know the level is turned away, and told why")
    void tooOld() {
        var bench = established(Groups.NONE, Ensemble.HIGHEST_LEVEL, Ensemble.HIGHEST_LEVEL);
        commit(bench, assertNotNullEnsemble(bench.peer.wantedConfiguration()));
        bench.step(new Event.LinkDown(3));
        link(bench, 3, OLD);
        List<Message> answers = sent(bench.receive(3, 0, new Message.FollowerInfo(1, 0)));
        assertEquals(
                new Message.Rejected("its release knows level 2, and this ensemble is at level 3"),
                assertInstanceOf(Message.Rejected.class, answers.getFirst()));
        assertEquals(1, answers.size());
    }
}
