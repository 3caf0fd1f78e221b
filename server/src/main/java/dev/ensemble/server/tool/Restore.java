package dev.ensemble.server.tool;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.store.Restoration;
import dev.ensemble.server.store.StoreOptions;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.concurrent.Callable;

/// `ensemble restore`: makes a member's data folder of a backup, before its first start.
@Command(
        name = "restore",
        description = {
            "Makes the data folder of one member of the backup in FILE. The member is the only one"
                    + " of its ensemble then; others join it.",
            "The folder must be empty, unless --recovery is given."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the folder holds the backup, on disk",
            "1:the backup cannot be read or is not good; nothing was changed",
            "2:the command or the configuration is not valid",
            "3:the data folder cannot be used: it is not empty, or a member runs in it"
        })
final class Restore implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The backup: a path, or s3://BUCKET/KEY.")
    private String file = "";

    @Mixin private PlaceOptions places = new PlaceOptions();

    @Option(
            names = "--config",
            paramLabel = "CONFIG",
            required = true,
            description =
                    "The configuration that the member is to be started with: its data folders, its"
                            + " line server.N, and its ensembleId if it has one.")
    private Path config = Path.of("");

    @Option(
            names = "--myid",
            paramLabel = "N",
            description = "Id of the member, if the file myid in the data folder does not say it.")
    private @Nullable Integer myid;

    @Option(
            names = "--after-epoch",
            paramLabel = "EPOCH",
            description =
                    "An epoch that clients may have seen: the restored data is put in a later one,"
                            + " so that the server does not seem to be behind them.")
    private long afterEpoch;

    @Option(
            names = "--recovery",
            paramLabel = "ID",
            description =
                    "What the folder holds is put aside in it, and kept. Once for each ID: every"
                            + " member is to be started with --recovery ID,N,0x0 then. See"
                            + " server/docs/storage.md.")
    private @Nullable String recovery;

    @Override
    public Integer call() {
        Config loaded;
        try {
            loaded = Config.load(config, myid == null ? OptionalInt.empty() : OptionalInt.of(myid));
        } catch (InvalidConfig e) {
            return failed(ExitCode.INVALID_INVOCATION, e.getMessage());
        }
        Ensemble declared = loaded.membership().declared();
        Ensemble.Member self = declared.members().get(loaded.myid());
        if (self == null) {
            return failed(
                    ExitCode.INVALID_INVOCATION,
                    config + " has no line server." + loaded.myid() + " for this member");
        }
        if (recovery != null
                && (declared.id().isEmpty() || !recovery.matches("[A-Za-z0-9._-]{1,100}"))) {
            return failed(
                    ExitCode.INVALID_INVOCATION,
                    declared.id().isEmpty()
                            ? "a recovery needs the key ensembleId in the file of every member"
                            : "--recovery '"
                                    + recovery
                                    + "': it must be letters, digits and ._-, at most 100");
        }
        BackupFile.Content content;
        try (BackupPlace place = places.place(file, null);
                InputStream in = place.open()) {
            content = BackupTrial.read(in);
        } catch (IllegalArgumentException e) {
            return failed(ExitCode.INVALID_INVOCATION, e.getMessage());
        } catch (IOException e) {
            return failed(ExitCode.UNEXPECTED_ERROR, file + ": " + e.getMessage());
        }
        return restore(loaded, content, self);
    }

    private int restore(Config loaded, BackupFile.Content content, Ensemble.Member self) {
        String declaredId = loaded.membership().declared().id();
        String id =
                declaredId.isEmpty()
                        ? "%016x".formatted(new SecureRandom().nextLong())
                        : declaredId;
        try {
            Restoration.Restored restored =
                    Restoration.restore(
                            loaded.dataDir().resolve("data"),
                            loaded.dataLogDir().resolve("data"),
                            content.tree(),
                            new Restoration.Seed(id, self, afterEpoch, recovery),
                            StoreOptions.DEFAULT,
                            System.currentTimeMillis());
            System.out.println(
                    restored.done()
                            ? "restored %s of %s, of ensemble %s, as %s of ensemble %s; %d sessions have ended"
                                    .formatted(
                                            Zxid.text(content.header().zxid()),
                                            Instant.ofEpochMilli(content.header().timeMillis()),
                                            content.header().ensembleId(),
                                            Zxid.text(restored.zxid()),
                                            id,
                                            restored.endedSessions())
                            : "restored before, by the same recovery: nothing was changed");
            return ExitCode.NORMAL.number();
        } catch (IOException e) {
            return failed(ExitCode.DATA_DIR_INACCESSIBLE, e.getMessage());
        }
    }

    private static int failed(ExitCode code, @Nullable String message) {
        System.err.println(message);
        return code.number();
    }
}
