package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

@Timeout(60)
final class TwoVolumesTest {
    @TempDir private Path folder = Path.of("");

    private Store open(String state, String log, int myid) throws IOException {
        return Store.open(
                folder.resolve(state),
                folder.resolve(log),
                myid,
                HashKey.KNOWN,
                StoreOptions.DEFAULT,
                null);
    }

    /// A member with five transactions, the state as of the third.
    ///
    /// @return its identity
    private Identity write(String state, String log, int myid) throws Exception {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        var listener =
                new LogWriter.Listener() {
                    @Override
                    public void persisted(long ticket) {}

                    @Override
                    public void failed(Throwable cause) {
                        failures.add(cause);
                    }
                };
        Identity identity;
        try (Store store = open(state, log, myid)) {
            Identity blank = store.recovered().identity();
            identity =
                    new Identity(
                            Identity.State.MEMBER,
                            "e",
                            myid,
                            blank.incarnation(),
                            blank.starts(),
                            Map.of());
            LogWriter writer = store.startLog(listener);
            writer.submit(1, new DiskOp.StoreIdentity(identity));
            writer.submit(2, new DiskOp.Epochs(1, 1));
            Tree tree = Tree.initial();
            for (int i = 1; i <= 5; i++) {
                Payload payload =
                        new TxnCodec()
                                .encode(
                                        new Header(0, 1, 1, i, 1000),
                                        new Txn.Create("/z" + i, new byte[i], Acl.OPEN, 0));
                long zxid = Zxid.of(1, i);
                writer.submit(2 + i, new DiskOp.Append(zxid, payload, Zxid.of(1, i - 1)));
                if (i <= 3) {
                    tree = tree.apply(zxid, payload.header(), payload.txn()).tree();
                }
            }
            writer.close();
            store.flush(tree);
        }
        assertEquals(List.of(), failures);
        return identity;
    }

    private List<String> names(String of) throws IOException {
        try (Stream<Path> names = Files.list(folder.resolve(of))) {
            return names.map(each -> each.getFileName() + "").sorted().toList();
        }
    }

    private static String refusal(Throwable refused) {
        return refused.getMessage() + "";
    }

    @Test
    @DisplayName("b347: the log is in dataLogDir, the state in dataDir, and both are found again")
    void apart() throws Exception {
        Identity identity = write("s", "l", 1);
        assertEquals(List.of("lock", "state-identity", "state.1"), names("s"));
        assertTrue(names("l").containsAll(List.of("CURRENT", "epochs", "identity", "log.1")));
        assertFalse(names("l").toString().contains("state"), () -> "" + folder);
        try (Store store = open("s", "l", 1)) {
            Recovered found = store.recovered();
            assertEquals(List.of(), found.warnings());
            assertEquals(identity.incarnation(), found.identity().incarnation());
            assertEquals(Zxid.of(1, 3), found.base());
            assertEquals(Zxid.of(1, 5), found.logEnd());
            assertThrows(StoreException.class, () -> open("s", "l", 1), "it is in use");
        }
        assertThrows(StoreException.class, () -> open("s", "l", 2));
    }

    @Test
    @DisplayName("b347: the same folder twice is one")
    void together() throws Exception {
        write("d", "d", 1);
        try (Store store = open("d", "d", 1)) {
            assertEquals(Zxid.of(1, 5), store.recovered().logEnd());
        }
        assertTrue(names("d").containsAll(List.of("CURRENT", "log.1", "state.1")));
    }

    @Test
    void partsOfTwoMembersAreRefused() throws Exception {
        write("s1", "l1", 1);
        write("s2", "l2", 2);
        write("s3", "l3", 1);
        for (String state : new String[] {"s2", "s3"}) {
            StoreException refused = assertThrows(StoreException.class, () -> open(state, "l1", 1));
            assertTrue(refusal(refused).contains("not of one member"), refusal(refused));
        }
        StoreException noLog = assertThrows(StoreException.class, () -> open("s1", "new", 1));
        assertTrue(refusal(noLog).contains("whose log is not in dataLogDir"), refusal(noLog));
        // Nothing was touched: the right ones still fit.
        open("s1", "l1", 1).close();
        open("s2", "l2", 2).close();
    }

    /// What it acked cannot be proved any more (`safety.md` 9).
    @Test
    void aLostStateMakesItAnotherMember() throws Exception {
        Identity before = write("s", "l", 1);
        try (Store store = open("new", "l", 1)) {
            Recovered found = store.recovered();
            assertEquals(Identity.State.BLANK, found.identity().state());
            assertNotEquals(before.incarnation(), found.identity().incarnation());
            assertEquals(1, found.warnings().size());
        }
        open("new", "l", 1).close();
        StoreException refused = assertThrows(StoreException.class, () -> open("s", "l", 1));
        assertTrue(refusal(refused).contains("incarnation"), refusal(refused));
    }

    @Test
    void dataFromBeforeIsMovedAsTheErrorSays() throws Exception {
        Identity identity = write("d", "d", 1);
        StoreException refused = assertThrows(StoreException.class, () -> open("d", "l", 1));
        assertTrue(refusal(refused).contains("copy the file identity back"), refusal(refused));
        for (String name : names("d")) {
            if (!name.startsWith("state.")) {
                Files.move(
                        folder.resolve("d/" + name),
                        folder.resolve("l/" + name),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.copy(folder.resolve("l/identity"), folder.resolve("d/state-identity"));
        try (Store store = open("d", "l", 1)) {
            assertEquals(identity.incarnation(), store.recovered().identity().incarnation());
            assertEquals(Zxid.of(1, 5), store.recovered().logEnd());
        }
        assertThrows(StoreException.class, () -> open("d", "d", 1));
    }
}
