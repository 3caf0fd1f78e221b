package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.Sasl;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.wire.ClientCodec;

import io.netty.buffer.ByteBuf;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;

/// SASL with DIGEST-MD5: ZooKeeper's own Java client, and one that does it wrong.
@Timeout(120)
final class ClientSaslTest {
    private static final Map<String, String> USERS =
            Map.of("bob", "bobsecret", "root", "rootsecret");

    private final List<AutoCloseable> open = new ArrayList<>();
    private @Nullable Configuration before;

    /// Sections `bob`, `root` and `eve` of a JAAS file.
    private static final class Logins extends Configuration {
        @Override
        public AppConfigurationEntry @Nullable [] getAppConfigurationEntry(String name) {
            if (!USERS.containsKey(name) && !name.equals("eve")) {
                return null;
            }
            Map<String, String> options =
                    name.equals("eve")
                            ? Map.of("username", "bob", "password", "guessed")
                            : Map.of("username", name, "password", name + "secret");
            return new AppConfigurationEntry[] {
                new AppConfigurationEntry(
                        "org.apache.zookeeper.server.auth.DigestLoginModule",
                        AppConfigurationEntry.LoginModuleControlFlag.REQUIRED,
                        options)
            };
        }
    }

    @BeforeEach
    void setLogins() {
        try {
            before = Configuration.getConfiguration();
        } catch (SecurityException _) {
            before = null; // There is no file, which is how it should be.
        }
        Configuration.setConfiguration(new Logins());
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
        Configuration.setConfiguration(before);
    }

    private ServedClients serve(boolean allowFailed, Set<String> enforced) throws IOException {
        var sasl = new Sasl(USERS, Set.of("root"), null, allowFailed);
        var schemes = new Schemes(false, new Digest("SHA1", null), null, sasl, null, enforced);
        var served = new ServedClients(ServedClients.SETTINGS, true, schemes);
        open.add(served);
        return served;
    }

    /// A client and the states that it was told of.
    private final class Client {
        final LinkedBlockingQueue<KeeperState> states = new LinkedBlockingQueue<>();
        final ZooKeeper zk;

        Client(ServedClients served, @Nullable String section) throws IOException {
            var config = new ZKClientConfig();
            config.setProperty("zookeeper.fips-mode", "false");
            config.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "" + (section != null));
            if (section != null) {
                config.setProperty(ZKClientConfig.LOGIN_CONTEXT_NAME_KEY, section);
            }
            zk =
                    new ZooKeeper(
                            served.hostPort(),
                            20_000,
                            event -> states.add(event.getState()),
                            config);
            open.add(zk);
        }

        void await(KeeperState wanted) throws InterruptedException {
            while (true) {
                KeeperState state = states.poll(60, TimeUnit.SECONDS);
                assertNotNull(state, "no " + wanted);
                if (state == wanted) {
                    return;
                }
            }
        }

        List<String> saslNames() throws Exception {
            return zk.whoAmI().stream()
                    .filter(each -> each.getAuthScheme().equals("sasl"))
                    .map(ClientInfo::getUser)
                    .toList();
        }
    }

    @Test
    void theStockClientProvesItsName() throws Exception {
        ServedClients served = serve(false, Set.of());
        var bob = new Client(served, "bob");
        bob.await(KeeperState.SaslAuthenticated);
        assertEquals(List.of("bob"), bob.saslNames());
        List<ACL> own = Arrays.asList(new ACL(ZooDefs.Perms.ALL, new Id("sasl", "bob")));
        bob.zk.create("/own", new byte[1], own, CreateMode.PERSISTENT);
        bob.zk.create("/auth", new byte[1], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        assertEquals(own, bob.zk.getACL("/auth", null));
        List<ACL> malformed = Arrays.asList(new ACL(31, new Id("sasl", "a@b@c")));
        assertThrows(
                KeeperException.InvalidACLException.class,
                () -> bob.zk.create("/bad", new byte[0], malformed, CreateMode.PERSISTENT));

        var nobody = new Client(served, null);
        nobody.await(KeeperState.SyncConnected);
        assertThrows(
                KeeperException.NoAuthException.class,
                () -> nobody.zk.getData("/own", false, null));

        var root = new Client(served, "root");
        root.await(KeeperState.SaslAuthenticated);
        assertEquals(1, root.zk.getData("/own", false, null).length);
    }

    @Test
    void aWrongPasswordEndsTheConnection() throws Exception {
        var eve = new Client(serve(false, Set.of()), "eve");
        eve.await(KeeperState.AuthFailed);
        assertThrows(KeeperException.AuthFailedException.class, () -> eve.zk.exists("/", false));
    }

    @Test
    void aFailureHasABodyAllTheSame() throws Exception {
        RawClient client = serve(false, Set.of()).connected();
        open.add(client);
        challenge(client);
        client.send(2, new Request.Sasl(new byte[] {'x'}));
        assertEquals(
                "00000014" + "00000002" + "0".repeat(16) + "ffffff8d" + "ffffffff",
                client.receive());
        assertTrue(client.isClosedByServer());
    }

    private static void challenge(RawClient client) throws IOException {
        var first = new Request.Sasl(new byte[0]);
        client.send(1, first);
        var token = (Reply.Token) client.reply(first);
        String text = new String(token.token(), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(text.contains("realm=\"zk-sasl-md5\""), text);
    }

    @Test
    void whoFailsMayStayWhereThatIsAllowed() throws Exception {
        RawClient client = serve(true, Set.of()).connected();
        open.add(client);
        challenge(client);
        var wrong = new Request.Sasl(new byte[] {'x'});
        client.send(2, wrong);
        assertEquals(new Reply.Token(null), client.reply(wrong));
        assertEquals(0, client.ask(3, new Request.Exists("/", false)).err());
    }

    @Test
    void aNameCanBeRequired() throws Exception {
        ServedClients served = serve(true, Set.of("sasl"));
        RawClient without = served.connected();
        open.add(without);
        ByteBuf refused = ask(without, new Request.Exists("/", false));
        ClientCodec.ReplyHeader header = ClientCodec.readReplyHeader(refused);
        assertEquals(Code.SESSION_CLOSED_REQUIRE_SASL_AUTH.number(), header.err());
        assertEquals(0, header.zxid());
        assertTrue(without.isClosedByServer());

        RawClient wrong = served.connected();
        open.add(wrong);
        challenge(wrong);
        header = ClientCodec.readReplyHeader(ask(wrong, new Request.Sasl(new byte[] {'x'})));
        assertEquals(Code.SESSION_CLOSED_REQUIRE_SASL_AUTH.number(), header.err());

        var bob = new Client(served, "bob");
        bob.await(KeeperState.SaslAuthenticated);
        assertNotNull(bob.zk.exists("/", false));
    }

    private static ByteBuf ask(RawClient client, Request request) throws IOException {
        client.send(9, request);
        return client.receiveBody();
    }

    @Test
    void aServerWithoutUsersAnswersWithNothing() throws Exception {
        var served = new ServedClients();
        open.add(served);
        RawClient client = served.connected();
        open.add(client);
        var first = new Request.Sasl(new byte[0]);
        client.send(1, first);
        assertEquals(new Reply.Token(null), client.reply(first));
        assertEquals(0, client.ask(2, new Request.Exists("/", false)).err());
    }
}
