package dev.ensemble.server.tree;

import static dev.ensemble.server.model.Request.CreateOp.CREATE;
import static dev.ensemble.server.model.Request.CreateOp.CREATE2;
import static dev.ensemble.server.model.Request.CreateOp.TTL;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

final class PreparationTest {
    private static final Id ALICE = new Id("digest", "alice:x");
    private static final Id BOB = new Id("digest", "bob:x");
    private static final Id ADDRESS = new Id("ip", "127.0.0.1");
    private static final Id SUPER = new Id(Id.SUPER, "");

    private List<Id> identities = new ArrayList<>(List.of(ADDRESS));
    private boolean reconfigEnabled;
    private boolean extendedTypes;
    private boolean enforceQuota;
    private Tree tree = Tree.initial();
    private long session;
    private long attach;

    @BeforeEach
    void connect() {
        session = session();
        attach = tree.zxid();
    }

    // Create.

    @Test
    @DisplayName("b47, b48, b49: what a create finds in its way")
    void createRefused() {
        done(create("/a", 0));
        assertEquals(Code.NODE_EXISTS, code(create("/a", 0)));
        assertEquals(Code.NODE_EXISTS, code(create("/", 0)));
        assertEquals(Code.NODE_EXISTS, code(create("/zookeeper", 0)));
        assertEquals(Code.NO_NODE, code(create("/b/c", 0)));
        done(create("/e", 1));
        assertEquals(Code.NO_CHILDREN_FOR_EPHEMERALS, code(create("/e/c", 0)));
        assertEquals(Code.NO_CHILDREN_FOR_EPHEMERALS, code(create("/e/c", 3)));
    }

    @Test
    @DisplayName("b51 to b54: sequential names count all children ever created under the parent")
    void sequential() {
        done(create("/s", 0));
        assertEquals("/s/a0000000000", created(create("/s/a", 2)));
        assertEquals("/s/b0000000001", created(create("/s/b", 3)));
        assertEquals("/s/0000000002", created(create("/s/", 2)));
        done(create("/s/plain", 0));
        done(new Request.Delete("/s/plain", -1));
        assertEquals("/s/a0000000004", created(create("/s/a", 2)));
        assertEquals("/0000000001", created(create("/", 2)));
    }

    @Test
    @DisplayName("The counter stops at the last number: the next sequential create finds it taken")
    void exhaustedCounter() {
        var loader = new Tree.Loader(tree);
        int last = Integer.MAX_VALUE;
        loader.accept(new StateChange.PutNode("/s", null, Acl.OPEN, 1, 1, 1, 1, 1, 0, 0, last, 0));
        loader.accept(new StateChange.At(tree.zxid()));
        tree = loader.finish();
        assertEquals("/s/x2147483647", created(create("/s/x", 2)));
        assertEquals(Code.NODE_EXISTS, code(create("/s/x", 2)));
    }

    @ParameterizedTest
    @CsvSource({
        "CREATE, 0, none, false",
        "CREATE, 1, session, false",
        "CREATE, 2, none, true",
        "CREATE, 3, session, true",
        "CREATE, 4, none, false",
        "CREATE2, 1, session, false",
        "CREATE2, 4, none, false",
        "CONTAINER, 0, container, false",
        "CONTAINER, 1, container, false",
        "CONTAINER, 2, container, true",
        "CONTAINER, 3, container, true",
        "CONTAINER, 4, container, false",
        "TTL, 5, ttl, false",
        "TTL, 6, ttl, true",
    })
    @DisplayName("b56, b215, b224, b228, V50: the opcode decides before the flags")
    void modes(CreateOp op, int flags, String owner, boolean isSequential) {
        extendedTypes = true;
        var request = new Request.Create(op, "/x", null, Acl.OPEN, flags, op == TTL ? 9 : 0);
        long stored =
                switch (owner) {
                    case "session" -> session;
                    case "container" -> Owner.CONTAINER;
                    case "ttl" -> Owner.ofTtl(9);
                    default -> Owner.NONE;
                };
        assertEquals(
                new Txn.Create(isSequential ? "/x0000000000" : "/x", null, Acl.OPEN, stored),
                prepare(request));
    }

