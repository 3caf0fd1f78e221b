package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.plan.RecoveryPlan.Candidate;
import dev.ensemble.operator.plan.RecoveryPlan.Outcome;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.List;

/// Which member an ensemble goes on with, and when that is not asked for.
final class RecoveryPlanTest {
    private static Candidate holds(int myid, int voters, long epoch, long logged) {
        return new Candidate(
                myid,
                "orders-" + (myid - 1),
                true,
                true,
                false,
                voters,
                epoch,
                logged,
                "0x" + myid);
    }

    private static Candidate blank(int myid) {
        return new Candidate(
                myid, "orders-" + (myid - 1), true, false, false, 0, 0, 0, "0x9" + myid);
    }

    private static Candidate silent(int myid) {
        return new Candidate(myid, "orders-" + (myid - 1), false, false, false, 0, 0, 0, null);
    }

    private static Outcome.Survive survive(Candidate... members) {
        return assertInstanceOf(Outcome.Survive.class, RecoveryPlan.of("id", List.of(members)));
    }

    private static String notPossible(Candidate... members) {
        return assertInstanceOf(Outcome.NotPossible.class, RecoveryPlan.of("id", List.of(members)))
                .why();
    }

    @Test
    void theOnlyOneWithDataSurvives() {
        Outcome.Survive plan = survive(blank(1), holds(2, 3, 4, 0x4_0000_0007L), blank(3));
        assertEquals(2, plan.survivor().myid());
        assertEquals(
                "the ensemble goes on with the data of orders-1, of epoch 4 up to 0x400000007. Lost"
                        + " is what the others acknowledged behind that.",
                plan.means());
    }

    @Test
    void theEpochCountsBeforeTheZxid() {
        assertEquals(
                2,
                survive(
                                holds(1, 5, 3, 0x3_0000_0009L),
                                holds(2, 5, 4, 0x3_0000_0005L),
                                blank(3),
                                blank(4),
                                blank(5))
                        .survivor()
                        .myid());
        assertEquals(
                1,
                survive(
                                holds(1, 5, 4, 0x3_0000_0009L),
                                holds(2, 5, 4, 0x3_0000_0005L),
                                blank(3),
                                blank(4),
                                blank(5))
                        .survivor()
                        .myid());
    }

    @Test
    void ofEqualsTheLowestSurvives() {
        Candidate[] members = {holds(1, 5, 4, 9), holds(2, 5, 4, 9), blank(3), blank(4), blank(5)};
        Outcome.Survive plan = survive(members);
        assertEquals(1, plan.survivor().myid());
        assertTrue(plan.means().contains("What orders-1 hold is put aside"), plan::means);
    }

    @Test
    void whoDoesNotAnswerIsNamed() {
        Outcome.Survive plan = survive(holds(1, 3, 4, 9), silent(2), blank(3));
        assertTrue(plan.means().contains("First make sure that orders-1 run nowhere"), plan::means);
    }

    @Test
    void anyOtherFactIsAnotherPlan() {
        String facts = survive(holds(1, 3, 4, 9), blank(2), blank(3)).facts();
        assertEquals(facts, survive(holds(1, 3, 4, 9), blank(2), blank(3)).facts());
        assertNotEquals(facts, survive(holds(1, 3, 4, 10), blank(2), blank(3)).facts());
        assertNotEquals(facts, survive(holds(1, 3, 4, 9), silent(2), blank(3)).facts());
        assertNotEquals(
                facts,
                assertInstanceOf(
                                Outcome.Survive.class,
                                RecoveryPlan.of(
                                        "other", List.of(holds(1, 3, 4, 9), blank(2), blank(3))))
                        .facts());
    }

    @Test
    void aBackupMayTakeThePlaceOfAnything() {
        var leader = new Candidate(1, "orders-0", true, true, true, 3, 4, 9, "0x1");
        Outcome.Restore plan =
                restore(
                        "which holds ensemble id up to 0x300000005, as of noon",
                        leader,
                        holds(2, 3, 4, 8),
                        silent(3));
        assertEquals(
                "all members are stopped, and the ensemble begins again with f of claim c, which"
                    + " holds ensemble id up to 0x300000005, as of noon, on the volume of orders-1,"
                    + " which the others learn from. Lost is what was acknowledged behind that:"
                    + " orders-0 holds data of epoch 4 up to 0x9, orders-1 holds data of epoch 4 up"
                    + " to 0x8. Sessions end, and their ephemerals go. What the members hold is put"
                    + " aside on their volumes, and kept. First make sure that orders-2 run"
                    + " nowhere: a majority that is only out of sight would go on beside this one.",
                plan.means());
        assertEquals(1004, plan.afterEpoch(), "behind what the silent one may have led");
        assertEquals(
                plan.facts(),
                restore(
                                "which holds ensemble id up to 0x300000005, as of noon",
                                holds(1, 3, 5, 99),
                                holds(2, 3, 5, 98),
                                silent(3))
                        .facts(),
                "what a running ensemble holds is no part of the plan");
        assertNotEquals(plan.facts(), restore(null, leader, holds(2, 3, 4, 8), silent(3)).facts());
        assertNotEquals(
                restore(null, leader, holds(2, 3, 4, 8), silent(3)).facts(),
                restore(null, leader, holds(2, 3, 4, 8), blank(3)).facts());
        assertNotEquals(
                restore(null, blank(1)).facts(),
                restoreInto("orders-0", null, blank(1)).facts(),
                "whose volume it is put on is approved, too");
        assertTrue(
                restore(null, blank(1)).means().contains("of which no EnsembleBackup tells"),
                "it may be somebody else's");
    }

    private static Outcome.Restore restore(@Nullable String holds, Candidate... members) {
        return restoreInto("orders-1", holds, members);
    }

    private static Outcome.Restore restoreInto(
            String into, @Nullable String holds, Candidate... members) {
        return assertInstanceOf(
                Outcome.Restore.class,
                RecoveryPlan.restore(
                        "id",
                        List.of(members),
                        new RecoveryPlan.Backup("f of claim c", holds),
                        into));
    }

    @Test
    void aQuorumNeedsNoRecovery() {
        var leader = new Candidate(1, "orders-0", true, true, true, 3, 4, 9, "0x1");
        assertEquals(
                "orders-0 leads a quorum: there is nothing to recover",
                notPossible(leader, blank(2), blank(3)));
        assertEquals(
                "2 members hold data, and 2 are a quorum: they find a leader by themselves",
                notPossible(holds(1, 3, 4, 9), holds(2, 3, 4, 8), silent(3)));
    }

    @Test
    void withoutDataThereIsNothingToGoOnWith() {
        assertEquals(
                "no member that answers holds data: bring one back that does, or restore a volume",
                notPossible(blank(1), silent(2), blank(3)));
    }
}
