package dev.ensemble.server.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// What a client was told, in order: changes of znodes and changes of its own state apart.
final class Events implements Watcher {
    private final BlockingQueue<WatchedEvent> changes = new LinkedBlockingQueue<>();
    private final BlockingQueue<Event.KeeperState> states = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) {
            states.add(event.getState());
        } else {
            changes.add(event);
        }
    }

    void awaitConnected() throws InterruptedException {
        Event.KeeperState state = states.poll(60, TimeUnit.SECONDS);
        assertNotNull(state, "the client did not connect");
    }

    /// Waits for one state, whatever comes before it.
    void await(Event.KeeperState wanted) throws InterruptedException {
        for (Event.KeeperState state = null; state != wanted; ) {
            state = states.poll(60, TimeUnit.SECONDS);
            assertNotNull(state, "never " + wanted);
        }
    }

    /// {@return all states that came, which are forgotten with this}
    List<Event.KeeperState> states() {
        var all = new ArrayList<Event.KeeperState>();
        states.drainTo(all);
        return all;
    }

    WatchedEvent next() throws InterruptedException {
        WatchedEvent event = changes.poll(60, TimeUnit.SECONDS);
        assertNotNull(event, "no event came");
        return event;
    }

    /// The next events are these, each as `NodeCreated /path`.
    void expect(String... expected) throws InterruptedException {
        for (String each : expected) {
            assertEquals(each, text(next()));
        }
    }

    /// What this client has been told by now is these events and no other.
    void expectOnly(ZooKeeper client, String... expected) throws Exception {
        Clients.settle(client);
        var all = new ArrayList<WatchedEvent>();
        changes.drainTo(all);
        assertEquals(List.of(expected), all.stream().map(Events::text).toList());
    }

    private static String text(WatchedEvent event) {
        return event.getType() + " " + event.getPath();
    }
}
