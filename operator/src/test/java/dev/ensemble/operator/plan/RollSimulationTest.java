package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;
import dev.ensemble.operator.plan.Observed.Pod;
import dev.ensemble.operator.plan.Observed.Said;
import dev.ensemble.operator.plan.Observed.Voter;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Whole histories of a made-up cluster, with the planner at the wheel: pods die, nodes drain,
/// builds are bad, the spec changes in the middle, the operator sees nothing for a while. After
/// each step of the planner the rules hold; when the faults stop, all members become current.
final class RollSimulationTest {
    private static final int HISTORIES = 300;
    private static final int FAULTY_TURNS = 120;
    private static final int CALM_TURNS = 400;
    private static final int MIN_READY_SECONDS = 10;
    private static final int TURN_SECONDS = 5;

    @ParameterizedTest(name = "{0} voters")
    @ValueSource(ints = {1, 3, 5})
    void neverTakesWhatTheQuorumNeedsAndAlwaysArrives(int voters) {
        for (long seed = 0; seed < HISTORIES; seed++) {
            new History(voters, seed).run();
        }
    }

    /// A member as it really is.
    private static final class Real {
        private final int myid;
        private int incarnationOfPod;
        private int build;
        private boolean pod = true;
        private int endingTurns;
        private int startingTurns;
        private boolean crashing;
        private boolean endedByUs;
        private long readySeconds = 1000;

        Real(int myid) {
            this.myid = myid;
        }

        boolean in() {
            return pod && startingTurns == 0 && !crashing;
        }
    }

    private static final class History {
        private final long seed;
        private final Random random;
        private final List<Real> members = new ArrayList<>();
        private int leader;
        private int wanted = 1;
        private boolean wantedIsBad;
        private boolean calm;

        History(int voters, long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            for (int myid = 1; myid <= voters; myid++) {
                Real real = new Real(myid);
                real.build = wanted;
                members.add(real);
            }
            leader = 1;
        }

        void run() {
            for (int turn = 0; turn < FAULTY_TURNS; turn++) {
                fault();
                act();
                pass();
            }
            calm = true;
            if (wantedIsBad) {
                change(false);
            }
            for (int turn = 0; turn < CALM_TURNS; turn++) {
                act();
                pass();
            }
            for (Real each : members) {
                assertTrue(each.in(), () -> "seed " + seed + ": " + each.myid + " is out");
                assertEquals(wanted, each.build, () -> "seed " + seed + ": member " + each.myid);
            }
        }

        private void change(boolean bad) {
            wanted++;
            wantedIsBad = bad;
        }

        private void fault() {
            Real any = members.get(random.nextInt(members.size()));
            switch (random.nextInt(30)) {
                case 0 -> change(random.nextInt(3) == 0);
                case 1 -> end(any, false);
                case 2 -> any.startingTurns = Math.max(any.startingTurns, random.nextInt(10));
                case 3 -> leader = electable();
                default -> {}
            }
        }

        private void end(Real real, boolean byUs) {
            if (real.pod && real.endingTurns == 0) {
                real.endingTurns = 1 + random.nextInt(4);
                real.endedByUs = byUs;
            }
        }

        /// What Kubernetes and the servers do by themselves.
        private void act() {
            for (Real each : members) {
                if (each.endingTurns > 0 && --each.endingTurns == 0) {
                    each.pod = false;
                } else if (!each.pod) {
                    each.pod = true;
                    each.incarnationOfPod++;
                    each.build = wanted;
                    each.crashing = wantedIsBad;
                    each.startingTurns = 1 + random.nextInt(6);
                    each.readySeconds = 0;
                } else if (each.startingTurns > 0) {
                    each.startingTurns--;
                    each.readySeconds = 0;
                } else if (each.in()) {
                    each.endedByUs = each.endingTurns > 0 && each.endedByUs;
                    each.readySeconds += TURN_SECONDS;
                }
            }
            if (leader == 0 || !members.get(leader - 1).in() || !quorum()) {
                leader = electable();
            }
        }

        private int electable() {
            List<Real> in = members.stream().filter(Real::in).toList();
            return quorum() ? in.get(random.nextInt(in.size())).myid : 0;
        }

        private boolean quorum() {
            return members.stream().filter(Real::in).count() > members.size() / 2;
        }

        private void pass() {
            boolean blind = !calm && random.nextInt(10) == 0;
            Step step = RollPlan.next(seen(blind));
            if (!(step instanceof Step.Restart restart)) {
                return;
            }
            Real target = members.get(restart.myid() - 1);
            assertEquals(uid(target), restart.uid());
            if (target.in()) {
                assertFalse(blind, () -> "seed " + seed + ": nothing was known");
                List<Integer> out =
                        members.stream().filter(each -> !each.in()).map(each -> each.myid).toList();
                assertEquals(
                        List.of(),
                        out,
                        () -> "seed " + seed + ": " + target.myid + " is in sync, others are out");
                assertFalse(
                        members.stream().anyMatch(each -> each.endedByUs),
                        () -> "seed " + seed + ": two out by us");
                assertEquals(Step.How.EVICT, restart.how());
                if (target.myid == leader) {
                    assertTrue(
                            members.stream()
                                    .allMatch(each -> each == target || each.build == wanted),
                            () -> "seed " + seed + ": the leader is the last");
                }
            }
            assertTrue(target.build != wanted, () -> "seed " + seed + ": it was up to date");
            end(target, true);
        }

        private Observed seen(boolean blind) {
            int synced = (int) members.stream().filter(Real::in).count();
            int needed = members.size() / 2 + 1;
            boolean known = !blind && leader != 0;
            Leadership leadership =
                    blind
                            ? new Leadership.Unknown("blind")
                            : leader == 0
                                    ? new Leadership.None("none")
                                    : new Leadership.Known(
                                            leader,
                                            1,
                                            members.size(),
                                            needed,
                                            synced,
                                            synced - needed,
                                            false,
                                            "id");
            List<Member> all = new ArrayList<>();
            for (Real each : members) {
                boolean safe = !each.in() || (synced == members.size() && synced - 1 >= needed);
                all.add(
                        new Member(
                                each.myid,
                                "e-" + (each.myid - 1),
                                pod(each),
                                known
                                        ? new Voter(
                                                each.in(),
                                                (long) random.nextInt(50),
                                                safe,
                                                List.of())
                                        : null,
                                blind ? null : new Said("x", true, "1", "hash", "0x1", List.of()),
                                null));
            }
            return new Observed(
                    members.size(),
                    false,
                    true,
                    MIN_READY_SECONDS,
                    600,
                    "revision",
                    "image",
                    "hash",
                    true,
                    leadership,
                    all);
        }

        private @Nullable Pod pod(Real each) {
            return each.pod
                    ? new Pod(
                            uid(each),
                            each.endingTurns > 0,
                            each.in() && each.endingTurns == 0,
                            each.readySeconds,
                            each.crashing && each.startingTurns == 0,
                            each.build == wanted,
                            0,
                            "node",
                            null)
                    : null;
        }

        private static String uid(Real each) {
            return each.myid + "/" + each.incarnationOfPod;
        }
    }
}
