package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// The state in RocksDB, on a real folder.
final class StateStoreTest {
    @TempDir Path folder;

    private final Random random = new Random(9);
    private Tree tree = Tree.initial();
    private final List<String> paths = new ArrayList<>();
    private final List<Long> sessions = new ArrayList<>();

    private Store open() throws IOException {
        return Store.open(folder, 1, HashKey.KNOWN, StoreOptions.DEFAULT);
    }

    private static Header header(long session) {
        return new Header(session, 1, 1, 1, 1000);
    }

    private void apply(long session, Txn txn) {
        tree =
                tree.apply(tree.zxid() == 0 ? Zxid.of(1, 1) : tree.zxid() + 1, header(session), txn)
                        .tree();
    }

    /// Something of everything that a tree can hold, and of everything that can happen to it.
    private void grow(int count) {
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(10)) {
                case 0 -> {
                    byte[] password = new byte[Session.PASSWORD_BYTES];
                    random.nextBytes(password);
                    apply(0, new Txn.CreateSession(4000 + i, password));
                    sessions.add(Session.id(1, tree.zxid()));
                }
                case 1 -> {
                    if (!sessions.isEmpty()) {
                        long session = sessions.remove(random.nextInt(sessions.size()));
                        var ephemerals = tree.ephemerals(session);
                        apply(session, new Txn.CloseSession(ephemerals));
                        paths.removeAll(ephemerals);
                    }
                }
                case 2 -> {
                    var member =
                            new Ensemble.Member(
                                    1, "h" + i, 1, 2, Ensemble.Role.PARTICIPANT, null, i + 1);
                    apply(0, new Txn.Configure(new Ensemble("e", 0, Map.of(1, member))));
                }
                case 3, 4 -> {
                    if (!paths.isEmpty()) {
                        apply(0, new Txn.Delete(paths.remove(random.nextInt(paths.size()))));
                    }
                }
                default -> create(i);
            }
        }
    }

    private void create(int i) {
        String path = "/n" + tree.zxid() + "ü";
        boolean ephemeral = !sessions.isEmpty() && random.nextInt(3) == 0;
        long owner = ephemeral ? sessions.get(random.nextInt(sessions.size())) : 0;
        List<Acl> acl =
                random.nextBoolean() ? Acl.OPEN : List.of(new Acl(5, new Id("digest", "a" + i)));
        byte[] data = random.nextInt(5) == 0 ? null : new byte[random.nextInt(300)];
        apply(owner, new Txn.Create(path, data, acl, owner));
        if (ephemeral) {
            return;
        }
        apply(0, new Txn.SetData(path, new byte[] {1, 2}, 1));
        if (random.nextInt(4) == 0) {
            apply(0, new Txn.Create(path + "/child", null, Acl.OPEN, 0));
        } else {
            paths.add(path);
        }
    }

    private void install(Store store) throws Exception {
        SnapshotReceiver receiver = store.receive(tree.zxid());
        send(receiver);
        receiver.finish();
        store.work()
                .perform(
                        List.of(
                                new DiskWork.Ordered(1, new DiskOp.Epochs(1, 1)),
                                new DiskWork.Ordered(2, new DiskOp.Install(tree.zxid()))),
                        _ -> {});
    }

    private void send(SnapshotReceiver receiver) throws IOException {
        var changes = new ArrayList<StateChange>();
        tree.diff(null, changes::add);
        for (StateChange change : changes) {
            receiver.accept(change);
        }
    }

    @Test
    void differencesAddUp() throws Exception {
        StateStore.create(FolderDisk.look(folder), opener(), "state.1");
        for (int round = 0; round < 8; round++) {
            try (StateStore states = states()) {
                assertEquals(tree.zxid(), states.zxid());
                assertEquals(tree.digest(), states.tree().digest());
                assertEquals(tree.ensemble(), states.tree().ensemble());
                grow(60);
                assertEquals(tree.zxid(), states.flush(tree));
                grow(60);
                assertEquals(tree.zxid(), states.flush(tree));
                assertEquals(tree.zxid(), states.flush(Tree.initial()), "an older version");
            }
        }
        assertTrue(tree.znodeCount() > 50);
    }

    private StateEngine.Opener opener() {
        return name -> RocksEngine.open(folder.resolve(name));
    }

    private StateStore states() throws IOException {
        return StateStore.open(FolderDisk.look(folder), opener(), "state.1", HashKey.KNOWN);
    }

    @Test
    void snapshotTakesThePlaceOfWhatWasThere() throws Exception {
        for (int round = 0; round < 3; round++) {
            grow(100);
            try (Store store = open()) {
                install(store);
                assertEquals(tree.zxid(), store.stateZxid());
            }
            try (Store store = open()) {
                Recovered found = store.recovered();
                assertEquals(tree.digest(), found.tree().digest());
                assertEquals(tree.zxid(), found.logEnd());
                assertEquals(tree.zxid(), found.committed());
                assertEquals(tree.ensemble(), found.baseEnsemble());
            }
        }
        try (var names = java.nio.file.Files.list(folder)) {
            assertEquals(
                    List.of("CURRENT", "epochs", "identity", "lock", "log.4", "state.4"),
                    names.map(each -> each.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void snapshotThatDoesNotEndIsNotInstalled() throws Exception {
        grow(50);
        try (Store store = open()) {
            SnapshotReceiver early = store.receive(tree.zxid());
            early.accept(new StateChange.RemoveSession(5));
            assertThrows(IOException.class, early::finish);
            var install = List.of(new DiskWork.Ordered(1, new DiskOp.Install(tree.zxid())));
            assertThrows(IllegalStateException.class, () -> store.work().perform(install, _ -> {}));

            SnapshotReceiver other = store.receive(tree.zxid() + 1);
            assertThrows(IOException.class, () -> send(other));

            SnapshotReceiver abandoned = store.receive(tree.zxid());
            send(abandoned);
            abandoned.abandon();
            assertThrows(
                    IllegalStateException.class,
                    () -> abandoned.accept(new StateChange.RemoveSession(5)));
            assertThrows(IllegalStateException.class, () -> store.work().perform(install, _ -> {}));
        }
        try (Store store = open()) {
            assertEquals(0, store.recovered().logEnd());
        }
    }

    /// One piece at a time, as they travel to another member.
    @Test
    void everyPieceComesBack() {
        grow(300);
        var loader = new Tree.Loader(HashKey.KNOWN);
        tree.diff(
                null,
                change ->
                        loader.accept(
                                StateCodec.change(
                                        StateCodec.key(change), StateCodec.value(change))));
        assertEquals(tree.digest(), loader.finish().digest());
        for (StateChange gone :
                List.of(new StateChange.RemoveNode("/a"), new StateChange.RemoveSession(-5))) {
            assertEquals(gone, StateCodec.change(StateCodec.key(gone), StateCodec.value(gone)));
        }
        assertThrows(IllegalArgumentException.class, () -> StateCodec.change(new byte[0], null));
        assertThrows(
                IllegalArgumentException.class, () -> StateCodec.change(new byte[] {'z'}, null));
        assertThrows(
                IllegalArgumentException.class,
                () -> StateCodec.change(new byte[] {'n', '/'}, new byte[] {1, 2, 3}));
        byte[] node = StateCodec.value(new StateChange.At(7));
        assertThrows(
                IllegalArgumentException.class,
                () -> StateCodec.change(new byte[] {'n', '/'}, node));
    }
}
