package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Real links on loopback: what members may rely on, and what a hostile or broken peer cannot do.
@Timeout(60)
final class LinksTest {
    private static final PlainPayloads PAYLOADS = new PlainPayloads();
    private static final InetSocketAddress ANY_PORT =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final List<Node> nodes = new ArrayList<>();

    @AfterEach
    void closeAll() {
        nodes.forEach(node -> node.links.close());
    }

    /// A member as far as links see it.
    private final class Node {
        volatile Hello hello;
        final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
        final AtomicBoolean full = new AtomicBoolean();
        final Links links;

        Node(int myid) throws IOException {
            this(new Hello(Hello.PROTOCOL, "e", myid, 100 + myid, 1, Identity.State.MEMBER, "r"));
        }

        Node(Hello hello) throws IOException {
            this(hello, 64 << 20);
        }

        Node(Hello hello, int maxPendingBytes) throws IOException {
            this.hello = hello;
            var receiver =
                    new Links.Receiver() {
                        @Override
                        public boolean take(List<Event> batch) {
                            // Asked first: the test may fill it as soon as it sees the batch.
                            boolean more = !full.get();
                            events.addAll(batch);
                            return more;
                        }

                        @Override
                        public void failed(Throwable cause) {
                            throw new AssertionError(cause);
                        }
                    };
            links =
                    new Links(
                            new Links.Options(
                                    ANY_PORT, 1 << 20, maxPendingBytes, Links.Timing.DEFAULT),
                            new LinkCodec(PAYLOADS),
                            () -> this.hello,
                            receiver,
                            (channel, _, _, _) -> channel.close().syncUninterruptibly());
            nodes.add(this);
        }

        Links.Address address() {
            return new Links.Address("127.0.0.1", links.port());
        }

        /// The next event, noticed as the peer thread does it.
        Event next() throws InterruptedException {
            Event event = events.poll(20, TimeUnit.SECONDS);
            assertNotNull(event, "no event in 20 s");
            links.noticed(event);
            return event;
        }

        void expectUp(Node other) throws InterruptedException {
            var up = assertInstanceOf(Event.LinkUp.class, next());
            assertEquals(other.hello, up.hello());
        }

        void send(Node to, long epoch, Message message) {
            links.send(to.hello.myid(), epoch, message);
            links.flush();
        }
    }

    private static void join(Node... all) {
        for (Node node : all) {
            Map<Integer, Links.Address> addresses = new java.util.HashMap<>();
            for (Node other : all) {
                addresses.put(other.hello.myid(), other.address());
            }
            node.links.setPeers(addresses);
        }
    }

    private Node[] linked() throws Exception {
        Node one = new Node(1);
        Node two = new Node(2);
        join(one, two);
        one.expectUp(two);
        two.expectUp(one);
        return new Node[] {one, two};
    }

    @Test
    void messagesArriveInOrderBothWays() throws Exception {
        Node[] pair = linked();
        for (int i = 0; i < 1000; i++) {
            pair[0].links.send(2, 5, new Message.Ack(i));
            pair[1].links.send(1, 5, new Message.Proposal(i, PAYLOADS.encode(header(i), txn(i))));
            if (i % 7 == 0) {
                pair[0].links.flush();
                pair[1].links.flush();
            }
        }
        pair[0].links.flush();
        pair[1].links.flush();
        for (int i = 0; i < 1000; i++) {
            assertEquals(new Event.Received(1, 101, 5, new Message.Ack(i)), pair[1].next());
            var got = assertInstanceOf(Event.Received.class, pair[0].next());
            var proposal = assertInstanceOf(Message.Proposal.class, got.message());
            assertEquals(i, proposal.zxid());
            assertEquals(txn(i), proposal.payload().txn());
        }
    }

    @Test
    void onlyOneSideNeedsAnAddress() throws Exception {
        for (int dialer : new int[] {1, 2}) {
            Node one = new Node(1);
            Node two = new Node(2);
            Node from = dialer == 1 ? one : two;
            Node to = dialer == 1 ? two : one;
            from.links.setPeers(Map.of(to.hello.myid(), to.address()));
            one.expectUp(two);
            two.expectUp(one);
        }
    }

