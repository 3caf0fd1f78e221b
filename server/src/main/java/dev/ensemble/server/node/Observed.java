package dev.ensemble.server.node;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.Links;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.tls.Tls;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/// A member as those see it who ask: the newest [Facts] and where the rest can be had. Any thread.
///
/// Wired once, at the end of the start; until then the member is starting.
final class Observed {
    /// The parts that answer for themselves.
    record Parts(
            Store store,
            @Nullable Links links,
            ClientServer clients,
            Flushing flushing,
            PeerLoop loop,
            Upkeep upkeep,
            Schemes schemes,
            Start start,
            @Nullable PauseMonitor pauses,
            @Nullable Tls memberTls,
            @Nullable Tls clientTls,
            @Nullable SuperUserFiles superUser,
            List<String> warnings) {}

    /// What it took to start.
    ///
    /// @param micros to load the data
    /// @param transactions that were read from the log
    record Start(Reading micros, Reading transactions) {
        static Start of(long nanos, int transactions) {
            var micros = new Summary();
            micros.add(nanos / 1000);
            var read = new Summary();
            read.add(transactions);
            return new Start(micros.read(), read.read());
        }
    }

    private static final long STALE_NANOS = 1_000_000_000L;
    private static final long STUCK_NANOS = 10_000_000_000L;
    private static final long READY_NANOS = 10_000_000_000L;
    private static final int RATE_SAMPLES = 11;

    private record Sample(long nanos, long commits) {}

    private volatile Config config;
    private final LongSupplier clock;
    private final long startNanos;
    private final Object rateLock = new Object();
    private final ArrayList<Sample> samples = new ArrayList<>();

    private volatile @Nullable Parts parts;
    private volatile @Nullable Facts facts;
    private volatile boolean draining;
    private volatile Reloading.Standing standing = Reloading.Standing.AS_STARTED;

    /// @param clock monotonic, in ns
    Observed(Config config, LongSupplier clock) {
        this.config = config;
        this.clock = clock;
        this.startNanos = clock.getAsLong();
    }

    void started(Parts wired) {
        parts = wired;
    }

    /// Takes what the peer thread knows now.
    void learn(Facts now) {
        facts = now;
        synchronized (rateLock) {
            if (samples.isEmpty() || now.nanos() - samples.getLast().nanos() >= 1_000_000_000L) {
                samples.add(new Sample(now.nanos(), now.counts().commits()));
                if (samples.size() > RATE_SAMPLES) {
                    samples.removeFirst();
                }
            }
        }
    }

    void drain() {
        draining = true;
    }

    /// {@return what is in force}
    Config config() {
        return config;
    }

    /// {@return how the file stands to that}
    Reloading.Standing standing() {
        return standing;
    }

    /// The file has changed.
    void reloaded(Config inForce, Reloading.Standing now) {
        config = inForce;
        standing = now;
    }

    /// {@return null until the member has started}
    @Nullable Facts facts() {
        return parts == null ? null : facts;
    }

    Parts parts() {
        Parts wired = parts;
        if (wired == null) {
            throw new IllegalStateException("the member has not started");
        }
        return wired;
    }

    boolean isDraining() {
        return draining;
    }

    long uptimeMillis() {
        return (clock.getAsLong() - startNanos) / 1_000_000;
    }

    /// {@return which thread no longer turns; null if all do, or have not begun yet}
    @Nullable String stuck() {
        Facts now = facts;
        Parts wired = parts;
        long nanos = clock.getAsLong();
        if (now != null && nanos - now.nanos() >= STUCK_NANOS) {
            return "the peer thread is stuck";
        }
        return wired == null ? null : wired.upkeep().stuck(nanos);
    }

    /// {@return how long the member has been out of sync with a leader, 0 if it is in sync}
    long outOfSyncMillis(Facts now) {
        return outOfSyncNanos(now) / 1_000_000;
    }

