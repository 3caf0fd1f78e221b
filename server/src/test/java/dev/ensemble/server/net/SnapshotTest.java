package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/// A whole tree goes over a second connection, and nothing less than all of it counts.
@Timeout(60)
final class SnapshotTest {
    private static final int MAX_FRAME = 4 << 20;
    private static final long EPOCH = 3;
    private static final Hello LEADER =
            new Hello(Hello.PROTOCOL, "e", 1, 101, 1, Identity.State.MEMBER, "r");
    private static final Hello LEARNER =
            new Hello(Hello.PROTOCOL, "e", 2, 102, 1, Identity.State.MEMBER, "r");

    private Tree tree;
    private Links leader;

    @BeforeEach
    void startLeader() throws IOException {
        tree = treeOf(3000, 700);
        var receiver =
                new Links.Receiver() {
                    @Override
                    public boolean take(List<Event> events) {
                        return true;
                    }

                    @Override
                    public void failed(Throwable cause) {
                        throw new AssertionError(cause);
                    }
                };
        leader =
                new Links(
                        new Links.Options(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                MAX_FRAME,
                                64 << 20,
                                Links.Timing.DEFAULT),
                        new LinkCodec(new PlainPayloads()),
                        () -> LEADER,
                        receiver,
                        new SnapshotSender(101, new Promised()));
    }

    @AfterEach
    void stopLeader() {
        leader.close();
    }

    @Test
    void aTreeArrivesWhole() throws IOException {
        var loader = new Tree.Loader();
        fetch(leader.port(), LEARNER, EPOCH, tree.zxid()).run(loader::accept);
        Tree got = loader.finish();
        assertEquals(tree.zxid(), got.zxid());
        assertEquals(tree.digest(), got.digest());
        assertEquals(tree.znodeCount(), got.znodeCount());
        assertEquals(tree.ensemble(), got.ensemble());
        assertEquals(tree.sessionCount(), got.sessionCount());
    }

    @Test
    void whatWasNotPromisedIsRefused() {
        String text = refusal(LEARNER, EPOCH, tree.zxid() - 1);
        assertTrue(text.contains("no snapshot of 0x"), text);
        text = refusal(LEARNER, EPOCH + 1, tree.zxid());
        assertTrue(text.contains("no snapshot of"), text);
        var other = new Hello(Hello.PROTOCOL, "f", 2, 102, 1, Identity.State.MEMBER, "r");
        text = refusal(other, EPOCH, tree.zxid());
        assertTrue(text.contains("belongs to ensemble f"), text);
    }

    private String refusal(Hello who, long epoch, long zxid) {
        SnapshotFetch fetch = fetch(leader.port(), who, epoch, zxid);
        return String.valueOf(
                assertThrows(IOException.class, () -> fetch.run(_ -> {})).getMessage());
    }

    @Test
    void aSinkThatFailsEndsIt() {
        SnapshotFetch fetch = fetch(leader.port(), LEARNER, EPOCH, tree.zxid());
        assertThrows(
                IOException.class,
                () ->
                        fetch.run(_ -> {
                            fetch.close();
                        }));
    }

