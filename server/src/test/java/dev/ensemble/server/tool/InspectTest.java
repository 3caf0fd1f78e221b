package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.LogWriter;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.store.TxnCodec;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

final class InspectTest {
    @TempDir Path parent;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private Path data = Path.of("");

    /// A member with five transactions, the state as of the third.
    @BeforeEach
    void write() throws Exception {
        data = parent.resolve("data");
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        try (Store store = Store.open(data, 4, HashKey.KNOWN, StoreOptions.DEFAULT)) {
            LogWriter log =
                    store.startLog(
                            new LogWriter.Listener() {
                                @Override
                                public void persisted(long ticket) {}

                                @Override
                                public void failed(Throwable cause) {
                                    failures.add(cause);
                                }
                            });
            log.submit(1, new DiskOp.Epochs(1, 1));
            Tree tree = Tree.initial();
            for (int i = 1; i <= 5; i++) {
                Payload payload =
                        new TxnCodec()
                                .encode(
                                        new Header(0, 4, 1, i, 1000),
                                        new Txn.Create("/z" + i, new byte[i], Acl.OPEN, 0));
                long zxid = Zxid.of(1, i);
                log.submit(1 + i, new DiskOp.Append(zxid, payload, Zxid.of(1, i - 1)));
                if (i <= 3) {
                    tree = tree.apply(zxid, payload.header(), payload.txn()).tree();
                }
            }
            log.close();
            store.flush(tree);
        }
        assertEquals(List.of(), failures);
    }

    private int inspect(String... arguments) {
        var line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        var all = new ArrayList<>(List.of("inspect"));
        all.addAll(List.of(arguments));
        return line.execute(all.toArray(String[]::new));
    }

    private void assertShows(String text) {
        assertTrue(out.toString().contains(text), out + "" + err);
    }

    @Test
    void showsWhoItIs() {
        assertEquals(0, inspect("identity", data.toString()));
        assertShows("  state blank\n");
        assertShows("  myid 4\n");
        assertShows("slot 0 copy 1: sequence 2, accepted 1, current 1\n");
        assertShows("  accepted 1\n  current 1\n");
    }

    @Test
    void showsTheLog() {
        assertEquals(0, inspect("log", data.toString()));
        assertShows("log.1:\n  begins behind 0x0\n  0000000100000001.log at 64: ");
        assertShows("  ends at 0x100000005, known to be committed 0x100000004\n");
        assertEquals(0, inspect("log", "--entries", data.toString()));
        assertShows(" session 0x0 from 4 at 1970-01-01T00:00:01Z create /z5\n");
    }

    @Test
    void showsTheState() {
        assertEquals(0, inspect("state", "--znodes", data.toString()));
        assertShows("  /z3 czxid 0x100000003 mzxid 0x100000003 version 0 3 bytes\n");
        assertShows("  of 0x100000003\n");
    }

    @Test
    void looksBesideARunningMember() throws Exception {
        try (Store store = Store.open(data, 4, HashKey.KNOWN, StoreOptions.DEFAULT)) {
            assertEquals(0, inspect("log", data.toString()));
            assertEquals(0, inspect("state", data.toString()));
            assertEquals(Zxid.of(1, 5), store.recovered().logEnd());
        }
    }

    @Test
    void showsDamageAndLeavesItAlone() throws Exception {
        Path segment = data.resolve("log.1/0000000100000001.log");
        byte[] content = Files.readAllBytes(segment);
        content[70] ^= 1; // The first batch; others follow, or it is the tail.
        content[20] ^= 1; // The segment's header.
        Files.write(segment, content);
        Files.write(data.resolve("epochs"), new byte[] {'x'});
        Files.delete(data.resolve("CURRENT"));
        assertEquals(1, inspect("identity", data.toString()));
        assertShows("epochs:\n  x\n  BAD: the file epochs does not fit its checksum\n");
        assertShows("CURRENT:\n  missing\n");
        inspect("log", data.toString());
        assertShows("so everything is shown");
        assertEquals(0, inspect("state", data.toString()));
        assertEquals(-1, java.util.Arrays.mismatch(content, Files.readAllBytes(segment)));
    }

    @Test
    void namesWhatIsWrong() {
        assertEquals(2, inspect());
        assertTrue(err.toString().contains("Name what to show: log, state, identity"));
        assertEquals(1, inspect("log", parent.toString()));
        assertTrue(err.toString().contains("is no data folder of a member"), err.toString());
        assertTrue(!err.toString().contains("Exception"), err.toString());
    }
}
