package dev.ensemble.server.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

final class ReadsTest {
    private static final Id ALICE = new Id("digest", "alice:hash");
    private static final Failed NO_NODE = new Failed(Code.NO_NODE);

    /// What [#read] makes of a refusal.
    private record Failed(Code code) {}

    private final Reads reads = new Reads(new PreparationTest.Rules());
    private final List<Id> identities = new ArrayList<>(List.of(new Id("ip", "::1")));
    private Tree tree = Tree.initial();
    private long session;

    @BeforeEach
    void grow() {
        apply(new Txn.CreateSession(1000, new byte[Session.PASSWORD_BYTES]));
        tree.forEachSession(each -> session = each.id());
        create("/a", Acl.OPEN, 0);
        create("/a/b", Acl.OPEN, 0);
        create("/a/b/c", Acl.OPEN, session);
        create("/a/d", Acl.OPEN, session);
        create("/secret", List.of(new Acl(Acl.ALL & ~Acl.READ, Id.ANYONE)), 0);
        create("/hidden", List.of(new Acl(Acl.WRITE, Id.ANYONE)), 0);
    }

    @Test
    @DisplayName("b79: getData gives data and Stat of one version; b50: null data")
    void getData() {
        assertEquals("/a " + tree.stat("/a"), read(new Request.GetData("/a", false)));
        assertEquals("/a/b/c " + tree.stat("/a/b/c"), read(new Request.GetData("/a/b/c", true)));
        apply(new Txn.SetData("/a", null, 1));
        assertEquals("null " + tree.stat("/a"), read(new Request.GetData("/a", false)));
        apply(new Txn.SetData("/a", new byte[0], 2));
        assertEquals(" " + tree.stat("/a"), read(new Request.GetData("/a", false)));
    }

    @Test
    @DisplayName("b94, b95: existence first, then READ; paths are not validated, and \"\" is /")
    void refusals() {
        for (String path : List.of("/x", "x", "//", "/a/", "/a//b", "/\0", "/a/b/c/d", "a")) {
            assertEquals(NO_NODE, read(new Request.GetData(path, false)), path);
            assertEquals(NO_NODE, read(new Request.GetChildren(path, false, true)), path);
            assertEquals(NO_NODE, read(new Request.GetAllChildrenNumber(path)), path);
            assertEquals(NO_NODE, read(new Request.GetAcl(path)), path);
        }
        assertEquals(NO_NODE, read(new Request.Exists("/x", false)));
        var noAuth = new Failed(Code.NO_AUTH);
        assertEquals(noAuth, read(new Request.Exists("/secret", true)));
        assertEquals(noAuth, read(new Request.GetData("/secret", true)));
        assertEquals(noAuth, read(new Request.GetChildren("/secret", true, false)));
        assertEquals(noAuth, read(new Request.GetAllChildrenNumber("/secret")));
        assertEquals(new Failed(Code.BAD_ARGUMENTS), read(new Request.Exists("/\0", true)));
        var malformed = new Failed(Code.MARSHALLING_ERROR);
        assertEquals(malformed, read(new Request.Exists(null, true)));
        assertEquals(malformed, read(new Request.GetData(null, true)));
        assertEquals(malformed, read(new Request.GetAcl(null)));
        assertEquals(malformed, read(new Request.MalformedRead(4)));
        assertEquals(read(new Request.GetData("/", false)), read(new Request.GetData("", false)));
        assertEquals(new Reply.Stats(stat("/")), read(new Request.Exists("", false)));
    }

    @Test
    @DisplayName("b82, b83, b88: names without path, with or without the Stat")
    void getChildren() {
        var names = Set.of("a", "secret", "hidden", "zookeeper");
        var bare = (Reply.Children) read(new Request.GetChildren("/", false, false));
        assertEquals(names, new HashSet<>(bare.names()));
        assertEquals(names.size(), bare.names().size());
        assertEquals(null, bare.stat());
        var full = (Reply.Children) read(new Request.GetChildren("/", false, true));
        assertEquals(bare.names(), full.names());
        assertEquals(stat("/"), full.stat());
        assertEquals(
                new Reply.Children(List.of(), stat("/a/b/c")),
                read(new Request.GetChildren("/a/b/c", false, true)));
    }

