package dev.ensemble.operator.tool;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import dev.ensemble.operator.desired.ZooCfg;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// The folder of an ensemble on this machine: what it is (`ensemble.json`), what runs of it
/// (`running.json`), and a folder for each member with its file, its data and its log.
record LocalDir(Path folder) {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /// What the ensemble is; never changes once its members have started.
    record Identity(String name, String ensembleId, int members, int firstMyid, int portBase) {
        Ports ports() {
            return new Ports(portBase);
        }

        int myid(int ordinal) {
            return firstMyid + ordinal;
        }

        List<Integer> ordinals() {
            return IntStream.range(0, members).boxed().toList();
        }

        /// {@return the addresses that a client is given}
        String connect() {
            return String.join(
                    ",", ordinals().stream().map(i -> "127.0.0.1:" + ports().client(i)).toList());
        }

        /// {@return where each member tells its status, by myid}
        Map<Integer, URI> admins() {
            Map<Integer, URI> roots = new TreeMap<>();
            for (int i : ordinals()) {
                roots.put(myid(i), URI.create("http://127.0.0.1:" + ports().admin(i)));
            }
            return roots;
        }
    }

    /// A process, so that another one that was given the same number is not taken for it.
    ///
    /// @param startedMillis when it started, in milliseconds since 1970
    record Pid(long pid, long startedMillis) {
        private static final Duration CLOCK_STEP = Duration.ofSeconds(3);

        static Pid of(ProcessHandle process) {
            return new Pid(
                    process.pid(),
                    process.info().startInstant().map(Instant::toEpochMilli).orElse(0L));
        }

        /// {@return the process, if it is still this one}
        java.util.Optional<ProcessHandle> alive() {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .filter(process ->
                            Math.abs(of(process).startedMillis() - startedMillis)
                                    < CLOCK_STEP.toMillis());
        }
    }

    /// What runs.
    ///
    /// @param supervisor the `ensemble up` that started the members and starts them again
    /// @param members by myid
    record Running(Pid supervisor, Map<Integer, Pid> members) {}

    /// {@return the folder's ensemble, or null if there is none yet}
    @Nullable Identity identity() {
        return read(folder.resolve("ensemble.json"), Identity.class);
    }

    void identity(Identity identity) {
        write(folder.resolve("ensemble.json"), identity);
    }

    @Nullable Running running() {
        return read(folder.resolve("running.json"), Running.class);
    }

    void running(Running running) {
        write(folder.resolve("running.json"), running);
    }

    void stopped() {
        try {
            Files.deleteIfExists(folder.resolve("running.json"));
        } catch (IOException e) {
            throw new Refusal("cannot delete running.json: " + Refusal.reason(e));
        }
    }

    Path member(int myid) {
        return folder.resolve("member-" + myid);
    }

    Path configFile(int myid) {
        return member(myid).resolve("zoo.cfg");
    }

    Path logFile(int myid) {
        return member(myid).resolve("log");
    }

    /// Writes the file of a member, anew at each start, so that changed settings take effect.
    void writeConfig(Identity identity, int ordinal, Map<String, String> settings) {
        int myid = identity.myid(ordinal);
        Ports ports = identity.ports();
        List<ZooCfg.Voter> voters =
                identity.ordinals().stream()
                        .map(i ->
                                new ZooCfg.Voter(
                                        identity.myid(i),
                                        "127.0.0.1",
                                        ports.peer(i),
                                        ports.election(i),
                                        "127.0.0.1",
                                        ports.client(i)))
                        .toList();
        Path member = member(myid).toAbsolutePath();
        ZooCfg file =
                ZooCfg.of(
                        new ZooCfg.Place(
                                member.resolve("data").toString(),
                                "127.0.0.1",
                                ports.admin(ordinal),
                                ports.metrics(ordinal),
                                member.resolve("token").toString(),
                                null),
                        settings,
                        voters,
                        ZooCfg.Bootstrap.UNANIMOUS,
                        identity.ensembleId());
        try {
            Files.createDirectories(member.resolve("data"));
            Files.writeString(configFile(myid), file.text());
        } catch (IOException e) {
            throw new Refusal("cannot write " + configFile(myid) + ": " + Refusal.reason(e));
        }
    }

    private static <T> @Nullable T read(Path file, Class<T> type) {
        if (!Files.exists(file)) {
            return null;
        }
        try {
            return JSON.readValue(file.toFile(), type);
        } catch (IOException e) {
            throw new Refusal("cannot read " + file + ": " + Refusal.reason(e));
        }
    }

    /// A crash leaves either the old file or the new one.
    private static void write(Path file, Object value) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Path next = file.resolveSibling(file.getFileName() + ".new");
            JSON.writeValue(next.toFile(), value);
            try {
                Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new Refusal("cannot write " + file + ": " + Refusal.reason(e));
        }
    }
}