    private long outOfSyncNanos(Facts now) {
        long nanos = clock.getAsLong();
        boolean fresh = nanos - now.nanos() < STALE_NANOS;
        return fresh && now.isInSync() ? 0 : nanos - now.inSyncNanos();
    }

    /// {@return why clients should not be sent here; null if they should}
    @Nullable String notReady() {
        Facts now = facts();
        if (now == null) {
            return "starting";
        }
        if (draining) {
            return "draining";
        }
        if (now.configuration().version() == 0
                || !now.configuration().members().containsKey(config.myid())) {
            return "not a member of a committed configuration";
        }
        if (now.resting()) {
            return "the disk is nearly full";
        }
        if (!now.everInSync()) {
            return "not in sync yet";
        }
        if (outOfSyncNanos(now) >= READY_NANOS) {
            return "out of sync for " + outOfSyncMillis(now) + " ms";
        }
        return null;
    }

    /// {@return committed transactions per second, over the last ten seconds}
    double writesPerSecond() {
        synchronized (rateLock) {
            if (samples.size() < 2) {
                return 0;
            }
            Sample first = samples.getFirst();
            Sample last = samples.getLast();
            return (last.commits() - first.commits()) * 1e9 / (last.nanos() - first.nanos());
        }
    }

    /// {@return what a person should look at}
    List<String> warnings(Facts now) {
        Parts wired = parts();
        var warnings = new ArrayList<>(wired.warnings());
        ofFile(warnings);
        if (wired.links() != null) {
            if (!config.tls().quorum()) {
                warnings.add("links between members are plaintext");
            } else if (config.tls().quorumBoth()) {
                warnings.add("links between members in plaintext are still accepted");
            }
            wired.links()
                    .warnings()
                    .forEach((id, text) -> warnings.add("link with member " + id + ": " + text));
        }
        SuperUserFiles superUser = wired.superUser();
        if (superUser != null && superUser.standing().problem() != null) {
            warnings.add("superuser: " + superUser.standing().problem());
        }
        differences(now, warnings);
        space(now, wired.upkeep().space(), warnings);
        warnings.addAll(now.warnings());
        return warnings;
    }

    private void ofFile(List<String> warnings) {
        Reloading.Standing now = standing;
        if (now.refused() != null) {
            warnings.add("the changed configuration is not used: " + now.refused());
        }
        if (!now.waiting().isEmpty()) {
            warnings.add(
                    "changed in the file, and counting from the next start on: "
                            + String.join(", ", now.waiting()));
        }
        now.warnings().stream().filter(each -> !warnings.contains(each)).forEach(warnings::add);
    }

    private static void space(Facts now, Upkeep.Space space, List<String> warnings) {
        if (space.low()) {
            warnings.add(
                    String.format(
                            "the disk is nearly full: %d MiB are free, it should be %d%s",
                            space.freeBytes() >> 20,
                            space.lowWaterBytes() >> 20,
                            now.resting() ? "; this member takes no part until then" : ""));
        }
        if (now.cramped()) {
            warnings.add(
                    "no quorum has space on its disks: what makes data grow is refused with"
                            + " QuotaExceeded, delete what is not needed");
        }
    }

    private void differences(Facts now, List<String> warnings) {
        if (now.configuration().version() == 0 || config.membership().standalone()) {
            return;
        }
        var declared = config.membership().declared().members();
        var committed = now.configuration().members();
        if (!declared.keySet().equals(committed.keySet())) {
            warnings.add(
                    String.format(
                            "the file declares members %s, the configuration of %s has %s",
                            declared.keySet(),
                            Zxid.text(now.configuration().version()),
                            committed.keySet()));
        }
        declared.forEach((id, member) -> {
            var other = committed.get(id);
            if (other != null && !other.text().equals(member.text())) {
                warnings.add(
                        String.format(
                                "the file declares server.%d=%s, committed is %s",
                                id, member.text(), other.text()));
            }
        });
    }
}