    @Test
    @DisplayName("b84: descendants at any depth")
    void getAllChildrenNumber() {
        assertEquals(new Reply.Count(3), read(new Request.GetAllChildrenNumber("/a")));
        assertEquals(new Reply.Count(0), read(new Request.GetAllChildrenNumber("/a/d")));
        assertEquals(new Reply.Count(9), read(new Request.GetAllChildrenNumber("/")));
        tree = Tree.initial();
        assertEquals(new Reply.Count(3), read(new Request.GetAllChildrenNumber("/")));
        assertEquals(new Reply.Count(2), read(new Request.GetAllChildrenNumber("/zookeeper")));
    }

    @Test
    @DisplayName("b85, b86, b87: this session's ephemerals, by a prefix of the text")
    void getEphemerals() {
        for (String all : new String[] {null, "", " ", "/"}) {
            assertEquals(
                    new Reply.Ephemerals(List.of("/a/b/c", "/a/d")),
                    read(new Request.GetEphemerals(all)));
        }
        assertEquals(
                new Reply.Ephemerals(List.of("/a/b/c")), read(new Request.GetEphemerals("/a/b")));
        assertEquals(
                new Reply.Ephemerals(List.of("/a/b/c", "/a/d")),
                read(new Request.GetEphemerals("/a")));
        assertEquals(new Reply.Ephemerals(List.of()), read(new Request.GetEphemerals("/x")));
        session++;
        assertEquals(new Reply.Ephemerals(List.of()), read(new Request.GetEphemerals("/")));
    }

    @Test
    @DisplayName("b109, b110: getACL needs READ or ADMIN, and hides hashes from who lacks ADMIN")
    void getAcl() {
        var acl = List.of(new Acl(Acl.READ, Id.ANYONE), new Acl(Acl.ADMIN, ALICE));
        create("/guarded", acl, 0);
        assertEquals(
                new Reply.AclList(
                        List.of(
                                new Acl(Acl.READ, Id.ANYONE),
                                new Acl(Acl.ADMIN, new Id("digest", "alice:x"))),
                        stat("/guarded")),
                read(new Request.GetAcl("/guarded")));
        identities.add(ALICE);
        assertEquals(
                new Reply.AclList(acl, stat("/guarded")), read(new Request.GetAcl("/guarded")));
        assertEquals(new Failed(Code.NO_AUTH), read(new Request.GetAcl("/hidden")));
        var secret = (Reply.AclList) read(new Request.GetAcl("/secret"));
        assertEquals(stat("/secret"), secret.stat());
    }

    @Test
    @DisplayName("b119: scheme and user of each identity, never a hash")
    void whoAmI() {
        identities.add(ALICE);
        identities.add(new Id(Id.SUPER, "x"));
        assertEquals(
                new Reply.Identities(
                        List.of(
                                new Id("ip", "::1"),
                                new Id("digest", "alice"),
                                new Id(Id.SUPER, ""))),
                read(new Request.WhoAmI()));
    }

    @Test
    @DisplayName("b212, V35: each part of a multiRead by itself")
    void multiRead() {
        var parts =
                List.of(
                        new Request.GetChildren("/a/b", true, false),
                        new Request.GetData("/x", true),
                        new Request.GetData("/hidden", true));
        assertEquals(
                new Reply.Parts(
                        List.of(
                                new Reply.Children(List.of("c"), null),
                                new Reply.Failed(Code.NO_NODE),
                                new Reply.Failed(Code.NO_AUTH))),
                read(new Request.MultiRead(List.copyOf(parts))));
    }

    @Test
    void theRest() {
        assertEquals(new Reply.None(), read(new Request.Ping()));
        assertThrows(IllegalArgumentException.class, () -> read(new Request.AddWatch("/a", 0)));
    }

    /// @return a slice as its text and Stat, a refusal as [Failed], any other reply as it is
    private Object read(Request.Read request) {
        return switch (reads.read(request, tree, session, identities)) {
            case Reply.Slice(byte[] source, int from, int length, Stat stat) ->
                    (length < 0 ? "null" : new String(source, from, length, StandardCharsets.UTF_8))
                            + " "
                            + stat;
            case Reply.Failed(Code code) -> new Failed(code);
            case Reply reply -> reply;
        };
    }

    private Stat stat(String path) {
        return Objects.requireNonNull(tree.stat(path));
    }

    /// With its path as data.
    private void create(String path, List<Acl> acl, long owner) {
        apply(new Txn.Create(path, path.getBytes(StandardCharsets.UTF_8), acl, owner));
    }

    private void apply(Txn txn) {
        long zxid = tree.zxid() + 1;
        tree = tree.apply(zxid, new Header(session, 1, 1, zxid, 1000), txn).tree();
    }
}
