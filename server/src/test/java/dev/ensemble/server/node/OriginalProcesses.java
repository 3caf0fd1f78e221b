package dev.ensemble.server.node;

import dev.ensemble.server.node.MemberProcesses.Condition;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An ensemble of the original on this machine, to be measured beside ours: version and class path
/// are those of the tests' client, the settings those that the original is delivered with.
final class OriginalProcesses extends Processes {
    private static final int ANSWER_MILLIS = 2000;

    private final Path folder;
    private final int[] ports;

    /// @param folder that the members' folders and logs go into
    OriginalProcesses(Path folder, int size) throws IOException {
        super(size);
        this.folder = folder;
        this.ports = MemberProcesses.freePorts(size * 3);
        for (int id : ids()) {
            Files.writeString(
                    Files.createDirectories(dataDir(id)).resolve("myid"), Integer.toString(id));
            Files.writeString(folder.resolve("zoo" + id + ".cfg"), config(id));
        }
    }

    private String config(int id) {
        var text = new StringBuilder();
        text.append("tickTime=2000\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=0\n");
        text.append("dataDir=").append(dataDir(id)).append('\n');
        text.append("clientPort=").append(clientPort(id)).append('\n');
        text.append("clientPortAddress=127.0.0.1\nmaxSessionTimeout=60000\n");
        text.append("admin.enableServer=false\n4lw.commands.whitelist=*\n");
        for (int other : ids()) {
            text.append(
                    String.format(
                            "server.%d=127.0.0.1:%d:%d%n",
                            other, ports[(other - 1) * 3 + 1], ports[(other - 1) * 3 + 2]));
        }
        return text.toString();
    }

    private Path dataDir(int id) {
        return folder.resolve("original" + id);
    }

    @Override
    int clientPort(int id) {
        return ports[(id - 1) * 3];
    }

    @Override
    void start(int id) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "-Xmx1000m", // As the original's own scripts have it.
                                "-Dlogback.configurationFile=logback.xml",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                folder.resolve("zoo" + id + ".cfg").toString()));
        run(id, command);
    }

    @Override
    Path logFile(int id) {
        return folder.resolve("original" + id + ".log");
    }

    @Override
    int awaitLeader() throws InterruptedException {
        int[] leader = new int[1];
        await(
                "leader",
                () -> {
                    for (int id : ids()) {
                        if (figures(id).getOrDefault("zk_server_state", "").equals("leader")) {
                            leader[0] = id;
                            return true;
                        }
                    }
                    return false;
                });
        return leader[0];
    }

    @Override
    void awaitAllSynced() throws InterruptedException {
        await(
                "server in sync",
                () -> {
                    String others = Integer.toString(ids().size() - 1);
                    boolean synced = false;
                    for (int id : ids()) {
                        Map<String, String> figures = figures(id);
                        if (!figures.containsKey("zk_server_state")) {
                            return false;
                        }
                        synced |= others.equals(figures.get("zk_synced_followers"));
                    }
                    return synced;
                });
    }

    private static void await(String what, Condition condition) throws InterruptedException {
        MemberProcesses.await(what, condition, 120, () -> "");
    }

    /// {@return what `mntr` says; empty while it does not serve}
    private Map<String, String> figures(int id) {
        var figures = new HashMap<String, String>();
        try (var socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort(id)),
                    ANSWER_MILLIS);
            socket.setSoTimeout(ANSWER_MILLIS);
            socket.getOutputStream().write("mntr".getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            for (String line :
                    new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
                int tab = line.indexOf('\t');
                if (tab > 0) {
                    figures.put(line.substring(0, tab), line.substring(tab + 1));
                }
            }
        } catch (IOException _) {
            return Map.of();
        }
        return figures;
    }
}
