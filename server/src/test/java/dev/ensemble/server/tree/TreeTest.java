package dev.ensemble.server.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.WatchEvent;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;

final class TreeTest {
    private static final long ALICE = 77;

    private Tree tree = Tree.initial();
    private final List<WatchEvent> events = new ArrayList<>();

    @Test
    @DisplayName("V46, V48, V49: Stats of the built-in znodes")
    void builtInStats() {
        assertEquals(new Stat(0, 0, 0, 0, 0, -1, 0, 0, 0, 1, 0), tree.stat("/"));
        assertEquals(new Stat(0, 0, 0, 0, 0, -2, 0, 0, 0, 2, 0), tree.stat("/zookeeper"));
        assertEquals(new Stat(0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0), tree.stat("/zookeeper/config"));
        assertEquals(Acl.READ_ONLY, tree.acl("/zookeeper/config"));
        assertArrayEquals(new byte[0], tree.data("/zookeeper/config"));
        assertEquals(4, tree.znodeCount());
        for (int i = 1; i <= 5; i++) {
            apply(i, create("/n" + i));
        }
        assertEquals(new Stat(0, 0, 0, 0, 0, 4, 0, 0, 0, 6, 5), tree.stat("/"));
    }

    @Test
    @DisplayName("b69 to b72: what create, setData and delete do to the Stats")
    void stats() {
        apply(10, create("/a"));
        assertEquals(new Stat(10, 10, 1010, 1010, 0, 0, 0, 0, 1, 0, 10), tree.stat("/a"));
        apply(11, create("/a/b"));
        assertEquals(new Stat(10, 10, 1010, 1010, 0, 1, 0, 0, 1, 1, 11), tree.stat("/a"));
        apply(12, new Txn.SetData("/a", bytes("hello"), 1));
        assertEquals(new Stat(10, 12, 1010, 1012, 1, 1, 0, 0, 5, 1, 11), tree.stat("/a"));
        apply(13, new Txn.Delete("/a/b"));
        assertEquals(new Stat(10, 12, 1010, 1012, 1, 2, 0, 0, 5, 0, 13), tree.stat("/a"));
        apply(14, new Txn.SetAcl("/a", List.of(new Acl(1, new Id("digest", "u:h"))), 1));
        assertEquals(new Stat(10, 12, 1010, 1012, 1, 2, 1, 0, 5, 0, 13), tree.stat("/a"));
        assertEquals(List.of(new Acl(1, new Id("digest", "u:h"))), tree.acl("/a"));
    }

    @Test
    @DisplayName("b50: null data stays null, and its length is 0")
    void nullData() {
        apply(1, new Txn.Create("/n", null, Acl.OPEN, 0));
        assertNull(tree.data("/n"));
        assertEquals(0, stat("/n").dataLength());
        apply(2, new Txn.SetData("/n", new byte[0], 1));
        assertArrayEquals(new byte[0], tree.data("/n"));
    }

    @Test
    @DisplayName("b75: the owner is shown for ephemerals only")
    void owners() {
        session(1);
        long session = Session.id(3, 1);
        apply(2, new Txn.Create("/e", null, Acl.OPEN, session));
        apply(3, new Txn.Create("/c", null, Acl.OPEN, Owner.CONTAINER));
        apply(4, new Txn.Create("/t", null, Acl.OPEN, Owner.ofTtl(Owner.MAX_TTL_MILLIS)));
        assertEquals(session, stat("/e").ephemeralOwner());
        assertEquals(0, stat("/c").ephemeralOwner());
        assertEquals(0, stat("/t").ephemeralOwner());
        assertEquals(List.of("/e"), tree.ephemerals(session));
        assertEquals(1, tree.ephemeralCount());
    }

    @Test
    @DisplayName("b76: closeSession removes the ephemerals, with the events of a delete")
    void closeSession() {
        session(1);
        long session = Session.id(3, 1);
        apply(2, create("/p"));
        apply(3, new Txn.Create("/p/e", null, Acl.OPEN, session));
        events.clear();
        var applied =
                tree.apply(
                        4,
                        new Header(session, 3, 1, 1, 1004),
                        new Txn.CloseSession(List.of("/p/e")));
        assertEquals(new Result.SessionClosed(session), applied.result());
        assertEquals(
                List.of(
                        event(WatchEvent.Type.NODE_DELETED, "/p/e"),
                        event(WatchEvent.Type.NODE_CHILDREN_CHANGED, "/p")),
                applied.events());
        Stat parent = applied.tree().stat("/p");
        assertEquals(new Stat(2, 2, 1002, 1002, 0, 2, 0, 0, 1, 0, 4), parent);
        assertNull(applied.tree().session(session));
        assertEquals(0, applied.tree().ephemeralCount());
        assertEquals(List.of(), applied.tree().ephemerals(session));
        assertEquals(List.of("/p/e"), tree.ephemerals(session), "the older version changed");
    }

