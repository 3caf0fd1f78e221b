package dev.ensemble.e2e.client;

import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;

import java.io.IOException;

/// Whom clients connect to, and how.
///
/// @param connect addresses, as the library takes them
/// @param timeoutMillis of the sessions
/// @param trusted file with the certificates in PEM that the servers' are signed by, read anew for
///   each connection; empty for plaintext
record Servers(String connect, int timeoutMillis, String trusted) {
    /// {@return a client that has begun to connect}
    ZooKeeper open(Watcher watcher) throws IOException {
        var config = new ZKClientConfig();
        if (!trusted.isEmpty()) {
            config.setProperty(
                    ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET,
                    "org.apache.zookeeper.ClientCnxnSocketNetty");
            config.setProperty(ZKClientConfig.SECURE_CLIENT, "true");
            config.setProperty("zookeeper.ssl.trustStore.location", trusted);
            config.setProperty("zookeeper.ssl.trustStore.type", "PEM");
        }
        return new ZooKeeper(connect, timeoutMillis, watcher, config);
    }
}
