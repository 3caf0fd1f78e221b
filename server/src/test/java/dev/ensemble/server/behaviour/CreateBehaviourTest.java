package dev.ensemble.server.behaviour;

import static dev.ensemble.server.behaviour.Clients.code;
import static dev.ensemble.server.behaviour.Clients.exists;
import static dev.ensemble.server.behaviour.Clients.make;
import static dev.ensemble.server.behaviour.Clients.stat;
import static dev.ensemble.server.behaviour.Subject.fresh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.net.RawClient;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// What clients see of create and of the rules for paths: behaviours 45 to 62.
@Timeout(120)
final class CreateBehaviourTest {
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

    @Test
    @DisplayName("b45, b46: create gives the path, create2 the Stat too, which one may not want")
    void pathAndStat() throws Exception {
        String top = fresh(zk);
        var stat = new Stat();
        String path = zk.create(top + "/a", new byte[3], Acls.OPEN, CreateMode.PERSISTENT, stat);
        assertEquals(top + "/a", path);
        assertEquals(stat(zk, path), stat);
        assertEquals(top + "/b", make(zk, top + "/b"));
        assertEquals(
                top + "/c",
                zk.create(top + "/c", null, Acls.OPEN, CreateMode.PERSISTENT, (Stat) null));
    }

    @Test
    @DisplayName("b47, b48, b49: what a create finds in its way")
    void refused() throws Exception {
        String top = fresh(zk);
        String ephemeral = make(zk, top + "/e", CreateMode.EPHEMERAL);
        assertEquals(KeeperException.Code.NODEEXISTS, code(() -> tryCreate(top)));
        assertEquals(KeeperException.Code.NONODE, code(() -> tryCreate(top + "/no/such")));
        assertEquals(
                KeeperException.Code.NOCHILDRENFOREPHEMERALS,
                code(() -> tryCreate(ephemeral + "/x")));
    }

    @Test
    @DisplayName("b50: null data stays null")
    void nullData() throws Exception {
        String path = fresh(zk) + "/n";
        zk.create(path, null, Acls.OPEN, CreateMode.PERSISTENT);
        assertNull(zk.getData(path, false, null));
        assertEquals(0, stat(zk, path).getDataLength());
    }

    @Test
    @DisplayName("b51, b52: sequential names begin at zero, have ten digits, and hold the data")
    void sequential() throws Exception {
        String top = fresh(zk);
        for (int i = 0; i < 105; i++) {
            String path = make(zk, top + "/q-", "d" + i, CreateMode.PERSISTENT_SEQUENTIAL);
            assertEquals(String.format("%s/q-%010d", top, i), path);
            assertEquals("d" + i, Clients.text(zk, path));
        }
    }

    @Test
    @DisplayName("b53: behind a slash the name is the number alone")
    void onlyDigits() throws Exception {
        String top = fresh(zk);
        assertEquals(top + "/0000000000", make(zk, top + "/", CreateMode.PERSISTENT_SEQUENTIAL));
    }

