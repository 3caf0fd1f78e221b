package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.tls.Authority;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// Real processes go from plaintext to TLS between members, one after the other, while clients
/// write: no write fails that was sent to a member that stayed.
@Timeout(300)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class TlsMigrationIT {
    private static final int SIZE = 3;
    private static final int SESSION_MILLIS = 40_000;
    private static final char[] PASSWORD = "secret".toCharArray();

    @TempDir Path folder;

    /// A client of one member, which sets its own znode again and again.
    private static final class Writer {
        final String path;
        final ZooKeeper zk;
        final AtomicBoolean ended = new AtomicBoolean();
        final AtomicInteger written = new AtomicInteger();

        /// Its member is being restarted: only then may it lose its connection.
        volatile boolean excused;

        Writer(MemberProcesses members, int id) throws IOException {
            path = "/writer-" + id;
            zk = new ZooKeeper("127.0.0.1:" + members.clientPort(id), SESSION_MILLIS, _ -> {});
        }

        /// {@return how often it has set it}
        int run() throws Exception {
            zk.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            int version = 0;
            while (!ended.get()) {
                byte[] data = Integer.toString(version).getBytes(StandardCharsets.UTF_8);
                try {
                    Stat stat = zk.setData(path, data, version);
                    assertEquals(version + 1, stat.getVersion());
                    version++;
                } catch (KeeperException.ConnectionLossException e) {
                    if (!excused) {
                        throw e;
                    }
                    version = versionAfterLoss(version);
                }
                written.set(version);
            }
            return version;
        }

        /// The write that was lost was done once, or not at all.
        private int versionAfterLoss(int before) throws Exception {
            while (true) {
                try {
                    int now = zk.exists(path, false).getVersion();
                    assertTrue(now == before || now == before + 1, now + " after " + before);
                    return now;
                } catch (KeeperException.ConnectionLossException e) {
                    if (!excused) {
                        throw e;
                    }
                }
            }
        }
    }

    private String stores(int id) {
        return "ssl.quorum.keyStore.location="
                + folder.resolve("zk-" + id + ".crt")
                + "\nssl.quorum.trustStore.location="
                + folder.resolve("ca.pem")
                + "\nsslQuorumReloadCertFiles=true\n";
    }

    @Test
    void noWriteFailsOnTheWayToTls() throws Exception {
        var authority = new Authority("all");
        authority.pem(folder.resolve("ca.pem"));
        authority.trustStore(folder.resolve("ca.p12"), "PKCS12", "secret");
        authority.issue("CN=test", "ip:127.0.0.1").store(own(), "PKCS12", "secret");
        for (int id = 1; id <= SIZE; id++) {
            authority.issue("CN=zk-" + id, "ip:127.0.0.1").pair(folder, "zk-" + id);
        }
        List<Writer> writers = new ArrayList<>();
        ExecutorService threads = Executors.newCachedThreadPool();
        try (var members = new MemberProcesses(folder, SIZE).startAll()) {
            members.awaitAllSynced();
            List<Future<Integer>> counts = new ArrayList<>();
            for (int id : members.ids()) {
                var writer = new Writer(members, id);
                writers.add(writer);
                counts.add(threads.submit(writer::run));
                members.await("writes of " + writer.path, () -> writer.written.get() > 0);
            }
            for (String step :
                    List.of(
                            "portUnification=true\n",
                            "portUnification=true\nsslQuorum=true\n",
                            "sslQuorum=true\n")) {
                for (int id : members.ids()) {
                    restart(members, writers, id, step);
                }
            }
            for (int id : members.ids()) {
                assertEquals("CN=zk-" + id, speaker(members.peerPort(id)));
                assertTrue(closesPlaintext(members.peerPort(id)));
            }
            // New certificates are used without a restart.
            authority.issue("CN=zk-new", "ip:127.0.0.1").pair(folder, "zk-1");
            members.await(
                    "new certificate", () -> speaker(members.peerPort(1)).equals("CN=zk-new"));
            for (Writer writer : writers) {
                int before = writer.written.get();
                members.await("writes of " + writer.path, () -> writer.written.get() > before + 10);
                writer.ended.set(true);
            }
            for (int i = 0; i < SIZE; i++) {
                Writer writer = writers.get(i);
                int version = result(counts.get(i), members);
                assertEquals(version, writer.zk.exists(writer.path, false).getVersion());
            }
        } finally {
            for (Writer writer : writers) {
                writer.ended.set(true);
                writer.zk.close();
            }
            threads.shutdownNow();
        }
    }

    private static int result(Future<Integer> count, MemberProcesses members) throws Exception {
        try {
            return count.get();
        } catch (ExecutionException e) {
            throw new AssertionError(members.logs(), e);
        }
    }

    private void restart(MemberProcesses members, List<Writer> writers, int id, String step)
            throws Exception {
        Writer writer = writers.get(id - 1);
        writer.excused = true;
        assertEquals(0, members.terminate(id));
        members.configure(id, stores(id) + step);
        members.start(id);
        members.awaitAllSynced();
        int before = writer.written.get();
        members.await("writes of " + writer.path, () -> writer.written.get() > before);
        writer.excused = false;
    }

    private Path own() {
        return folder.resolve("test.p12");
    }

    private KeyStore store(Path file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    /// {@return who shows a certificate at the port}
    private String speaker(int port) {
        try {
            var keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(store(own()), PASSWORD);
            var trusted = TrustManagerFactory.getInstance("PKIX");
            trusted.init(store(folder.resolve("ca.p12")));
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
            try (var socket =
                    (SSLSocket)
                            context.getSocketFactory()
                                    .createSocket(InetAddress.getLoopbackAddress(), port)) {
                socket.startHandshake();
                return socket.getSession().getPeerPrincipal().getName();
            }
        } catch (Exception e) {
            throw new AssertionError("no TLS on port " + port, e);
        }
    }

    /// {@return whether a member hangs up on one that begins a frame in plaintext}
    private static boolean closesPlaintext(int port) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(new byte[] {0, 0, 0, 20, 1, 2, 3, 4});
            // TLS answers with an alert, a record of type 21, or with nothing.
            byte[] answer = socket.getInputStream().readAllBytes();
            return answer.length == 0 || answer[0] == 21;
        }
    }
}
