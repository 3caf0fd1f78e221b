package dev.ensemble.server.session;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.WatchEvent;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// What a change costs that meets few watches or many: 1000 watchers, each with its share of the
/// data watches at as many paths, picked at random. Without a scan the cost does not follow the
/// number, but for what the processor's caches no longer hold.
///
/// Run with `org.openjdk.jmh.Main WatchesBenchmark -prof gc` on the test class path.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmx2g", "-XX:+UseCompactObjectHeaders", "-XX:+UseParallelGC"})
public class WatchesBenchmark {
    private static final int WATCHERS = 1000;

    /// How many data watches there are.
    @Param({"1000", "1000000"})
    public int count;

    private final SplittableRandom random = new SplittableRandom(1);
    private final Watches<Integer> watches = new Watches<>();
    private WatchEvent[] changes = new WatchEvent[0];
    private WatchEvent[] elsewhere = new WatchEvent[0];
    private long heard;

    @Setup
    public void watch() {
        changes = new WatchEvent[count];
        elsewhere = new WatchEvent[count];
        for (int i = 0; i < count; i++) {
            String path = String.format("/parent-%04d/member-%010d", i % WATCHERS, i);
            watches.addData(path, i % WATCHERS);
            changes[i] = new WatchEvent(WatchEvent.Type.NODE_DATA_CHANGED, path, Acl.OPEN);
            elsewhere[i] =
                    new WatchEvent(WatchEvent.Type.NODE_DATA_CHANGED, path + "-not", Acl.OPEN);
        }
        for (int i = 0; i < 10; i++) {
            watches.add(new Request.AddWatch("/parent-000" + i, 1), i);
        }
    }

    /// One watch fires and is set again, as a client does.
    @Benchmark
    public long fireAndWatchAgain() {
        int at = random.nextInt(count);
        watches.fire(
                changes[at],
                (_, _) -> true,
                watcher -> {
                    heard += watcher;
                });
        watches.addData(changes[at].path(), at % WATCHERS);
        return heard;
    }

    /// Nobody waits for it.
    @Benchmark
    public long fireElsewhere() {
        watches.fire(
                elsewhere[random.nextInt(count)],
                (_, _) -> true,
                watcher -> {
                    heard += watcher;
                });
        return heard;
    }

    /// What a connection does that comes and goes with a hundred watches.
    @Benchmark
    public int comeAndGo() {
        Integer watcher = -1;
        for (int i = 0; i < 100; i++) {
            watches.addData(changes[random.nextInt(count)].path(), watcher);
        }
        watches.removeAll(watcher);
        return watches.watcherCount();
    }
}