    @Test
    @DisplayName("b54: the number is the parent's count of creates, not one for each prefix")
    void oneCounter() throws Exception {
        String top = fresh(zk);
        make(zk, top + "/a-", CreateMode.PERSISTENT_SEQUENTIAL);
        make(zk, top + "/plain");
        zk.delete(top + "/plain", -1);
        assertEquals(top + "/b-0000000002", make(zk, top + "/b-", CreateMode.EPHEMERAL_SEQUENTIAL));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 7, 100})
    @DisplayName("b55: a flag that nobody knows is refused, and nothing is made")
    void unknownFlags(int flags) throws Exception {
        String path = fresh(zk) + "/x";
        assertEquals(Code.BAD_ARGUMENTS.number(), askRaw(CreateOp.CREATE, path, flags));
        assertFalse(exists(zk, path));
    }

    @ParameterizedTest
    @CsvSource({
        "CREATE, 0, false, false",
        "CREATE, 1, true, false",
        "CREATE, 2, false, true",
        "CREATE2, 3, true, true",
        "CONTAINER, 4, false, false",
        "TTL, 5, false, false",
        "TTL, 6, false, true",
    })
    @DisplayName("b56: what each flag makes")
    void flags(CreateOp op, int flags, boolean ephemeral, boolean sequential) throws Exception {
        String path = fresh(zk) + "/x";
        try (RawClient raw = server.raw()) {
            long session = raw.connect().session();
            assertEquals(0, raw.ask(1, request(op, path, flags)).err());
            Stat stat = stat(zk, sequential ? path + "0000000000" : path);
            assertEquals(ephemeral ? session : 0, stat.getEphemeralOwner());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a/b", "TOP//b", "TOP/", "TOP/.", "TOP/..", "TOP/../a", "TOP/./a"})
    @DisplayName("b57: paths that are none are refused")
    void badPaths(String shape) throws Exception {
        String top = fresh(zk);
        String path = shape.replace("TOP", top);
        assertTrue(askRaw(CreateOp.CREATE, path, 0) != 0, path);
        assertEquals(List.of(), zk.getChildren(top, false));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x1, 0x1f, 0x7f, 0x9f, 0xd800, 0xf8ff, 0xfff0, 0x1f600})
    @DisplayName("b58: characters that no path may have")
    void badCharacters(int character) throws Exception {
        String path = fresh(zk) + "/a" + Character.toString(character);
        // A lone surrogate cannot be sent: it comes as a question mark, or is refused.
        if (character != 0xd800) {
            assertEquals(Code.BAD_ARGUMENTS.number(), askRaw(CreateOp.CREATE, path, 0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x20, 0x7e, 0xa0, 0xd7ff, 0xf900, 0xffef})
    @DisplayName("b58: characters that a path may have")
    void goodCharacters(int character) throws Exception {
        String path = fresh(zk) + "/a" + Character.toString(character) + "b";
        assertEquals(path, make(zk, path));
        assertTrue(exists(zk, path));
    }

    @Test
    @DisplayName("b59: NUL is refused")
    void nul() throws Exception {
        String path = fresh(zk) + "/a\0b";
        assertEquals(Code.BAD_ARGUMENTS.number(), askRaw(CreateOp.CREATE, path, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.b", ".a", "a.", "...", " ", "a b"})
    @DisplayName("b60: names with dots and spaces are names")
    void dots(String name) throws Exception {
        String path = fresh(zk) + "/" + name;
        assertEquals(path, make(zk, path));
    }

    @Test
    @DisplayName("b61, b62: a request as long as the limit is taken, also again at a restart")
    void longest() throws Exception {
        String path = fresh(zk) + "/long";
        var empty = request(CreateOp.CREATE, path, 0);
        int room = 0xfffff - (RawClient.frame(1, empty).length - 4);
        try (RawClient raw = server.connected()) {
            var fits = new Request.Create(CreateOp.CREATE, path, new byte[room], Acl.OPEN, 0, 0);
            assertEquals(0, raw.ask(1, fits).err());
            assertEquals(room, stat(zk, path).getDataLength());
            var tooLong = new Request.SetData(path, new byte[0xfffff], -1);
            // The server does not wait for the rest, so there may be nobody to send it to.
            raw.send(Arrays.copyOf(RawClient.frame(2, tooLong), 64));
            assertTrue(raw.isClosedByServer());
        }
        server.restart();
        zk = server.client();
        assertEquals(room, stat(zk, path).getDataLength());
    }

    private static String tryCreate(String path) throws KeeperException, InterruptedException {
        return zk.create(path, new byte[0], Acls.OPEN, CreateMode.PERSISTENT);
    }

    private static Request.Create request(CreateOp op, String path, int flags) {
        return new Request.Create(
                op, path, new byte[0], Acl.OPEN, flags, op == CreateOp.TTL ? 100_000 : 0);
    }

    /// {@return the error that the server answers to what the stock client would not send}
    private static int askRaw(CreateOp op, String path, int flags) throws Exception {
        try (RawClient raw = server.connected()) {
            return raw.ask(1, request(op, path, flags)).err();
        }
    }
}
