package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleSpec.Image;
import dev.ensemble.operator.api.EnsembleSpec.Keep;
import dev.ensemble.operator.api.EnsembleSpec.Leader;
import dev.ensemble.operator.api.EnsembleSpec.Retention;
import dev.ensemble.operator.api.EnsembleSpec.Storage;
import dev.ensemble.operator.api.EnsembleSpec.Strategy;
import dev.ensemble.operator.api.EnsembleSpec.Update;
import dev.ensemble.operator.api.EnsembleSpec.Volume;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.certificates.Maker;
import dev.ensemble.operator.desired.Desired;
import dev.ensemble.operator.desired.InvalidSpec;
import dev.ensemble.operator.desired.Match;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Plan;
import dev.ensemble.operator.plan.Step;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/// Whole histories of a made-up cluster, with the operator's own code at the wheel from what it
/// reads to what it writes: pods die, volumes are lost, members fall behind or fall silent, a
/// leader goes on to say that it leads, builds are bad, nodes are full, answers are old, the spec
/// changes in the middle, the operator ends at any write. Each write is judged by how things really
/// are; and when the faults stop, everything becomes as the spec says.
final class SimulationTest {
    private static final long HISTORIES = 5000;
    private static final long HISTORIES_FOR_A_MUTATION = 5000;
    private static final int FAULTY_TURNS = 70;
    private static final int CALM_TURNS = 1500;
    private static final int TURN_SECONDS = 5;
    private static final long GB = 1L << 30;
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    /// What the spec may say of TLS.
    private static final List<EnsembleSpec.@Nullable Tls> TLS =
            Arrays.asList(
                    null,
                    peers("a", EnsembleSpec.PeerMode.Accept),
                    peers("a", EnsembleSpec.PeerMode.Prefer),
                    peers("a", EnsembleSpec.PeerMode.Required),
                    peers("b", EnsembleSpec.PeerMode.Required));

    private static EnsembleSpec.Tls peers(String secret, EnsembleSpec.PeerMode mode) {
        return new EnsembleSpec.Tls(new EnsembleSpec.PeerTls(secret, mode, null), null, null);
    }

    /// Objects by what they are made of; a history needs few that no other one does.
    private static final Map<Key, Desired> RENDERED = new ConcurrentHashMap<>();

    /// What tells the objects of one history from those of another.
    private record Key(
            String tag,
            int live,
            boolean hibernate,
            boolean formed,
            int size,
            String template,
            TlsStage stage) {
        Key plain() {
            return new Key(tag, 0, hibernate, formed, size, template, stage);
        }
    }

    @Test
    void noHistoryBreaksARuleAndEachArrives() {
        List<String> broken =
                LongStream.range(0, HISTORIES)
                        .parallel()
                        .mapToObj(seed -> new History(seed, Mutation.NONE).verdict())
                        .filter(each -> !each.isEmpty())
                        .toList();
        assertEquals(List.of(), broken.stream().limit(2).toList(), broken.size() + " histories");
    }

