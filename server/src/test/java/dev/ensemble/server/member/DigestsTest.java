package dev.ensemble.server.member;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.model.Ensemble;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.Set;
import java.util.stream.IntStream;

@DisplayName("safety.md 9: the majority's digest wins")
final class DigestsTest {
    private static final Ensemble THREE =
            Ensemble.declared(
                    "e",
                    IntStream.rangeClosed(1, 3)
                            .mapToObj(id ->
                                    new Ensemble.Member(
                                            id,
                                            "h" + id,
                                            2888,
                                            3888,
                                            Ensemble.Role.PARTICIPANT,
                                            null,
                                            0))
                            .toList());

    private final Digests digests = new Digests();

    private Digests.Verdict say(int member, long digest) {
        return digests.report(member, 64, digest, THREE);
    }

    @Test
    void oneOfThreeIsWrongAndToldOnce() {
        assertEquals(Set.of(), say(1, 7).wrong());
        assertEquals(Set.of(), say(2, 8).wrong());
        assertEquals(new Digests.Verdict(Set.of(2), 7, false), say(3, 7));
        assertEquals(Digests.Verdict.NONE, say(3, 7));
    }

    @Test
    void whoComesLateIsWrongToo() {
        say(1, 7);
        assertEquals(Digests.Verdict.NONE, say(2, 7));
        assertEquals(new Digests.Verdict(Set.of(3), 7, false), say(3, 8));
    }

    @Test
    void anObserverIsJudgedAndDoesNotJudge() {
        say(4, 8);
        assertEquals(Set.of(), say(5, 8).wrong());
        assertEquals(Set.of(), say(1, 7).wrong());
        assertEquals(new Digests.Verdict(Set.of(4, 5), 7, false), say(2, 7));
    }

    @Test
    void withoutAMajorityNobodyIsWrong() {
        assertEquals(new Digests.Verdict(Set.of(), 0, false), say(1, 7));
        assertEquals(new Digests.Verdict(Set.of(), 0, false), say(2, 8));
        assertEquals(new Digests.Verdict(Set.of(), 0, true), say(3, 9));
    }

    @Test
    void transactionsAreComparedEachForItself() {
        digests.report(1, 64, 7, THREE);
        assertEquals(Set.of(), digests.report(2, 128, 8, THREE).wrong());
        assertEquals(Set.of(), digests.report(3, 128, 8, THREE).wrong());
    }
}