    @ParameterizedTest
    @CsvSource({
        "CREATE, -1, 0, BAD_ARGUMENTS, BAD_ARGUMENTS",
        "CREATE2, 7, 0, BAD_ARGUMENTS, BAD_ARGUMENTS",
        "CREATE, 5, 0, UNIMPLEMENTED, BAD_ARGUMENTS",
        "CREATE2, 6, 0, UNIMPLEMENTED, BAD_ARGUMENTS",
        "CONTAINER, 5, 0, UNIMPLEMENTED, BAD_ARGUMENTS",
        "TTL, 5, 1, UNIMPLEMENTED,",
        "TTL, 5, 0, UNIMPLEMENTED, BAD_ARGUMENTS",
        "TTL, 6, -5, UNIMPLEMENTED, BAD_ARGUMENTS",
        "TTL, 5, 1099511627775, UNIMPLEMENTED,",
        "TTL, 5, 1099511627776, UNIMPLEMENTED, BAD_ARGUMENTS",
        "TTL, 0, 5, BAD_ARGUMENTS, BAD_ARGUMENTS",
        "TTL, 4, 0, BAD_ARGUMENTS, BAD_ARGUMENTS",
    })
    @DisplayName("b55, b225, b226, b227: flags and ttl that do not go together")
    void badModes(CreateOp op, int flags, long ttl, Code without, @Nullable Code with) {
        var request = new Request.Create(op, "/x", null, Acl.OPEN, flags, ttl);
        assertEquals(without, code(request));
        extendedTypes = true;
        if (with == null) {
            assertInstanceOf(Txn.Create.class, prepare(request));
        } else {
            assertEquals(with, code(request));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a//b", "/a/", "/x/y"})
    @DisplayName("A missing parent wins over a bad last component")
    void missingParentFirst(String path) {
        assertEquals(Code.NO_NODE, code(create(path, 0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "/a\0b", "/.", "/..", "//", "/a\u0001", "/\ud83d\ude00"})
    @DisplayName("b57, b59: paths that no znode can have")
    void badPaths(String path) {
        assertEquals(Code.BAD_ARGUMENTS, code(create(path, 0)));
    }

    @Test
    @DisplayName("Each check of a create comes before the next one")
    void createOrder() {
        done(create("/locked", 0, new Acl(Acl.READ, Id.ANYONE)));
        done(create("/e", 1));
        long gone = attach;
        // Flags, then the session, then the path, the ACL, the parent, its ACL, the name, the node.
        attach = gone + 1;
        assertEquals(Code.BAD_ARGUMENTS, code(create("nowhere", 9)));
        assertEquals(Code.SESSION_MOVED, code(create("nowhere", 0)));
        attach = gone;
        assertEquals(Code.BAD_ARGUMENTS, code(create("nowhere", 0, new Acl[0])));
        assertEquals(Code.INVALID_ACL, code(create("/no/where", 0, new Acl[0])));
        assertEquals(Code.NO_NODE, code(create("/no/where", 0)));
        assertEquals(Code.NO_AUTH, code(create("/locked/..", 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(create("/e/..", 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(create("/locked\0/x", 0)));
        assertEquals(Code.MARSHALLING_ERROR, code(create(null, 0)));
        identities.add(SUPER);
        done(create("/locked/x", 0));
        identities.remove(SUPER);
        assertEquals(Code.NO_AUTH, code(create("/locked/x", 0)));
    }

    // Delete.

    @Test
    @DisplayName("b63, b64, b65, V45: delete")
    void delete() {
        done(create("/d", 0));
        done(create("/d/c", 0));
        assertEquals(Code.NO_NODE, code(new Request.Delete("/x", -1)));
        assertEquals(Code.NO_NODE, code(new Request.Delete("/x/y", -1)));
        assertEquals(Code.NO_NODE, code(new Request.Delete("/d/", -1)));
        assertEquals(Code.NOT_EMPTY, code(new Request.Delete("/d", -1)));
        assertEquals(Code.BAD_VERSION, code(new Request.Delete("/d", 3)));
        done(new Request.Delete("/d/c", 0));
        done(new Request.Delete("/d", -1));
        assertEquals(Code.MARSHALLING_ERROR, code(new Request.Delete(null, -1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "", "x", "/\0"})
    @DisplayName("b66, V51: reserved znodes, and what is no path")
    void deleteReserved(String path) {
        identities.add(SUPER);
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.Delete(path, -1)));
    }

    @Test
    @DisplayName("b67: DELETE is asked of the parent, before the znode is looked for")
    void deleteNeedsTheParent() {
        done(create("/p", 0, new Acl(Acl.ALL & ~Acl.DELETE, Id.ANYONE)));
        done(create("/p/c", 0));
        assertEquals(Code.NO_AUTH, code(new Request.Delete("/p/c", -1)));
        assertEquals(Code.NO_AUTH, code(new Request.Delete("/p/missing", -1)));
        done(create("/q", 0));
        done(create("/q/c", 0, new Acl(0, Id.ANYONE)));
        done(new Request.Delete("/q/c", -1));
    }

    // SetData and setACL.

    @Test
    @DisplayName("b74: setData")
    void setData() {
        done(create("/d", 0));
        assertEquals(new Txn.SetData("/d", null, 1), prepare(new Request.SetData("/d", null, 0)));
        done(new Request.SetData("/d", null, -1));
        assertEquals(Code.BAD_VERSION, code(new Request.SetData("/d", null, 0)));
        assertEquals(Code.NO_NODE, code(new Request.SetData("/x", null, 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.SetData("/x/", null, 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.SetData("", null, 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.SetData(null, null, 0)));
        assertEquals(Code.NO_AUTH, code(new Request.SetData("/zookeeper/config", null, 7)));
        done(new Request.SetData("/", null, -1));
    }

    @Test
    @DisplayName("A version is never -1 after it was -2, which would mean any")
    void versionSkipsAny() {
        for (int[] each : new int[][] {{-2, 0}, {-1, 0}, {Integer.MAX_VALUE, Integer.MIN_VALUE}}) {
            var loader = new Tree.Loader(tree);
            int was = each[0];
            loader.accept(
                    new StateChange.PutNode("/v", null, Acl.OPEN, 1, 1, 1, 1, 1, was, was, 0, 0));
            tree = loader.finish();
            assertEquals(
                    new Txn.SetData("/v", null, each[1]),
                    prepare(new Request.SetData("/v", null, was)));
            assertEquals(
                    new Txn.SetAcl("/v", Acl.OPEN, each[1]),
                    prepare(new Request.SetAcl("/v", Acl.OPEN, was)));
        }
    }

    @Test
    @DisplayName("b92, b116: setACL goes by aversion and ADMIN")
    void setAcl() {
        done(create("/d", 0));
        done(new Request.SetData("/d", null, -1));
        assertEquals(Code.BAD_VERSION, code(new Request.SetAcl("/d", Acl.OPEN, 1)));
        assertEquals(Code.NO_NODE, code(new Request.SetAcl("/x", Acl.OPEN, 0)));
        assertEquals(Code.INVALID_ACL, code(new Request.SetAcl("/x", List.of(), 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.SetAcl("x", List.of(), 0)));
        assertEquals(Code.BAD_ARGUMENTS, code(new Request.SetAcl(null, null, 0)));
        done(new Request.SetAcl("/d", List.of(new Acl(15, Id.ANYONE)), 0));
        assertEquals(Code.NO_AUTH, code(new Request.SetAcl("/d", Acl.OPEN, 7)));
    }

    @Test
    @DisplayName("b96, b97, b98, b99, b100: which ACLs are stored, and how")
    void aclsAreFixed() {
        Id auth = new Id("auth", "ignored");
        assertNull(fixed(null));
        assertNull(fixed(List.of()));
        assertNull(fixed(List.of(new Acl(1, new Id("", "")))));
        assertNull(fixed(List.of(new Acl(1, new Id("world", "x")))));
        assertNull(fixed(List.of(new Acl(1, new Id("no-such-scheme", "x")))));
        assertNull(fixed(List.of(new Acl(1, Id.ANYONE), new Acl(1, auth))));
        assertEquals(
                List.of(new Acl(1, ALICE), new Acl(2, ALICE)),
                fixed(List.of(new Acl(1, ALICE), new Acl(2, ALICE), new Acl(1, ALICE))));
        identities.addAll(List.of(ALICE, BOB));
        assertEquals(
                List.of(new Acl(4, Id.ANYONE), new Acl(3, ALICE), new Acl(3, BOB)),
                fixed(List.of(new Acl(4, Id.ANYONE), new Acl(3, auth))));
        assertEquals(List.of(new Acl(99, Id.ANYONE)), fixed(List.of(new Acl(99, Id.ANYONE))));
    }

    // Sessions.

    @Test
    @DisplayName("b6, b16, b17: only the connection that owns a live session may write")
    void sessions() {
        List<Request.Write> writes =
                List.of(
                        create("/a", 0),
                        new Request.Delete("", -1),
                        new Request.SetData("", null, -1),
                        new Request.SetAcl("", null, -1),
                        new Request.CloseSession());
        attach++;
        writes.forEach(write -> assertEquals(Code.SESSION_MOVED, code(write)));
        assertEquals(
                Code.SESSION_MOVED, code(new Request.Multi(List.of(new Request.Delete("", 0)))));
        attach--;
        done(new Request.CloseSession());
        writes.forEach(write -> assertEquals(Code.SESSION_EXPIRED, code(write)));
        assertEquals(
                new Txn.RefusedMulti(List.of(Code.SESSION_EXPIRED, Code.RUNTIME_INCONSISTENCY)),
                prepare(new Request.Multi(List.of(create("/a", 0), create("/b", 0)))));
        assertEquals(Code.SESSION_EXPIRED, code(new Request.Multi(List.of())));
    }

    @Test
    @DisplayName("closeSession names all of the session's ephemerals, in one order")
    void closeSession() {
        for (String path : List.of("/c", "/a", "/b")) {
            done(create(path, 1));
        }
        done(create("/a1", 0));
        assertEquals(
                new Txn.CloseSession(List.of("/a", "/b", "/c")),
                prepare(new Request.CloseSession()));
    }

    // Multi.

    @Test
    @DisplayName("b89, b197 to b200, b207: each part sees the ones before it")
    void multi() {
        Txn txn =
                prepare(
                        new Request.Multi(
                                List.of(
                                        create("/m", 0),
                                        create("/m/s", 2),
                                        create("/m/s", 2),
                                        new Request.SetData("/m", null, 0),
                                        new Request.SetData("/m", null, 1),
                                        new Request.Check("/m", 2),
                                        new Request.Delete("/m/s0000000001", 0),
                                        new Request.Delete("/m/s0000000000", 0),
                                        new Request.Delete("/m", 2))));
        assertEquals(
                new Txn.Multi(
                        List.of(
                                new Txn.Create("/m", null, Acl.OPEN, 0),
                                new Txn.Create("/m/s0000000000", null, Acl.OPEN, 0),
                                new Txn.Create("/m/s0000000001", null, Acl.OPEN, 0),
                                new Txn.SetData("/m", null, 1),
                                new Txn.SetData("/m", null, 2),
                                new Txn.Check("/m"),
                                new Txn.Delete("/m/s0000000001"),
                                new Txn.Delete("/m/s0000000000"),
                                new Txn.Delete("/m"))),
                txn);
    }

    @Test
    @DisplayName("b201, b202, b203, b206, V31: one part that fails undoes all")
    void multiRefused() {
        done(create("/a", 0));
        long digest = tree.digest();
        assertEquals(
                new Txn.RefusedMulti(
                        List.of(
                                Code.OK,
                                Code.OK,
                                Code.NO_NODE,
                                Code.RUNTIME_INCONSISTENCY,
                                Code.RUNTIME_INCONSISTENCY)),
                prepare(
                        new Request.Multi(
                                List.of(
                                        create("/a/s", 2),
                                        new Request.Delete("/a/s0000000000", -1),
                                        new Request.SetData("/a/s0000000000", null, -1),
                                        new Request.Check("/missing", -1),
                                        create("/b", 0)))));
        assertEquals(digest, tree.digest());
        assertEquals("/a/s0000000000", created(create("/a/s", 2)));
    }

    @Test
    @DisplayName("b204, V32: an empty multi succeeds")
    void emptyMulti() {
        assertEquals(new Txn.Multi(List.of()), prepare(new Request.Multi(List.of())));
    }

    @Test
    @DisplayName("check: path, then existence, then READ, then version")
    void check() {
        done(create("/secret", 0, new Acl(Acl.ALL & ~Acl.READ, Id.ANYONE)));
        assertEquals(Code.BAD_ARGUMENTS, codeOfPart(new Request.Check("", 0)));
        assertEquals(Code.BAD_ARGUMENTS, codeOfPart(new Request.Check(null, 0)));
        assertEquals(Code.NO_NODE, codeOfPart(new Request.Check("/x", 0)));
        assertEquals(Code.NO_AUTH, codeOfPart(new Request.Check("/secret", 5)));
        assertEquals(Code.BAD_VERSION, codeOfPart(new Request.Check("/zookeeper", 5)));
    }

    @Test
    @DisplayName(
            "b208: a createTTL without a TTL flag is the create that its flag says, in a multi")
    void ttlInMulti() {
        assertEquals(
                new Txn.Multi(
                        List.of(
                                new Txn.Create("/p", null, Acl.OPEN, 0),
                                new Txn.Create("/e", null, Acl.OPEN, session),
                                new Txn.Create("/c", null, Acl.OPEN, Owner.CONTAINER))),
                prepare(
                        new Request.Multi(
                                List.of(
                                        new Request.Create(TTL, "/p", null, Acl.OPEN, 0, 5),
                                        new Request.Create(TTL, "/e", null, Acl.OPEN, 1, 5),
                                        new Request.Create(TTL, "/c", null, Acl.OPEN, 4, 5)))));
        assertEquals(
                Code.UNIMPLEMENTED,
                codeOfPart(new Request.Create(TTL, "/t", null, Acl.OPEN, 5, 5)));
    }

    @Test
    @DisplayName("b211: what a multi cannot hold makes all of it malformed")
    void wrongParts() {
        for (Request.Write wrong :
                List.of(
                        new Request.CloseSession(),
                        new Request.SetAcl("/", Acl.OPEN, -1),
                        new Request.Multi(List.of()),
                        new Request.MalformedWrite(1))) {
            assertEquals(
                    Code.MARSHALLING_ERROR,
                    code(new Request.Multi(List.of(create("/a", 0), wrong))));
        }
    }

    // The rest.

    @Test
    @DisplayName("b90: what is refused as such")
    void refusedAsSuch() {
        assertEquals(Code.UNIMPLEMENTED, code(new Request.Check("/", -1)));
        assertEquals(Code.MARSHALLING_ERROR, code(new Request.MalformedWrite(1)));
    }

    @Test
    @DisplayName("b58: which UTF-16 units a path may hold")
    void characters() {
        for (char bad :
                "\u0000\u0001\u001f\u007f\u009f\ud800\ue000\uf8ff\ufff0\uffff".toCharArray()) {
            assertEquals(false, Paths.isValid("/a" + bad), () -> Integer.toHexString(bad));
        }
        for (char good : " ~\u00a0\ud7ff\uf900\uffef".toCharArray()) {
            assertEquals(true, Paths.isValid("/a" + good), () -> Integer.toHexString(good));
        }
    }

    @Test
    @DisplayName("b57, b60: which components a path may have")
    void components() {
        for (String good : List.of("/", "/a", "/...", "/.a", "/a.", "/ ", "/a.b/c")) {
            assertEquals(true, Paths.isValid(good), good);
        }
        for (String bad : List.of("", "a", "/a/", "//", "/a//b", "/./a", "/a/..", "/.", "/..")) {
            assertEquals(false, Paths.isValid(bad), bad);
        }
    }

    private Code codeOfPart(Request.Write part) {
        var refused = (Txn.RefusedMulti) prepare(new Request.Multi(List.of(part)));
        return refused.codes().getFirst();
    }

    private @Nullable List<Acl> fixed(@Nullable List<Acl> acl) {
        Txn set = prepare(new Request.SetAcl("/", acl, -1));
        Txn create = prepare(new Request.Create(CREATE, "/new", null, acl, 0, 0));
        if (set instanceof Txn.SetAcl(_, List<Acl> stored, _)) {
            assertEquals(new Txn.Create("/new", null, stored, 0), create);
            return stored;
        }
        assertEquals(new Txn.Refused(Code.INVALID_ACL), set);
        assertEquals(set, create);
        return null;
    }

    private String created(Request.Create request) {
        return ((Result.Created) done(request)).path();
    }

    /// Prepares and applies what must succeed.
    private Result done(Request.Write request) {
        return apply(prepare(request));
    }

    private Result apply(Txn txn) {
        if (txn instanceof Txn.Refused) {
            throw new AssertionError(txn);
        }
        Applied applied = tree.apply(tree.zxid() + 1, new Header(session, 1, 1, 1, 5_000), txn);
        tree = applied.tree();
        return applied.result();
    }

    private long session() {
        Result result = apply(new Txn.CreateSession(1000, new byte[Session.PASSWORD_BYTES]));
        return ((Result.Attached) result).session().id();
    }

    private Code code(Request.Write request) {
        Txn txn = prepare(request);
        assertInstanceOf(Txn.Refused.class, txn);
        return ((Txn.Refused) txn).code();
    }

    private Txn prepare(Request.Write request) {
        var options = new Preparation.Options(reconfigEnabled, extendedTypes, enforceQuota);
        return new Preparation(new Rules(), options)
                .prepare(request, session, attach, identities, 5_000, tree);
    }

    private static Request.Create create(@Nullable String path, int flags, Acl... acl) {
        return new Request.Create(CREATE2, path, null, List.of(acl), flags, 0);
    }

    private static Request.Create create(@Nullable String path, int flags) {
        return new Request.Create(CREATE, path, null, Acl.OPEN, flags, 0);
    }

    /// Digest by equality, ip for show, nothing else.
    static final class Rules implements AclRules {
        @Override
        public boolean permits(List<Acl> acl, int perm, List<Id> identities) {
            return identities.contains(SUPER)
                    || acl.stream()
                            .anyMatch(entry ->
                                    (entry.perms() & perm) != 0
                                            && (entry.id().equals(Id.ANYONE)
                                                    || identities.contains(entry.id())));
        }

        @Override
        public boolean isValid(Id id) {
            return id.scheme().equals("digest") || id.scheme().equals("ip");
        }

        @Override
        public boolean authenticates(Id identity) {
            return identity.scheme().equals("digest");
        }
    }
}
