package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import com.sun.net.httpserver.HttpServer;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.tool.s3.Bucket;
import dev.ensemble.server.tool.s3.S3Server;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// A member's backup goes to a bucket, is read back and verified, becomes the data of a member, and
/// makes room for later ones.
@Timeout(180)
final class BackupBucketTest {
    private static final long TIME = 1_800_000_000_000L;
    private static final long HOUR_MILLIS = 3_600_000;
    private static final int ZNODES = 12;

    /// So that a backup needs more than one part.
    private static final int LARGE_BYTES = 1_000_000;

    @TempDir private Path folder = Path.of("");

    @SuppressWarnings("NullAway.Init") // Before each test.
    private S3Server store;

    @SuppressWarnings("NullAway.Init")
    private HttpServer member;

    private byte[] backup = new byte[0];
    private Path report = Path.of("");
    private Path secret = Path.of("");
    private Path credentials = Path.of("");

    @BeforeEach
    void start() throws Exception {
        store = new S3Server();
        credentials = S3Server.credentials(Files.createDirectory(folder.resolve("credentials")));
        secret = Files.writeString(folder.resolve("secret"), "open, sesame");
        report = folder.resolve("report");
        member = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        member.createContext(
                "/v1/backup",
                exchange -> {
                    exchange.sendResponseHeaders(200, backup.length);
                    try (OutputStream body = exchange.getResponseBody()) {
                        body.write(backup);
                    }
                });
        member.start();
        holds("orders", TIME);
    }

    @AfterEach
    void stop() throws Exception {
        member.stop(0);
        store.stop();
    }

    private void holds(String ensemble, long timeMillis) throws IOException {
        holds(ensemble, timeMillis, 1000);
    }

    /// Lets the member have a tree that cannot be packed.
    private void holds(String ensemble, long timeMillis, int znodeBytes) throws IOException {
        var self = new Ensemble.Member(1, "m1", 2888, 3888, Ensemble.Role.PARTICIPANT, null, 0);
        Tree tree = Tree.initial();
        tree =
                apply(
                        tree,
                        new Txn.Configure(Ensemble.declared(ensemble, List.of(self)).atLevel(2)));
        var random = new Random(1);
        for (int i = 0; i < ZNODES; i++) {
            byte[] data = new byte[znodeBytes];
            random.nextBytes(data);
            tree = apply(tree, new Txn.Create("/" + i, data, Acl.OPEN, 0));
        }
        var out = new ByteArrayOutputStream();
        BackupFile.write(tree, 1, timeMillis, out);
        backup = out.toByteArray();
    }

    private static Tree apply(Tree tree, Txn txn) {
        long zxid = tree.zxid() == 0 ? Zxid.of(6, 1) : tree.zxid() + 1;
        return tree.apply(zxid, new Header(0, 1, 1, 1, TIME), txn).tree();
    }

    private List<String> s3() {
        return List.of(
                "--s3-endpoint", store.endpoint().toString(), "--s3-credentials", "" + credentials);
    }

    private int backup(String place, String... more) throws IOException {
        Files.deleteIfExists(report);
        var arguments =
                new ArrayList<>(
                        List.of(
                                "backup",
                                place,
                                "--from",
                                "http://127.0.0.1:" + member.getAddress().getPort(),
                                "--secret-file",
                                secret.toString(),
                                "--patience",
                                "0",
                                "--scratch",
                                folder.resolve("scratch").toString(),
                                "--report",
                                report.toString()));
        arguments.addAll(s3());
        arguments.addAll(List.of(more));
        return Main.commandLine().execute(arguments.toArray(String[]::new));
    }

    private String said() throws IOException {
        return Files.readString(report);
    }

    private List<String> kept(String inFolder) throws IOException {
        var access = new Bucket.Access(store.endpoint(), "us-east-1", true, credentials);
        try (Bucket bucket = Bucket.of(S3Server.BUCKET, access)) {
            return bucket.names(inFolder).stream().sorted().toList();
        }
    }

    /// {@return what the command prints, of both streams}
    private String run(int code, String... arguments) {
        var out = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        var all = new ArrayList<>(List.of(arguments));
        all.addAll(s3());
        assertEquals(code, line.execute(all.toArray(String[]::new)), out::toString);
        return out.toString();
    }

    private Path configuration(String name) throws IOException {
        return Files.writeString(
                folder.resolve(name + ".cfg"),
                """
                dataDir=%s
                clientPort=0
                ensembleId=again
                server.1=127.0.0.1:2888:3888
                """
                        .formatted(folder.resolve(name)));
    }