    /// Each connection lets a few chunks through and breaks.
    @Test
    void aBrokenConnectionGoesOnWhereItEnded() throws Exception {
        var connections = new AtomicInteger();
        var loader = new Tree.Loader();
        try (var proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> cut(proxy, connections));
            fetch(proxy.getLocalPort(), LEARNER, EPOCH, tree.zxid()).run(loader::accept);
        }
        Tree got = loader.finish();
        assertEquals(tree.digest(), got.digest());
        assertTrue(connections.get() > 3, () -> connections + " connections");
    }

    private void cut(ServerSocket proxy, AtomicInteger connections) {
        while (true) {
            try (var learner = proxy.accept();
                    var server = new Socket(InetAddress.getLoopbackAddress(), leader.port())) {
                connections.incrementAndGet();
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                learner.getInputStream().transferTo(server.getOutputStream());
                            } catch (IOException _) {
                                // It was cut.
                            }
                        });
                byte[] some = new byte[10_000];
                int passed = 0;
                for (int n = 0; n >= 0 && passed < 900_000; passed += n) {
                    n = server.getInputStream().read(some);
                    learner.getOutputStream().write(some, 0, Math.max(n, 0));
                }
            } catch (IOException _) {
                if (proxy.isClosed()) {
                    return;
                }
            }
        }
    }

    /// A connection that never brings a whole chunk is given up.
    @Test
    void whatBringsNothingIsGivenUp() throws Exception {
        try (var proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual()
                    .start(() -> {
                        while (!proxy.isClosed()) {
                            try {
                                proxy.accept().close();
                            } catch (IOException _) {
                                // The test has ended.
                            }
                        }
                    });
            SnapshotFetch fetch = fetch(proxy.getLocalPort(), LEARNER, EPOCH, tree.zxid());
            assertThrows(IOException.class, () -> fetch.run(_ -> {}));
        }
    }

    @Test
    void undamagedChunksOfAnotherHandAreTaken() throws Exception {
        List<StateChange> got = new ArrayList<>();
        fromScript(chunks -> chunks, got);
        assertEquals(4, got.size());
    }

    @Test
    void damageIsNoticed() {
        Map<String, UnaryOperator<List<PeerProto.Chunk>>> damages =
                Map.of(
                        "checksum",
                                chunks -> change(chunks, 1, c -> c.toBuilder().setCrc(1).build()),
                        "where 1 is next", chunks -> List.of(chunks.get(0), chunks.get(2)),
                        "4 changes where 5 were sent",
                                chunks -> change(chunks, 2, c -> c.toBuilder().setTotal(5).build()),
                        "the last of them not the end",
                                chunks ->
                                        change(
                                                chunks.subList(0, 2),
                                                1,
                                                c -> c.toBuilder().setTotal(3).build()),
                        "null", chunks -> chunks.subList(0, 2));
        damages.forEach((text, damage) -> {
            var thrown =
                    assertThrows(
                            IOException.class, () -> fromScript(damage, new ArrayList<>()), text);
            assertTrue(String.valueOf(thrown.getMessage()).contains(text), thrown::toString);
        });
    }

    private static List<PeerProto.Chunk> change(
            List<PeerProto.Chunk> chunks, int at, UnaryOperator<PeerProto.Chunk> how) {
        List<PeerProto.Chunk> changed = new ArrayList<>(chunks);
        changed.set(at, how.apply(changed.get(at)));
        return changed;
    }

    /// Fetches from a leader that sends what `how` makes of three sound chunks, then closes.
    private static void fromScript(UnaryOperator<List<PeerProto.Chunk>> how, List<StateChange> got)
            throws IOException {
        List<StateChange> all = new ArrayList<>();
        treeOf(0, 0).diff(null, all::add);
        List<PeerProto.Chunk> chunks = new ArrayList<>();
        chunks.add(chunk(0, all.subList(0, 2)).build());
        chunks.add(chunk(1, all.subList(2, 3)).build());
        chunks.add(chunk(2, List.of(new StateChange.At(0x3_0000_0001L))).setTotal(4).build());
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual()
                    .start(() -> {
                        try (var socket = server.accept()) {
                            var in = new DataInputStream(socket.getInputStream());
                            in.skipNBytes(in.readInt());
                            var out = new DataOutputStream(socket.getOutputStream());
                            for (PeerProto.Chunk chunk : how.apply(chunks)) {
                                Frame frame =
                                        Frame.newBuilder().setEpoch(EPOCH).setChunk(chunk).build();
                                out.writeInt(frame.getSerializedSize());
                                frame.writeTo(out);
                            }
                            socket.shutdownOutput();
                            in.skipNBytes(in.available());
                            while (in.read() >= 0) {}
                        } catch (IOException _) {
                            // The learner has closed.
                        }
                    });
            new SnapshotFetch(
                            new Links.Address("127.0.0.1", server.getLocalPort()),
                            LEARNER,
                            1,
                            EPOCH,
                            0x3_0000_0001L,
                            MAX_FRAME,
                            PeerTls.NONE,
                            1)
                    .run(got::add);
        }
    }

    private static PeerProto.Chunk.Builder chunk(int number, List<StateChange> changes) {
        PeerProto.Changes.Builder encoded = PeerProto.Changes.newBuilder();
        changes.forEach(change -> encoded.addChanges(SnapshotCodec.encode(change)));
        byte[] bytes = encoded.build().toByteArray();
        return PeerProto.Chunk.newBuilder()
                .setNumber(number)
                .setChanges(LinkCodec.wrap(bytes))
                .setCrc(SnapshotCodec.crc(bytes));
    }

    private static SnapshotFetch fetch(int port, Hello self, long epoch, long zxid) {
        return new SnapshotFetch(
                new Links.Address("127.0.0.1", port), self, 1, epoch, zxid, MAX_FRAME);
    }

    /// A tree with every kind of thing in it.
    private static Tree treeOf(int znodes, int dataBytes) {
        var made = new Growing();
        var member =
                new Ensemble.Member(
                        1,
                        "h",
                        2888,
                        3888,
                        Ensemble.Role.PARTICIPANT,
                        "h:2181",
                        101,
                        List.of(new Ensemble.Member.Address("g", 1, 2)));
        var groups = new Groups(Map.of(1, 4), Map.of(1, 2));
        made.apply(
                new Txn.Configure(Ensemble.declared("e", List.of(member)).with(groups).atLevel(2)));
        if (znodes > 0) {
            made.apply(new Txn.CreateSession(4000, new byte[16]));
        }
        for (int i = 0; i < znodes; i++) {
            byte[] data = i % 3 == 0 ? null : new byte[i % 5 * dataBytes];
            List<Acl> acl =
                    i % 7 == 0
                            ? List.of(new Acl(Acl.READ, new Id("digest", "user:" + i)))
                            : Acl.OPEN;
            made.apply(new Txn.Create("/znode-" + i, data, acl, 0));
        }
        return made.tree;
    }

    private final class Promised implements SnapshotSender.Trees {
        @Override
        public @Nullable Tree promised(int myid, long epoch, long zxid) {
            return myid == 2 && epoch == EPOCH && zxid == tree.zxid() ? tree : null;
        }

        @Override
        public void sent(int myid) {
            assertEquals(2, myid);
        }
    }

    private static final class Growing {
        private Tree tree = Tree.initial();
        private long zxid = 0x3_0000_0000L;

        void apply(Txn txn) {
            tree = tree.apply(++zxid, new Header(0, 1, 101, zxid, 1234), txn).tree();
        }
    }
}
