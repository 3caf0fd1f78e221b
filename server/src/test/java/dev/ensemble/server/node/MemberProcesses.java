package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.jr.ob.JSON;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// An ensemble of real processes on this machine, which tests start, kill and restart.
final class MemberProcesses extends Processes {
    private static final String MAIN = "dev.ensemble.server.tool.Main";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path folder;
    private final int founders;
    private final int[] ports;
    private final List<String> options;
    private final Network network;
    private final Map<Integer, String> builds = new HashMap<>();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    /// Where members find each other, if that is not plainly this machine.
    interface Network {
        /// {@return the name by which all call a member}
        String host(int id);

        /// {@return what the Java machine of a member needs, to find the others by these names}
        List<String> options(int id) throws IOException;
    }

    /// All on one address.
    private static final class OneAddress implements Network {
        @Override
        public String host(int id) {
            return "127.0.0.1";
        }

        @Override
        public List<String> options(int id) {
            return List.of();
        }
    }

    /// @param folder that the members' folders and logs go into
    MemberProcesses(Path folder, int size) throws IOException {
        this(folder, size, size, List.of());
    }

    /// @param options of the Java machine that each member is
    MemberProcesses(Path folder, int size, List<String> options) throws IOException {
        this(folder, size, size, options);
    }

    /// @param founders how many of them, from 1 on, form the ensemble; the others know them, and
    ///   may join later
    MemberProcesses(Path folder, int size, int founders, List<String> options) throws IOException {
        this(folder, size, founders, options, new OneAddress());
    }

    MemberProcesses(Path folder, int size, Network network) throws IOException {
        this(folder, size, size, List.of(), network);
    }

    private MemberProcesses(
            Path folder, int size, int founders, List<String> options, Network network)
            throws IOException {
        super(size);
        this.network = network;
        this.options = options;
        this.folder = folder;
        this.founders = founders;
        this.ports = freePorts(size * 3);
        for (int id : ids()) {
            Files.createDirectories(dataDir(id));
            Files.writeString(configFile(id), config(id));
        }
    }

    @Override
    int clientPort(int id) {
        return ports[(id - 1) * 3];
    }

    int peerPort(int id) {
        return ports[(id - 1) * 3 + 1];
    }

    int adminPort(int id) {
        return ports[(id - 1) * 3 + 2];
    }

    Path dataDir(int id) {
        return folder.resolve("data" + id);
    }

    Path configFile(int id) {
        return folder.resolve("zoo" + id + ".cfg");
    }

    @Override
    Path logFile(int id) {
        return folder.resolve("member" + id + ".log");
    }

    /// Adds lines to a member's configuration, in place of those that were added before.
    void configure(int id, String more) throws IOException {
        Files.writeString(configFile(id), config(id) + more);
    }

    private String config(int id) {
        var text = new StringBuilder();
        text.append("tickTime=500\ninitLimit=20\nsyncLimit=10\n");
        // Killed processes are seen at once; on a busy machine a live one may stand still for a
        // while.
        text.append("heartbeatTimeoutMillis=2000\n");
        text.append("dataDir=").append(dataDir(id)).append('\n');
        text.append("clientPort=").append(clientPort(id)).append('\n');
        text.append("clientPortAddress=127.0.0.1\nmaxSessionTimeout=60000\n");
        text.append("admin.serverAddress=127.0.0.1\n");
        text.append("admin.serverPort=").append(adminPort(id)).append('\n');
        text.append("admin.tokenFile=").append(folder.resolve("token" + id)).append('\n');
        text.append("4lw.commands.whitelist=*\n");
        for (int other : ids()) {
            if (other <= founders || other == id) {
                text.append(memberLine(other)).append('\n');
            }
        }
        if (founders != ids().size()) {
            text.append("standaloneEnabled=false\nreconfigEnabled=true\nskipACL=yes\n");
            text.append(id > founders ? "bootstrap=bootstrapped\n" : "");
        }
        return text.toString();
    }

    /// {@return how files and changes of the membership name a member}
    String memberLine(int id) {
        // The second port is required by the syntax and used by nobody.
        return String.format("server.%d=%s:%d:%d", id, network.host(id), peerPort(id), id);
    }

    Path tokenFile(int id) {
        return folder.resolve("token" + id);
    }

