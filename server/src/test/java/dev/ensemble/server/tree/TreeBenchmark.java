package dev.ensemble.server.tree;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// What reads and writes of a tree with a million znodes cost: 1000 parents with 1000 children
/// each, names of 17 bytes, data of 100, paths picked at random. A write is made of the same
/// version each time and dropped; each is a version of its own.
///
/// Run with `org.openjdk.jmh.Main TreeBenchmark -prof gc` on the test class path.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmx2g", "-XX:+UseCompactObjectHeaders", "-XX:+UseParallelGC"})
public class TreeBenchmark {
    private static final int PARENTS = 1000;
    private static final int CHILDREN = 1000;
    private static final List<Id> IDENTITIES = List.of(new Id("ip", "127.0.0.1"));

    private final AclRules rules = new Schemes(false, null);
    private final Reads reads = new Reads(rules);
    private final Preparation preparation =
            new Preparation(rules, new Preparation.Options(false, false, false));
    private final SplittableRandom random = new SplittableRandom(1);
    private final byte[] data = new byte[100];
    private final String[] paths = new String[PARENTS * CHILDREN];
    private final String[] missing = new String[PARENTS * CHILDREN];
    private final Header header = new Header(Session.id(1, 1), 1, 1, 1, 1_000_000);
    private Tree tree = Tree.initial();

    @Setup
    public void grow() {
        var loader = new Tree.Loader();
        loader.accept(
                new StateChange.PutSession(
                        new Session(header.session(), 1000, new byte[16], 1, 1)));
        for (int i = 0; i < PARENTS; i++) {
            String parent = String.format("/parent-%010d", i);
            put(loader, parent, CHILDREN);
            for (int j = 0; j < CHILDREN; j++) {
                int at = i * CHILDREN + j;
                paths[at] = String.format("%s/member-%010d", parent, at);
                missing[at] = String.format("%s/absent-%010d", parent, at);
                put(loader, paths[at], 0);
            }
        }
        loader.accept(new StateChange.At(10));
        tree = loader.finish();
    }

    private void put(Tree.Loader loader, String path, int created) {
        loader.accept(
                new StateChange.PutNode(
                        path, data, Acl.OPEN, 5, 5, 5, 7, 7, 0, 0, created, Owner.NONE));
    }

    /// As an I/O thread answers it, the permission check included.
    @Benchmark
    public Reply getData() {
        return reads.read(
                new Request.GetData(any(paths), false), tree, header.session(), IDENTITIES);
    }

    @Benchmark
    public Reply getChildren() {
        String path = any(paths);
        String parent = path.substring(0, path.lastIndexOf('/'));
        return reads.read(
                new Request.GetChildren(parent, false, false), tree, header.session(), IDENTITIES);
    }

    @Benchmark
    public Txn prepareSetData() {
        return prepare(new Request.SetData(any(paths), data, -1));
    }

    @Benchmark
    public Applied applySetData() {
        return tree.apply(11, header, new Txn.SetData(any(paths), data, 1));
    }

    @Benchmark
    public Txn prepareCreate() {
        return prepare(
                new Request.Create(Request.CreateOp.CREATE, any(missing), data, Acl.OPEN, 0, 0));
    }

    @Benchmark
    public Applied applyCreate() {
        return tree.apply(11, header, new Txn.Create(any(missing), data, Acl.OPEN, Owner.NONE));
    }

    @Benchmark
    public Applied applyDelete() {
        return tree.apply(11, header, new Txn.Delete(any(paths)));
    }

    private Txn prepare(Request.Write request) {
        return preparation.prepare(request, header.session(), 1, IDENTITIES, 1_000_000, tree);
    }

    private String any(String[] from) {
        return from[random.nextInt(from.length)];
    }
}
