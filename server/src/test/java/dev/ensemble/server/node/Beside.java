package dev.ensemble.server.node;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tool.bench.Load;
import dev.ensemble.server.tool.bench.Plan;
import dev.ensemble.server.tool.bench.Result;
import dev.ensemble.server.tool.client.Answer;
import dev.ensemble.server.tool.client.Client;
import dev.ensemble.server.tool.client.ConnectString;
import dev.ensemble.server.wire.Handshake;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Measures three of ours and three of the original in turns, in one run, on this machine: the same
/// load, made by the same program, the same heap, every acknowledged write synced by a quorum.
///
/// `dev.ensemble.server.node.Beside [rounds [seconds [znodes]]]`; see `server/docs/testing.md`. It
/// says what it measured and judges nothing. The difference between members' heaps after a full
/// collection is what znodes, sessions and watches cost.
final class Beside {
    private static final int MEMBERS = 3;
    private static final int SESSION_MILLIS = 60_000;
    private static final int SESSIONS = 1000;
    private static final int IN_FLIGHT = 1000;
    private static final Duration WARM_UP = Duration.ofSeconds(5);

    /// As the launcher starts ours, and with the heap that the original's scripts give.
    private static final List<String> OPTIONS =
            List.of("-Xmx1000m", "-XX:TieredStopAtLevel=4", "-XX:+UseCompactObjectHeaders");

    private static final Pattern USED = Pattern.compile(" used (\\d+)K");

    private final int seconds;
    private final int znodes;

    /// By figure: the values of ours, then those of the original.
    private final Map<String, List<List<Double>>> figures = new LinkedHashMap<>();

    private Beside(int seconds, int znodes) {
        this.seconds = seconds;
        this.znodes = znodes;
    }

    private void note(boolean ours, String figure, double value) {
        System.out.printf("%s: %s %.2f%n", ours ? "ours" : "original", figure, value);
        figures.computeIfAbsent(figure, _ -> List.of(new ArrayList<>(), new ArrayList<>()))
                .get(ours ? 0 : 1)
                .add(value);
    }

    private void measure(boolean ours) throws Exception {
        Path folder = Files.createTempDirectory("beside");
        try (Processes members = ours ? ours(folder) : new OriginalProcesses(folder, MEMBERS)) {
            startAll(members);
            load(ours, members, "writes, 48 x 16 in flight", 48, 16, 0, 0, 100);
            load(ours, members, "writes, 16 x 1 in flight", 16, 1, 0, 0, 100);
            load(ours, members, "writes of 1 kB, 48 x 16 in flight", 48, 16, 0, 0, 1024);
            load(ours, members, "reads, 48 x 16 in flight", 48, 16, 0, 100, 100);
            load(ours, members, "nine reads to a write, 48 x 16 in flight", 48, 16, 0, 90, 100);
            load(ours, members, "2000/s, half of them reads", 48, 64, 2000, 50, 100);
            memory(ours, members);
            restart(ours, members);
        }
    }

    private static Processes ours(Path folder) throws IOException {
        var members = new MemberProcesses(folder, MEMBERS, OPTIONS);
        for (int id : members.ids()) {
            members.configure(id, "maxClientCnxns=0\n");
        }
        return members;
    }

    private static void startAll(Processes members) throws Exception {
        for (int id : members.ids()) {
            members.start(id);
        }
        members.awaitAllSynced();
    }

    private void load(
            boolean ours,
            Processes members,
            String name,
            int connections,
            int outstanding,
            int rate,
            int reads,
            int bytes)
            throws Exception {
        Result result =
                Load.run(
                        new Plan(
                                ConnectString.parse(members.connectString()),
                                connections,
                                outstanding,
                                rate,
                                reads,
                                bytes,
                                1000,
                                WARM_UP,
                                Duration.ofSeconds(seconds),
                                1,
                                members.pids(),
                                1));
        if (!result.isClean()) {
            throw new IllegalStateException(name + ": " + result.figures());
        }
        if (rate == 0) {
            note(ours, name + ": per second", result.operations() / result.seconds());
        }
        double cpuNanos = result.cpuNanos().values().stream().mapToLong(Long::longValue).sum();
        note(ours, name + ": CPU us for each", cpuNanos / 1e3 / result.operations());
        for (double percentile : new double[] {50, 99, 99.9}) {
            for (var histogram : List.of(result.reads(), result.writes())) {
                if (histogram.getTotalCount() > 0) {
                    note(
                            ours,
                            String.format(
                                    "%s: p%s of %s in ms",
                                    name,
                                    percentile == 99.9 ? "99.9" : (int) percentile,
                                    histogram.equals(result.reads()) ? "reads" : "writes"),
                            histogram.getValueAtPercentile(percentile) / 1e6);
                }
            }
        }
    }

