package dev.ensemble.server.tool;

import org.apache.zookeeper.server.ServerCnxn;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/// The original, one server alone, on a free port of the loopback address.
public final class OriginalServer implements AutoCloseable {
    private final ZooKeeperServer server;
    private final ServerCnxnFactory connections;

    private OriginalServer(ZooKeeperServer server, ServerCnxnFactory connections) {
        this.server = server;
        this.connections = connections;
    }

    /// @param dir empty
    public static OriginalServer start(Path dir) throws IOException, InterruptedException {
        return start(dir, 500);
    }

    public static OriginalServer start(Path dir, int tickMillis)
            throws IOException, InterruptedException {
        System.setProperty("zookeeper.4lw.commands.whitelist", "*");
        var server = new ZooKeeperServer(dir.toFile(), dir.toFile(), tickMillis);
        var connections =
                ServerCnxnFactory.createFactory(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
        connections.startup(server);
        return new OriginalServer(server, connections);
    }

    public String connectString() {
        return "127.0.0.1:" + connections.getLocalPort();
    }

    public int port() {
        return connections.getLocalPort();
    }

    /// {@return for what only the server itself can be asked}
    public ZooKeeperServer server() {
        return server;
    }

    /// Drops every connection and keeps the sessions.
    public void dropConnections() {
        connections.closeAll(ServerCnxn.DisconnectReason.CLOSE_ALL_CONNECTIONS_FORCED);
    }

    public void endSession(long session) {
        server.closeSession(session);
    }

    @Override
    public void close() {
        connections.shutdown();
    }
}
