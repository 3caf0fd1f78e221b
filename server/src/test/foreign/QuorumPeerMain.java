package org.apache.zookeeper.server.quorum;

import dev.ensemble.server.tool.Main;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Lets foreign test suites that start ZooKeeper by its main class start ours: the `zookeeper.*`
/// properties of the command line go into the configuration, as they count there.
///
/// Not part of the build: see `docs/testing.md`.
public final class QuorumPeerMain {
    private QuorumPeerMain() {}

    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        var text = new StringBuilder(Files.readString(file)).append('\n');
        for (String name : System.getProperties().stringPropertyNames()) {
            if (name.startsWith("zookeeper.")
                    && !name.endsWith(".log.dir")
                    && !name.endsWith(".root.logger")) {
                text.append(name.substring(10)).append('=').append(System.getProperty(name));
                text.append('\n');
            }
        }
        if (Boolean.getBoolean("readonlymode.enabled")) {
            text.append("readonlymode.enabled=true\n");
        }
        Path ours = Files.writeString(file.resolveSibling("ensemble.cfg"), text);
        Main.main(new String[] {"serve", ours.toString()});
    }
}
