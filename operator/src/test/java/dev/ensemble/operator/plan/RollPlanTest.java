package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/// Each row: what is seen, and the one thing to do.
final class RollPlanTest {
    static Stream<Arguments> rows() {
        return Stream.of(
                arguments("all is well", Scene.of(3), "nothing"),
                arguments("a follower first, the leader last", three(1), "EVICT e-1"),
                arguments("the leader has the lowest ordinal or not", three(3), "EVICT e-0"),
                arguments("only the leader is left", Scene.of(3).outdated(1), "EVICT e-0"),
                arguments(
                        "what is out of sync and not ready is deleted first",
                        three(1).notReady(3).out(3),
                        "DELETE e-2"),
                arguments(
                        "what is out of sync but ready is evicted, since the budget counts it",
                        three(1).out(3),
                        "EVICT e-2"),
                arguments(
                        "the leader that is ready waits for a current member that is out",
                        Scene.of(3).outdated(1, 2).out(3).notReady(3),
                        "wait e-2 to be ready"),
                arguments(
                        "a member that was restarted and does not come back stops it all",
                        Scene.of(3).outdated(1, 3).stuck(2).out(2),
                        "wait e-1: it crashes"),
                arguments(
                        "but a fix of the spec repairs it first",
                        three(1).stuck(2).out(2),
                        "DELETE e-1"),
                arguments(
                        "nothing while a pod is ending",
                        three(1).terminating(2),
                        "wait e-1 to end"),
                arguments("nothing while a pod is missing", three(1).missing(2), "wait e-1 to be"),
                arguments(
                        "nothing while a member is not ready for readiness' sake",
                        three(1).notReady(3),
                        "wait e-2 to be ready"),
                arguments(
                        "the others must have been ready for a while",
                        Scene.of(3).outdated(1, 3).readyFor(2, 9),
                        "wait e-1 to be ready for 10 s"),
                arguments(
                        "and long enough is enough",
                        Scene.of(3).outdated(1, 3).readyFor(2, 10),
                        "EVICT e-2"),
                arguments(
                        "the leader's word counts",
                        three(1).unsafe(2, "a change is pending"),
                        "wait the leader to say that e-1 may stop: a change is pending"),
                arguments(
                        "without a leader nothing healthy is touched",
                        three(1).noLeader(),
                        "wait a leader"),
                arguments(
                        "not knowing is no permission",
                        three(1).unknownLeader(),
                        "wait news of the leader"),
                arguments(
                        "without a quorum, what crashes on an old revision is repaired",
                        three(1).stuck(1).stuck(2).noLeader(),
                        "DELETE e-0"),
                arguments(
                        "without a quorum, what crashes on the current revision is left alone",
                        Scene.of(3).stuck(1).stuck(2).noLeader(),
                        "wait e-0: it crashes"),
                arguments(
                        "what was never ready before the ensemble formed is repaired",
                        three(1).stuck(1).stuck(2).stuck(3).noLeader().notBootstrapped(),
                        "DELETE e-0"),
                arguments(
                        "the StatefulSet's controller must know the template first",
                        three(1).stuck(2).staleController(),
                        "wait the StatefulSet controller"),
                arguments("a person restarts", three(1).manual(), "wait a person"),
                arguments(
                        "one voter rolls", Scene.of(1).outdated(1).unsafe(1, "alone"), "EVICT e-0"),
                arguments(
                        "one of three does not",
                        Scene.of(3).outdated(1).unsafe(1, "alone"),
                        "wait the leader to say"),
                arguments("formed", Scene.of(3).notBootstrapped(), "mark"),
                arguments(
                        "not formed while one is blank",
                        Scene.of(3).notBootstrapped().blank(2),
                        "nothing"),
                arguments(
                        "not formed while one is out",
                        Scene.of(3).notBootstrapped().out(2),
                        "wait e-1 to be in sync"),
                arguments("the record comes first", three(1).notBootstrapped(), "mark"));
    }

    private static Scene three(int leader) {
        return Scene.of(3).leader(leader).outdated(1, 2, 3);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void decides(String name, Scene scene, String expected) {
        String is = text(RollPlan.next(scene.observed()));
        assertEquals(expected, is.substring(0, Math.min(expected.length(), is.length())), is);
    }

    private static String text(Step step) {
        return switch (step) {
            case Step.Nothing _ -> "nothing";
            case Step.Wait wait -> "wait " + String.join("; ", wait.waitingFor());
            case Step.MarkBootstrapped _ -> "mark";
            case Step.Restart restart -> restart.how() + " " + restart.pod();
        };
    }

    @Test
    void aRestartNamesThePodThatWasLookedAt() {
        Step step = RollPlan.next(Scene.of(3).outdated(2).observed());
        assertEquals("uid-2", ((Step.Restart) step).uid());
    }
}
