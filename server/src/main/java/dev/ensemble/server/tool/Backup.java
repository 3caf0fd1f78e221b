package dev.ensemble.server.tool;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.Token;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.tls.TlsFailure;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/// `ensemble backup`: takes a backup from a running member into a file, and restores it for a
/// trial.
@Command(
        name = "backup",
        description = {
            "Takes a backup of an ensemble into FILE, and verifies it by restoring it for a trial.",
            "With --config from the member on this host; it must not be the leader of others."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the backup is in FILE, on disk, and was verified",
            "1:no member gave one, it could not be written, or it is not good; FILE is not there",
            "2:the command or the configuration is not valid"
        })
final class Backup implements Callable<Integer> {
    private static final String PATH = "/v1/backup";
    private static final int HTTP_OK = 200;

    @Parameters(
            paramLabel = "FILE",
            description =
                    "Where the backup goes; must not be there yet. A path, or s3://BUCKET/KEY.")
    private String file = "";

    @Mixin private PlaceOptions places = new PlaceOptions();

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description =
                    "Where it is restored for a trial, and gathered if it goes to a bucket;"
                            + " beside FILE, or a temporary folder, if not given.")
    private @Nullable Path scratch;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Where a line of JSON about it goes, or the error.")
    private @Nullable Path report;

    @Option(
            names = "--keep",
            paramLabel = "N",
            description =
                    "Afterwards, of the backups of this ensemble beside FILE whose names begin as"
                            + " --keep-prefix says, all but the newest N are deleted.")
    private int keep;

    @Option(
            names = "--keep-hours",
            paramLabel = "HOURS",
            description = "The same for those that are older; the newest always stays.")
    private int keepHours;

    @Option(
            names = "--keep-prefix",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "How names begin that --keep and --keep-hours are for.")
    private String keepPrefix = "";

    /// Whom it is taken from.
    static final class Source {
        @Option(
                names = "--config",
                paramLabel = "CONFIG",
                required = true,
                description = "The configuration of the member that runs on this host.")
        private @Nullable Path config;

        @ArgGroup(exclusive = false)
        private @Nullable Members members;
    }

    /// Members elsewhere, of which one was told by the operator to give a backup.
    static final class Members {
        @Option(
                names = "--from",
                paramLabel = "URL",
                required = true,
                split = ",",
                description =
                        "Roots of the admin ports of members, http://HOST:PORT. Each is asked in"
                                + " turn until one gives a backup.")
        private List<URI> from = List.of();

        @Option(
                names = "--secret-file",
                paramLabel = "FILE",
                required = true,
                description = "What POST /v1/backup got the hash of.")
        private Path secret = Path.of("");

        @Option(
                names = "--patience",
                paramLabel = "SECONDS",
                defaultValue = "600",
                description = "How long to go on asking, ${DEFAULT-VALUE} by default.")
        private int patienceSeconds;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (BackupPlace place = places.place(file, scratch)) {
            if (place.isThere()) {
                return failed(ExitCode.INVALID_INVOCATION, place + " is there already");
            }
            Path part = place.part();
            try {
                take(part);
                BackupFile.Header header =
                        BackupTrial.run(
                                part,
                                scratch == null
                                        ? Objects.requireNonNull(part.getParent())
                                        : scratch);
                long bytes = Files.size(part);
                place.keep(part);
                tell(place, header, bytes);
                return ExitCode.NORMAL.number();
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (InvalidConfig | IllegalArgumentException e) {
            return failed(ExitCode.INVALID_INVOCATION, e.getMessage());
        } catch (IOException | TlsFailure e) {
            return failed(ExitCode.UNEXPECTED_ERROR, "no backup: " + e.getMessage());
        }
    }

    /// The backup is kept: that older ones stay makes it no worse.
    private void tell(BackupPlace place, BackupFile.Header header, long bytes) throws IOException {
        List<String> deleted = List.of();
        String stayed = null;
        try {
            deleted = BackupTrial.prune(place, header, keepPrefix, keep, keepHours);
        } catch (IOException e) {
            stayed = String.valueOf(e.getMessage());
            System.err.println("older backups stay: " + stayed);
        }
        report(BackupTrial.json(header, bytes, deleted, stayed));
        System.out.printf(
                "%s: ensemble %s, %s of %s, %d znodes, verified%n",
                place,
                header.ensembleId(),
                Zxid.text(header.zxid()),
                Instant.ofEpochMilli(header.timeMillis()),
                header.znodes());
    }

    private int failed(ExitCode code, @Nullable String message) {
        System.err.println(message);
        try {
            report(String.valueOf(message));
        } catch (IOException e) {
            System.err.println("and that could not be reported: " + e);
        }
        return code.number();
    }

    private void report(String text) throws IOException {
        if (report != null) {
            Files.writeString(report, text);
        }
    }

    private void take(Path part)
            throws InvalidConfig, TlsFailure, IOException, InterruptedException {
        Path config = source.config;
        Members members = source.members;
        if (config != null) {
            takeHere(config, part);
        } else if (members != null) {
            takeFrom(members, part);
        }
    }

    private static void takeHere(Path config, Path part)
            throws InvalidConfig, TlsFailure, IOException {
        try (AdminCall answer = AdminCall.here(config, "GET", PATH, AdminCall.SILENCE)) {
            if (answer.status() != HTTP_OK) {
                throw new IOException("the member refuses: " + answer.text());
            }
            copy(answer.body(), part);
        }
    }

    /// The operator tells one of them once this process runs, so all may refuse at first.
    private static void takeFrom(Members members, Path part)
            throws IOException, InterruptedException {
        String secret = Token.read(members.secret);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(members.patienceSeconds);
        while (true) {
            var refusals = new ArrayList<String>();
            for (URI each : members.from) {
                String refusal = tryFrom(each, secret, part);
                if (refusal == null) {
                    return;
                }
                refusals.add(each.getHost() + ": " + refusal);
            }
            if (System.nanoTime() - end >= 0) {
                throw new IOException(
                        "no member gave a backup in "
                                + members.patienceSeconds
                                + " s; "
                                + String.join("; ", refusals));
            }
            TimeUnit.SECONDS.sleep(1);
        }
    }

    /// {@return why not, or null if the backup is there}
    private static @Nullable String tryFrom(URI root, String secret, Path part) {
        try (AdminCall answer =
                AdminCall.ask(
                        AdminCall.connect(root.getHost(), root.getPort()), "GET", PATH, secret)) {
            if (answer.status() != HTTP_OK) {
                return answer.status() + " " + answer.text();
            }
            copy(answer.body(), part);
            // One that was cut off, since the member died, say, shows here: another one may do
            // better.
            try (InputStream in = Files.newInputStream(part)) {
                BackupTrial.read(in);
            }
            return null;
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void copy(InputStream from, Path part) throws IOException {
        try (OutputStream out = Files.newOutputStream(part)) {
            from.transferTo(out);
        }
    }
}
