package org.apache.zookeeper.server;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// Lets the tests of ZooKeeper's own client run unchanged: they make their server through a
/// connection factory that a system property names. This one starts a server of ours where theirs
/// would listen, on a folder inside theirs, with the `zookeeper.*` properties of the moment as its
/// configuration. Their server is made and registered as they expect, and serves nobody.
///
/// Not part of the build: see `docs/testing.md`.
public final class EnsembleCnxnFactory extends ServerCnxnFactory {
    private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private int perHost = 60;
    private ServerNode node;

    @Override
    public void configure(InetSocketAddress address, int maxcc, int backlog, boolean secure) {
        this.address = address;
        this.perHost = maxcc;
        this.secure = secure;
    }

    @Override
    public void startup(ZooKeeperServer zks, boolean startServer)
            throws IOException, InterruptedException {
        setZooKeeperServer(zks);
        if (node == null) {
            node = start(zks);
        }
        awaitServing();
        zks.startdata();
        zks.registerJMX();
    }

    private ServerNode start(ZooKeeperServer zks) throws IOException {
        File data = zks.getTxnLogFactory().getDataLogDir();
        Path folder = data.toPath().toAbsolutePath().getParent().resolve("ensemble");
        Files.createDirectories(folder);
        var text = new StringBuilder();
        text.append("dataDir=").append(folder).append('\n');
        text.append("clientPort=").append(address.getPort()).append('\n');
        text.append("clientPortAddress=127.0.0.1\n");
        text.append("tickTime=").append(zks.getTickTime()).append('\n');
        text.append("minSessionTimeout=").append(zks.getMinSessionTimeout()).append('\n');
        text.append("maxSessionTimeout=").append(zks.getMaxSessionTimeout()).append('\n');
        text.append("maxClientCnxns=").append(Math.max(0, perHost)).append('\n');
        text.append("admin.enableServer=false\n");
        // Those that drive the server's own removal of containers have none to drive here.
        text.append("znode.container.checkIntervalMs=")
                .append(System.getProperty("znode.container.checkIntervalMs", "100"))
                .append('\n');
        for (String name : System.getProperties().stringPropertyNames()) {
            String key = name.startsWith("zookeeper.") ? name.substring(10) : name;
            boolean ours =
                    name.startsWith("zookeeper.")
                            && !key.startsWith("admin.")
                            && !key.startsWith("authProvider.") // Classes of the tests.
                            && !key.equals("serverCnxnFactory")
                            && !key.startsWith("ssl.") // Of the clients in this process.
                            && !key.startsWith("client.");
            if (ours || name.equals("jute.maxbuffer") || name.equals("readonlymode.enabled")) {
                text.append(key).append('=').append(System.getProperty(name)).append('\n');
            }
        }
        Path file = folder.resolve("zoo.cfg");
        Files.writeString(file, text);
        try {
            return ServerNode.start(Config.load(file, OptionalInt.empty()));
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private void awaitServing() throws InterruptedException {
        for (int i = 0; i < 300; i++) {
            try (var socket = new Socket("127.0.0.1", getLocalPort())) {
                socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
                String said =
                        new String(
                                socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                if (said.startsWith("Zookeeper version:")) {
                    return;
                }
            } catch (IOException e) {
                // Not yet.
            }
            Thread.sleep(20);
        }
    }

    @Override
    public int getLocalPort() {
        return node == null ? address.getPort() : node.ports().client();
    }

    @Override
    public InetSocketAddress getLocalAddress() {
        return new InetSocketAddress("127.0.0.1", getLocalPort());
    }

    @Override
    public void shutdown() {
        if (node != null) {
            node.close();
            node = null;
        }
        if (zkServer != null) {
            zkServer.unregisterJMX();
        }
    }

    @Override
    public Iterable<ServerCnxn> getConnections() {
        return List.of();
    }

    @Override
    public void reconfigure(InetSocketAddress to) {}

    @Override
    public int getMaxClientCnxnsPerHost() {
        return perHost;
    }

    @Override
    public void setMaxClientCnxnsPerHost(int max) {
        perHost = max;
    }

    @Override
    public int getSocketListenBacklog() {
        return -1;
    }

    @Override
    public void join() {}

    @Override
    public void start() {}

    @Override
    public void closeAll(ServerCnxn.DisconnectReason reason) {}

    @Override
    public void resetAllConnectionStats() {}

    @Override
    public Iterable<Map<String, Object>> getAllConnectionInfo(boolean brief) {
        return List.of();
    }
}