    @Test
    @DisplayName("b160: a multi has one zxid, Stats as of each part, and events in their order")
    void multi() {
        Result result =
                apply(
                        5,
                        new Txn.Multi(
                                List.of(
                                        create("/m"),
                                        new Txn.SetData("/m", bytes("xyz"), 1),
                                        create("/m/n"),
                                        new Txn.Check("/m"))));
        assertEquals(
                new Result.Parts(
                        List.of(
                                new Result.Created(
                                        "/m", new Stat(5, 5, 1005, 1005, 0, 0, 0, 0, 1, 0, 5)),
                                new Result.Changed(new Stat(5, 5, 1005, 1005, 1, 0, 0, 0, 3, 0, 5)),
                                new Result.Created(
                                        "/m/n", new Stat(5, 5, 1005, 1005, 0, 0, 0, 0, 1, 0, 5)),
                                new Result.Checked())),
                result);
        assertEquals(
                List.of(
                        event(WatchEvent.Type.NODE_CREATED, "/m"),
                        event(WatchEvent.Type.NODE_CHILDREN_CHANGED, "/"),
                        event(WatchEvent.Type.NODE_DATA_CHANGED, "/m"),
                        event(WatchEvent.Type.NODE_CREATED, "/m/n"),
                        event(WatchEvent.Type.NODE_CHILDREN_CHANGED, "/m")),
                events);
    }

    @Test
    void refusalsChangeNothingButTheZxid() {
        long before = tree.digest();
        assertEquals(new Result.Failed(Code.NO_NODE), apply(8, new Txn.Refused(Code.NO_NODE)));
        var codes = List.of(Code.OK, Code.BAD_VERSION, Code.RUNTIME_INCONSISTENCY);
        assertEquals(new Result.FailedParts(codes), apply(9, new Txn.RefusedMulti(codes)));
        assertEquals(before, tree.digest());
        assertEquals(9, tree.zxid());
        assertEquals(List.of(), events);
    }

    @Test
    void sessionsAreCreatedAndAttached() {
        Session created = session(0x1_0000_0005L);
        assertEquals(Session.id(3, 0x1_0000_0005L), created.id());
        assertEquals(0x1_0000_0005L, created.attach());
        var applied =
                tree.apply(
                        0x1_0000_0006L,
                        new Header(created.id(), 2, 1, 1, 0),
                        new Txn.AttachSession(9000));
        Session moved = Objects.requireNonNull(applied.tree().session(created.id()));
        assertEquals(new Result.Attached(moved), applied.result());
        assertEquals(new Session(created.id(), 9000, created.password(), 2, 0x1_0000_0006L), moved);
        assertEquals(1, applied.tree().sessionCount());
        var unknown =
                tree.apply(0x1_0000_0006L, new Header(99, 2, 1, 1, 0), new Txn.AttachSession(9000));
        assertEquals(new Result.Failed(Code.SESSION_EXPIRED), unknown.result());
    }

    @Test
    @DisplayName("The configuration of a server alone is not shown: /zookeeper/config stays empty")
    void configurationOfOneAlone() {
        Stat before = Objects.requireNonNull(tree.stat("/zookeeper/config"));
        var member = new Ensemble.Member(1, "here", 0, 0, Ensemble.Role.PARTICIPANT, null, 5);
        apply(0x2a, new Txn.Configure(Ensemble.declared("id", List.of(member))));
        assertEquals(0x2a, tree.ensemble().version());
        assertEquals(before, tree.stat("/zookeeper/config"));
        assertArrayEquals(new byte[0], tree.data("/zookeeper/config"));
    }

    @Test
    @DisplayName("A configuration is the text of /zookeeper/config; its version is the zxid")
    void configuration() {
        assertEquals(0, tree.ensemble().version());
        var member =
                new Ensemble.Member(
                        1, "host", 2888, 3888, Ensemble.Role.PARTICIPANT, "0.0.0.0:2181", 5);
        Result result = apply(0x2a, new Txn.Configure(Ensemble.declared("id", List.of(member))));
        Ensemble committed = tree.ensemble();
        assertEquals(0x2a, committed.version());
        var stat = new Stat(0, 0x2a, 0, 1042, -1, 0, -1, 0, 59, 0, 0);
        assertEquals(new Result.Configured(committed, stat), result);
        assertArrayEquals(
                bytes("server.1=host:2888:3888:participant;0.0.0.0:2181\nversion=2a"),
                tree.data("/zookeeper/config"));
        assertEquals(
                List.of(
                        new WatchEvent(
                                WatchEvent.Type.NODE_DATA_CHANGED,
                                "/zookeeper/config",
                                Acl.READ_ONLY)),
                events);
    }

