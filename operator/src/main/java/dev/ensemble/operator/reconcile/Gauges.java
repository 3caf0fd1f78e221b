package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Step;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// The operator's own figures on each ensemble, beside those of the framework.
final class Gauges {
    static final String QUORUM = "ensemble_quorum_available";
    static final String VOTERS = "ensemble_voters";
    static final String CAN_LOSE = "ensemble_can_lose";
    static final String WAITING = "ensemble_waiting";
    static final String RESTARTS = "ensemble_restarts";
    static final String LEADER_CHANGES = "ensemble_leader_changes";
    static final String CERTIFICATE = "ensemble_certificate_expiry_seconds";
    static final String BACKUP_CURRENT = "ensemble_backup_current";
    static final String BACKUP_TIME = "ensemble_last_backup_seconds";
    static final String BACKUPS = "ensemble_backups";
    static final String WRITES = "ensemble_api_writes";

    private final MeterRegistry registry;
    private final Map<String, One> known = new ConcurrentHashMap<>();

    /// Latest values of an ensemble.
    private static final class One {
        private volatile double quorum = Double.NaN;
        private volatile double desired;
        private volatile double synced = Double.NaN;
        private volatile double canLose = Double.NaN;
        private volatile double waiting;
        private volatile double links = Double.NaN;
        private volatile double clients = Double.NaN;
        private volatile double backupCurrent = Double.NaN;
        private volatile double backupTime = Double.NaN;
        private final List<Meter> meters = new ArrayList<>();
    }

    /// @param writes counts what was written to the API server
    Gauges(MeterRegistry registry, AtomicLong writes) {
        this.registry = registry;
        io.micrometer.core.instrument.FunctionCounter.builder(WRITES, writes, AtomicLong::get)
                .description("Objects that the operator wrote, but status and events.")
                .register(registry);
    }

    void update(Ensemble about, Observed seen, Step step) {
        One one = known.computeIfAbsent(key(about), _ -> register(about));
        one.desired = seen.wish().replicas();
        Observed.Leadership leadership = seen.leadership();
        one.quorum =
                switch (leadership) {
                    case Observed.Leadership.Known _ -> 1;
                    case Observed.Leadership.None _ -> 0;
                    case Observed.Leadership.Unknown _ -> Double.NaN;
                };
        one.synced = leadership instanceof Observed.Leadership.Known it ? it.synced() : Double.NaN;
        one.canLose =
                leadership instanceof Observed.Leadership.Known it ? it.canLose() : Double.NaN;
        one.waiting = step instanceof Step.Wait ? 1 : 0;
        one.links = until(seen, Observed.Said::links);
        one.clients = until(seen, Observed.Said::clients);
    }

    /// Takes over what the status says of backups.
    void backups(Ensemble about, EnsembleStatus status) {
        One one = known.computeIfAbsent(key(about), _ -> register(about));
        one.backupTime =
                status.lastBackup() == null
                        ? Double.NaN
                        : Instant.parse(status.lastBackup().time()).getEpochSecond();
        one.backupCurrent =
                News.conditions(status)
                        .filter(each -> each.getType().equals("BackupCurrent"))
                        .mapToDouble(each ->
                                switch (each.getStatus()) {
                                    case "True" -> 1;
                                    case "False" -> 0;
                                    default -> Double.NaN;
                                })
                        .findFirst()
                        .orElse(Double.NaN);
    }

    /// Counts a backup that has ended; before its end, so that there is a count of none.
    ///
    /// @param result how it has ended; null if it has just begun
    static void backup(
            MeterRegistry registry, String namespace, String ensemble, @Nullable String result) {
        for (String each : List.of("complete", "failed")) {
            registry.counter(
                            BACKUPS,
                            Tags.of("namespace", namespace, "ensemble", ensemble, "result", each))
                    .increment(each.equals(result) ? 1 : 0);
        }
    }

    private static double until(
            Observed seen, Function<Observed.Said, Observed.@Nullable Shown> which) {
        double first = Double.NaN;
        for (Observed.Member member : seen.members()) {
            Observed.Shown shown = member.said() == null ? null : which.apply(member.said());
            if (shown != null && !(first <= shown.notAfter().getEpochSecond())) {
                first = shown.notAfter().getEpochSecond();
            }
        }
        return first;
    }

    void restarted(Ensemble about, Step.How how) {
        registry.counter(
                        RESTARTS,
                        tags(about).and("how", how.name().toLowerCase(java.util.Locale.ROOT)))
                .increment();
    }

    void leaderChanged(Ensemble about) {
        registry.counter(LEADER_CHANGES, tags(about)).increment();
    }

    /// Drops the figures of an ensemble that is gone.
    void forget(String namespace, String name) {
        One one = known.remove(namespace + "/" + name);
        if (one != null) {
            one.meters.forEach(registry::remove);
        }
    }

    private One register(Ensemble about) {
        One one = new One();
        Tags tags = tags(about);
        gauge(
                one,
                QUORUM,
                "1 if a leader has a quorum, 0 if none has; NaN if not known.",
                tags,
                it -> it.quorum);
        gauge(
                one,
                VOTERS,
                "Voters that the spec asks for, and that are in sync.",
                tags.and("state", "desired"),
                it -> it.desired);
        gauge(
                one,
                VOTERS,
                "Voters that the spec asks for, and that are in sync.",
                tags.and("state", "synced"),
                it -> it.synced);
        gauge(
                one,
                CAN_LOSE,
                "Voters that may fail now without losing the quorum.",
                tags,
                it -> it.canLose);
        gauge(one, WAITING, "1 while the operator waits for something.", tags, it -> it.waiting);
        String until = "When the first certificate in use ends, in seconds since 1970.";
        gauge(one, CERTIFICATE, until, tags.and("use", "members"), it -> it.links);
        gauge(one, CERTIFICATE, until, tags.and("use", "clients"), it -> it.clients);
        gauge(
                one,
                BACKUP_CURRENT,
                "1 if every schedule has its last backup, 0 if one lacks it; NaN without any.",
                tags,
                it -> it.backupCurrent);
        gauge(
                one,
                BACKUP_TIME,
                "When the data was as it is in the newest backup, in seconds since 1970.",
                tags,
                it -> it.backupTime);
        return one;
    }

    private void gauge(
            One one, String name, String description, Tags tags, ToDoubleFunction<One> value) {
        one.meters.add(
                Gauge.builder(name, one, value)
                        .description(description)
                        .tags(tags)
                        .register(registry));
    }

    private static Tags tags(Ensemble about) {
        return Tags.of(
                "namespace",
                about.getMetadata().getNamespace(),
                "ensemble",
                about.getMetadata().getName());
    }

    private static String key(Ensemble about) {
        return about.getMetadata().getNamespace() + "/" + about.getMetadata().getName();
    }
}
