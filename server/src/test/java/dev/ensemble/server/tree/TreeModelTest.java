package dev.ensemble.server.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/// The tree against the obvious one: a map by whole path, changed in place, with all that clients
/// see.
final class TreeModelTest {
    /// Names that all hash alike for two rounds: they meet 24 levels down.
    private static final NameHash WEAK =
            new NameHash() {
                private final NameHash strong = new SipHash(HashKey.KNOWN);

                @Override
                public long of(byte[] name, int from, int to, int round) {
                    return round < 2 ? 42 : strong.of(name, from, to, round);
                }
            };

    /// Names that hash to one of four, so that most meet and some do not.
    private static final NameHash COARSE =
            (name, from, to, round) ->
                    new SipHash(HashKey.KNOWN).of(name, from, to, round)
                            & (round == 0 ? 0x8000_0000_0020L : -1L);

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void sameAsTheObviousOne(long seed) {
        run(seed, new SipHash(HashKey.KNOWN));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    @DisplayName("Names whose hashes collide are as good as others")
    void collisions(long seed) {
        run(seed, WEAK);
        run(seed, COARSE);
    }

    private static void run(long seed, NameHash hash) {
        var run = new Run(seed, hash);
        for (int i = 0; i < 900; i++) {
            run.step();
            if (i % 300 == 0) {
                run.check();
            }
        }
        run.check();
        run.checkOldVersions();
    }

    /// One znode of the obvious tree.
    private static final class Node {
        byte @Nullable [] data;
        List<Acl> acl = Acl.OPEN;
        long czxid;
        long mzxid;
        long ctime;
        long mtime;
        long pzxid;
        int version;
        int aversion;
        int created;
        long owner;

        Node copy() {
            var copy = new Node();
            copy.data = data;
            copy.acl = acl;
            copy.czxid = czxid;
            copy.mzxid = mzxid;
            copy.ctime = ctime;
            copy.mtime = mtime;
            copy.pzxid = pzxid;
            copy.version = version;
            copy.aversion = aversion;
            copy.created = created;
            copy.owner = owner;
            return copy;
        }
    }

    private record Kept(Tree tree, Map<String, Node> nodes, Map<Long, Session> sessions) {}

    private static final class Run {
        private static final long EPOCH = 1L << 32;

        private final Random random;
        private final NameHash hash;
        private final List<Kept> kept = new ArrayList<>();
        private Map<String, Node> nodes = new TreeMap<>();
        private Map<Long, Session> sessions = new HashMap<>();
        private Tree tree;
        private Tree replayed;
        private long zxid = EPOCH;

        Run(long seed, NameHash hash) {
            random = new Random(seed);
            this.hash = hash;
            tree = Tree.initial(hash);
            replayed = tree;
            nodes.put("/", new Node());
            nodes.put("/zookeeper", new Node());
            nodes.put("/zookeeper/quota", new Node());
            var config = new Node();
            config.acl = Acl.READ_ONLY;
            config.aversion = -1;
            nodes.put("/zookeeper/config", config);
            nodes.values().forEach(node -> node.data = new byte[0]);
        }

        void step() {
            if (random.nextInt(150) == 0) {
                kept.add(keep());
            }
            zxid++;
            Header header =
                    new Header(anySession(), 1 + random.nextInt(3), 7, zxid, random.nextLong());
            Txn txn = anyTxn(header);
            Tree before = tree;
            Applied applied = tree.apply(zxid, header, txn);
            tree = applied.tree();
            assertEquals(zxid, tree.zxid());
            assertEquals(applied.result(), before.apply(zxid, header, txn).result());
            replayed = replayed.apply(zxid, header, txn).tree();
        }

        private Txn anyTxn(Header header) {
            return switch (random.nextInt(24)) {
                case 0 -> {
                    var session = new Txn.CreateSession(random.nextInt(), new byte[16]);
                    random.nextBytes(session.password());
                    long id = Session.id(header.origin(), zxid);
                    sessions.put(
                            id,
                            new Session(
                                    id,
                                    session.timeoutMillis(),
                                    session.password(),
                                    header.origin(),
                                    zxid));
                    yield session;
                }
                case 1 -> {
                    var attach = new Txn.AttachSession(random.nextInt());
                    sessions.computeIfPresent(
                            header.session(),
                            (id, was) ->
                                    new Session(
                                            id,
                                            attach.timeoutMillis(),
                                            was.password(),
                                            header.origin(),
                                            zxid));
                    yield attach;
                }
                case 2 -> {
                    var paths = ephemerals(header.session());
                    paths.forEach(this::delete);
                    sessions.remove(header.session());
                    yield new Txn.CloseSession(paths);
                }
                case 3 -> configure(header);
                case 4, 5, 6, 7 -> {
                    List<Txn> parts = new ArrayList<>();
                    for (int left = random.nextInt(12); left > 0; left--) {
                        parts.add(anyPart(header));
                    }
                    yield new Txn.Multi(parts);
                }
                default -> anyPart(header);
            };
        }

        private Txn configure(Header header) {
            var member =
                    new Ensemble.Member(
                            1 + random.nextInt(9),
                            "h" + random.nextInt(9),
                            1,
                            2,
                            Ensemble.Role.OBSERVER,
                            null,
                            random.nextLong());
            var declared = Ensemble.declared("e", List.of(member));
            Node config = node("/zookeeper/config");
            config.data = declared.at(zxid).text().getBytes(StandardCharsets.UTF_8);
            config.version = -1;
            config.mzxid = zxid;
            config.mtime = header.timeMillis();
            return new Txn.Configure(declared);
        }

        private Txn anyPart(Header header) {
            String path = anyPath();
            Node there = nodes.get(path);
            if (there == null) {
                return create(path, header);
            }
            return switch (random.nextInt(5)) {
                case 0 -> {
                    there.acl = anyAcl();
                    yield new Txn.SetAcl(path, there.acl, ++there.aversion);
                }
                case 1, 2 -> {
                    there.data = anyData();
                    there.mzxid = zxid;
                    there.mtime = header.timeMillis();
                    yield new Txn.SetData(path, there.data, ++there.version);
                }
                case 3 -> {
                    if (path.equals("/")
                            || path.startsWith("/zookeeper")
                            || !children(path).isEmpty()) {
                        yield new Txn.Check(path);
                    }
                    delete(path);
                    yield new Txn.Delete(path);
                }
                default -> new Txn.Check(path);
            };
        }

        private Txn create(String path, Header header) {
            Node parent = node(Paths.parent(path));
            if (Owner.isSession(parent.owner)) {
                return new Txn.Check(path);
            }
            parent.created++;
            parent.pzxid = zxid;
            var node = new Node();
            node.data = anyData();
            node.acl = anyAcl();
            node.czxid = zxid;
            node.mzxid = zxid;
            node.pzxid = zxid;
            node.ctime = header.timeMillis();
            node.mtime = header.timeMillis();
            node.owner =
                    switch (random.nextInt(6)) {
                        case 0, 1 -> header.session();
                        case 2 -> Owner.CONTAINER;
                        case 3 -> Owner.ofTtl(1 + random.nextInt(1000));
                        default -> Owner.NONE;
                    };
            nodes.put(path, node);
            return new Txn.Create(path, node.data, node.acl, node.owner);
        }

        private void delete(String path) {
            nodes.remove(path);
            node(Paths.parent(path)).pzxid = zxid;
        }

        private Node node(String path) {
            return Objects.requireNonNull(nodes.get(path));
        }

        /// @return one whose parent is there
        private String anyPath() {
            List<String> all = new ArrayList<>(nodes.keySet());
            String parent = all.get(random.nextInt(all.size()));
            return switch (random.nextInt(3)) {
                case 0 -> parent;
                case 1 -> Paths.child(parent, "n" + random.nextInt(4));
                default -> Paths.child("/", "ü" + random.nextInt(200));
            };
        }

        private long anySession() {
            List<Long> all = new ArrayList<>(new TreeMap<>(sessions).keySet());
            return all.isEmpty() ? 0 : all.get(random.nextInt(all.size()));
        }

        private List<Acl> anyAcl() {
            return switch (random.nextInt(4)) {
                case 0 -> Acl.READ_ONLY;
                case 1 ->
                        List.of(
                                new Acl(
                                        random.nextInt(4),
                                        new Id("digest", "u" + random.nextInt(99))));
                default -> Acl.OPEN;
            };
        }

        private byte @Nullable [] anyData() {
            byte[] data = new byte[random.nextInt(20)];
            random.nextBytes(data);
            return data.length == 7 ? null : data;
        }

        private List<String> children(String path) {
            String prefix = path.equals("/") ? path : path + "/";
            return nodes.keySet().stream()
                    .filter(each -> each.startsWith(prefix) && each.length() > prefix.length())
                    .map(each -> each.substring(prefix.length()))
                    .filter(name -> name.indexOf('/') < 0)
                    .sorted()
                    .toList();
        }

        private List<String> ephemerals(long session) {
            return nodes.entrySet().stream()
                    .filter(each -> session != 0 && each.getValue().owner == session)
                    .map(Map.Entry::getKey)
                    .sorted()
                    .toList();
        }

        private Kept keep() {
            var copies = new TreeMap<String, Node>();
            nodes.forEach((path, node) -> copies.put(path, node.copy()));
            return new Kept(tree, copies, new HashMap<>(sessions));
        }

        void check() {
            assertEquals(nodes.size(), tree.znodeCount());
            long size = 0;
            int ephemeral = 0;
            Set<List<Acl>> lists = new HashSet<>(List.of(Acl.OPEN, Acl.READ_ONLY));
            for (String path : nodes.keySet()) {
                Node node = node(path);
                List<String> children = children(path);
                Stat stat =
                        new Stat(
                                node.czxid,
                                node.mzxid,
                                node.ctime,
                                node.mtime,
                                node.version,
                                2 * node.created - children.size(),
                                node.aversion,
                                Owner.isSession(node.owner) ? node.owner : 0,
                                node.data == null ? 0 : node.data.length,
                                children.size(),
                                node.pzxid);
                assertEquals(stat, tree.stat(path), path);
                assertArrayEquals(node.data, tree.data(path), path);
                assertEquals(node.acl, tree.acl(path), path);
                assertEquals(children, tree.children(path), path);
                size += path.getBytes(StandardCharsets.UTF_8).length + stat.dataLength();
                ephemeral += Owner.isSession(node.owner) ? 1 : 0;
                lists.add(node.acl);
                assertNull(tree.stat(path + "/missing"), path);
                assertNull(tree.stat(path + "/"), path);
            }
            assertEquals(size, tree.approximateDataSize());
            assertEquals(ephemeral, tree.ephemeralCount());
            assertEquals(lists.size(), tree.acls.size(), "ACLs that nobody has are dropped");
            checkSessions();
            assertEquals(tree.digest(), replayed.digest(), "a replay gives the same tree");
            checkRoundTrip();
        }

        private void checkSessions() {
            assertEquals(sessions.size(), tree.sessionCount());
            Map<Long, Session> seen = new HashMap<>();
            tree.forEachSession(session -> seen.put(session.id(), session));
            assertEquals(sessions.keySet(), seen.keySet());
            for (long id : sessions.keySet()) {
                Session session = Objects.requireNonNull(sessions.get(id));
                Session found = Objects.requireNonNull(tree.session(id));
                assertEquals(session.timeoutMillis(), found.timeoutMillis());
                assertArrayEquals(session.password(), found.password());
                assertEquals(session.owner(), found.owner());
                assertEquals(session.attach(), found.attach());
                assertEquals(ephemerals(id), tree.ephemerals(id));
            }
        }

        private void checkRoundTrip() {
            var loader = new Tree.Loader(Tree.initial(hash));
            tree.diff(null, loader::accept);
            Tree loaded = loader.finish();
            assertEquals(contents(tree), contents(loaded));
            assertEquals(tree.digest(), loaded.digest());
            assertEquals(tree.zxid(), loaded.zxid());
            assertEquals(tree.ensemble(), loaded.ensemble());
            assertEquals(tree.znodeCount(), loaded.znodeCount());
            assertEquals(tree.ephemeralCount(), loaded.ephemeralCount());
            assertEquals(tree.approximateDataSize(), loaded.approximateDataSize());
            sessions.keySet()
                    .forEach(id -> assertEquals(tree.ephemerals(id), loaded.ephemerals(id)));
        }

        /// Each version kept is as it was, and what it differs by from any later one makes that one
        /// of it.
        void checkOldVersions() {
            Tree last = tree;
            for (Kept old : kept) {
                tree = old.tree;
                Map<String, Node> nodesNow = nodes;
                Map<Long, Session> sessionsNow = sessions;
                nodes = old.nodes;
                sessions = old.sessions;
                Tree replayedNow = replayed;
                replayed = tree;
                check();
                nodes = nodesNow;
                sessions = sessionsNow;
                replayed = replayedNow;
                checkDifference(old.tree, last);
                checkDifference(old.tree, kept.getLast().tree);
            }
            tree = last;
        }

        private void checkDifference(Tree older, Tree newer) {
            Map<Object, Object> contents = contents(older);
            var loader = new Tree.Loader(older);
            newer.diff(
                    older,
                    change -> {
                        put(contents, change);
                        loader.accept(change);
                    });
            assertEquals(contents(newer), contents);
            assertEquals(newer.digest(), loader.finish().digest());
            Map<Object, Object> before = contents(older);
            before.put("at", newer.zxid());
            assertEquals(before.equals(contents), older.digest() == newer.digest());
        }

        /// All that a store would hold.
        private static Map<Object, Object> contents(Tree tree) {
            Map<Object, Object> contents = new HashMap<>();
            tree.diff(null, change -> put(contents, change));
            return contents;
        }

        private static void put(Map<Object, Object> contents, StateChange change) {
            switch (change) {
                case StateChange.PutNode node -> contents.put(node.path(), values(node));
                case StateChange.RemoveNode(String path) -> contents.remove(path);
                case StateChange.PutSession(Session session) ->
                        contents.put(
                                session.id(),
                                List.of(
                                        session.timeoutMillis(),
                                        Arrays.hashCode(session.password()),
                                        session.owner(),
                                        session.attach()));
                case StateChange.RemoveSession(long id) -> contents.remove(id);
                case StateChange.PutEnsemble(Ensemble ensemble) ->
                        contents.put("ensemble", ensemble);
                case StateChange.At(long at) -> contents.put("at", at);
            }
        }

        private static List<Object> values(StateChange.PutNode node) {
            return List.of(
                    Arrays.toString(node.data()),
                    node.acl(),
                    node.czxid(),
                    node.mzxid(),
                    node.pzxid(),
                    node.ctime(),
                    node.mtime(),
                    node.version(),
                    node.aversion(),
                    node.created(),
                    node.owner());
        }
    }
}
