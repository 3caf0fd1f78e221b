package dev.ensemble.server.node;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Measures how long nobody's write is acknowledged when the leader of three is killed or stands
/// still, for ours and for the original in turns, and how long a write waits while the lead is
/// handed over: real processes on this machine, each with a client that writes without a pause.
///
/// `dev.ensemble.server.node.FailOver [kills [freezes [transfers]]] [alone]`; see
/// `server/docs/testing.md`.
final class FailOver implements AutoCloseable {
    /// What must be acknowledged on each survivor before a fault and after it.
    private static final int WRITES = 50;

    private static final int MEMBERS = 3;

    /// Three members, of whichever make.
    private record Make(String name, Processes members) {}

    private final List<Make> makes = new ArrayList<>();
    private final MemberProcesses members;

    /// Milliseconds by what was measured.
    private final Map<String, List<Double>> figures = new HashMap<>();

    private FailOver(Path folder, boolean alone) throws IOException {
        members = new MemberProcesses(folder.resolve("ensemble"), MEMBERS);
        makes.add(new Make("ensemble", members));
        for (int id : members.ids()) {
            members.configure(id, "heartbeatTimeoutMillis=400\n"); // The default.
        }
        if (!alone) {
            makes.add(
                    new Make(
                            "zookeeper",
                            new OriginalProcesses(folder.resolve("zookeeper"), MEMBERS)));
        }
        for (Make make : makes) {
            for (int id : make.members.ids()) {
                make.members.start(id);
            }
        }
    }

    /// What is done to a leader.
    private interface Fault {
        void on(Processes servers, int leader) throws IOException, InterruptedException;
    }

    private void measure(String what, Make make, Fault fault, Fault mending) throws Exception {
        Processes servers = make.members;
        servers.awaitAllSynced();
        int leader = servers.awaitLeader();
        Map<Integer, Prober> probers = new HashMap<>();
        try {
            for (int id : servers.ids()) {
                probers.put(id, new Prober(servers.clientPort(id), "/w" + id));
            }
            awaitWrites(probers);
            Prober ofLeader = Objects.requireNonNull(probers.get(leader));
            long begin = System.nanoTime();
            probers.values().forEach(prober -> prober.begin(begin));
            fault.on(servers, leader);
            probers.remove(leader);
            awaitWrites(probers);
            double gap =
                    probers.values().stream()
                                    .mapToLong(prober -> prober.seen().silence())
                                    .min()
                                    .orElseThrow()
                            / 1e6;
            add(make.name + " " + what, gap);
            long ended = ofLeader.seen().ended();
            String closed = "";
            if (what.equals("kill") && ended != 0) {
                double millis = (ended - begin) / 1e6;
                add(make.name + " sockets of the killed process closed", millis);
                closed = String.format(", its sockets were closed after %.1f ms", millis);
            }
            System.out.printf("%s %s of %d: %.1f ms%s%n", make.name, what, leader, gap, closed);
            probers.put(leader, ofLeader);
        } finally {
            mending.on(servers, leader);
            for (Prober prober : probers.values()) {
                prober.close();
            }
        }
    }

    /// The lead is handed over; every member's client writes all the while.
    private void transfer() throws Exception {
        members.awaitAllSynced();
        int leader = members.awaitLeader();
        Map<Integer, Prober> probers = new HashMap<>();
        try {
            for (int id : members.ids()) {
                probers.put(id, new Prober(members.clientPort(id), "/w" + id));
            }
            awaitWrites(probers);
            long begin = System.nanoTime();
            probers.values().forEach(prober -> prober.begin(begin));
            int to = leader % MEMBERS + 1;
            HttpResponse<String> answer =
                    members.send(
                            leader,
                            "/v1/leadership:transfer",
                            HttpRequest.newBuilder()
                                    .header(
                                            "Authorization",
                                            "Bearer " + Token.read(members.tokenFile(leader)))
                                    .POST(
                                            HttpRequest.BodyPublishers.ofString(
                                                    "{\"to\": " + to + "}")));
            if (answer.statusCode() != 200) {
                throw new IllegalStateException("refused: " + answer.body());
            }
            awaitWrites(probers);
            long wait =
                    probers.values().stream().mapToLong(p -> p.seen().longest()).max().orElse(0);
            long failed = probers.values().stream().mapToLong(p -> p.seen().failed()).sum();
            add("ensemble hand-over", wait / 1e6);
            System.out.printf(
                    "ensemble hand-over to %d: longest wait %.1f ms, %d failed%n",
                    to, wait / 1e6, failed);
            add("ensemble requests that failed in a hand-over", (double) failed);
        } finally {
            for (Prober prober : probers.values()) {
                prober.close();
            }
        }
    }

    private static void awaitWrites(Map<Integer, Prober> probers) {
        Map<Integer, Long> before = new HashMap<>();
        probers.forEach((id, prober) -> before.put(id, prober.seen().acknowledged()));
        until(() ->
                probers.entrySet().stream()
                        .allMatch(each ->
                                each.getValue().seen().acknowledged()
                                        >= before.getOrDefault(each.getKey(), 0L) + WRITES));
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    private void add(String what, double figure) {
        figures.computeIfAbsent(what, _ -> new ArrayList<>()).add(figure);
    }

    private void report() {
        System.out.println();
        figures.keySet().stream().sorted().forEach(this::report);
        for (String what : List.of("kill", "freeze")) {
            List<Double> ours = figures.get("ensemble " + what);
            List<Double> theirs = figures.get("zookeeper " + what);
            if (ours != null && theirs != null) {
                System.out.printf(
                        "%s: the median of zookeeper is %.1f times that of ensemble, the worst %.1f"
                                + " times%n",
                        what,
                        median(theirs) / median(ours),
                        Collections.max(theirs) / Collections.max(ours));
            }
        }
    }

    private void report(String what) {
        List<Double> all = figures.getOrDefault(what, List.of());
        System.out.printf(
                "%s: %d times, median %.1f, worst %.1f%s%n",
                what,
                all.size(),
                median(all),
                Collections.max(all),
                what.contains("failed") ? "" : " ms");
    }

    private static double median(List<Double> figures) {
        List<Double> sorted = figures.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    @Override
    public void close() {
        makes.forEach(make -> make.members.close());
    }

    public static void main(String[] args) throws Exception {
        boolean alone = args.length > 0 && args[args.length - 1].equals("alone");
        int numbers = alone ? args.length - 1 : args.length;
        int kills = numbers > 0 ? Integer.parseInt(args[0]) : 20;
        int freezes = numbers > 1 ? Integer.parseInt(args[1]) : 5;
        int transfers = numbers > 2 ? Integer.parseInt(args[2]) : 20;
        Path folder = Files.createTempDirectory("fail-over");
        System.out.println("members' logs: " + folder);
        try (var failOver = new FailOver(folder, alone)) {
            for (int i = 0; i < kills; i++) {
                for (Make make : failOver.makes) {
                    failOver.measure(
                            "kill",
                            make,
                            (servers, leader) -> servers.kill(leader),
                            Processes::start);
                }
            }
            for (int i = 0; i < freezes; i++) {
                for (Make make : failOver.makes) {
                    failOver.measure(
                            "freeze",
                            make,
                            (servers, leader) -> servers.signal(leader, "STOP"),
                            (servers, leader) -> servers.signal(leader, "CONT"));
                }
            }
            for (int i = 0; i < transfers; i++) {
                failOver.transfer();
            }
            failOver.report();
        }
    }
}