    static int[] freePorts(int count) throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            return held.stream().mapToInt(ServerSocket::getLocalPort).toArray();
        } finally {
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
    }

    MemberProcesses startAll() throws IOException {
        for (int id : ids()) {
            start(id);
        }
        return this;
    }

    @Override
    void start(int id) throws IOException {
        start(id, new String[0]);
    }

    /// Which build a member is, from its next start on.
    ///
    /// @param classes class path that goes in front of this build's, with the separator behind it;
    ///   empty: this build
    void build(int id, String classes) {
        builds.put(id, classes);
    }

    /// @param more arguments of `serve`
    void start(int id, String... more) throws IOException {
        List<String> command = command("serve", configFile(id).toString(), "--myid", "" + id);
        command.addAll(List.of(more));
        start(id, command);
    }

    /// Starts a member by a program of the test's own.
    ///
    /// @param program whose arguments are the file of the configuration, the myid, and these
    void startBy(int id, Class<?> program, String... more) throws IOException {
        List<String> command = command(configFile(id).toString(), "" + id);
        command.set(command.indexOf(MAIN), program.getName());
        command.addAll(List.of(more));
        start(id, command);
    }

    private void start(int id, List<String> command) throws IOException {
        command.set(
                command.indexOf("-cp") + 1,
                builds.getOrDefault(id, "") + System.getProperty("java.class.path"));
        // In front of the class path, and behind the options that they may replace.
        command.addAll(command.indexOf("-cp"), options);
        command.addAll(1, network.options(id));
        run(id, command);
    }

    /// {@return the command that runs ours with these arguments}
    static List<String> command(String... arguments) {
        String java = ProcessHandle.current().info().command().orElseThrow();
        List<String> command =
                new ArrayList<>(
                        List.of(
                                java,
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-XX:+UseCompactObjectHeaders",
                                "-XX:TieredStopAtLevel=1",
                                "-Xmx256m",
                                "-Dlogback.configurationFile=logback.xml",
                                "-cp",
                                System.getProperty("java.class.path"),
                                MAIN));
        command.addAll(List.of(arguments));
        return command;
    }

    /// The disk is lost.
    void wipe(int id) throws IOException {
        try (Stream<Path> files = Files.walk(dataDir(id))) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        Files.createDirectories(dataDir(id));
    }

    /// {@return what the member says of itself; null if it does not answer}
    @Nullable Map<String, Object> status(int id) throws InterruptedException {
        try {
            return JSON.std.mapFrom(get(id, "/v1/status").body());
        } catch (IOException _) {
            return null;
        }
    }

    HttpResponse<String> get(int id, String path) throws IOException, InterruptedException {
        return send(id, path, HttpRequest.newBuilder().GET());
    }

    HttpResponse<String> send(int id, String path, HttpRequest.Builder request)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + adminPort(id) + path);
        return http.send(
                request.uri(uri).timeout(Duration.ofSeconds(30)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Override
    int awaitLeader() throws InterruptedException {
        int[] leader = new int[1];
        await(
                "a leader",
                () -> {
                    for (int id : ids()) {
                        Map<String, Object> status = status(id);
                        if (status != null
                                && "leader".equals(status.get("role"))
                                && Boolean.TRUE.equals(status.get("serving"))) {
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
                "all members in sync",
                () -> {
                    Map<String, Object> leader = status(awaitLeader());
                    return leader != null
                            && leader.get("quorum") instanceof Map<?, ?> quorum
                            && Integer.valueOf(ids().size()).equals(quorum.get("synced"))
                            && ids().stream().allMatch(this::isReady);
                });
    }

    void awaitStatus(int id, String what, Predicate<Map<String, Object>> wanted)
            throws InterruptedException {
        await(
                "member " + id + " " + what,
                () -> {
                    Map<String, Object> status = status(id);
                    return status != null && wanted.test(status);
                });
    }

    /// Serving, and one of the committed members: the founding configuration commits a moment after
    /// the first leader is established.
    private boolean isReady(int id) {
        try {
            return get(id, "/readyz").statusCode() == 200;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// Something that may not be so yet.
    interface Condition {
        boolean holds() throws InterruptedException;
    }

    /// Asks again and again; how long it takes is not judged, short of a minute.
    void await(String what, Condition condition) throws InterruptedException {
        await(what, condition, PATIENCE.toSeconds());
    }

    /// The same, with more or less patience.
    void await(String what, Condition condition, long seconds) throws InterruptedException {
        await(what, condition, seconds, this::logs);
    }

    static void await(String what, Condition condition, long seconds, Supplier<String> logs)
            throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        var pause =
                new CountDownLatch(
                        1); // Nobody counts it down: other processes tell nothing by themselves.
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("no " + what + " in " + seconds + " s\n" + logs.get());
            }
            assertFalse(pause.await(20, TimeUnit.MILLISECONDS));
        }
    }

    @Override
    public void close() {
        http.close();
        super.close();
    }
}
