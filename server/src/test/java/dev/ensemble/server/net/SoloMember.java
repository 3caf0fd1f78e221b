package dev.ensemble.server.net;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.tree.Tree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A member alone, without disk or peers: prepares and applies each write at once, on one thread.
/// Small and real: the trees, sessions and refusals are those of any member.
final class SoloMember implements Intake, AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Preparation preparation;
    private final Set<Long> touched = ConcurrentHashMap.newKeySet();
    private final List<Input> held = new ArrayList<>();
    private Consumer<List<Output>> clients = _ -> {};
    private boolean holding;
    private Tree tree = Tree.initial();

    SoloMember(AclRules rules) {
        this.preparation = new Preparation(rules, new Preparation.Options(false, true, true));
    }

    void serve(Consumer<List<Output>> outputs) {
        run(() -> {
            clients = outputs;
            clients.accept(List.of(new Output.Serving(true)));
        });
    }

    /// From here on nothing is done until [#release], which does all of it in one turn.
    void hold() {
        run(() -> holding = true);
    }

    void release() {
        run(() -> {
            holding = false;
            List<Input> all = List.copyOf(held);
            held.clear();
            turn(all);
        });
    }

    /// Whatever the member may say.
    void say(Output... outputs) {
        run(() -> clients.accept(List.of(outputs)));
    }

    /// The session's time is up.
    void expire(long session) {
        run(() -> {
            List<Output> out = new ArrayList<>();
            apply(0, 0, session, new Txn.CloseSession(tree.ephemerals(session)), out);
            clients.accept(out);
        });
    }

    /// Another member's client has taken the session over.
    void attachElsewhere(long session) {
        run(() -> {
            List<Output> out = new ArrayList<>();
            apply(0, 0, session, new Txn.AttachSession(5000), out);
            clients.accept(out);
        });
    }

    boolean heardFrom(long session) {
        return touched.contains(session);
    }

    void forgetTouches() {
        touched.clear();
    }

    /// {@return how many inputs wait, once at least `count` do}
    int awaitHeld(int count) {
        for (int size = heldCount(); ; size = heldCount()) {
            if (size >= count) {
                return size;
            }
            Thread.onSpinWait();
        }
    }

    private int heldCount() {
        return ask(held::size);
    }

    private void run(Runnable action) {
        ask(() -> {
            action.run();
            return true;
        });
    }

    private <T> T ask(java.util.concurrent.Callable<T> question) {
        try {
            return thread.submit(question).get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("the member failed", e);
        }
    }

    @Override
    public void submit(List<Input> batch) {
        thread.execute(() -> {
            if (holding) {
                held.addAll(batch);
            } else {
                turn(batch);
            }
        });
    }

    private void turn(List<Input> batch) {
        List<Output> out = new ArrayList<>();
        batch.forEach(input -> step(input, out));
        if (!out.isEmpty()) {
            clients.accept(out);
        }
    }

    private void step(Input input, List<Output> out) {
        switch (input) {
            case Input.Connect connect -> connect(connect, out);
            case Input.Write w -> {
                Txn txn =
                        preparation.prepare(
                                w.request(),
                                w.session(),
                                w.attach(),
                                w.identities(),
                                System.currentTimeMillis(),
                                tree);
                apply(w.connection(), w.number(), w.session(), txn, out);
            }
            case Input.Sync(long connection, long number) ->
                    out.add(new Output.Synced(connection, number));
            case Input.Touched(long[] sessions) -> Arrays.stream(sessions).forEach(touched::add);
            case Input.Disconnected _ -> {}
            case Input.OfPeer _, Input.Fetched _, Input.Transfer _, Input.ChangeMembers _ ->
                    throw new IllegalArgumentException("not of a client: " + input);
        }
    }

    private void connect(Input.Connect connect, List<Output> out) {
        if (connect.session() == 0) {
            var create = new Txn.CreateSession(connect.timeoutMillis(), connect.password());
            apply(connect.connection(), 0, 0, create, out);
            return;
        }
        Session session = tree.session(connect.session());
        if (session != null && Arrays.equals(session.password(), connect.password())) {
            var attach = new Txn.AttachSession(connect.timeoutMillis());
            apply(connect.connection(), 0, session.id(), attach, out);
        } else {
            out.add(new Output.ConnectRefused(connect.connection()));
        }
    }

    private void apply(long connection, long number, long session, Txn txn, List<Output> out) {
        long zxid = tree.zxid() + 1;
        var header = new Header(session, 1, 1, zxid, System.currentTimeMillis());
        Applied applied = tree.apply(zxid, header, txn);
        out.add(new Output.Published(applied, connection, number));
        tree = applied.tree();
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
