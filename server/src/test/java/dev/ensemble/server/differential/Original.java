package dev.ensemble.server.differential;

import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/// The original, one server alone, in a process of its own: it is set up by system properties.
final class Original implements AutoCloseable {
    private static final int TICK_MILLIS = 2000;

    private final Path folder;
    private final Process process;
    private final BufferedReader out;
    private final PrintStream in;
    private int starts;

    Original(Path folder, Flavour flavour) throws IOException {
        this.folder = Files.createDirectories(folder);
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(
                List.of(
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        "-Dzookeeper.forceSync=no",
                        "-Dzookeeper.preAllocSize=64",
                        "-Dzookeeper.extendedTypesEnabled=" + flavour.extendedTypes(),
                        "-Dzookeeper.enforceQuota=" + flavour.enforceQuota(),
                        "-Dzookeeper.DigestAuthenticationProvider.superDigest=" + superDigest(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Original.class.getName()));
        process =
                new ProcessBuilder(command)
                        .redirectError(folder.resolve("original.err").toFile())
                        .start();
        out =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    static String superDigest() {
        try {
            return DigestAuthenticationProvider.generateDigest(Programs.SUPER);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Ends the server that is there, and starts one that has seen nothing.
    ///
    /// @return its client port
    int fresh() throws IOException {
        in.println(Files.createDirectories(folder.resolve("original" + ++starts)));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("port ")) {
                return Integer.parseInt(line.substring("port ".length()));
            }
        }
        throw new IOException("the original has ended; see " + folder.resolve("original.err"));
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /// The process: for each line, which names a folder, a server.
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        ServerCnxnFactory connections = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (connections != null) {
                shutDown(connections);
            }
            var server = new ZooKeeperServer(new File(line), new File(line), TICK_MILLIS);
            connections =
                    ServerCnxnFactory.createFactory(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            connections.startup(server);
            System.out.println("port " + connections.getLocalPort());
        }
        System.exit(0);
    }

    /// The original reads its log again when it stops, and fails at some that it has written.
    private static void shutDown(ServerCnxnFactory connections) {
        try {
            connections.shutdown();
        } catch (RuntimeException e) {
            System.err.println("the end of a server failed: " + e);
        }
    }
}
