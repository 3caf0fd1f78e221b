package dev.ensemble.server.member;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Session;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.List;

/// What one member alone knows of sessions, and when it hands that on.
final class LocalSessionsTest {
    private static final long MILLI = 1_000_000;
    private static final byte[] PASSWORD = {1, 2, 3};

    private final LocalSessions sessions = new LocalSessions(3, 1, 100 * MILLI);

    private long create(long connection) {
        return sessions.create(connection, 1000, PASSWORD, 0).id();
    }

    @Test
    @DisplayName("no id is used twice, neither by one start nor by two, nor by two members")
    void idsAreNew() {
        long id = create(1);
        assertNotEquals(id, create(2));
        for (var others :
                List.of(
                        new LocalSessions(3, 2, 100 * MILLI),
                        new LocalSessions(4, 1, 100 * MILLI))) {
            assertNotEquals(id, others.create(1, 1000, PASSWORD, 0).id());
            assertFalse(others.has(id));
            assertNull(others.attach(id, 1, 1000, PASSWORD, 0));
        }
    }

    @Test
    @DisplayName("b38: only the password, at the same member, gives a local session back")
    void attachNeedsThePassword() {
        long id = create(1);
        assertNull(sessions.attach(id, 2, 2000, new byte[] {1, 2, 4}, 0));
        Session again = sessions.attach(id, 2, 2000, PASSWORD, 0);
        assertNotNull(again);
        assertEquals(2000, again.timeoutMillis());
        assertArrayEquals(PASSWORD, again.password());
        assertEquals(List.of(), sessions.expire(1900 * MILLI));
        assertEquals(List.of(2L), sessions.expire(2200 * MILLI));
        assertFalse(sessions.has(id));
    }

    @Test
    @DisplayName("who is heard from stays; a pause of the member's own costs nobody time")
    void timeIsTheClients() {
        long touched = create(1);
        create(2);
        sessions.touch(touched, 900 * MILLI);
        sessions.paused(500 * MILLI);
        assertEquals(List.of(), sessions.expire(1400 * MILLI));
        assertEquals(List.of(2L), sessions.expire(1700 * MILLI));
        assertTrue(sessions.has(touched));
    }

    @Test
    @DisplayName(
            "b41: a session is asked to be everybody's once, and again when a new tree has none")
    void oneUpgrade() {
        long id = create(1);
        assertNotNull(sessions.beginUpgrade(id));
        assertNull(sessions.beginUpgrade(id));
        assertEquals(List.of(), sessions.expire(9_000 * MILLI), "it is the leader's to end");
        sessions.settle(Tree.initial());
        assertTrue(sessions.has(id));
        assertNotNull(sessions.beginUpgrade(id));
        sessions.settle(treeWith(id));
        assertFalse(sessions.has(id), "everybody knows it now");
        assertNull(sessions.beginUpgrade(id));
    }

    private static Tree treeWith(long session) {
        var loader = new Tree.Loader();
        loader.accept(new StateChange.PutSession(new Session(session, 1000, PASSWORD, 3, 7)));
        loader.accept(new StateChange.At(7));
        return loader.finish();
    }
}
