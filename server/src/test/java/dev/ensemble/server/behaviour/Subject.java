package dev.ensemble.server.behaviour;

import dev.ensemble.server.net.RawClient;
import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;
import dev.ensemble.server.tool.OriginalServer;

import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/// The server alone that behaviours are tried on, in this process.
///
/// With `-Densemble.original=true` it is the original, on which the same tests must pass: that
/// checks what they expect.
@SuppressWarnings("try") // The close of a stock client may be interrupted.
final class Subject implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();

    /// What the tests need beside the defaults; the original takes them as system properties.
    private static final List<String> LINES =
            List.of(
                    "extendedTypesEnabled=true",
                    "enforceQuota=true",
                    "znode.container.checkIntervalMs=100",
                    "DigestAuthenticationProvider.superDigest=super:" + Acls.SUPER_DIGEST);

    private final Path folder;
    private final List<String> lines;
    private final Deque<ZooKeeper> clients = new ArrayDeque<>();
    private final Deque<RawClient> raws = new ArrayDeque<>();
    private @Nullable ServerNode ours;
    private @Nullable OriginalServer original;

    private Subject(Path folder, List<String> lines) {
        this.folder = folder;
        this.lines = lines;
    }

    static boolean isOriginal() {
        return Boolean.getBoolean("ensemble.original");
    }

    /// @param lines of the configuration, beside those that all tests share
    static Subject start(Path folder, String... lines) throws Exception {
        var all = new ArrayList<>(LINES);
        all.addAll(List.of(lines));
        var subject = new Subject(folder, all);
        subject.start();
        return subject;
    }

    private void start() throws Exception {
        if (isOriginal()) {
            for (String line : lines) {
                int equals = line.indexOf('=');
                System.setProperty(
                        "zookeeper." + line.substring(0, equals), line.substring(equals + 1));
            }
            original = OriginalServer.start(folder);
            return;
        }
        Path file = folder.resolve("zoo.cfg");
        Files.writeString(
                file,
                "dataDir="
                        + folder.resolve("d")
                        + "\n"
                        + "clientPort=0\n"
                        + "clientPortAddress=127.0.0.1\n"
                        + "tickTime=500\n"
                        + "maxClientCnxns=1000\n"
                        + "admin.enableServer=false\n"
                        + "4lw.commands.whitelist=*\n"
                        + String.join("\n", lines)
                        + "\n");
        ours = ServerNode.start(Config.load(file, OptionalInt.empty()));
        Clients.await("it serves", this::isServing);
    }

    private boolean isServing() throws IOException {
        try (RawClient raw = new RawClient(address())) {
            raw.send(Acls.bytes("isro"));
            return raw.rest().equals("rw");
        }
    }

    /// Stops the server and starts it on its data, at another port.
    void restart() throws Exception {
        closeClients();
        stop();
        start();
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port());
    }

    private int port() {
        if (ours != null) {
            return ours.ports().client();
        }
        if (original == null) {
            throw new IllegalStateException("not started");
        }
        String text = original.connectString();
        return Integer.parseInt(text.substring(text.indexOf(':') + 1));
    }

    String connectString() {
        return "127.0.0.1:" + port();
    }

    /// {@return a connected client, closed with the subject if not before}
    ZooKeeper client() throws Exception {
        return client(new Events());
    }

    ZooKeeper client(Events events) throws Exception {
        return client(events, 10_000);
    }

    ZooKeeper client(Events events, int timeoutMillis) throws Exception {
        ZooKeeper client = Clients.connect(connectString(), timeoutMillis, events);
        clients.push(client);
        return client;
    }

    /// {@return a client without a session, closed with the subject if not before}
    RawClient raw() throws IOException {
        var raw = new RawClient(address());
        raws.push(raw);
        return raw;
    }

    /// {@return a client with a session}
    RawClient connected() throws IOException {
        RawClient raw = raw();
        var _ = raw.connect();
        return raw;
    }

    /// {@return a znode that no other test has}
    static String fresh(ZooKeeper client) throws Exception {
        return Clients.make(client, "/t" + COUNT.incrementAndGet());
    }

    static String freshPath() {
        return "/t" + COUNT.incrementAndGet();
    }

    void closeClients() throws Exception {
        while (!raws.isEmpty()) {
            raws.pop().close();
        }
        while (!clients.isEmpty()) {
            clients.pop().close(5_000);
        }
    }

    private void stop() {
        if (ours != null) {
            ours.close();
            ours = null;
        }
        if (original != null) {
            original.close();
            original = null;
        }
    }

    @Override
    public void close() throws Exception {
        closeClients();
        stop();
    }
}
