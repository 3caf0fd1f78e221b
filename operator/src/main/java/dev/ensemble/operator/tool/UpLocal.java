package dev.ensemble.operator.tool;

import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Answer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/// The embedded default: an ensemble as processes of this machine. Starts the members, waits until
/// they serve, says how to connect, and starts again what dies, as Kubernetes would.
final class UpLocal {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Duration POLL = Duration.ofMillis(150);
    private static final Duration QUICK = Duration.ofSeconds(10);
    private static final int QUICK_EXITS = 5;
    private static final int LOG_TAIL = 15;

    private final LocalDir dir;
    private final Members.Program program;
    private final EnsembleClient client;
    private final PrintWriter out;
    private final String launcher;

    /// @param launcher what a person types to call this program
    UpLocal(
            LocalDir dir,
            Members.Program program,
            EnsembleClient client,
            PrintWriter out,
            String launcher) {
        this.dir = dir;
        this.program = program;
        this.client = client;
        this.out = out;
        this.launcher = launcher;
    }

    /// Starts the ensemble and returns once all members serve.
    ///
    /// @param portBase what the person asked for, or null
    Members start(EnsembleFile file, @Nullable Integer portBase) throws InterruptedException {
        refuseTwice();
        LocalDir.Identity identity = identity(file, portBase);
        for (int i : identity.ordinals()) {
            dir.writeConfig(identity, i, file.spec().settings());
        }
        Members members = new Members(program, dir, identity);
        Runtime.getRuntime().addShutdownHook(new Thread(members::stop, "stop-members"));
        say(
                "Starting %d member%s of '%s'; data and logs are in %s"
                        .formatted(
                                identity.members(),
                                identity.members() == 1 ? "" : "s",
                                identity.name(),
                                dir.folder()));
        try {
            for (int i : identity.ordinals()) {
                members.start(identity.myid(i));
            }
            awaitServing(members);
        } catch (Refusal e) {
            members.stop();
            throw e;
        }
        return members;
    }

    /// Starts members again that end, until this process is told to stop.
    void watch(Members members) throws InterruptedException {
        Map<Integer, Integer> quickExits = new HashMap<>();
        while (!members.stopping()) {
            Members.Exit exit = members.awaitExit(Duration.ofSeconds(1));
            if (exit == null || members.stopping()) {
                continue;
            }
            int inRow =
                    exit.after().compareTo(QUICK) > 0
                            ? 0
                            : quickExits.getOrDefault(exit.myid(), 0) + 1;
            quickExits.put(exit.myid(), inRow);
            if (inRow >= QUICK_EXITS) {
                say(
                        ("Member %d ended %d times soon after its start and is left alone. Its log"
                                        + " (%s) ends with:%n%s")
                                .formatted(
                                        exit.myid(),
                                        inRow,
                                        dir.logFile(exit.myid()),
                                        logTail(exit.myid())));
                continue;
            }
            say(
                    "Member %d (process %d) ended (%s); starting it again"
                            .formatted(exit.myid(), exit.pid(), meaning(exit.code())));
            members.start(exit.myid());
        }
    }

    private void refuseTwice() {
        LocalDir.Running running = dir.running();
        if (running == null) {
            return;
        }
        if (running.supervisor().alive().isPresent()) {
            throw new Refusal(
                    "this ensemble is already up (process %d); look at it with `%s status`, stop it"
                                    .formatted(running.supervisor().pid(), launcher)
                            + " with `%s down`".formatted(launcher));
        }
        List<Long> left =
                running.members().values().stream()
                        .filter(pid -> pid.alive().isPresent())
                        .map(LocalDir.Pid::pid)
                        .toList();
        if (!left.isEmpty()) {
            throw new Refusal(
                    "members of an earlier `up` that was killed still run (processes %s); stop them"
                                    .formatted(join(left))
                            + " with `%s down`".formatted(launcher));
        }
    }

    private LocalDir.Identity identity(EnsembleFile file, @Nullable Integer portBase) {
        LocalDir.Identity known = dir.identity();
        int replicas = file.spec().replicas();
        if (known == null) {
            Ports ports = portBase == null ? Ports.free(replicas) : new Ports(portBase);
            refuseTaken(ports, replicas);
            LocalDir.Identity made =
                    new LocalDir.Identity(
                            file.name(),
                            UUID.randomUUID().toString(),
                            replicas,
                            file.spec().firstMyid(),
                            ports.base());
            dir.identity(made);
            return made;
        }
        refuseChange("metadata.name", known.name(), file.name());
        refuseChange("spec.replicas", known.members(), replicas);
        refuseChange("spec.firstMyid", known.firstMyid(), file.spec().firstMyid());
        if (portBase != null) {
            refuseChange("--port-base", known.portBase(), portBase);
        }
        refuseTaken(known.ports(), replicas);
        return known;
    }

