package dev.ensemble.server.zab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;

/// The log in memory, and how a learner gets level with it.
class HistoryTest {
    private static final Payload PAYLOAD =
            new Payload(new Header(0, 0, 0, 0, 0), new Txn.Refused(Code.NO_NODE), new byte[10]);

    /// A history behind `base` of so many transactions of each epoch in turn.
    private static History history(long base, long... epochAndCount) {
        History history = new History(base, 1000, 1 << 20);
        append(history, epochAndCount);
        return history;
    }

    private static void append(History history, long... epochAndCount) {
        for (int i = 0; i < epochAndCount.length; i += 2) {
            for (long n = 0; n < epochAndCount[i + 1]; n++) {
                long last = history.last();
                boolean same = Zxid.epoch(last) == epochAndCount[i];
                history.append(same ? last + 1 : Zxid.of(epochAndCount[i], 1), PAYLOAD);
            }
        }
    }

    private static long z(long epoch, long counter) {
        return Zxid.of(epoch, counter);
    }

    static List<Arguments> positions() {
        return List.of(
                Arguments.of("level", history(0, 1, 5), history(0, 1, 5), diff(z(1, 5))),
                Arguments.of("empty", history(0, 1, 5), history(0), diff(0)),
                Arguments.of("behind", history(0, 1, 5, 2, 3), history(0, 1, 3), diff(z(1, 3))),
                Arguments.of(
                        "behind at the end of an epoch",
                        history(0, 1, 5, 2, 3),
                        history(0, 1, 5),
                        diff(z(1, 5))),
                Arguments.of(
                        "a tail that was never committed",
                        history(0, 1, 5, 2, 3),
                        history(0, 1, 7),
                        trunc(z(1, 5))),
                // The original has to send a snapshot here: one zxid does not say where both agree
                // (C14).
                Arguments.of(
                        "a tail of an epoch that the leader knows nothing of",
                        history(0, 1, 5, 3, 3),
                        history(0, 1, 4, 2, 2),
                        trunc(z(1, 4))),
                Arguments.of(
                        "a longer epoch in front of the unknown one",
                        history(0, 1, 5, 3, 3),
                        history(0, 1, 5, 2, 1),
                        trunc(z(1, 5))),
                Arguments.of(
                        "nothing in common but the beginning",
                        history(0, 2, 3),
                        history(0, 1, 2),
                        new CatchUp.Snap()),
                Arguments.of(
                        "behind what the leader holds in memory",
                        history(z(1, 100), 1, 5),
                        history(0, 1, 99),
                        new CatchUp.Replay(z(1, 99), false)),
                Arguments.of(
                        "behind what the leader holds in memory, with a tail of its own",
                        history(z(2, 100), 2, 5),
                        history(0, 2, 99, 3, 2),
                        new CatchUp.Replay(z(2, 99), true)),
                Arguments.of(
                        "at the edge of what the leader holds",
                        history(z(1, 100), 1, 5),
                        history(z(1, 100)),
                        diff(z(1, 100))),
                Arguments.of(
                        "blank, and the leader has forgotten its beginning",
                        history(z(1, 100), 1, 5),
                        history(0),
                        new CatchUp.Snap()));
    }

    private static CatchUp diff(long common) {
        return new CatchUp.Diff(common);
    }

    private static CatchUp trunc(long common) {
        return new CatchUp.Trunc(common);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("positions")
    @DisplayName("b285: DIFF, TRUNC or SNAP for every position of a learner")
    void findsWhereBothAgree(String what, History leader, History learner, CatchUp expected) {
        assertEquals(expected, leader.catchUp(learner.epochEnds(), learner.last()), what);
    }

    @Test
    @DisplayName("a hole is refused (B13, C12)")
    void refusesHoles() {
        History history = history(0, 1, 2);
        assertThrows(IllegalStateException.class, () -> history.append(z(1, 4), PAYLOAD));
        assertThrows(IllegalStateException.class, () -> history.append(z(2, 2), PAYLOAD));
        assertThrows(IllegalStateException.class, () -> history.append(z(1, 2), PAYLOAD));
        assertEquals(z(1, 2), history.last());
    }

    @Test
    @DisplayName("what is committed is never cut")
    void neverCutsWhatIsCommitted() {
        History history = history(0, 1, 5);
        history.commit(z(1, 3), _ -> {});
        assertThrows(IllegalStateException.class, () -> history.truncate(z(1, 2)));
        history.truncate(z(1, 3));
        assertEquals(z(1, 3), history.last());
        append(history, 2, 1);
        assertEquals(List.of(z(1, 3), z(2, 1)), history.epochEnds());
    }

    @Test
    @DisplayName("each commit is handed over once, in order, up to the log end")
    void commitsOnceInOrder() {
        History history = history(0, 1, 3, 2, 2);
        var delivered = new ArrayList<Long>();
        history.commit(z(1, 2), entry -> delivered.add(entry.zxid()));
        history.commit(z(1, 2), entry -> delivered.add(entry.zxid()));
        history.commit(z(9, 9), entry -> delivered.add(entry.zxid()));
        assertEquals(List.of(z(1, 1), z(1, 2), z(1, 3), z(2, 1), z(2, 2)), delivered);
        assertEquals(z(2, 2), history.committed());
    }

    @Test
    @DisplayName("committed entries go once there are too many, others stay")
    void forgetsCommittedOnly() {
        History history = new History(0, 3, 1 << 20);
        append(history, 1, 5000);
        assertEquals(5000, history.uncommitted().size());
        history.commit(z(1, 4998), _ -> {});
        assertEquals(z(1, 4997), history.base());
        assertEquals(2, history.uncommitted().size());
        assertEquals(z(1, 5000), history.last());
        assertEquals(3, history.after(history.base()).size());
    }
}
