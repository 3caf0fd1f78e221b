package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.tree.Tree;

import io.netty.buffer.UnpooledByteBufAllocator;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// A [ClientServer] on a free port of loopback in front of a [SoloMember]. Its end fails the test
/// if a buffer was leaked.
final class ServedClients implements AutoCloseable {
    static final ClientSettings SETTINGS =
            new ClientSettings(
                    2, 2000, 4000, 40_000, 0xfffff, -1, 60, 0, 10_000, 1000, Set.of("*"));

    final SoloMember member;
    final ClientServer server;
    final InetSocketAddress address;
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);

    ServedClients() throws IOException {
        this(SETTINGS);
    }

    ServedClients(ClientSettings settings) throws IOException {
        this(settings, true);
    }

    ServedClients(ClientSettings settings, boolean serving) throws IOException {
        this(settings, serving, new Schemes(false, new Digest("SHA1", null)));
    }

    ServedClients(ClientSettings settings, boolean serving, Schemes schemes) throws IOException {
        member = new SoloMember(schemes);
        server =
                new ClientServer(settings, schemes, member, new Facts(), Tree.initial(), allocator);
        address = server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        if (serving) {
            member.serve(server::publish);
        }
    }

    /// Tells that the member serves or does not, and waits until every I/O thread knows.
    void serve(boolean serving) {
        member.say(new Output.Serving(serving));
        while (server.onEach(ClientLoop::isServing)
                .toCompletableFuture()
                .join()
                .contains(!serving)) {
            Thread.onSpinWait();
        }
    }

    RawClient client() throws IOException {
        return new RawClient(address);
    }

    /// {@return a client with a session}
    RawClient connected() throws IOException {
        RawClient client = client();
        client.connect();
        return client;
    }

    /// Ends every connection; the sessions live on.
    void closeConnections() {
        server.onEach(
                        loop -> {
                            loop.closeAll("a test");
                            return true;
                        })
                .toCompletableFuture()
                .join();
    }

    String hostPort() {
        return "127.0.0.1:" + address.getPort();
    }

    @Override
    public void close() {
        server.close();
        member.close();
        assertEquals(0, allocator.metric().usedHeapMemory(), "bytes of buffers that were leaked");
        assertEquals(0, allocator.metric().usedDirectMemory(), "bytes of buffers that were leaked");
    }

    private static final class Facts implements ServerFacts {
        @Override
        public String version() {
            return "3.9.5-test, built on 2026-11-21 00:00 UTC";
        }

        @Override
        public String mode() {
            return "standalone";
        }

        @Override
        public @Nullable String peerState() {
            return null;
        }

        @Override
        public @Nullable ProposalSizes proposalSizes() {
            return null;
        }

        @Override
        public String configuration() {
            return "clientPort=2181\n";
        }

        @Override
        public SequencedMap<String, String> environment() {
            return new LinkedHashMap<>(java.util.Map.of("host.name", "here"));
        }

        @Override
        public SequencedMap<String, String> measures() {
            return new LinkedHashMap<>(java.util.Map.of("uptime", "17"));
        }

        @Override
        public CompletionStage<@Nullable SortedMap<Long, List<Long>>> sessionDeadlines() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        public long dataBytes() {
            return 11;
        }

        @Override
        public long logBytes() {
            return 22;
        }
    }
}
