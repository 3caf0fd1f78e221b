package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Acls.bytes;
import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.stat;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.apache.zookeeper.ZooDefs.Perms.ADMIN;
import static org.apache.zookeeper.ZooDefs.Perms.ALL;
import static org.apache.zookeeper.ZooDefs.Perms.READ;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Request;
import dev.ensemble.server.net.RawClient;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What clients see of ACLs and of who they are: behaviours 93 to 119.
@Timeout(120)
final class AccessBehaviourTest {
    @TempDir static Path folder;
    private static Subject server;
    private static ZooKeeper zk;

    @BeforeAll
    static void start() throws Exception {
        server = Subject.start(folder);
        zk = server.client();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static ZooKeeper as(String user) throws Exception {
        ZooKeeper client = server.client();
        client.addAuthInfo("digest", bytes(user));
        return client;
    }

    @Test
    @DisplayName("b93: the root is open, and its ACL can be changed and holds")
    void root() throws Exception {
        assertEquals(Acls.OPEN, zk.getACL("/", null));
        ZooKeeper u = as("u:p");
        u.setACL("/", Acls.of(ALL, "digest", Acls.U), -1);
        try {
            assertEquals(Code.NOAUTH, code(() -> zk.getChildren("/", false)));
            assertEquals(Code.NOAUTH, code(() -> zk.exists("/", false)));
            assertEquals(
                    Code.NOAUTH,
                    code(() -> zk.create("/no", null, Acls.OPEN, CreateMode.PERSISTENT)));
            assertEquals(Code.OK, code(() -> u.getChildren("/", false)));
        } finally {
            u.setACL("/", Acls.OPEN, -1);
        }
    }

    @Test
    @DisplayName("b94, b95: without READ nothing is read; what is missing is missing")
    void read() throws Exception {
        String path = fresh(zk);
        zk.setACL(path, Acls.of(ALL & ~READ & ~ADMIN, "world", "anyone"), -1);
        assertEquals(Code.NOAUTH, code(() -> zk.getData(path, false, null)));
        assertEquals(Code.NOAUTH, code(() -> zk.getChildren(path, false)));
        assertEquals(Code.NOAUTH, code(() -> zk.exists(path, false)));
        assertEquals(Code.NOAUTH, code(() -> zk.getAllChildrenNumber(path)));
        assertEquals(Code.NOAUTH, code(() -> zk.getACL(path, null)));
        assertNull(zk.exists(path + "/no", false));
    }

    @Test
    @DisplayName("b96: a list that is missing or empty, or has parts that are missing")
    void noList() throws Exception {
        String path = fresh(zk) + "/x";
        var none = new Request.Create(Request.CreateOp.CREATE, path, null, null, 0, 0);
        var empty = new Request.Create(Request.CreateOp.CREATE, path, null, List.of(), 0, 0);
        try (RawClient raw = server.connected()) {
            assertEquals(Code.INVALIDACL.intValue(), raw.ask(1, none).err());
            assertEquals(Code.INVALIDACL.intValue(), raw.ask(2, empty).err());
            assertEquals(
                    Code.INVALIDACL.intValue(),
                    raw.ask(3, new Request.SetAcl("/", List.of(), -1)).err());
            // One entry whose scheme and id are null.
            String head = "0000000400000001" + String.format("%08x", path.length());
            String body =
                    head
                            + HexFormat.of().formatHex(bytes(path))
                            + "ffffffff"
                            + "00000001"
                            + "0000001f"
                            + "ffffffff"
                            + "ffffffff"
                            + "00000000";
            raw.send(String.format("%08x", body.length() / 2) + body);
            assertEquals(Code.INVALIDACL.intValue(), raw.header().err());
        }
        assertNull(zk.exists(path, false));
    }

    @Test
    @DisplayName(
            "b97, b98, b99: entries once each, and auth stands for everybody one has proved to be")
    void expanded() throws Exception {
        ZooKeeper two = as("u:p");
        two.addAuthInfo("digest", bytes("v:q"));
        String path = fresh(zk) + "/x";
        var twice = new ArrayList<ACL>(Acls.of(READ, "world", "anyone"));
        twice.addAll(Acls.of(READ, "world", "anyone"));
        twice.addAll(Acls.of(ALL, "auth", ""));
        two.create(path, null, twice, CreateMode.PERSISTENT);
        List<ACL> stored = two.getACL(path, null);
        assertEquals(3, stored.size());
        assertEquals(
                Set.of("anyone", "u", "v"),
                stored.stream()
                        .map(acl -> acl.getId().getId().split(":", -1)[0])
                        .collect(Collectors.toSet()));
        two.create(path + "/y", null, Acls.of(ALL, "auth", "ignored"), CreateMode.PERSISTENT);
        assertEquals(2, two.getACL(path + "/y", null).size());
    }

    @Test
    @DisplayName("b100: auth of somebody who has proved nothing")
    void nobody() throws Exception {
        String path = fresh(zk) + "/x";
        var mine = Acls.of(ALL, "auth", "");
        assertEquals(
                Code.INVALIDACL, code(() -> zk.create(path, null, mine, CreateMode.PERSISTENT)));
    }

    @Test
    @DisplayName("b101, b103, b104: digests, the wrong password, and one more identity")
    void digest() throws Exception {
        String path = fresh(zk);
        as("u:p").setACL(path, Acls.of(ALL, "digest", Acls.U), -1);
        ZooKeeper other = as("u:wrong");
        assertEquals(Code.NOAUTH, code(() -> other.getData(path, false, null)));
        other.addAuthInfo("digest", bytes("u:p"));
        assertEquals(Code.OK, code(() -> other.getData(path, false, null)));
    }

    @Test
    @DisplayName("b105: the super user may do everything, whoever else it is")
    void superUser() throws Exception {
        String path = fresh(zk);
        zk.setACL(path, Acls.of(READ, "digest", "nobody:x"), -1);
        ZooKeeper above = as("super:test");
        above.addAuthInfo("digest", bytes("u:p"));
        assertEquals(Code.OK, code(() -> above.setData(path, new byte[1], -1)));
        assertEquals(Code.OK, code(() -> above.setACL(path, Acls.OPEN, -1)));
    }

    @Test
    @DisplayName("b106: a scheme that nobody knows ends the connection")
    void unknownScheme() throws Exception {
        var events = new Events();
        ZooKeeper client = server.client(events);
        client.addAuthInfo("nosuch", bytes("x"));
        events.await(KeeperState.AuthFailed);
        assertEquals(Code.AUTHFAILED, code(() -> client.exists("/", false)));
    }

    @Test
    @DisplayName("b109, b110: getACL needs READ or ADMIN, and only ADMIN shows hashes")
    void getAcl() throws Exception {
        String path = fresh(zk);
        ZooKeeper u = as("u:p");
        var acl = new ArrayList<ACL>(Acls.of(READ, "world", "anyone"));
        acl.add(new ACL(ALL, new Id("digest", Acls.U)));
        u.setACL(path, acl, -1);
        assertEquals("u:x", zk.getACL(path, null).get(1).getId().getId());
        assertEquals(Acls.U, u.getACL(path, null).get(1).getId().getId());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.1",
                "10.0.0.0/8",
                "0.0.0.0/0",
                "1.2.3.4/32",
                "::1",
                "fe80::/10",
                "2001:db8:0:0:0:0:0:1/128"
            })
    @DisplayName("b112, b115: addresses that an ACL may name")
    void goodAddresses(String id) throws Exception {
        String path = fresh(zk);
        assertEquals(Code.OK, code(() -> zk.setACL(path, Acls.of(READ, "ip", id), -1)), id);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.0.0",
                "10.0.0.0.0",
                "10.0.0.256",
                "10.0.0.1/33",
                "10.0.0.1/-1",
                "a.b.c.d",
                "1:2:3:4:5:6:7:8:9",
                "::1/129",
                "12345::",
                "::g"
            })
    @DisplayName("b112, b115: addresses that are none")
    void badAddresses(String id) throws Exception {
        String path = fresh(zk);
        assertEquals(Code.INVALIDACL, code(() -> zk.setACL(path, Acls.of(READ, "ip", id), -1)), id);
    }

    @Test
    @DisplayName("b113, b114: everybody is at an address, which matches by its first bits")
    void address() throws Exception {
        String path = fresh(zk);
        zk.setACL(path, Acls.of(READ | ADMIN, "ip", "127.0.0.1"), -1);
        assertEquals(Code.OK, code(() -> zk.getData(path, false, null)));
        zk.setACL(path, Acls.of(READ | ADMIN, "ip", "126.0.0.0/7"), -1);
        assertEquals(Code.OK, code(() -> zk.getData(path, false, null)));
        zk.setACL(path, Acls.of(READ | ADMIN, "ip", "126.0.0.0/8"), -1);
        assertEquals(Code.NOAUTH, code(() -> zk.getData(path, false, null)));
    }

    @Test
    @DisplayName("b116: setACL needs ADMIN, and counts")
    void setAcl() throws Exception {
        String path = fresh(zk);
        assertEquals(
                1, zk.setACL(path, Acls.of(ALL & ~ADMIN, "world", "anyone"), -1).getAversion());
        assertEquals(Code.NOAUTH, code(() -> zk.setACL(path, Acls.OPEN, -1)));
        assertEquals(1, stat(zk, path).getAversion());
    }

    @Test
    @DisplayName("b117, b118: lists that many share, or that differ in order, outlive a restart")
    void restart() throws Exception {
        String top = fresh(zk);
        var acl = new ArrayList<ACL>(Acls.of(READ, "world", "anyone"));
        acl.add(new ACL(ALL, new Id("digest", Acls.U)));
        List<ACL> reversed = new ArrayList<>(acl.reversed());
        for (int i = 0; i < 10; i++) {
            zk.create(top + "/a" + i, null, acl, CreateMode.PERSISTENT);
            zk.create(top + "/b" + i, null, reversed, CreateMode.PERSISTENT);
        }
        zk.delete(top + "/a0", -1);
        server.restart();
        zk = server.client();
        ZooKeeper u = as("u:p");
        for (int i = 1; i < 10; i++) {
            assertEquals(acl, u.getACL(top + "/a" + i, null));
            assertEquals(reversed, u.getACL(top + "/b" + i, null));
        }
    }

    @Test
    @DisplayName("b119: whoAmI tells schemes and users")
    void whoAmI() throws Exception {
        ZooKeeper client = as("super:test");
        client.addAuthInfo("digest", bytes("u:p"));
        Set<String> shown =
                client.whoAmI().stream()
                        .map(AccessBehaviourTest::shown)
                        .collect(Collectors.toSet());
        assertEquals(Set.of("ip:127.0.0.1", "digest:super", "digest:u", "super:"), shown);
    }

    private static String shown(ClientInfo info) {
        return info.getAuthScheme() + ":" + info.getUser();
    }

    @Test
    @DisplayName("b108: identities are proved again after a reconnect")
    void again() throws Exception {
        String path = fresh(zk);
        var events = new Events();
        ZooKeeper u = server.client(events);
        u.addAuthInfo("digest", bytes("u:p"));
        u.setACL(path, Acls.of(ALL, "digest", Acls.U), -1);
        try (RawClient thief = server.raw()) {
            // Takes the session over, so the client loses its connection and takes it back.
            assertNotNull(thief.connect(u.getSessionId(), u.getSessionPasswd(), 10_000));
            events.await(KeeperState.Disconnected);
            events.await(KeeperState.SyncConnected);
        }
        assertEquals(Code.OK, code(() -> u.getData(path, false, null)));
        assertTrue(u.getState().isConnected());
        Clients.make(u, path + "/x");
    }
}
