package dev.ensemble.server.node;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;

/// Takes over what people change in the file of the configuration while the member runs: the keys
/// of [ConfigKeys#live]; all others count from the next start on.
///
/// A text counts once two looks have found the same, since whoever writes it may not be done. One
/// thread looks; what it finds is told to [Observed].
final class Reloading implements FileWatch.Watched {
    private static final Logger LOG = LoggerFactory.getLogger(Reloading.class);

    /// Where new values go.
    interface Parts {
        /// Brings them into force.
        ///
        /// @throws IOException if not all are
        void use(Config next) throws IOException, InterruptedException;
    }

    /// How the file as it is now stands to what is in force.
    ///
    /// @param waiting keys that it changes and that count from the next start on
    /// @param refused why nothing of it is used; null if what can be is
    /// @param warnings about values that are in force
    record Standing(List<String> waiting, @Nullable String refused, List<String> warnings) {
        static final Standing AS_STARTED = new Standing(List.of(), null, List.of());

        Standing {
            waiting = List.copyOf(waiting);
            warnings = List.copyOf(warnings);
        }
    }

    private final Observed observed;
    private final Parts parts;
    private final ConfigFile file;
    private @Nullable String seen;
    private @Nullable String taken;
    private SortedMap<String, String> inForce;

    Reloading(Observed observed, Parts parts) {
        this.observed = observed;
        this.parts = parts;
        this.file = observed.config().file();
        this.seen = file.text();
        this.taken = file.text();
        this.inForce = observed.config().file().linesAtStart();
    }

    @Override
    public void look() throws InterruptedException {
        String text = read();
        boolean settled = Objects.equals(text, seen);
        seen = text;
        if (settled && !Objects.equals(text, taken)) {
            taken = text;
            take(text);
        }
    }

    private @Nullable String read() {
        try {
            return Files.readString(file.path());
        } catch (IOException _) {
            return null; // Whether that is news is known when it has been so twice.
        }
    }

    private void take(@Nullable String text) throws InterruptedException {
        Standing before = observed.standing();
        try {
            if (text == null) {
                throw new InvalidConfig("the configuration " + file.path() + " cannot be read");
            }
            ConfigParser.Changed changed = ConfigParser.reload(observed.config(), text);
            List<String> keys = ConfigFile.differing(inForce, changed.lines());
            if (!keys.isEmpty()) {
                parts.use(changed.inForce());
                inForce = changed.lines();
            }
            observed.reloaded(
                    changed.inForce(), new Standing(changed.waiting(), null, changed.warnings()));
            tell(keys, changed, before);
        } catch (InvalidConfig | IOException e) {
            String reason = String.valueOf(e.getMessage());
            observed.reloaded(
                    observed.config(), new Standing(before.waiting(), reason, before.warnings()));
            LOG.atWarn()
                    .addKeyValue("reason", reason)
                    .log("the changed configuration is not used; what was in force before is");
        }
    }

    private void tell(List<String> keys, ConfigParser.Changed changed, Standing before) {
        if (!keys.isEmpty() || before.refused() != null) {
            LOG.atInfo()
                    .addKeyValue("changed", keys.stream().map(this::line).toList())
                    .addKeyValue("configHash", changed.inForce().hash())
                    .log("configuration reloaded");
        }
        if (!changed.waiting().isEmpty() && !changed.waiting().equals(before.waiting())) {
            LOG.atWarn()
                    .addKeyValue("keys", changed.waiting())
                    .log("changed keys count from the next start on");
        }
        changed.warnings().stream()
                .filter(each -> !before.warnings().contains(each))
                .forEach(LOG::warn);
    }

    private String line(String key) {
        String value = inForce.get(key);
        return value == null ? key + " removed" : key + "=" + value;
    }
}