    @Test
    @DisplayName("The counter of sequential names stops at the last number")
    void exhaustedCounter() {
        var loader = new Tree.Loader();
        int last = Integer.MAX_VALUE;
        loader.accept(new StateChange.PutNode("/s", null, Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, last, 0));
        tree = loader.finish();
        assertEquals(-2, stat("/s").cversion());
        apply(2, create("/s/x"));
        assertEquals(-3, stat("/s").cversion());
    }

    @Test
    void anImpossibleTransactionIsAViolation() {
        assertThrows(IllegalStateException.class, () -> apply(1, create("/a/b")));
        assertThrows(IllegalStateException.class, () -> apply(1, create("/zookeeper")));
        assertThrows(IllegalStateException.class, () -> apply(1, create("/")));
        assertThrows(IllegalStateException.class, () -> apply(1, new Txn.Delete("/a")));
        assertThrows(IllegalStateException.class, () -> apply(1, new Txn.Delete("/zookeeper")));
        assertThrows(IllegalStateException.class, () -> apply(1, new Txn.SetData("/a", null, 1)));
    }

    @Test
    @DisplayName("The digest tells any two states apart, whatever they differ in")
    void digests() {
        var acl = List.of(new Acl(2, Id.ANYONE));
        List<StateChange> states =
                List.of(
                        new StateChange.At(0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/m", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("e"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", new byte[0], Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", null, Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), acl, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 2, 1, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 2, 1, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 2, 1, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 2, 1, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 2, 0, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 2, 0, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 2, 0, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 2, 0),
                        node("/n", bytes("d"), Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, 0, 2),
                        new StateChange.PutSession(new Session(1, 1, new byte[16], 1, 1)),
                        new StateChange.PutSession(new Session(2, 1, new byte[16], 1, 1)),
                        new StateChange.PutSession(new Session(1, 2, new byte[16], 1, 1)),
                        new StateChange.PutSession(new Session(1, 1, password(), 1, 1)),
                        new StateChange.PutSession(new Session(1, 1, new byte[16], 2, 1)),
                        new StateChange.PutSession(new Session(1, 1, new byte[16], 1, 2)),
                        new StateChange.PutEnsemble(new Ensemble("", 1, Map.of())),
                        new StateChange.PutEnsemble(new Ensemble("e", 0, Map.of())));
        var digests = new HashSet<Long>();
        for (StateChange state : states) {
            var loader = new Tree.Loader();
            loader.accept(state);
            digests.add(loader.finish().digest());
        }
        assertEquals(states.size(), digests.size());
    }

    private static byte[] password() {
        byte[] password = new byte[Session.PASSWORD_BYTES];
        password[15] = 1;
        return password;
    }

    private static StateChange.PutNode node(
            String path,
            byte @Nullable [] data,
            List<Acl> acl,
            long czxid,
            long mzxid,
            long pzxid,
            long ctime,
            long mtime,
            int version,
            int aversion,
            int created,
            long owner) {
        return new StateChange.PutNode(
                path, data, acl, czxid, mzxid, pzxid, ctime, mtime, version, aversion, created,
                owner);
    }

    @Test
    void namesLongerThanAShortLength() {
        String path = "/" + "n".repeat(70_000);
        apply(1, create(path));
        apply(2, create(path + "/child"));
        apply(3, new Txn.SetData(path + "/child", bytes("there"), 1));
        assertArrayEquals(bytes("there"), tree.data(path + "/child"));
        assertEquals(List.of(path.substring(1), "zookeeper"), tree.children("/"));
    }

    @Test
    @DisplayName("As deep as clients like: nothing recurses from parent to child")
    void deep() {
        var path = new StringBuilder();
        for (int i = 1; i <= 2_000; i++) {
            path.append("/d");
            apply(i, create(path.toString()));
        }
        assertEquals(2_004, tree.znodeCount());
        var loader = new Tree.Loader();
        tree.diff(null, loader::accept);
        assertEquals(tree.digest(), loader.finish().digest());
    }

    private Session session(long zxid) {
        return ((Result.Attached)
                        apply(zxid, new Txn.CreateSession(6000, new byte[Session.PASSWORD_BYTES])))
                .session();
    }

    private Result apply(long zxid, Txn txn) {
        Applied applied = tree.apply(zxid, new Header(ALICE, 3, 1, zxid, 1000 + zxid), txn);
        tree = applied.tree();
        events.addAll(applied.events());
        assertEquals(zxid, tree.zxid());
        return applied.result();
    }

    private Stat stat(String path) {
        return Objects.requireNonNull(tree.stat(path));
    }

    private static Txn.Create create(String path) {
        return new Txn.Create(path, bytes("x"), Acl.OPEN, 0);
    }

    private static WatchEvent event(WatchEvent.Type type, String path) {
        return new WatchEvent(type, path, Acl.OPEN);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
