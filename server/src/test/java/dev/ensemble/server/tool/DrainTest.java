package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;
import dev.ensemble.server.tls.Authority;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/// `ensemble drain`, also where the admin port speaks nothing but HTTPS.
@Timeout(120)
final class DrainTest {
    @TempDir private Path folder = Path.of("");

    private Path configuration(String name, int port) throws Exception {
        var authority = new Authority(name);
        authority.pem(folder.resolve(name + ".pem"));
        authority.issue("CN=zk-1", "dns:zk-1").pair(folder, name);
        return Files.writeString(
                folder.resolve(name + ".cfg"),
                String.format(
                        """
                        dataDir=%1$s/d
                        clientPort=0
                        clientPortAddress=127.0.0.1
                        admin.serverAddress=127.0.0.1
                        admin.serverPort=%3$d
                        admin.tokenFile=%1$s/token
                        admin.forceHttps=true
                        admin.needClientAuth=true
                        ssl.quorum.keyStore.location=%1$s/%2$s.crt
                        ssl.quorum.trustStore.location=%1$s/%2$s.pem
                        """,
                        folder, name, port));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static int drain(Path configuration) {
        return Main.commandLine().execute("drain", "--config", configuration.toString());
    }

    @Test
    void speaksHttpsAsAMemberDoes() throws Exception {
        int port = freePort();
        Path file = configuration("right", port);
        try (ServerNode node = ServerNode.start(Config.load(file, OptionalInt.empty()))) {
            assertNotEquals(0, drain(configuration("wrong", port)), "it trusts another authority");
            assertEquals(0, drain(file));
            assertTrue(node.ports().admin() == port);
        }
    }

    @Test
    void needsTheTokenOfTheMember() throws Exception {
        int port = freePort();
        String text =
                "dataDir=%1$s/d\nclientPort=0\nclientPortAddress=127.0.0.1\nadmin.serverPort=%2$d\n"
                                .formatted(folder, port)
                        + "admin.serverAddress=127.0.0.1\n";
        Path without = Files.writeString(folder.resolve("without.cfg"), text);
        Path file =
                Files.writeString(
                        folder.resolve("zoo.cfg"),
                        text + "admin.tokenFile=" + folder.resolve("token") + "\n");
        try (ServerNode node = ServerNode.start(Config.load(file, OptionalInt.empty()))) {
            assertEquals(2, drain(without));
            assertEquals(0, drain(file));
            assertTrue(node.ports().admin() == port);
        }
    }
}