    /// What the operator could do wrong. The rules must notice each.
    enum Mutation {
        NONE,
        /// Restarts although other voters are out.
        TAKES_OUT_FOR_IN,
        /// Deletes pods where it should evict them.
        DELETES_WHAT_IT_SHOULD_EVICT,
        /// Restarts the leader first.
        LEADER_FIRST,
        /// Believes whoever says that it leads.
        BELIEVES_ANY_LEADER,
        /// Takes the pods away before the votes.
        SHRINKS_BEFORE_THE_VOTES_GO,
        /// Gives votes to who is not level.
        DOES_NOT_WAIT_FOR_LEARNERS,
        /// Gives votes to all who wait.
        ALL_VOTES_AT_ONCE,
        /// Restarts outside of windows, without approval.
        DISRUPTS_AT_ANY_TIME,
        /// Deletes volumes of whoever is beyond the number that the spec asks for.
        DELETES_VOLUMES_EARLY,
        /// Restarts what is up to date.
        RESTARTS_THE_CURRENT,
        /// Lets the StatefulSet delete volumes when it shrinks, which hibernation does, too.
        STATEFUL_SET_DELETES_VOLUMES,
        /// Leaves the record of the formation off the volumes and the ConfigMap.
        FORGETS_THE_FORMATION,
        /// Does not wait for a change of the configuration that is under way.
        SEES_NO_PENDING_CHANGE,
        /// Stops for good when one member does not come back.
        NEVER_REPAIRS,
        /// Does not grow volumes.
        DOES_NOT_GROW,
        /// Goes from plaintext to TLS at once.
        SKIPS_STEPS_OF_TLS,
        /// Takes the next step of TLS before everybody has taken this one.
        HURRIES_WITH_TLS,
        /// Restarts members for what they take over while they run.
        RESTARTS_FOR_LIVE_KEYS
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"NONE", "FORGETS_THE_FORMATION"})
    void theRulesNotice(Mutation mutation) {
        String found =
                LongStream.range(0, HISTORIES_FOR_A_MUTATION)
                        .parallel()
                        .mapToObj(seed -> new History(seed, mutation).verdict())
                        .filter(each -> !each.isEmpty())
                        .findAny()
                        .orElse("");
        assertTrue(!found.isEmpty(), () -> mutation + " went unnoticed");
    }

    /// With every volume lost it waits for a person, and never begins anew as if nothing had been.
    @Test
    void anEnsembleFormsOnce() {
        for (long seed = 0; seed < 50; seed++) {
            long number = seed;
            assertEquals(
                    1,
                    new History(seed, Mutation.NONE).formationsWithAllVolumesLost(),
                    () -> "seed " + number);
        }
        assertTrue(
                LongStream.range(0, 50)
                        .anyMatch(seed ->
                                new History(seed, Mutation.FORGETS_THE_FORMATION)
                                                .formationsWithAllVolumesLost()
                                        > 1),
                "a record that is forgotten went unnoticed");
    }

    private static final class Turns extends Clock {
        private Instant now = BEGIN;

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }

    private static final class History {
        private final long seed;
        private final Random random;
        private final Mutation mutation;
        private final Turns clock = new Turns();
        private final SimulatedServers servers;
        private final SimulatedCluster cluster;
        private final Ensemble resource = new Ensemble();
        private final Deque<String> diary = new ArrayDeque<>();
        private final Map<Integer, Integer> silences = new HashMap<>();
        private Pass.Tools tools;
        private int replicas;
        private int build = 1;
        private boolean bad;
        private boolean hibernate;
        private boolean manual;
        private boolean approved;
        private boolean window;
        private boolean deleteVolumes;
        private boolean transfer = true;
        private boolean paused;
        private long gigabytes = 1;
        private int tls;
        private int live;
        private boolean steady;

        History(long seed, Mutation mutation) {
            this.seed = seed;
            this.random = new Random(seed * 7919 + 13);
            this.mutation = mutation;
            this.servers = new SimulatedServers(random);
            this.cluster = new SimulatedCluster(random, servers);
            this.tools = start();
            resource.getMetadata().setName("orders");
            resource.getMetadata().setNamespace("shop");
            resource.getMetadata().setUid("uid");
            resource.getMetadata().setGeneration(1L);
            replicas = odd();
            edit();
        }

        /// {@return what went wrong, with the last turns; empty if nothing did}
        String verdict() {
            try {
                run();
                return "";
            } catch (AssertionError | RuntimeException e) {
                return "seed %d, %s: %s%n%s"
                        .formatted(
                                seed,
                                mutation,
                                e instanceof AssertionError ? e.getMessage() : trace(e),
                                String.join(System.lineSeparator(), diary));
            }
        }

        private static String trace(Throwable e) {
            return e + " at " + List.of(e.getStackTrace()).stream().limit(6).toList();
        }

        private int odd() {
            return 1 + 2 * (random.nextInt(3) == 0 ? random.nextInt(5) : random.nextInt(3));
        }

        private Pass.Tools start() {
            return new Pass.Tools(
                    servers,
                    new Observation(servers, cluster::address),
                    new Events(clock),
                    new Gauges(
                            new SimpleMeterRegistry(),
                            new java.util.concurrent.atomic.AtomicLong()),
                    new Notes(),
                    clock,
                    new Wanted.Defaults("ensemble-server", "1", null, "PEM"),
                    new Maker(),
                    this::render,
                    planner());
        }

        private void run() {
            for (int turn = 0; turn < FAULTY_TURNS; turn++) {
                fault();
                turn();
            }
            calmDown();
            String missing = "";
            for (int turn = 0; turn < CALM_TURNS; turn++) {
                turn();
                missing =
                        steady ? cluster.missing(replicas, gigabytes * GB, !deleteVolumes) : "work";
                if (missing.isEmpty()) {
                    break;
                }
            }
            assertEquals("", missing, "it does not arrive");
            assertEquals(1, servers.formations(), "it formed once");
            cluster.crashAt(-1);
            turn();
            assertEquals(0, cluster.writes(), "a pass with nothing to do writes nothing");
        }

        int formationsWithAllVolumesLost() {
            for (int turn = 0; turn < 60; turn++) {
                turn();
            }
            cluster.loseAllVolumes();
            for (int turn = 0; turn < 60; turn++) {
                turn();
            }
            return servers.formations();
        }

        private void calmDown() {
            hibernate = false;
            manual = false;
            window = false;
            paused = false;
            if (bad) {
                build++;
                bad = false;
            }
            edit();
            cluster.calm();
            log("calm");
        }

        private void fault() {
            int any = random.nextInt(9);
            if ((hibernate || paused || window) && random.nextInt(8) == 0) {
                hibernate = false;
                paused = false;
                window = false;
                edit();
            }
            switch (random.nextInt(56)) {
                case 0, 1 -> {
                    replicas = odd();
                    edit();
                }
                case 2, 3, 4 -> {
                    build++;
                    bad = random.nextInt(4) == 0;
                    edit();
                }
                case 5 -> {
                    hibernate = !hibernate && random.nextInt(2) == 0;
                    edit();
                }
                case 6 -> {
                    manual = !manual;
                    edit();
                }
                case 7 -> {
                    approved = !approved;
                    edit();
                }
                case 8 -> {
                    deleteVolumes = !deleteVolumes;
                    edit();
                }
                case 9 -> {
                    gigabytes = Math.min(3, gigabytes + 1);
                    edit();
                }
                case 10 -> {
                    window = !window;
                    edit();
                }
                case 11 -> {
                    transfer = !transfer;
                    edit();
                }
                case 12 -> {
                    paused = !paused && random.nextInt(3) == 0;
                    edit();
                }
                case 13, 14 -> {
                    log("kill " + any);
                    cluster.kill(any);
                }
                case 15, 16 -> {
                    log("lose the volume of " + any);
                    cluster.loseVolume(any);
                }
                case 17, 18, 19 -> {
                    int myid = random.nextBoolean() ? servers.leader() : any + 1;
                    log("fall " + myid);
                    servers.fall(myid);
                }
                case 20, 21 -> {
                    log("silent " + (any + 1));
                    servers.silence(any + 1, true);
                    silences.put(any + 1, 1 + random.nextInt(8));
                }
                case 22, 23, 24, 25, 26 -> {
                    log("the operator ends soon");
                    cluster.crashAt(random.nextInt(4));
                }
                case 27 -> cluster.nodesFor = 1 + random.nextInt(9);
                case 28 -> cluster.nodesFor = 9;
                case 29, 30 -> {
                    tls = random.nextInt(TLS.size());
                    edit();
                }
                case 31, 32, 33 -> {
                    live = random.nextInt(3);
                    edit();
                }
                default -> {}
            }
            silences.replaceAll((_, left) -> left - 1);
            silences.forEach((myid, left) -> {
                if (left <= 0) {
                    servers.silence(myid, false);
                }
            });
            silences.values().removeIf(left -> left <= 0);
        }

        private void edit() {
            EnsembleSpec defaults = EnsembleSpec.defaults();
            resource.setSpec(
                    new EnsembleSpec(
                            replicas,
                            false,
                            null,
                            new Image(null, Integer.toString(build), null, null, null),
                            1,
                            config(live),
                            defaults.jvm(),
                            new Storage(
                                    EnsembleSpec.StorageType.Persistent,
                                    new Volume(gigabytes + "Gi", null),
                                    new Retention(
                                            Keep.Retain,
                                            deleteVolumes ? Keep.Delete : Keep.Retain)),
                            new Update(
                                    manual ? Strategy.Manual : Strategy.Automatic,
                                    transfer ? Leader.TransferFirst : Leader.RestartLast,
                                    10,
                                    "10m",
                                    window ? List.of(never()) : null),
                            defaults.availability(),
                            null,
                            null,
                            paused,
                            hibernate,
                            TLS.get(tls),
                            null,
                            defaults.networkPolicy(),
                            null));
            resource.getMetadata().setGeneration(resource.getMetadata().getGeneration() + 1);
            log(
                    "spec: replicas %d live %d build %d%s hibernate %s manual %s window %s %d Gi paused %s tls %s"
                            .formatted(
                                    replicas,
                                    live,
                                    build,
                                    bad ? " (bad)" : "",
                                    hibernate,
                                    manual,
                                    window,
                                    gigabytes,
                                    paused,
                                    TlsStage.target("orders", resource.getSpec()).text()));
        }

        private static Map<String, String> config(int live) {
            return Map.of("maxClientCnxns", Integer.toString(live));
        }

        /// Opens on the last day of a year only.
        private static EnsembleSpec.MaintenanceWindow never() {
            return new EnsembleSpec.MaintenanceWindow("0 0 31 12 *", "1h", "UTC");
        }

        private void turn() {
            clock.now = clock.now.plusSeconds(TURN_SECONDS);
            cluster.time(clock.now.toString());
            cluster.hibernate = hibernate || cluster.size() == 0;
            cluster.mayDisrupt = !(manual && !approved) && !window;
            cluster.act();
            Pass pass = new Pass(tools, cluster, resource);
            approve();
            steady = false;
            int before = cluster.writes();
            try {
                EnsembleStatus status = pass.run();
                steady = pass.steady();
                resource.setStatus(status);
                log(status);
                if (!paused && upToDate(status)) {
                    cluster.judgeLoaded((ConfigMap) desired().config());
                }
                assertTrue(
                        !paused || cluster.writes() == before, "it writes although it is paused");
            } catch (SimulatedCluster.Crash e) {
                log("the operator has ended");
                cluster.crashAt(-1);
                tools = start();
            }
            if (bad) {
                cluster.badRevision = revision();
            }
        }

        private static boolean upToDate(EnsembleStatus status) {
            return News.conditions(status)
                    .anyMatch(each ->
                            each.getType().equals("UpToDate") && each.getStatus().equals("True"));
        }

        private String revision() {
            return World.annotation(desired().members(), Labels.REVISION) + "";
        }

        private void approve() {
            resource.getMetadata()
                    .setAnnotations(approved ? Map.of(Labels.APPROVED, revision()) : Map.of());
            if (bad) {
                cluster.badRevision = revision();
            }
        }

        private Desired desired() {
            try {
                Wanted wanted =
                        new Wanted(
                                "orders",
                                "shop",
                                "uid",
                                resource.getSpec(),
                                "uid",
                                null,
                                3,
                                "1Gi",
                                tools.image());
                TlsStage stage = cluster.stage();
                return render(stage == null ? wanted : wanted.withStage(stage));
            } catch (InvalidSpec e) {
                throw new AssertionError(e);
            }
        }

        private void log(EnsembleStatus status) {
            EnsembleStatus.Operation operation = status.operation();
            log(
                    "  %s, size %d, voters %s, leader %d: %s"
                            .formatted(
                                    status.phase(),
                                    cluster.size(),
                                    servers.voters(),
                                    servers.leader(),
                                    operation == null
                                            ? ""
                                            : operation.step() + " " + operation.waitingFor()));
        }

        private void log(String line) {
            diary.addLast(clock.now.toString().substring(11, 19) + " " + line);
            if (diary.size() > 60) {
                diary.removeFirst();
            }
        }

        /// The same for all histories, but for what decides about a member's life.
        private Desired render(Wanted wanted) throws InvalidSpec {
            EnsembleSpec spec = wanted.spec();
            Image image = Objects.requireNonNull(spec.image());
            Key key =
                    new Key(
                            String.valueOf(image.tag()),
                            Integer.parseInt(spec.settings().get("maxClientCnxns")),
                            spec.hibernate(),
                            wanted.bootstrapped() != null,
                            wanted.size(),
                            wanted.template(),
                            wanted.security().stage());
            Desired desired = RENDERED.get(key);
            if (desired == null) {
                desired = Desired.of(canonical(key, wanted, image));
                if (key.live() > 0) {
                    desired = sharing(desired, plain(key.plain(), wanted, image));
                }
                RENDERED.put(key, desired);
            }
            return mutate(desired);
        }

        private static Desired plain(Key key, Wanted wanted, Image image) throws InvalidSpec {
            Desired there = RENDERED.get(key);
            if (there == null) {
                there = Desired.of(canonical(key, wanted, image));
                Desired first = RENDERED.putIfAbsent(key, there);
                return first == null ? there : first;
            }
            return there;
        }

        /// What is the same need not be compared at each look.
        private static Desired sharing(Desired desired, Desired plain) {
            return Match.difference(plain.members(), desired.members()) == null
                    ? new Desired(desired.base(), plain.members())
                    : desired;
        }

        private static Wanted canonical(Key key, Wanted wanted, Image image) {
            EnsembleSpec defaults = EnsembleSpec.defaults();
            return new Wanted(
                            "orders",
                            "shop",
                            "uid",
                            new EnsembleSpec(
                                    defaults.replicas(),
                                    false,
                                    null,
                                    image,
                                    1,
                                    config(key.live()),
                                    defaults.jvm(),
                                    defaults.storage(),
                                    defaults.update(),
                                    defaults.availability(),
                                    null,
                                    null,
                                    false,
                                    key.hibernate(),
                                    null,
                                    null,
                                    defaults.networkPolicy(),
                                    null),
                            "uid",
                            key.formed() ? BEGIN.toString() : null,
                            key.size(),
                            key.template(),
                            wanted.defaults())
                    .withStage(key.stage());
        }

        private final IdentityHashMap<Desired, Desired> mutants = new IdentityHashMap<>();

        private Desired mutate(Desired desired) {
            return switch (mutation) {
                case STATEFUL_SET_DELETES_VOLUMES, FORGETS_THE_FORMATION, RESTARTS_FOR_LIVE_KEYS ->
                        mutants.computeIfAbsent(desired, this::mutant);
                default -> desired;
            };
        }

        private Desired mutant(Desired desired) {
            StatefulSetBuilder members = new StatefulSetBuilder(desired.members());
            List<HasMetadata> base = new ArrayList<>(desired.base());
            switch (mutation) {
                case STATEFUL_SET_DELETES_VOLUMES ->
                        members.editSpec()
                                .editPersistentVolumeClaimRetentionPolicy()
                                .withWhenScaled("Delete")
                                .endPersistentVolumeClaimRetentionPolicy()
                                .endSpec();
                case RESTARTS_FOR_LIVE_KEYS -> {
                    String revision =
                            World.annotation(desired.members(), Labels.REVISION) + "-" + live;
                    members.editMetadata()
                            .addToAnnotations(Labels.REVISION, revision)
                            .endMetadata()
                            .editSpec()
                            .editTemplate()
                            .editMetadata()
                            .addToAnnotations(Labels.REVISION, revision)
                            .endMetadata()
                            .endTemplate()
                            .endSpec();
                }
                default ->
                        base.replaceAll(each ->
                                each instanceof ConfigMap config
                                        ? new ConfigMapBuilder(config)
                                                .withData(
                                                        Map.of(
                                                                "zoo.cfg",
                                                                "bootstrap=unanimous\n"
                                                                        + "maxClientCnxns=0"))
                                                .build()
                                        : each);
            }
            return new Desired(base, members.build());
        }

        private Function<Observed, Step> planner() {
            UnaryOperator<Observed> seen = facts();
            UnaryOperator<Step> done = steps();
            return observed -> {
                Observed mutated = seen.apply(observed);
                Step other = instead(mutated);
                return other != null ? other : done.apply(Plan.next(mutated));
            };
        }

        private UnaryOperator<Observed> facts() {
            return switch (mutation) {
                case TAKES_OUT_FOR_IN -> Mutants::allIn;
                case BELIEVES_ANY_LEADER -> Mutants::confirmed;
                case DOES_NOT_WAIT_FOR_LEARNERS -> Mutants::level;
                case SEES_NO_PENDING_CHANGE -> Mutants::settled;
                case DISRUPTS_AT_ANY_TIME -> Mutants::always;
                case NEVER_REPAIRS -> Mutants::nothingStuck;
                case DOES_NOT_GROW -> Mutants::small;
                default -> UnaryOperator.identity();
            };
        }

        private UnaryOperator<Step> steps() {
            return switch (mutation) {
                case DELETES_WHAT_IT_SHOULD_EVICT ->
                        step ->
                                step instanceof Step.Restart it
                                        ? new Step.Restart(
                                                it.myid(),
                                                it.pod(),
                                                it.uid(),
                                                Step.How.DELETE,
                                                it.why())
                                        : step;
                case SKIPS_STEPS_OF_TLS ->
                        step ->
                                step instanceof Step.MoveTls
                                        ? new Step.MoveTls(
                                                TlsStage.target("orders", resource.getSpec()))
                                        : step;
                default -> UnaryOperator.identity();
            };
        }

        private @Nullable Step instead(Observed seen) {
            return switch (mutation) {
                case LEADER_FIRST -> Mutants.leaderFirst(seen);
                case SHRINKS_BEFORE_THE_VOTES_GO ->
                        seen.bootstrapped() && seen.size() > seen.wish().replicas()
                                ? new Step.Resize(seen.size(), seen.wish().replicas())
                                : null;
                case ALL_VOTES_AT_ONCE -> Mutants.allAtOnce(seen);
                case DELETES_VOLUMES_EARLY -> Mutants.earlyVolume(seen);
                case HURRIES_WITH_TLS ->
                        seen.bootstrapped() && !seen.tls().is().equals(seen.tls().target())
                                ? new Step.MoveTls(seen.tls().is().next(seen.tls().target()))
                                : null;
                case RESTARTS_THE_CURRENT -> Mutants.restartsCurrent(seen);
                default -> null;
            };
        }
    }
}
