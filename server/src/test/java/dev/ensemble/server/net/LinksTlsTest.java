package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Identity;
import dev.ensemble.server.tls.Authority;
import dev.ensemble.server.tls.ClientAuth;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.tls.Tls;
import dev.ensemble.server.tls.TlsSettings;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// TLS between members: who is let in, and why others are not.
@Timeout(120)
final class LinksTlsTest {
    private static final InetSocketAddress ANY_PORT =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String HERE = "ip:127.0.0.1";

    @TempDir private Path folder = Path.of("");

    private final List<AutoCloseable> open = new ArrayList<>();
    private Authority authority;

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = new Authority("authority");
        authority.pem(folder.resolve("trusted.pem"));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    /// A member as far as links see it.
    private final class Node {
        final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
        final Hello hello;
        final Links links;

        Node(int myid, PeerTls tls) throws IOException {
            hello = new Hello(Hello.PROTOCOL, "e", myid, 100 + myid, 1, Identity.State.MEMBER, "r");
            links =
                    new Links(
                            new Links.Options(ANY_PORT, 1 << 20, 64 << 20, Links.Timing.DEFAULT),
                            new LinkCodec(new PlainPayloads()),
                            () -> hello,
                            new Links.Receiver() {
                                @Override
                                public boolean take(List<Event> batch) {
                                    return events.addAll(batch);
                                }

                                @Override
                                public void failed(Throwable cause) {
                                    throw new AssertionError(cause);
                                }
                            },
                            (channel, _, _, _) -> channel.close().syncUninterruptibly(),
                            tls);
            open.add(links);
        }

        Links.Address address() {
            return new Links.Address("127.0.0.1", links.port());
        }

        Event next() throws InterruptedException {
            Event event = events.poll(60, TimeUnit.SECONDS);
            assertNotNull(event, "no event in a minute");
            links.noticed(event);
            return event;
        }
    }

    private PeerTls tls(Authority.Issued issued, boolean dials, boolean plain) throws Exception {
        String name = issued.certificate().getSerialNumber().toString();
        return tls(issued.pem(folder.resolve(name + ".pem")), dials, plain);
    }

    private PeerTls tls(Path keys, boolean dials, boolean plain) throws Exception {
        Tls loaded =
                Tls.load(
                        new TlsSettings(
                                "ssl.quorum.",
                                new TlsSettings.Store(
                                        "ssl.quorum.keyStore.", keys, "PEM", null, null),
                                new TlsSettings.Store(
                                        "ssl.quorum.trustStore.",
                                        folder.resolve("trusted.pem"),
                                        "PEM",
                                        null,
                                        null),
                                List.of("TLSv1.3"),
                                List.of(),
                                ClientAuth.NEED,
                                false,
                                false,
                                true,
                                true,
                                5000,
                                0,
                                false));
        return new PeerTls(loaded, dials, plain);
    }

    private PeerTls only(String subject, String name) throws Exception {
        return tls(authority.issue(subject, name), true, false);
    }

    private static void join(Node one, Node two) {
        one.links.setPeers(Map.of(two.hello.myid(), two.address()));
        two.links.setPeers(Map.of(one.hello.myid(), one.address()));
    }

    private static void assertLinked(Node one, Node two) throws Exception {
        join(one, two);
        assertInstanceOf(Event.LinkUp.class, one.next());
        assertInstanceOf(Event.LinkUp.class, two.next());
        one.links.send(two.hello.myid(), 1, new Message.Ack(7));
        one.links.flush();
        assertEquals(
                new Event.Received(
                        one.hello.myid(), one.hello.incarnation(), 1, new Message.Ack(7)),
                two.next());
    }

    private static void awaitWarning(Node node, int about, String text) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        String said = null;
        while (System.nanoTime() < end) {
            said = node.links.warnings().get(about);
            if (said != null && said.contains(text)) {
                return;
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("no '" + text + "' but: " + said);
    }

    @Test
    void membersAreKnownByTheirHosts() throws Exception {
        assertLinked(new Node(1, only("CN=one", HERE)), new Node(2, only("CN=two", HERE)));
    }

    @Test
    void orByTheirIds() throws Exception {
        assertLinked(
                new Node(1, only("CN=one", "uri:ensemble://e/1")),
                new Node(2, only("CN=two", "uri:ensemble://e/2")));
    }

    @Test
    void aCertificateOfTheSameAuthorityIsNotEnough() throws Exception {
        Node one = new Node(1, only("CN=one", HERE));
        Node client = new Node(2, only("CN=client", "dns:client-17.example"));
        join(one, client);
        awaitWarning(
                one,
                2,
                "the certificate of member 2 is for client-17.example and neither for its host"
                        + " 127.0.0.1 nor for ensemble://e/2");
        awaitWarning(client, 1, "it refused the link");
        assertTrue(one.events.isEmpty());
    }

    @Test
    void theIdOfAnotherMemberIsNotEnough() throws Exception {
        Node one = new Node(1, only("CN=one", HERE));
        Node three = new Node(2, only("CN=three", "uri:ensemble://e/3"));
        join(one, three);
        awaitWarning(one, 2, "is for ensemble://e/3 and neither");
        assertTrue(one.events.isEmpty());
    }

    @Test
    void aMemberThatIsToJoinIsKnownByItsId() throws Exception {
        Node one = new Node(1, only("CN=one", HERE));
        Node joining = new Node(2, only("CN=two", "uri:ensemble://e/2"));
        joining.links.setPeers(Map.of(1, one.address()));
        assertInstanceOf(Event.LinkUp.class, one.next());
        assertInstanceOf(Event.LinkUp.class, joining.next());
        Node stranger = new Node(3, only("CN=three", "dns:client-17.example"));
        stranger.links.setPeers(Map.of(1, one.address()));
        awaitWarning(one, 3, "which is not in the configuration");
    }

    @Test
    void anotherAuthorityIsRefused() throws Exception {
        Node one = new Node(1, only("CN=one", HERE));
        Authority another = new Authority("authority");
        Node two = new Node(2, tls(another.issue("CN=two", HERE), true, false));
        join(one, two);
        awaitWarning(one, 2, "the TLS handshake failed: ");
        awaitWarning(two, 1, "the TLS handshake failed: ");
        assertTrue(one.events.isEmpty() && two.events.isEmpty());
    }

    @Test
    void plaintextIsRefusedUnlessBothAreAccepted() throws Exception {
        Node one = new Node(1, only("CN=one", HERE));
        Node plain = new Node(2, PeerTls.NONE);
        join(one, plain);
        awaitWarning(one, 2, "the TLS handshake failed: ");
        assertTrue(one.events.isEmpty() && plain.events.isEmpty());
        Node both = new Node(3, tls(authority.issue("CN=three", HERE), true, true));
        plain.links.setPeers(Map.of(3, both.address()));
        assertInstanceOf(Event.LinkUp.class, both.next());
        assertInstanceOf(Event.LinkUp.class, plain.next());
        one.links.setPeers(Map.of(3, both.address()));
        both.links.setPeers(Map.of(1, one.address()));
        assertInstanceOf(Event.LinkUp.class, both.next());
        assertInstanceOf(Event.LinkUp.class, one.next());
    }
}
