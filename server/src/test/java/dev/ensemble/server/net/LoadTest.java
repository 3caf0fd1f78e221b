package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// More than is good: what is bounded waits, and nothing is lost.
final class LoadTest {
    private static final Request GET = new Request.GetData("/", false);

    @Test
    void manyConnectionsAreServed() throws IOException {
        try (var served = new ServedClients(settings(1000))) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                clients.add(served.connected());
            }
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).send(RawClient.frames(create("/" + i), GET));
            }
            for (RawClient client : clients) {
                assertEquals(0, client.header().err());
                assertEquals(2, client.header().xid());
            }
            assertEquals(300, served.server.stats().connections());
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void pipelinesWaitForRoomAndAreAnsweredWhole() throws IOException {
        try (var served = new ServedClients(settings(1))) {
            List<RawClient> clients = new ArrayList<>();
            Request[] requests = new Request[200];
            for (int i = 0; i < requests.length; i++) {
                requests[i] = i % 3 == 0 ? GET : new Request.SetData("/", new byte[10], -1);
            }
            for (int i = 0; i < 10; i++) {
                RawClient client = served.connected();
                clients.add(client);
                client.send(RawClient.frames(requests));
            }
            for (RawClient client : clients) {
                for (int xid = 1; xid <= requests.length; xid++) {
                    assertEquals(xid, client.header().xid());
                }
                client.close();
            }
            assertEquals(0, served.server.stats().outstanding());
        }
    }

    @Test
    void aPipelineOfMoreThanMayBeInFlightIsAnsweredWhole() throws IOException {
        try (var served = new ServedClients(settings(100_000));
                RawClient client = served.connected()) {
            Request[] requests = new Request[2500];
            for (int i = 0; i < requests.length; i++) {
                requests[i] = new Request.SetData("/", new byte[10_000], -1);
            }
            byte[] frames = RawClient.frames(requests);
            Thread sender = Thread.ofVirtual().start(() -> send(client, frames));
            for (int xid = 1; xid <= requests.length; xid++) {
                assertEquals(xid, client.header().xid());
            }
            sender.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Events come without having been asked for, so not reading the client does not bound them.
    @Test
    void aFloodOfEventsEndsAClientThatDoesNotRead() throws IOException {
        try (var served = new ServedClients(settings(1000));
                RawClient deaf = served.connected();
                RawClient busy = served.connected()) {
            String path = "/" + "x".repeat(900_000);
            deaf.ask(1, new Request.AddWatch(path, 0));
            busy.ask(1, create(path));
            int connections = served.server.stats().connections();
            for (int i = 0; connections == 2; i++) {
                assertEquals(0, busy.ask(i, new Request.SetData(path, new byte[0], -1)).err());
                connections = served.server.stats().connections();
            }
        }
    }

    private static void send(RawClient client, byte[] frames) {
        try {
            client.send(frames);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Request create(String path) {
        return new Request.Create(CreateOp.CREATE, path, new byte[0], Acl.OPEN, 0, 0);
    }

    private static ClientSettings settings(int maxOutstanding) {
        return new ClientSettings(
                2, 2000, 4000, 40_000, 0xfffff, -1, 0, 0, 10_000, maxOutstanding, Set.of());
    }
}
