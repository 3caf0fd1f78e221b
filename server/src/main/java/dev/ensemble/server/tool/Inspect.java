package dev.ensemble.server.tool;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.store.Inspection;
import dev.ensemble.server.store.StoreException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;

/// `ensemble inspect`: what a member's disk holds, also when it is damaged and the member does not
/// start.
///
/// Reads only. Exits with 1 if something is not as it was written.
@Command(
        name = "inspect",
        description = "Show what the data folder of a member holds; changes nothing.",
        mixinStandardHelpOptions = true)
public final class Inspect implements Runnable {
    private static final int GOOD = 0;
    private static final int DAMAGED = 1;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Name what to show: log, state, identity, backup");
    }

    @Command(
            name = "identity",
            description = "Who the member is, what it has promised, which folders are in force.",
            mixinStandardHelpOptions = true)
    int identity(@Parameters(paramLabel = "DIR", description = "The member's dataDir.") Path folder)
            throws IOException {
        return shown(folder, Inspection::identity);
    }

    @Command(
            name = "log",
            description = "The batches of the log and where it ends.",
            mixinStandardHelpOptions = true)
    int log(
            @Parameters(paramLabel = "DIR", description = "The member's dataDir.") Path folder,
            @Option(names = "--entries", description = "Each transaction too.") boolean entries)
            throws IOException {
        return shown(folder, inspection -> inspection.log(entries));
    }

    @Command(
            name = "state",
            description = "The stored state: its zxid, configuration and size.",
            mixinStandardHelpOptions = true)
    int state(
            @Parameters(paramLabel = "DIR", description = "The member's dataDir.") Path folder,
            @Option(names = "--znodes", description = "Each znode too.") boolean znodes)
            throws IOException {
        return shown(folder, inspection -> inspection.state(znodes));
    }

    @Command(
            name = "backup",
            description = "A backup: whose it is, of when, and whether every byte of it is good.",
            mixinStandardHelpOptions = true)
    int backup(
            @Parameters(
                            paramLabel = "FILE",
                            description = "The backup: a path, or s3://BUCKET/KEY.")
                    String file,
            @Mixin PlaceOptions places) {
        var out = spec.commandLine().getOut();
        try (BackupPlace place = places.place(file, null);
                InputStream in = place.open()) {
            BackupFile.Content content = BackupTrial.read(in);
            BackupFile.Header header = content.header();
            out.println("ensemble " + header.ensembleId());
            out.println(
                    "taken at "
                            + Instant.ofEpochMilli(header.timeMillis())
                            + " from member "
                            + header.member());
            out.println(
                    "of "
                            + Zxid.text(header.zxid())
                            + ", digest "
                            + Long.toHexString(header.digest()));
            out.println(
                    header.znodes()
                            + " znodes, "
                            + content.tree().ephemeralCount()
                            + " of them ephemeral, "
                            + header.sessions()
                            + " sessions");
            content.tree().ensemble().text().lines().forEach(line -> out.println("  " + line));
            return GOOD;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            spec.commandLine().getErr().println(file + ": BAD: " + e.getMessage());
            return DAMAGED;
        } finally {
            out.flush();
        }
    }

    private interface Show {
        boolean isGood(Inspection inspection) throws IOException;
    }

    private int shown(Path folder, Show show) throws IOException {
        var out = spec.commandLine().getOut();
        try {
            return show.isGood(new Inspection(folder, out)) ? GOOD : DAMAGED;
        } catch (StoreException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return DAMAGED;
        } finally {
            out.flush();
        }
    }
}
