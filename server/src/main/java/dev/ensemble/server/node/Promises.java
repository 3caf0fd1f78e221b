package dev.ensemble.server.node;

import dev.ensemble.server.net.SnapshotSender;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The trees that learners were told to fetch, kept until they have.
///
/// The peer thread promises and forgets, the link thread looks up.
final class Promises implements SnapshotSender.Trees {
    private record Promise(long epoch, Tree tree) {}

    private final Map<Integer, Promise> promises = new ConcurrentHashMap<>();

    void promise(int myid, long epoch, Tree tree) {
        promises.put(myid, new Promise(epoch, tree));
    }

    /// The learner's link has ended, or its snapshot has been sent.
    void forget(int myid) {
        promises.remove(myid);
    }

    /// The leadership has ended.
    void forgetAll() {
        promises.clear();
    }

    @Override
    public @Nullable Tree promised(int myid, long epoch, long zxid) {
        Promise promise = promises.get(myid);
        if (promise == null || promise.epoch() != epoch || promise.tree().zxid() != zxid) {
            return null;
        }
        return promise.tree();
    }

    @Override
    public void sent(int myid) {
        // Perhaps not all of it arrives: kept until the learner is level or gone.
    }
}
