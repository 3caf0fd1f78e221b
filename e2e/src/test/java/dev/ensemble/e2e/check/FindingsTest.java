package dev.ensemble.e2e.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// The judge must find each kind of broken promise in a history that is good but for it.
class FindingsTest {
    private static final List<Entry> GOOD =
            List.of(
                    new Entry.Connection(0, 0, "SyncConnected", "0x1"),
                    new Entry.Ephemeral(1, 0, "/r/ephemeral-0", "0x1", "0x11"),
                    new Entry.Armed(2, 1, 0, "/r/ephemeral-0", 0),
                    new Entry.Armed(2, 1, 1, "/r/own-0", 0),
                    new Entry.Acked(3, 0, 1, 1, 2),
                    new Entry.Fired(4, 1, 1, "NodeDataChanged"),
                    new Entry.Connection(5, 0, "Disconnected", "0x1"),
                    new Entry.Failed(5, 0, "write", "CONNECTIONLOSS", 9),
                    new Entry.Connection(6, 0, "SyncConnected", "0x1"),
                    new Entry.Settled(7, 0, 2, 2),
                    new Entry.Acked(8, 0, 3, 3, 2),
                    new Entry.Created(9, 0, "/r/made-0-3"),
                    new Entry.Stopping(10, 0),
                    new Entry.Final(11, -1, "/r/own-0", "3", 3, "0x0", "0x10"),
                    new Entry.Final(11, -1, "/r/made-0-3", "", 0, "0x0", "0x14"),
                    new Entry.Final(11, -1, "/r/ephemeral-0", "", 0, "0x1", "0x11"),
                    new Entry.Finished(12, -1));

    @Test
    void findsNothingInAGoodHistory() {
        Findings findings = Findings.of(new History(GOOD));

        assertEquals(List.of(), findings.broken());
        assertEquals(2, findings.acked());
        assertEquals(Map.of("write CONNECTIONLOSS", 1L), findings.failed());
        assertEquals(1, findings.closed());
        assertEquals(1, findings.watches());
        assertEquals(0, findings.sessions());
        assertEquals(5, findings.longestSilenceMillis());
    }

    @Test
    void findsAnAcknowledgedWriteThatIsNotThere() {
        finds(
                "3 was acknowledged, and at the end there is 2 at version 2",
                e ->
                        e instanceof Entry.Final f && f.path().equals("/r/own-0")
                                ? new Entry.Final(11, -1, "/r/own-0", "2", 2, "0x0", "0x10")
                                : e);
    }

    @Test
    void findsAWriteThatWasReadAndIsLost() {
        finds(
                "1 was acknowledged, and a read found 0",
                e -> e instanceof Entry.Settled ? new Entry.Settled(7, 0, 0, 0) : e);
    }

    @Test
    void findsAWriteThatHappenedTwice() {
        finds(
                "the write of 3 was acknowledged as version 4",
                e ->
                        e instanceof Entry.Acked a && a.number() == 3
                                ? new Entry.Acked(8, 0, 3, 4, 2)
                                : e);
    }

    @Test
    void findsALostZnode() {
        finds("/r/made-0-3 was created, and is not there", without("/r/made-0-3"));
        finds("its znode is gone", without("/r/own-0"));
        finds("its ephemeral is gone", without("/r/ephemeral-0"));
    }

    @Test
    void findsAnEphemeralThatWasMadeAgain() {
        finds(
                "its ephemeral of 0x1, created at 0x11, is now of 0x1, created at 0x12",
                e ->
                        e instanceof Entry.Final f && f.path().equals("/r/ephemeral-0")
                                ? new Entry.Final(11, -1, f.path(), "", 0, "0x1", "0x12")
                                : e);
    }

    @Test
    void findsAnotherSession() {
        finds(
                "had the sessions",
                e ->
                        e instanceof Entry.Connection c && c.at() == 6
                                ? new Entry.Connection(6, 0, "SyncConnected", "0x2")
                                : e);
        finds(
                "session 0x1 ended after 5 ms: Expired",
                e ->
                        e instanceof Entry.Connection c && c.at() == 5
                                ? new Entry.Connection(5, 0, "Expired", "0x1")
                                : e);
    }

    @Test
    void findsAWatchThatDidNotFire() {
        finds(
                "the watch on /r/own-0, set at version 0 after 2 ms, did not fire",
                e -> e instanceof Entry.Fired ? new Entry.Stopping(4, 1) : e);
    }

    @Test
    void findsAWatchThatFiredWithoutReason() {
        finds(
                "the watch on /r/ephemeral-0 fired after 6 ms: NodeDeleted",
                e ->
                        e instanceof Entry.Connection c && c.at() == 6
                                ? new Entry.Fired(6, 1, 0, "NodeDeleted")
                                : e);
    }

    @Test
    void findsAnErrorThatNobodyShouldSee() {
        finds(
                "1 requests failed with write SESSIONMOVED",
                e ->
                        e instanceof Entry.Failed
                                ? new Entry.Failed(5, 0, "write", "SESSIONMOVED", 9)
                                : e);
    }

    @Test
    void findsAHistoryWithoutEnd() {
        finds(
                "the history has no end",
                e -> e instanceof Entry.Finished ? new Entry.Stopping(12, 1) : e);
    }

    @Test
    void readsWhatItWrites() {
        for (Entry entry : GOOD) {
            String line = History.line(entry);
            assertTrue(line.contains("\"kind\":"), line);
            assertEquals(entry, History.parse(line));
        }
    }

    private static UnaryOperator<Entry> without(String path) {
        return e ->
                e instanceof Entry.Final f && f.path().equals(path) ? new Entry.Stopping(11, 1) : e;
    }

    private static void finds(String broken, UnaryOperator<Entry> change) {
        List<Entry> entries = new ArrayList<>(GOOD);
        entries.replaceAll(change);

        Findings findings = Findings.of(new History(entries));

        assertEquals(
                1, findings.broken().size(), () -> "one thing is broken: " + findings.broken());
        assertTrue(findings.broken().getFirst().contains(broken), findings.broken()::getFirst);
    }
}
