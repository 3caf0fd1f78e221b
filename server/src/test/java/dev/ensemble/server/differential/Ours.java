package dev.ensemble.server.differential;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.ServerNode;
import dev.ensemble.server.node.StartFailure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/// Ours, one server alone, in this process.
final class Ours implements AutoCloseable {
    private final Path folder;
    private final Flavour flavour;
    private ServerNode node;
    private int starts;

    Ours(Path folder, Flavour flavour) {
        this.folder = folder;
        this.flavour = flavour;
    }

    /// See [Original#fresh()].
    int fresh() throws IOException {
        close();
        Path data = Files.createDirectories(folder.resolve("ours" + ++starts));
        Path file = data.resolve("zoo.cfg");
        Files.writeString(
                file,
                String.join(
                        "\n",
                        "dataDir=" + data.resolve("data"),
                        "clientPort=0",
                        "clientPortAddress=127.0.0.1",
                        "tickTime=2000",
                        "maxClientCnxns=0",
                        "admin.serverAddress=127.0.0.1",
                        "admin.serverPort=0",
                        "extendedTypesEnabled=" + flavour.extendedTypes(),
                        "enforceQuota=" + flavour.enforceQuota(),
                        "znode.container.checkIntervalMs=1000000000",
                        "DigestAuthenticationProvider.superDigest=" + Original.superDigest(),
                        ""));
        try {
            node = ServerNode.start(Config.load(file, OptionalInt.empty()));
        } catch (InvalidConfig | StartFailure e) {
            throw new IllegalStateException(e);
        }
        awaitServing(node.ports().client());
        return node.ports().client();
    }

    /// The port is bound a moment before the member has elected itself.
    private static void awaitServing(int port) throws IOException {
        boolean serving = false;
        while (!serving) {
            try (var connection = new Connection(port)) {
                connection.send(Connection.handshake(0, 1000, 1, new byte[16], true));
                serving = connection.receive() != null; // Refused, but answered.
            }
        }
    }

    @Override
    public void close() {
        if (node != null) {
            node.close();
            node = null;
        }
    }
}