    private void refuseChange(String field, Object was, Object asked) {
        if (!was.equals(asked)) {
            throw new Refusal(
                    "%s: '%s' is not valid; valid: %s, since the ensemble in %s was made with that. For"
                                    .formatted(field, asked, was, dir.folder())
                            + " another one, name another folder with --dir");
        }
    }

    private void refuseTaken(Ports ports, int members) {
        List<Ports.Use> taken = ports.taken(members);
        if (!taken.isEmpty()) {
            throw new Refusal(
                    taken.stream()
                                    .map(use ->
                                            "port %d (%s port of member %d) is in use by another program"
                                                    .formatted(
                                                            use.port(),
                                                            use.what(),
                                                            use.ordinal() + 1))
                                    .collect(Collectors.joining("\n"))
                            + (dir.identity() == null
                                    ? "\nstop it, or name other ports with --port-base"
                                    : "\nstop it (the ports of an ensemble that exists stay the"
                                            + " same), or start another ensemble with --dir"));
        }
    }

    private void awaitServing(Members members) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            Map<Integer, Answer> answers = client.ask(members.identity().admins());
            List<Integer> waiting =
                    answers.entrySet().stream()
                            .filter(each -> !serves(each.getValue()))
                            .map(Map.Entry::getKey)
                            .toList();
            if (waiting.isEmpty()) {
                return;
            }
            Members.Exit exit = members.awaitExit(POLL);
            if (members.stopping()) {
                throw new Refusal("stopped before the members served");
            }
            if (exit != null) {
                throw new Refusal(
                        "member %d ended at its start (%s); its log (%s) ends with:%n%s"
                                .formatted(
                                        exit.myid(),
                                        meaning(exit.code()),
                                        dir.logFile(exit.myid()),
                                        logTail(exit.myid())));
            }
            if (System.nanoTime() > deadline) {
                throw new Refusal(
                        "after %d s these members do not serve:%n%s%nTheir logs are in %s"
                                .formatted(
                                        PATIENCE.toSeconds(),
                                        waiting.stream()
                                                .map(myid ->
                                                        "  member %d: %s"
                                                                .formatted(
                                                                        myid,
                                                                        say(answers.get(myid))))
                                                .collect(Collectors.joining("\n")),
                                        dir.folder()));
            }
        }
    }

    private static boolean serves(Answer answer) {
        return answer instanceof Answer.Known known && known.status().serving();
    }

    private static String say(@Nullable Answer answer) {
        return switch (answer) {
            case Answer.Known known -> "says that it is " + known.status().role();
            case Answer.Unknown unknown -> unknown.why();
            case null -> "was not asked";
        };
    }

    /// Says how to connect, and what to try next.
    void welcome(Members members) {
        LocalDir.Identity identity = members.identity();
        out.println();
        out.print(StatusTable.of(identity, client.ask(identity.admins()), members::pid));
        out.println();
        say("Connect a ZooKeeper client to %s".formatted(identity.connect()));
        out.println();
        say("Try, in another terminal:");
        say("  %s cli -server 127.0.0.1:%d ls /".formatted(launcher, identity.ports().client(0)));
        say("  %s status%s".formatted(launcher, option(identity)));
        say(
                "  kill -9 %d     (any member: clients go on, and it is started again)"
                        .formatted(members.pid(identity.firstMyid())));
        say(
                "  %s down%s       (or Ctrl-C here; the data stays)"
                        .formatted(launcher, option(identity)));
        out.flush();
    }

    private String option(LocalDir.Identity identity) {
        return LocalChoice.standard(identity.name()).equals(dir.folder())
                ? ""
                : " --dir " + dir.folder();
    }

    private String logTail(int myid) {
        try {
            List<String> lines = Files.readAllLines(dir.logFile(myid));
            return lines.stream()
                    .skip(Math.max(0, lines.size() - LOG_TAIL))
                    .map(line -> "  " + line)
                    .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            return "  (cannot be read: " + Refusal.reason(e) + ")";
        }
    }

    private static String meaning(int code) {
        return code > 128 ? "by signal " + (code - 128) : "exit code " + code;
    }

    private static String join(List<Long> pids) {
        return pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }

    /// Where a member's program is: the launcher that called us, which knows the JDK and the build.
    record Launched(Path launcher, String options) implements Members.Program {
        @Override
        public List<String> command(Path configFile, int myid) {
            return List.of(
                    launcher.toString(),
                    "serve",
                    configFile.toString(),
                    "--myid",
                    Integer.toString(myid));
        }

        @Override
        public Map<String, String> environment() {
            return options.isEmpty() ? Map.of() : Map.of("ENSEMBLE_JAVA_OPTS", options);
        }
    }
}