    @Test
    void whatWentThereComesBack() throws Exception {
        holds("orders", TIME, LARGE_BYTES);
        assertEquals(0, backup("s3://vault/daily/first.ensemble"), this::reported);
        assertEquals(1L * backup.length, ((Number) reported("bytes")).longValue());
        assertEquals("0x60000000d", reported("zxid"));
        try (Stream<Path> left = Files.list(folder.resolve("scratch"))) {
            assertEquals(List.of(), left.toList());
        }
        assertEquals(2, backup("s3://vault/daily/first.ensemble"), this::reported);
        assertTrue(said().contains("s3://vault/daily/first.ensemble is there already"), said());

        String shown = run(0, "inspect", "backup", "s3://vault/daily/first.ensemble");
        assertTrue(shown.contains("ensemble orders"), shown);
        assertTrue(shown.contains("of 0x60000000d"), shown);
        String config = configuration("again").toString();
        String[] restore = {
            "restore", "s3://vault/daily/first.ensemble", "--config", config, "--myid", "1"
        };
        run(0, restore);
        assertTrue(Files.exists(folder.resolve("again/data/identity")));
        run(3, restore);
        run(
                1,
                "restore",
                "s3://vault/daily/second.ensemble",
                "--config",
                configuration("never").toString(),
                "--myid",
                "1");
        assertFalse(Files.exists(folder.resolve("never/data/identity")));
    }

    private String reported() {
        try {
            return said();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private Object reported(String key) throws IOException {
        return String.valueOf(JSON.std.mapFrom(said()).get(key)).matches("[0-9]+")
                ? Long.valueOf(String.valueOf(JSON.std.mapFrom(said()).get(key)))
                : String.valueOf(JSON.std.mapFrom(said()).get(key));
    }

    /// The store checks what arrives; what it gives back, nobody but us.
    @Test
    void whatIsGivenBackAsSomethingElseIsNoBackup() throws Exception {
        holds("orders", TIME, LARGE_BYTES);
        store.relay().flipDownloads(1_000_000);
        assertEquals(1, backup("s3://vault/daily/first.ensemble"), this::reported);
        assertTrue(said().contains("gives back something else than was uploaded"), said());
        store.relay().flipDownloads(0);
        assertEquals(List.of(), kept("daily/"));
    }

    @Test
    void aConnectionThatIsCutCostsATry() throws Exception {
        holds("orders", TIME, LARGE_BYTES);
        store.relay().cut(2, 1_000_000);
        assertEquals(0, backup("s3://vault/daily/first.ensemble"), this::reported);
        assertEquals(List.of("first.ensemble"), kept("daily/"));
    }

    @Test
    void theOldestMakeRoomInTheirFolder() throws Exception {
        assertEquals(0, backup("s3://vault/other/old.ensemble"));
        assertEquals(0, backup("s3://vault/daily/1.ensemble"));
        holds("orders", TIME + HOUR_MILLIS);
        assertEquals(0, backup("s3://vault/daily/2.ensemble"));
        holds("bills", TIME);
        assertEquals(0, backup("s3://vault/daily/bills.ensemble"));
        holds("orders", TIME + 2 * HOUR_MILLIS);
        assertEquals(0, backup("s3://vault/daily/3.ensemble", "--keep", "2"), this::reported);
        assertEquals("[1.ensemble]", reported("deleted"));
        assertEquals(List.of("2.ensemble", "3.ensemble", "bills.ensemble"), kept("daily/"));
        assertEquals(List.of("old.ensemble"), kept("other/"));
        holds("orders", TIME + 26 * HOUR_MILLIS);
        assertEquals(0, backup("s3://vault/daily/4.ensemble", "--keep-hours", "24"));
        assertEquals(List.of("3.ensemble", "4.ensemble", "bills.ensemble"), kept("daily/"));
    }

    @Test
    void aFolderKeepsRoomInTheSameWay() throws Exception {
        Path files = folder.resolve("files");
        for (int i = 1; i <= 3; i++) {
            holds("orders", TIME + i * HOUR_MILLIS);
            assertEquals(0, backup(files + "/" + i + ".ensemble", "--keep", "2"), this::reported);
        }
        try (Stream<Path> left = Files.list(files)) {
            assertEquals(
                    List.of("2.ensemble", "3.ensemble"),
                    left.map(each -> String.valueOf(each.getFileName())).sorted().toList());
        }
    }

    @Test
    void whatCannotBeMeantIsRefused() throws Exception {
        assertEquals(2, backup("s3://vault"));
        assertTrue(said().contains("'s3://vault' names no object"), said());
        assertEquals(2, backup("s3://vault/a//b"));
        assertEquals(2, backup("s3://vault/a", "--s3-path-style", "maybe"));
        assertEquals(
                2,
                Main.commandLine()
                        .execute(
                                "restore",
                                "s3://vault/a",
                                "--config",
                                configuration("x").toString(),
                                "--myid",
                                "1"),
                "no credentials");
        Files.delete(credentials.resolve(Bucket.SECRET_KEY));
        assertEquals(1, backup("s3://vault/a"));
        assertTrue(said().contains("AWS_SECRET_ACCESS_KEY is missing or empty"), said());
    }
}