    /// The first is nobody's; the member listens on two others.
    @Test
    @DisplayName("b257: a member is reached at any of its addresses")
    void anyAddressWillDo() throws Exception {
        Node one = new Node(1);
        Node two = new Node(2);
        int nobodys;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobodys = socket.getLocalPort();
        }
        two.links.listen(
                List.of(
                        new InetSocketAddress("127.0.0.3", 0),
                        new InetSocketAddress("127.0.0.2", 0)));
        var there = new Links.Address("127.0.0.3", two.links.port());
        one.links.setPeers(Map.of(2, new Links.Address("127.0.0.2", nobodys, List.of(there))));
        one.expectUp(two);
        two.expectUp(one);
    }

    @Test
    void aNewLinkReplacesALostOne() throws Exception {
        Node[] pair = linked();
        pair[0].links.disconnect(2, "test");
        for (Node node : pair) {
            assertInstanceOf(Event.LinkDown.class, node.next());
            assertInstanceOf(Event.LinkUp.class, node.next());
        }
        pair[1].send(pair[0], 1, new Message.Pong(1, false));
        assertEquals(new Event.Received(2, 102, 1, new Message.Pong(1, false)), pair[0].next());
    }

    /// What was meant for a link that is gone must not appear on the next one: there would be a gap
    /// in front of it.
    @Test
    void nothingMovesFromOneLinkToTheNext() throws Exception {
        Node one = new Node(1);
        Node two = new Node(2);
        join(one, two);
        two.expectUp(one);
        one.expectUp(two);
        one.links.disconnect(2, "test");
        assertInstanceOf(Event.LinkDown.class, two.next());
        two.expectUp(one);
        // The peer thread of `one` has not come to these yet: what it sends is for the old link.
        assertInstanceOf(Event.LinkDown.class, one.events.poll(20, TimeUnit.SECONDS));
        Event up = one.events.poll(20, TimeUnit.SECONDS);
        assertInstanceOf(Event.LinkUp.class, up);
        one.send(two, 1, new Message.Pong(1, false));
        one.links.noticed(up);
        one.send(two, 1, new Message.Pong(2, false));
        assertEquals(new Event.Received(1, 101, 1, new Message.Pong(2, false)), two.next());
    }

    /// Many members that all dial each other at once, again and again, end with one link for each
    /// pair.
    @Test
    void simultaneousOpensEndInOneLink() throws Exception {
        Node[] all = new Node[5];
        for (int i = 0; i < all.length; i++) {
            all[i] = new Node(i + 1);
        }
        for (int round = 0; round < 10; round++) {
            join(all);
            for (Node node : all) {
                for (Node other : all) {
                    if (other.hello.myid() > node.hello.myid()) {
                        awaitEcho(node, other, round);
                    }
                }
            }
            for (Node node : all) {
                for (Node other : all) {
                    if (other != node) {
                        node.links.disconnect(other.hello.myid(), "round " + round);
                    }
                }
            }
        }
    }

    /// Sends until an answer comes: links may come and go meanwhile, but in the end one stays.
    private void awaitEcho(Node from, Node to, long round) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (System.nanoTime() < end) {
            drain(from);
            drain(to);
            from.send(to, 1, new Message.SyncRequest(round));
            Event got = to.events.poll(5, TimeUnit.MILLISECONDS);
            if (got != null) {
                to.links.noticed(got);
                if (got instanceof Event.Received(int sender, _, _, Message.SyncRequest(long r))
                        && sender == from.hello.myid()
                        && r == round) {
                    return;
                }
            }
        }
        throw new AssertionError("no link from " + from.hello + " to " + to.hello);
    }

    private static void drain(Node node) {
        for (Event event = node.events.poll(); event != null; event = node.events.poll()) {
            node.links.noticed(event);
        }
    }

    @Test
    void anotherEnsembleIsRefused() throws Exception {
        Node one = new Node(1);
        Node two = new Node(new Hello(Hello.PROTOCOL, "f", 2, 102, 1, Identity.State.MEMBER, "r"));
        join(one, two);
        awaitWarning(one, 2, "belongs to ensemble");
        awaitWarning(two, 1, "belongs to ensemble");
        assertTrue(one.events.isEmpty() && two.events.isEmpty());
    }

    @Test
    void anotherMemberThanTheOneDialedIsRefused() throws Exception {
        Node one = new Node(1);
        Node two = new Node(2);
        one.links.setPeers(Map.of(3, two.address()));
        awaitWarning(one, 3, "asks for member 3, this is 2");
        one.links.setPeers(Map.of(4, one.address()));
        awaitWarning(one, 4, "asks for member 4, this is 1");
        assertTrue(one.events.isEmpty() && two.events.isEmpty());
    }

    @Test
    void aSecondMemberOfTheSameIdIsRefusedWhileTheFirstLives() throws Exception {
        Node[] pair = linked();
        Node twin = new Node(new Hello(Hello.PROTOCOL, "e", 2, 999, 1, Identity.State.MEMBER, "r"));
        twin.links.setPeers(Map.of(1, pair[0].address()));
        awaitWarning(twin, 1, "two may share a myid");
        assertTrue(twin.events.isEmpty() && pair[0].events.isEmpty());
        pair[1].links.close();
        assertInstanceOf(Event.LinkDown.class, pair[0].next());
        pair[0].expectUp(twin);
    }

    @Test
    void aDiskThatWentBackInTimeIsRefused() throws Exception {
        Node[] pair = linked();
        Hello was = pair[1].hello;
        pair[1].links.close();
        assertInstanceOf(Event.LinkDown.class, pair[0].next());
        Node back =
                new Node(new Hello(was.protocol(), "e", 2, was.incarnation(), 0, was.state(), "r"));
        back.links.setPeers(Map.of(1, pair[0].address()));
        assertEquals(new Event.Outdated(1, 1), back.next());
        awaitWarning(back, 1, "went back in time: start 0 after start 1");
        assertTrue(pair[0].events.isEmpty());
    }

    /// A disk that went back by one start counts the same number again. Seen to be linked where the
    /// numbers alone are compared.
    @Test
    void anotherProcessWithAsManyStartsIsRefused() throws Exception {
        Node[] pair = linked();
        pair[1].links.close();
        assertInstanceOf(Event.LinkDown.class, pair[0].next());
        Node again = new Node(pair[1].hello);
        again.links.setPeers(Map.of(1, pair[0].address()));
        assertEquals(new Event.Outdated(1, 1), again.next());
        awaitWarning(again, 1, "went back in time: start 1 after start 1");
        assertTrue(pair[0].events.isEmpty());
    }

    @Test
    void garbageCostsItsConnectionOnly() throws Exception {
        Node[] pair = linked();
        byte[][] garbage = {
            "GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
            {0, 0, 0, 3, 1, 2, 3},
            {0, 0, 0, 0},
            {-1, -1, -1, -1},
            frame(Frame.newBuilder().setAck(PeerProto.Ack.newBuilder().setZxid(1)).build()),
        };
        for (byte[] bytes : garbage) {
            try (Socket socket = dial(pair[0])) {
                socket.getOutputStream().write(bytes);
                assertEquals(-1, socket.getInputStream().read(), "closed without an answer");
            }
        }
        pair[1].send(pair[0], 1, new Message.Pong(1, false));
        assertEquals(new Event.Received(2, 102, 1, new Message.Pong(1, false)), pair[0].next());
    }

    @Test
    void aHelloThatNeverComesIsNotWaitedFor() throws Exception {
        Node one = new Node(1);
        try (Socket silent = dial(one)) {
            assertEquals(-1, silent.getInputStream().read());
        }
        assertTrue(one.events.isEmpty());
    }

    /// A stranger that says hello and nothing else: no link for the smaller id before the larger
    /// one accepts.
    @Test
    void aHalfOpenLinkIsNone() throws Exception {
        Node one = new Node(1);
        try (Socket socket = dial(one)) {
            socket.getOutputStream().write(frame(helloOf(7, 1)));
            Frame answer = read(socket);
            assertEquals(1, answer.getHello().getMyid());
            assertEquals(7, answer.getHello().getTo());
            assertEquals(-1, socket.getInputStream().read());
        }
        assertTrue(one.events.isEmpty());
    }

    @Test
    void aFrameOfAnotherIncarnationClosesTheLink() throws Exception {
        Node nine = new Node(9);
        try (Socket socket = dial(nine)) {
            socket.getOutputStream().write(frame(helloOf(7, 9)));
            assertTrue(read(socket).hasHello());
            assertTrue(read(socket).hasAccepted());
            assertInstanceOf(Event.LinkUp.class, nine.next());
            LinkCodec codec = new LinkCodec(PAYLOADS);
            socket.getOutputStream().write(frame(codec.encode(777, 1, new Message.Pong(1, false))));
            assertEquals(new Event.Received(7, 777, 1, new Message.Pong(1, false)), nine.next());
            socket.getOutputStream().write(frame(codec.encode(778, 1, new Message.Pong(2, false))));
            assertEquals(new Event.LinkDown(7), nine.next());
        }
        assertTrue(nine.events.isEmpty());
    }

    /// A connection may end while the answer to its hello is on the way. That is no link, and must
    /// not stand in the way of the next one.
    @Test
    void aConnectionThatEndsWhileItIsAnsweredIsForgotten() throws Exception {
        Node nine = new Node(9);
        for (int i = 0; i < 300; i++) {
            try (Socket socket = dial(nine)) {
                socket.setSoLinger(true, 0);
                socket.getOutputStream().write(frame(helloOf(7, 9)));
            }
        }
        boolean accepted = false;
        for (int tries = 0; tries < 100 && !accepted; tries++) {
            accepted = isAccepted(nine);
        }
        assertTrue(accepted, "a link that has ended stands in the way");
    }

    /// The end of a link may be noticed a little later than the next hello, which is closed then.
    private static boolean isAccepted(Node node) throws IOException {
        try (Socket socket = dial(node)) {
            socket.getOutputStream().write(frame(helloOf(7, 9)));
            return read(socket).hasHello() && read(socket).hasAccepted();
        } catch (java.io.EOFException | java.net.SocketException _) {
            return false;
        }
    }

    @Test
    void aMemberThatDoesNotReadIsDisconnected() throws Exception {
        Node nine =
                new Node(
                        new Hello(Hello.PROTOCOL, "e", 9, 109, 1, Identity.State.MEMBER, "r"),
                        1 << 20);
        try (Socket socket = dial(nine)) {
            socket.getOutputStream().write(frame(helloOf(7, 9)));
            assertTrue(read(socket).hasHello());
            assertInstanceOf(Event.LinkUp.class, nine.next());
            String path = "x".repeat(100_000);
            var proposal =
                    new Message.Proposal(1, PAYLOADS.encode(header(1), new Txn.Delete(path)));
            while (nine.events.isEmpty()) {
                nine.links.send(7, 1, proposal);
                nine.links.flush();
            }
            assertEquals(new Event.LinkDown(7), nine.next());
        }
    }

    @Test
    void aFullReceiverIsNotFedAndGoesOnWhenResumed() throws Exception {
        Node[] pair = linked();
        pair[0].full.set(true);
        pair[1].send(pair[0], 1, new Message.Pong(0, false));
        assertEquals(new Event.Received(2, 102, 1, new Message.Pong(0, false)), pair[0].next());
        // More than any socket holds, so that the last ones cannot be there yet.
        String path = "x".repeat(100_000);
        for (int i = 1; i <= 200; i++) {
            pair[1].send(
                    pair[0],
                    1,
                    new Message.Proposal(i, PAYLOADS.encode(header(i), new Txn.Delete(path))));
        }
        pair[1].send(pair[0], 1, new Message.Pong(1, false));
        assertNull(pair[0].events.poll(200, TimeUnit.MILLISECONDS));
        pair[0].full.set(false);
        pair[0].links.resume();
        for (int i = 1; i <= 200; i++) {
            assertInstanceOf(Event.Received.class, pair[0].next());
        }
        assertEquals(new Event.Received(2, 102, 1, new Message.Pong(1, false)), pair[0].next());
    }

    @Test
    void aMemberThatComesLaterIsFound() throws Exception {
        Node two = new Node(2);
        int port;
        try (var reserved = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = reserved.getLocalPort();
        }
        two.links.setPeers(
                Map.of(
                        1, new Links.Address("127.0.0.1", port),
                        3, new Links.Address("no-such-host.invalid", 1)));
        Node one = new Node(1);
        // It moved, as pods do.
        two.links.setPeers(Map.of(1, one.address()));
        two.expectUp(one);
        assertFalse(two.links.warnings().containsKey(1));
    }

    private static Frame helloOf(int myid, int to) {
        var hello = new Hello(Hello.PROTOCOL, "e", myid, 777, 1, Identity.State.MEMBER, "r");
        return Frame.newBuilder()
                .setHello(LinkCodec.hello(hello, to, 0))
                .setIncarnation(777)
                .build();
    }

    private static Socket dial(Node node) throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), node.links.port());
    }

    private static byte[] frame(Frame frame) {
        var bytes = new java.io.ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.writeInt(frame.getSerializedSize());
            frame.writeTo(out);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    private static Frame read(Socket socket) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return Frame.parseFrom(bytes);
    }

    private static void awaitWarning(Node node, int peer, String part) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!node.links.warnings().getOrDefault(peer, "").contains(part)) {
            assertTrue(System.nanoTime() < end, node.links.warnings()::toString);
            assertNull(node.events.poll(5, TimeUnit.MILLISECONDS));
        }
    }

    private static Header header(long sequence) {
        return new Header(1, 1, 1, sequence, 1);
    }

    private static Txn txn(int i) {
        return new Txn.Delete("/" + i);
    }
}