    private void memory(boolean ours, Processes members) throws Exception {
        ConnectString where = ConnectString.parse("127.0.0.1:" + members.clientPort(1));
        double before = heapBytes(members);
        try (Client client = Client.start(where, SESSION_MILLIS, new Silent())) {
            client.awaitConnected(SESSION_MILLIS);
            each(client, n -> create("/m" + n / 1000 + (n % 1000 == 0 ? "" : "/" + n % 1000)));
            double filled = heapBytes(members);
            note(ours, "heap bytes for a znode of 100 bytes", (filled - before) / MEMBERS / znodes);
            each(client, n -> new Request.Exists("/absent-" + n, true));
            double watched = heapBytes(members);
            note(ours, "heap bytes for a watch", (watched - filled) / znodes);
        }
        double filled = heapBytes(members);
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < SESSIONS; i++) {
                sockets.add(session(members.clientPort(i % MEMBERS + 1)));
            }
            note(
                    ours,
                    "heap bytes for a session and its connection, all members together",
                    (heapBytes(members) - filled) / SESSIONS);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        double resident = 0;
        for (long pid : members.pids()) {
            resident += residentBytes(pid);
        }
        note(ours, "resident MB of a member after all of this", resident / MEMBERS / 1e6);
    }

    /// Sends a request for each number below that of the znodes.
    private void each(Client client, LongFunction<Request> request) throws IOException {
        var inFlight = new ArrayDeque<CompletableFuture<Answer>>();
        for (int n = 0; n < znodes; n++) {
            if (inFlight.size() == IN_FLIGHT) {
                client.await(inFlight.remove());
            }
            inFlight.add(client.send(request.apply(n)));
        }
        while (!inFlight.isEmpty()) {
            client.await(inFlight.remove());
        }
    }

    private static Request create(String path) {
        return new Request.Create(Request.CreateOp.CREATE, path, new byte[100], Acl.OPEN, 0, 0);
    }

    /// Opens a session that says nothing more.
    private static Socket session(int port) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        ByteBuf hello = Unpooled.buffer();
        Handshake.write(
                hello,
                new Handshake.ConnectRequest(0, SESSION_MILLIS, 0, new byte[16], false, true));
        hello.readBytes(socket.getOutputStream(), hello.readableBytes());
        var in = new DataInputStream(socket.getInputStream());
        var answer = Unpooled.wrappedBuffer(in.readNBytes(in.readInt()));
        if (Handshake.readResponse(answer).timeoutMillis() == 0) {
            throw new IOException("no session");
        }
        return socket;
    }

    /// {@return what all members hold after a full collection}
    private static double heapBytes(Processes members) throws Exception {
        double bytes = 0;
        for (long pid : members.pids()) {
            jcmd(pid, "GC.run");
            boolean counted = false;
            for (String line : jcmd(pid, "GC.heap_info").split("\n", -1)) {
                Matcher used = USED.matcher(line);
                if (!line.contains("Metaspace") && !line.contains("class space") && used.find()) {
                    bytes += Long.parseLong(used.group(1)) * 1024.0;
                    counted = true;
                }
            }
            if (!counted) {
                throw new IllegalStateException("jcmd tells no heap of " + pid);
            }
        }
        return bytes;
    }

    private static String jcmd(long pid, String command) throws Exception {
        Path java = Path.of(ProcessHandle.current().info().command().orElseThrow());
        Process process =
                new ProcessBuilder(
                                java.resolveSibling("jcmd").toString(), Long.toString(pid), command)
                        .redirectErrorStream(true)
                        .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException("jcmd " + pid + " " + command + ": " + out);
        }
        return out;
    }

    private static double residentBytes(long pid) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024.0;
            }
        }
        throw new IOException("no VmRSS of " + pid);
    }

    /// With the znodes that there are, by SIGTERM: from the start of the processes until a leader
    /// serves, and from the start of a follower until it does.
    private void restart(boolean ours, Processes members) throws Exception {
        for (int id : members.ids()) {
            members.terminate(id);
        }
        long start = System.nanoTime();
        for (int id : members.ids()) {
            members.start(id);
        }
        members.awaitLeader();
        note(ours, "seconds until a leader serves after a restart of all", since(start));
        members.awaitAllSynced();
        int leader = members.awaitLeader();
        int follower = leader == 1 ? 2 : 1;
        members.terminate(follower);
        start = System.nanoTime();
        members.start(follower);
        members.awaitAllSynced();
        note(ours, "seconds until a restarted follower serves", since(start));
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    private static final class Silent implements Client.Listener {
        @Override
        public void fired(int type, String path, long zxid) {}

        @Override
        public void changed(Client.State state) {}
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private void print() {
        System.out.printf("%n%-75s %12s %12s %8s%n", "medians", "ours", "original", "ratio");
        figures.forEach((figure, values) -> {
            double ours = median(values.getFirst());
            double original = median(values.getLast());
            System.out.printf(
                    "%-75s %12.2f %12.2f %8.2f%n", figure, ours, original, ours / original);
        });
    }

    private static int argument(String[] args, int index, int otherwise) {
        return args.length > index ? Integer.parseInt(args[index]) : otherwise;
    }

    public static void main(String[] args) throws Exception {
        var beside = new Beside(argument(args, 1, 10), argument(args, 2, 100_000));
        for (int round = 0; round < argument(args, 0, 3); round++) {
            // Whoever comes second finds another machine: each is first in every other round.
            beside.measure(round % 2 == 0);
            beside.measure(round % 2 != 0);
        }
        beside.print();
    }
}
