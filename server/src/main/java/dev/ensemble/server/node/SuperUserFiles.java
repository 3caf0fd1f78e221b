package dev.ensemble.server.node;

import dev.ensemble.server.auth.Digest;
import dev.ensemble.server.auth.SuperDigests;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/// Reads from files who the superuser is. They may change, come and go while the member runs: a
/// mounted Secret is replaced under it. What is in them is told to nobody.
///
/// One thread looks; any may ask how things stand.
final class SuperUserFiles implements FileWatch.Watched {
    private static final Logger LOG = LoggerFactory.getLogger(SuperUserFiles.class);

    /// Whose password the other file has.
    private static final String USER = "super";

    /// How things stand.
    ///
    /// @param known somebody can be the superuser
    /// @param problem with the files as they are now; null if there is none
    record Standing(boolean known, @Nullable String problem) {}

    private final Config.SuperUser files;
    private final String algorithm;
    private final @Nullable String fixed;
    private final SuperDigests digests;
    private Set<String> found = Set.of();
    private volatile Standing standing = new Standing(false, "not read yet");

    private SuperUserFiles(Config.SuperUser files, Config.Auth auth, SuperDigests digests) {
        this.files = files;
        this.algorithm = auth.digestAlgorithm();
        this.fixed = auth.superDigest();
        this.digests = digests;
    }

    /// Reads them a first time.
    ///
    /// @param auth may have a further `user:digest`
    /// @param digests where what is found goes
    static SuperUserFiles of(Config.SuperUser files, Config.Auth auth, SuperDigests digests) {
        var read = new SuperUserFiles(files, auth, digests);
        read.look();
        return read;
    }

    Standing standing() {
        return standing;
    }

    /// Bad files change nothing; if there are none, nobody is the superuser.
    @Override
    public void look() {
        Standing before = standing;
        try {
            Set<String> now = read();
            boolean changed = !now.equals(found);
            found = now;
            Set<String> all = new HashSet<>(now);
            if (fixed != null) {
                all.add(fixed);
            }
            digests.set(all);
            standing =
                    new Standing(!all.isEmpty(), now.isEmpty() ? "nothing is in " + files : null);
            if (changed) {
                LOG.atInfo().addKeyValue("files", files).log("superuser read");
            }
        } catch (IOException | InvalidConfig e) {
            standing = new Standing(before.known(), e.getMessage());
        }
        String problem = standing.problem();
        if (problem != null && !Objects.equals(problem, before.problem())) {
            LOG.atWarn().addKeyValue("reason", problem).log("the superuser is not known by a file");
        }
    }

    private Set<String> read() throws IOException, InvalidConfig {
        Set<String> now = new HashSet<>();
        String text = text(files.digests());
        for (String line : text.lines().map(String::strip).toList()) {
            int colon = line.indexOf(':');
            if (line.isEmpty()) {
                continue;
            }
            if (colon < 1 || colon == line.length() - 1) {
                // The line is a secret, or nearly.
                throw new InvalidConfig(
                        files.digests() + " is not valid: each line must be user:digest in base64");
            }
            now.add(line);
        }
        String password = text(files.password()).strip();
        if (!password.isEmpty()) {
            now.add(Digest.of(algorithm, (USER + ":" + password).getBytes(StandardCharsets.UTF_8)));
        }
        return now;
    }

    private static String text(@Nullable Path file) throws IOException {
        try {
            return file == null ? "" : Files.readString(file);
        } catch (NoSuchFileException _) {
            return "";
        } catch (IOException e) {
            throw new IOException(file + " cannot be read: " + e.getClass().getSimpleName(), e);
        }
    }
}
