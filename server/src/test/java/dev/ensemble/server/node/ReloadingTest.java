package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A server whose file is a mounted ConfigMap: a link to a folder that is replaced.
@Timeout(120)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class ReloadingTest {
    @TempDir private Path folder = Path.of("");
    private final HttpClient http = HttpClient.newHttpClient();
    private int versions;

    /// As kubelet does it: the files of a new folder, and one link that changes at once.
    private Path mount(String more) throws IOException {
        Path version = Files.createDirectory(folder.resolve("..v" + ++versions));
        Files.writeString(
                version.resolve("zoo.cfg"),
                "dataDir="
                        + folder.resolve("d")
                        + "\nclientPort=0\nclientPortAddress=127.0.0.1\n"
                        + "admin.serverAddress=127.0.0.1\nadmin.serverPort=0\n"
                        + more);
        Path fresh = folder.resolve("..data_tmp");
        Files.createSymbolicLink(fresh, version.getFileName());
        Files.move(
                fresh,
                folder.resolve("..data"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        Path file = folder.resolve("zoo.cfg");
        if (!Files.exists(file)) {
            Files.createSymbolicLink(file, Path.of("..data", "zoo.cfg"));
        }
        return file;
    }

    private String hash() throws InvalidConfig {
        return Config.load(folder.resolve("zoo.cfg"), OptionalInt.empty()).hash();
    }

    @Test
    void aNewVersionOfTheConfigMapIsInForceWithoutARestart() throws Exception {
        Path file = mount("tickTime=500\n4lw.commands.whitelist=srvr\n");
        try (ServerNode node = ServerNode.start(Config.load(file, OptionalInt.empty()))) {
            String first = hash();
            await(() -> first.equals(status(node).get("configHash")));
            assertTrue(word(node, "ruok").contains("not in the whitelist"));
            await(() -> "{waiting=[], refused=null}".equals("" + status(node).get("file")));

            mount("tickTime=500\n4lw.commands.whitelist=ruok\nmaxSessionTimeout=77777\n");
            String second = hash();
            assertNotEquals(first, second);
            await(() -> second.equals(status(node).get("configHash")));
            assertEquals("imok", word(node, "ruok"));
            assertEquals(77_777, command(node, "configuration").get("max_session_timeout"));

            mount("tickTime=600\n4lw.commands.whitelist=ruok\nmaxSessionTimeout=88888\n");
            await(() -> file(node, "waiting").equals(List.of("tickTime")));
            assertEquals(88_888, command(node, "configuration").get("max_session_timeout"));
            assertEquals(500, command(node, "configuration").get("tick_time"));
            assertNotEquals(hash(), status(node).get("configHash"));
            String warnings = "" + status(node).get("warnings");
            assertTrue(warnings.contains("counting from the next start on: tickTime"), warnings);

            mount("tickTime=500\nmaxSessionTimeout=many\n");
            await(() ->
                    status(node).get("file") instanceof Map<?, ?> is && is.get("refused") != null);
            assertEquals(
                    "maxSessionTimeout=many is not valid: it must be a whole number of at least -1",
                    file(node, "refused"));
            assertEquals(88_888, command(node, "configuration").get("max_session_timeout"));
            assertEquals("imok", word(node, "ruok"), "nothing of it is in force");

            Files.delete(folder.resolve("..data"));
            await(() -> ("" + file(node, "refused")).contains("cannot be read"));

            mount("tickTime=500\n4lw.commands.whitelist=srvr\n");
            await(() -> first.equals(status(node).get("configHash")));
            await(() -> "{waiting=[], refused=null}".equals("" + status(node).get("file")));
            assertFalse(("" + status(node).get("warnings")).contains("changed"));
            assertTrue(word(node, "ruok").contains("not in the whitelist"));
        }
    }

    @Test
    void limitsHoldForNewConnectionsAtOnce() throws Exception {
        Path file = mount("maxClientCnxns=1\n");
        try (ServerNode node = ServerNode.start(Config.load(file, OptionalInt.empty()));
                ZooKeeper first = connect(node, "who:ever")) {
            // It has an answer: it was counted before the next one, maybe by another thread.
            assertTrue(first.getState().isConnected());
            await(() -> word(node, "srvr").isEmpty());
            mount("maxClientCnxns=2\n");
            await(() -> word(node, "srvr").contains("Mode: standalone"));
        }
    }

    /// A Secret that is mounted beside the file, and replaced.
    @Test
    void theSuperuserChangesWithoutARestart() throws Exception {
        Path password = folder.resolve("password");
        Path digest = folder.resolve("digest");
        Path file =
                mount(
                        "DigestAuthenticationProvider.superPasswordFile="
                                + password
                                + "\nDigestAuthenticationProvider.superDigestFile="
                                + digest
                                + "\n");
        try (ServerNode node = ServerNode.start(Config.load(file, OptionalInt.empty()))) {
            await(() -> status(node).get("superUser") != null);
            assertEquals(
                    "{known=false, problem=nothing is in " + digest + " or " + password + "}",
                    "" + status(node).get("superUser"));
            try (ZooKeeper owner = connect(node, "owner:x")) {
                owner.create(
                        "/mine", new byte[0], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
            }
            assertFalse(reads(node, "super:one"));
            Files.writeString(password, "one\n");
            await(() -> reads(node, "super:one"));
            assertEquals("{known=true, problem=null}", "" + status(node).get("superUser"));
            assertFalse(reads(node, "super:two"));

            Files.writeString(digest, "no digest");
            await(() -> ("" + status(node).get("superUser")).contains("problem=" + digest));
            assertFalse(("" + status(node)).contains("no digest"), "it may be a secret");
            assertTrue(reads(node, "super:one"), "what was there before counts");

            Files.writeString(digest, DigestAuthenticationProvider.generateDigest("boss:three"));
            Files.writeString(password, "two");
            await(() -> reads(node, "super:two") && reads(node, "boss:three"));
            assertFalse(reads(node, "super:one"));
            Files.delete(password);
            Files.delete(digest);
            await(() -> !reads(node, "super:two") && !reads(node, "boss:three"));
        }
    }

    private static boolean reads(ServerNode node, String who) throws Exception {
        try (ZooKeeper client = connect(node, who)) {
            client.getData("/mine", false, null);
            return true;
        } catch (KeeperException.NoAuthException _) {
            return false;
        }
    }

    private static ZooKeeper connect(ServerNode node, String who) throws Exception {
        var connected = new CountDownLatch(1);
        var client =
                new ZooKeeper(
                        "127.0.0.1:" + node.ports().client(),
                        10_000,
                        event -> {
                            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                                connected.countDown();
                            }
                        });
        assertTrue(connected.await(60, TimeUnit.SECONDS));
        client.addAuthInfo("digest", who.getBytes(StandardCharsets.UTF_8));
        return client;
    }

    private Object file(ServerNode node, String key) throws IOException, InterruptedException {
        Object found = status(node).get("file") instanceof Map<?, ?> is ? is.get(key) : null;
        return found == null ? "nothing" : found;
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        var pause = new CountDownLatch(1); // Nobody counts it down: the file tells nothing.
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < deadline, "it does not come true");
            assertFalse(pause.await(50, TimeUnit.MILLISECONDS));
        }
    }

    private Map<String, Object> status(ServerNode node) throws IOException, InterruptedException {
        return json(node, "/v1/status");
    }

    private Map<String, Object> command(ServerNode node, String name)
            throws IOException, InterruptedException {
        return json(node, "/commands/" + name);
    }

    private Map<String, Object> json(ServerNode node, String path)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + node.ports().admin() + path);
        HttpResponse<String> response =
                http.send(
                        HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        return JSON.std.mapFrom(response.body());
    }

    private static String word(ServerNode node, String word) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), node.ports().client())) {
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (java.net.SocketException _) {
            return ""; // Refused by a close.
        }
    }
}
