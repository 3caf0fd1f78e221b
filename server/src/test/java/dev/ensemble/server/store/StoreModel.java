package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;

/// A member that works on its disk as a peer would, and what must be there after a crash at any
/// moment.
///
/// For every order it keeps what the disk must hold once it is done. After a crash the disk must
/// hold what one of these moments says: none before the last that was confirmed, and none behind
/// the last that was ordered.
final class StoreModel {
    static final int MYID = 3;

    static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, new StoreOptions.Tail(1, 0, 0), 2);

    /// What the disk holds at one moment.
    ///
    /// @param history every transaction from the very first one, in the log or not
    record Moment(
            NavigableMap<Long, Payload> history,
            long accepted,
            long current,
            Identity.State state,
            long committed) {
        long end() {
            return history.isEmpty() ? Zxid.NONE : history.lastKey();
        }

        Moment withHistory(NavigableMap<Long, Payload> next, long nowCommitted) {
            return new Moment(next, accepted, current, state, nowCommitted);
        }

        Tree tree(long zxid) {
            Tree tree = Tree.initial();
            for (var entry : history.headMap(zxid, true).entrySet()) {
                Payload payload = entry.getValue();
                tree = tree.apply(entry.getKey(), payload.header(), payload.txn()).tree();
            }
            return tree;
        }
    }

    private final TxnCodec codec = new TxnCodec();
    private final Random random;
    private final List<Moment> moments = new ArrayList<>();

    private @Nullable Store store;
    private Identity identity = new Identity(Identity.State.BLANK, "", MYID, 1, 0, Map.of());
    private long ticket;
    private int confirmed;
    private long starts;

    StoreModel(long seed) {
        this.random = new Random(seed);
        moments.add(new Moment(new TreeMap<>(), 0, 0, Identity.State.BLANK, Zxid.NONE));
    }

    /// Opens what is on the disk and compares it with what must be there.
    void open(SimDisk disk) throws IOException {
        var ids = new Random(random.nextLong());
        store =
                Store.open(
                        disk,
                        folder -> FileEngine.open(disk, folder),
                        MYID,
                        HashKey.KNOWN,
                        SMALL,
                        ids::nextLong);
        Recovered found = store.recovered();
        assertEquals(List.of(), found.warnings());
        assertTrue(found.identity().starts() > starts, "starts must grow");
        starts = found.identity().starts();
        identity = found.identity();
        Moment now = match(found);
        assertEquals(
                now.tree(found.committed()).digest(),
                found.tree().digest(),
                "the tree as of what is committed");
        moments.clear();
        moments.add(now.withHistory(now.history(), Math.max(now.committed(), found.committed())));
        confirmed = 0;
    }

    private Moment match(Recovered found) {
        for (int i = confirmed; i < moments.size(); i++) {
            if (matches(moments.get(i), found)) {
                return moments.get(i);
            }
        }
        throw new AssertionError(
                "found "
                        + found
                        + ", which is none of "
                        + moments.subList(confirmed, moments.size()).stream()
                                .map(m ->
                                        m.state()
                                                + " "
                                                + m.accepted()
                                                + " "
                                                + m.current()
                                                + " "
                                                + Zxid.text(m.end()))
                                .toList());
    }

    private static boolean matches(Moment moment, Recovered found) {
        if (found.logEnd() != moment.end()
                || found.acceptedEpoch() != moment.accepted()
                || found.currentEpoch() != Math.max(moment.current(), Zxid.epoch(moment.end()))
                || found.identity().state() != moment.state()
                || found.committed() > moment.committed()) {
            return false;
        }
        var behind = moment.history().tailMap(found.base(), false);
        if (found.log().size() != behind.size()) {
            return false;
        }
        for (LogEntry entry : found.log()) {
            Payload payload = behind.get(entry.zxid());
            if (payload == null
                    || !java.util.Arrays.equals(payload.bytes(), entry.payload().bytes())) {
                return false;
            }
        }
        return true;
    }

    Store store() {
        if (store == null) {
            throw new IllegalStateException("not open");
        }
        return store;
    }

    Moment latest() {
        return moments.getLast();
    }

    /// Does `count` random things of those that a member does.
    void work(int count) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(13)) {
                case 0 -> newEpoch();
                case 1 -> truncate();
                case 2, 3 -> flush();
                case 4 -> {
                    if (random.nextInt(3) == 0) {
                        install();
                    }
                }
                case 5 -> refill();
                default -> append();
            }
        }
    }

    /// A new leadership: promise, identity, whole initial history, current epoch.
    private void newEpoch() throws IOException {
        Moment was = latest();
        long epoch = was.accepted() + 1;
        var jobs = new ArrayList<DiskWork.Job>();
        if (was.state() != Identity.State.MEMBER) {
            identity = identity.in(Identity.State.MEMBER, "e", Map.of());
            jobs.add(ordered(new DiskOp.StoreIdentity(identity)));
            moments.add(
                    new Moment(
                            was.history(),
                            was.accepted(),
                            was.current(),
                            Identity.State.MEMBER,
                            was.committed()));
        }
        jobs.add(ordered(new DiskOp.Epochs(epoch, was.current())));
        moments.add(
                new Moment(
                        was.history(),
                        epoch,
                        was.current(),
                        Identity.State.MEMBER,
                        was.committed()));
        jobs.add(ordered(new DiskOp.Epochs(epoch, epoch)));
        moments.add(
                new Moment(was.history(), epoch, epoch, Identity.State.MEMBER, was.committed()));
        perform(jobs);
    }

    void refill() throws IOException {
        store().work().perform(List.of(new DiskWork.Refill()), _ -> {});
    }

    /// Does what a member still does on a full disk: all but storing states.
    void workOnFullDisk(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(8)) {
                case 0 -> newEpoch();
                case 1 -> truncate();
                default -> append();
            }
        }
    }

    private void append() throws IOException {
        if (latest().current() == 0) {
            newEpoch();
        }
        var jobs = new ArrayList<DiskWork.Job>();
        int count = 1 + random.nextInt(5);
        for (int i = 0; i < count; i++) {
            Moment was = latest();
            long zxid = next(was);
            Payload payload = payload(zxid);
            long committed = someCommitted(was);
            jobs.add(ordered(new DiskOp.Append(zxid, payload, committed)));
            var history = new TreeMap<>(was.history());
            history.put(zxid, payload);
            moments.add(was.withHistory(history, committed));
        }
        perform(jobs);
    }

    private static long next(Moment was) {
        return Zxid.epoch(was.end()) == was.current() ? was.end() + 1 : Zxid.of(was.current(), 1);
    }

    /// A zxid between what is known to be committed and the log's end, most often the former.
    private long someCommitted(Moment was) {
        if (random.nextInt(3) > 0) {
            return was.committed();
        }
        var open = List.copyOf(was.history().tailMap(was.committed(), true).keySet());
        return open.isEmpty() ? was.committed() : open.get(random.nextInt(open.size()));
    }

    private Payload payload(long zxid) {
        Txn txn =
                switch (random.nextInt(6)) {
                    case 0 -> new Txn.Refused(Code.NO_NODE);
                    case 1 -> {
                        byte[] password = new byte[16];
                        random.nextBytes(password);
                        yield new Txn.CreateSession(4000 + random.nextInt(1000), password);
                    }
                    default -> {
                        byte[] data = new byte[random.nextInt(8) == 0 ? 900 : random.nextInt(60)];
                        random.nextBytes(data);
                        yield new Txn.Create(
                                "/n" + Long.toHexString(zxid) + "-" + random.nextInt(1000),
                                data,
                                Acl.OPEN,
                                0);
                    }
                };
        return codec.encode(new Header(0, MYID, 1, zxid, 1_000_000 + random.nextInt(1000)), txn);
    }

    private void truncate() throws IOException {
        Moment was = latest();
        var open = List.copyOf(was.history().tailMap(was.committed(), true).keySet());
        if (open.isEmpty() || was.committed() < store().stateZxid()) {
            return;
        }
        long zxid = open.get(random.nextInt(open.size()));
        var jobs = List.of(ordered(new DiskOp.Truncate(zxid)));
        moments.add(
                was.withHistory(new TreeMap<>(was.history().headMap(zxid, true)), was.committed()));
        perform(jobs);
        // What follows is of another leader: the old one's transactions must not come back under
        // their old numbers.
        newEpoch();
    }

    private void flush() throws IOException, InterruptedException {
        Moment was = latest();
        long stored = store().flush(was.tree(was.committed()));
        assertTrue(stored >= was.committed());
        store().work().perform(List.of(new DiskWork.Stored(stored)), _ -> {});
    }

    /// What a leader sends that is ahead: what is committed here, and more.
    private void install() throws IOException {
        newEpoch();
        Moment was = latest();
        var history = new TreeMap<>(was.history().headMap(was.committed(), true));
        long zxid = Zxid.of(was.current(), 0);
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            zxid++;
            history.put(zxid, payload(zxid));
        }
        Moment then = was.withHistory(history, zxid);
        var changes = new ArrayList<StateChange>();
        then.tree(zxid).diff(null, changes::add);
        SnapshotReceiver receiver = store().receive(zxid);
        for (StateChange change : changes) {
            receiver.accept(change);
        }
        assertEquals(then.tree(zxid).digest(), receiver.finish().digest());
        var jobs = List.of(ordered(new DiskOp.Install(zxid)));
        moments.add(then);
        perform(jobs);
    }

    private DiskWork.Ordered ordered(DiskOp op) {
        return new DiskWork.Ordered(++ticket, op);
    }

    private void perform(List<? extends DiskWork.Job> jobs) throws IOException {
        long first = ticket - jobs.size();
        int before = moments.size() - 1 - jobs.size();
        store().work()
                .perform(
                        jobs,
                        done -> confirmed = Math.max(confirmed, before + (int) (done - first)));
        assertEquals(moments.size() - 1, confirmed, "everything must be confirmed");
    }

    static void assertSame(Payload expected, Payload actual) {
        assertArrayEquals(expected.bytes(), actual.bytes());
        assertEquals(expected.header(), actual.header());
    }
}
