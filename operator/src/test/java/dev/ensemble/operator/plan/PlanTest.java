package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.stream.Stream;

/// Each row: what is seen, and the one thing to do.
final class PlanTest {
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
                        "who was chosen to go on alone is told so first",
                        three(1).notReady(1).notReady(2).notReady(3).noLeader().survivor(2),
                        "DELETE e-1"),
                arguments(
                        "also where a person approves restarts: that has happened",
                        three(1).notReady(1).notReady(2).noLeader().manual().survivor(2),
                        "DELETE e-1"),
                arguments(
                        "but not while there is a leader",
                        three(1).notReady(3).survivor(2),
                        "wait e-2 to be ready"),
                arguments(
                        "nor before the controller knows the template",
                        three(1).noLeader().survivor(2).staleController(),
                        "wait the StatefulSet controller"),
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
                arguments("a person approves", three(1).manual(), "wait a person to approve"),
                arguments("once approved it goes on", three(1).manual().approved(), "EVICT e-1"),
                arguments("outside of a window", three(1).closed(), "wait a maintenance window"),
                arguments(
                        "what is broken is repaired outside of a window, too",
                        three(1).closed().notReady(3).out(3),
                        "DELETE e-2"),
                arguments(
                        "a leader that nobody confirms",
                        three(1).unconfirmed(),
                        "wait a majority of the voters to confirm"),
                arguments(
                        "the leader hands over to one that is current",
                        Scene.of(3).outdated(1).handOver(),
                        "hand over to 2"),
                arguments(
                        "and not to one that is not",
                        Scene.of(3).outdated(1, 2).leader(1).handOver(),
                        "EVICT e-1"),
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
                arguments("the record comes first", three(1).notBootstrapped(), "mark"),
                arguments(
                        "a configuration is taken over without a restart",
                        Scene.of(3).loaded(2, "old", null),
                        "wait e-1 to take over the changed configuration"),
                arguments(
                        "which holds up no restart", three(1).loaded(2, "old", null), "EVICT e-1"),
                arguments(
                        "and no change of the members",
                        Scene.of(3).wanting(5).loaded(2, "old", null),
                        "resize"));
    }

    static Stream<Arguments> numbers() {
        return Stream.of(
                arguments("up: pods first, two at a time", Scene.of(3).wanting(7), "resize 5"),
                arguments("up from one", Scene.of(1).wanting(3), "resize 3"),
                arguments("to an even number, one", Scene.of(3).wanting(4), "resize 4"),
                arguments("from an even number, one", Scene.of(4).wanting(7), "resize 5"),
                arguments(
                        "not while a voter is out",
                        Scene.of(3).wanting(5).out(2),
                        "wait e-1 to be in sync"),
                arguments(
                        "not while the leader is not confirmed",
                        Scene.of(3).wanting(5).unconfirmed(),
                        "wait a majority of the voters to confirm"),
                arguments(
                        "not while a change is pending",
                        Scene.of(3).wanting(5).pending(),
                        "wait a change of the configuration"),
                arguments(
                        "not before the formation is on record",
                        Scene.of(3).wanting(5).notBootstrapped().blank(2),
                        "nothing"),
                arguments(
                        "a restart that has begun comes first",
                        Scene.of(3).outdated(2, 3).wanting(5),
                        "EVICT e-1"),
                arguments(
                        "both new ones must be level",
                        Scene.of(5).learner(4, true).learner(5, false),
                        "wait e-4 to be in sync as a learner"),
                arguments(
                        "then both get their votes at once",
                        Scene.of(5).learner(4, true).learner(5, true),
                        "add [4, 5] remove []"),
                arguments(
                        "which comes before restarts, since the budget counts them",
                        Scene.of(5).learner(4, true).learner(5, true).outdated(1, 2),
                        "add [4, 5] remove []"),
                arguments(
                        "but not with a voter out",
                        Scene.of(5).learner(4, true).learner(5, true).out(1),
                        "wait e-0 to be in sync"),
                arguments(
                        "a new one of an old revision is made anew",
                        Scene.of(5).learner(4, false).learner(5, false).outdated(4),
                        "DELETE e-3"),
                arguments(
                        "going back takes the pods away",
                        Scene.of(5).learner(4, true).learner(5, true).wanting(3),
                        "resize 3"),
                arguments("down: votes first", Scene.of(5).wanting(3), "add [] remove [5, 4]"),
                arguments("two at a time", Scene.of(7).wanting(1), "add [] remove [7, 6]"),
                arguments("to one", Scene.of(3).wanting(1), "add [] remove [3, 2]"),
                arguments(
                        "the leader goes last: it hands over",
                        Scene.of(5).leader(5).wanting(3),
                        "hand over to 1"),
                arguments(
                        "not while one that stays is out",
                        Scene.of(5).wanting(3).out(2),
                        "wait the members that stay to be in sync"),
                arguments(
                        "one that is out goes first",
                        Scene.of(7).wanting(3).out(5),
                        "add [] remove [5, 7]"),
                arguments(
                        "not while a change is pending",
                        Scene.of(5).wanting(3).pending(),
                        "wait a change of the configuration"),
                arguments(
                        "not while the leader is not confirmed",
                        Scene.of(5).wanting(3).unconfirmed(),
                        "wait a majority of the voters to confirm"),
                arguments(
                        "pods go once their votes have gone",
                        Scene.of(5).learner(4, true).learner(5, true).wanting(3),
                        "resize 3"),
                arguments(
                        "not on the word of a leader that nobody confirms",
                        Scene.of(5).learner(4, true).learner(5, true).wanting(3).unconfirmed(),
                        "wait a majority of the voters"),
                arguments(
                        "without a leader nothing is resized",
                        Scene.of(5).wanting(3).noLeader(),
                        "wait a leader"),
                arguments("every voter has a pod", Scene.of(5).size(3), "resize 5"));
    }

    static Stream<Arguments> volumes() {
        return Stream.of(
                arguments(
                        "claims first",
                        Scene.of(3).volumes(2 * Scene.GB, Scene.GB).volume(1, 2 * Scene.GB, 1),
                        "grow data-e-1"),
                arguments(
                        "without a quorum, too",
                        Scene.of(3).noLeader().volumes(2 * Scene.GB, Scene.GB),
                        "grow data-e-0"),
                arguments("then the StatefulSet", grown(Scene.GB), "replace"),
                arguments(
                        "not while a pod is ending",
                        grown(Scene.GB).terminating(2),
                        "wait e-1 to end"),
                arguments("then nothing", grown(2 * Scene.GB), "nothing"),
                arguments(
                        "a volume that takes its time holds up nothing",
                        grown(2 * Scene.GB).volume(2, 2 * Scene.GB, Scene.GB).outdated(3),
                        "EVICT e-2"),
                arguments(
                        "but is waited for",
                        grown(2 * Scene.GB).volume(2, 2 * Scene.GB, Scene.GB),
                        "wait data-e-1 to grow"),
                arguments("a spare volume stays", Scene.of(3).spare(3), "nothing"),
                arguments(
                        "unless the spec says otherwise",
                        Scene.of(3).spare(3).deleteVolumes(),
                        "delete data-e-3"),
                arguments(
                        "a voter's volume stays in any case",
                        Scene.of(3).spare(2).deleteVolumes(),
                        "nothing"),
                arguments(
                        "also if only a leader says so whom nobody confirms",
                        Scene.of(3).spare(3).deleteVolumes().unconfirmed(),
                        "nothing"),
                arguments(
                        "who sleeps is left alone",
                        Scene.of(3).hibernate().outdated(1).wanting(5),
                        "wait e-0 to end"));
    }

    private static Scene grown(long template) {
        Scene scene = Scene.of(3).volumes(2 * Scene.GB, template);
        for (int myid = 1; myid <= 3; myid++) {
            scene.volume(myid, 2 * Scene.GB, 2 * Scene.GB);
        }
        return scene;
    }

    private static Scene three(int leader) {
        return Scene.of(3).leader(leader).outdated(1, 2, 3);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"rows", "numbers", "volumes"})
    void decides(String name, Scene scene, String expected) {
        String is = text(Plan.next(scene.observed()));
        assertEquals(expected, is.substring(0, Math.min(expected.length(), is.length())), is);
    }

    private static String text(Step step) {
        return switch (step) {
            case Step.Nothing _ -> "nothing";
            case Step.Wait wait -> "wait " + String.join("; ", wait.waitingFor());
            case Step.MarkBootstrapped _ -> "mark";
            case Step.Restart restart -> restart.how() + " " + restart.pod();
            case Step.Resize resize -> "resize " + resize.to();
            case Step.ChangeVoters change -> "add " + change.add() + " remove " + change.remove();
            case Step.HandOver handOver -> "hand over to " + handOver.to();
            case Step.MoveTls move -> "tls " + move.to().text();
            case Step.GrowVolume grow -> "grow " + grow.claim();
            case Step.ReplaceSet _ -> "replace";
            case Step.DeleteVolume delete -> "delete " + delete.claim();
        };
    }

    @Test
    void tlsComesOneStepAtATimeAndAfterAllElse() {
        String off = "peers=Off: clients=Off:";
        String on = "peers=Required:operator clients=Required:operator";
        String first = "tls peers=Accept:operator clients=Accept:operator";
        assertEquals(first, text(Plan.next(Scene.of(3).tls(off, on).observed())));
        assertEquals("nothing", text(Plan.next(Scene.of(3).tls(on, on).observed())));
        assertEquals("EVICT e-1", text(Plan.next(Scene.of(3).outdated(2).tls(off, on).observed())));
        assertEquals(first, text(Plan.next(Scene.of(3).wanting(5).tls(off, on).observed())));
    }

    @Test
    void aRestartNamesThePodThatWasLookedAt() {
        Step step = Plan.next(Scene.of(3).outdated(2).observed());
        assertEquals("uid-2", ((Step.Restart) step).uid());
    }
}
