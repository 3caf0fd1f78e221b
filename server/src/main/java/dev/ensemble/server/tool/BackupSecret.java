package dev.ensemble.server.tool;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.Callable;

/// `ensemble backup-secret`: makes a secret for `ensemble backup --from`, and tells its hash: what
/// a member is told to give a backup for. So the secret stays where it was made.
@Command(
        name = "backup-secret",
        description =
                "Makes a secret for 'backup --from', and prints its SHA-256, for POST /v1/backup.",
        mixinStandardHelpOptions = true)
final class BackupSecret implements Callable<Integer> {
    private static final int BYTES = 32;

    @Parameters(paramLabel = "FILE", description = "Where it goes; must not be there yet.")
    private Path file = Path.of("");

    @Option(names = "--report", paramLabel = "FILE", description = "Where the hash goes too.")
    private Path report = Path.of("/dev/null");

    @Override
    public Integer call() throws IOException, NoSuchAlgorithmException {
        byte[] random = new byte[BYTES];
        new SecureRandom().nextBytes(random);
        String secret = HexFormat.of().formatHex(random);
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, secret);
        byte[] hash =
                MessageDigest.getInstance("SHA-256")
                        .digest(secret.getBytes(StandardCharsets.UTF_8));
        String text = HexFormat.of().formatHex(hash);
        System.out.println(text);
        Files.writeString(report, text);
        return 0;
    }
}
