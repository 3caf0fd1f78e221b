package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.EnsembleBackupSchedule;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.desired.Match;
import dev.ensemble.operator.desired.ZooCfg;
import dev.ensemble.operator.reconcile.SimulatedServers.Disk;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimSpec;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.VolumeResourceRequirements;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatus;
import io.fabric8.kubernetes.api.model.batch.v1.Job;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// A made-up Kubernetes with one ensemble: an API server whose answers may be old, a StatefulSet
/// controller, a binder of volumes, nodes that kill pods. It holds the operator to the rules: each
/// write is judged by how things really are.
final class SimulatedCluster implements Cluster {
    private static final String NAME = "orders";
    private static final int OLD_WORLDS = 4;

    /// The operator's process ends here.
    static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static final class PodState {
        private final String uid;
        private final String revision;
        private final boolean bad;
        private int startTurns;
        private int endTurns;
        private boolean runs;
        private String since;
        private boolean wasReady;

        PodState(String uid, String revision, boolean bad, int startTurns, String since) {
            this.uid = uid;
            this.revision = revision;
            this.bad = bad;
            this.startTurns = startTurns;
            this.since = since;
        }
    }

    private static final class ClaimState {
        private final String uid;
        private final Map<String, String> annotations;
        private long requested;
        private long capacity;
        private boolean deleting;
        private final Disk disk = new Disk();

        ClaimState(String uid, Map<String, String> annotations, long requested) {
            this.uid = uid;
            this.annotations = new HashMap<>(annotations);
            this.requested = requested;
        }
    }

    private static final Map<String, SimulatedServers.Started> STARTED = new ConcurrentHashMap<>();

    private final Random random;
    private final SimulatedServers servers;
    private final Map<String, HasMetadata> objects = new HashMap<>();
    private final Map<Integer, PodState> pods = new TreeMap<>();
    private final Map<Integer, ClaimState> claims = new TreeMap<>();
    private final Deque<World> old = new ArrayDeque<>();
    private final Map<String, String> revisions = new HashMap<>();
    private @Nullable StatefulSet set;
    private String setUid = "";
    private long generation;
    private long observed;
    private int leavingTurns;
    private int counter;
    private String now = "2026-01-01T00:00:00Z";
    private boolean calm;
    private int crashAtWrite = -1;
    private int writes;

    /// Set by the history: what the operator may do now.
    boolean mayDisrupt = true;

    boolean hibernate;
    int nodesFor = 9;
    String badRevision = "";

    SimulatedCluster(Random random, SimulatedServers servers) {
        this.random = random;
        this.servers = servers;
    }

    void calm() {
        calm = true;
        crashAtWrite = -1;
        nodesFor = 9;
        servers.calm();
    }

    void crashAt(int write) {
        crashAtWrite = write;
        writes = 0;
    }

    int writes() {
        return writes;
    }

    int size() {
        StatefulSet there = set;
        return there == null ? 0 : Objects.requireNonNull(there.getSpec().getReplicas());
    }

    String revision() {
        StatefulSet there = set;
        return there == null
                ? ""
                : Objects.requireNonNull(there.getMetadata().getAnnotations().get(Labels.REVISION));
    }

    boolean replacing() {
        return set == null || leavingTurns > 0;
    }

    /// {@return what is not as it should be in the end}
    String missing(int replicas, long bytes, boolean spares) {
        if (set == null || size() != replicas) {
            return "size " + size();
        }
        for (int i = 0; i < replicas; i++) {
            PodState pod = pods.get(i);
            if (pod == null || !pod.revision.equals(revision()) || !servers.in(i + 1)) {
                return "member " + i;
            }
            if (servers.runsWithout(i + 1, started().hash())) {
                return "configuration of " + i;
            }
            if (volume(i).requested < bytes || volume(i).capacity < bytes) {
                return "volume " + i;
            }
        }
        if (pods.size() != replicas) {
            return "pods " + pods.keySet();
        }
        if (servers.voters().size() != replicas) {
            return "voters " + servers.voters();
        }
        return spares || claims.size() == replicas ? "" : "spare volumes " + claims.keySet();
    }

    /// {@return the address of a member that may run}
    @Nullable URI address(Pod pod) {
        int ordinal = ordinal(pod.getMetadata().getName());
        return URI.create("http://m" + (ordinal + 1) + "/");
    }

    private static int ordinal(String pod) {
        return Integer.parseInt(pod.substring(NAME.length() + 1));
    }

    // What happens by itself.

    void time(String instant) {
        now = instant;
    }

    void kill(int ordinal) {
        PodState pod = pods.get(ordinal);
        if (pod != null) {
            end(ordinal, pod);
        }
    }

    /// Somebody deletes the claim of a member, if the others hold everything.
    void loseVolume(int ordinal) {
        ClaimState claim = claims.get(ordinal);
        if (claim != null && servers.mayLose(ordinal + 1) && othersInPlace(ordinal)) {
            claim.deleting = true;
            kill(ordinal);
        }
    }

    /// The worst: no volume is left.
    void loseAllVolumes() {
        claims.values().forEach(claim -> claim.deleting = true);
        List.copyOf(pods.keySet()).forEach(this::kill);
    }

    private boolean othersInPlace(int ordinal) {
        return claims.entrySet().stream()
                .noneMatch(each -> each.getKey() != ordinal && each.getValue().deleting);
    }

    private void end(int ordinal, PodState pod) {
        if (pod.endTurns == 0) {
            pod.endTurns = 1 + random.nextInt(3);
            // Its server drains and stops.
            servers.stop(ordinal + 1);
            pod.runs = false;
        }
    }

    void act() {
        if (leavingTurns > 0 && --leavingTurns == 0) {
            set = null;
        }
        endPods();
        claims.entrySet()
                .removeIf(each -> each.getValue().deleting && !pods.containsKey(each.getKey()));
        if (set != null && leavingTurns == 0 && (calm || random.nextInt(5) != 0)) {
            control(set);
        }
        startPods();
        for (ClaimState claim : claims.values()) {
            if (claim.capacity < claim.requested && random.nextInt(3) == 0) {
                claim.capacity = claim.requested;
            }
        }
        servers.act(declared(), unanimous(), objects.get("ConfigMap") == null ? null : started());
        for (Map.Entry<Integer, PodState> each : pods.entrySet()) {
            boolean ready = ready(each.getKey(), each.getValue());
            if (ready != each.getValue().wasReady) {
                each.getValue().wasReady = ready;
                each.getValue().since = now;
            }
        }
    }

    private ClaimState volume(int ordinal) {
        return Objects.requireNonNull(claims.get(ordinal));
    }

    private boolean ready(int ordinal, PodState pod) {
        return pod.runs && pod.endTurns == 0 && servers.ready(ordinal + 1);
    }

    private void endPods() {
        List<Integer> gone = new ArrayList<>();
        pods.forEach((ordinal, pod) -> {
            if (pod.endTurns > 0 && --pod.endTurns == 0) {
                gone.add(ordinal);
            }
        });
        gone.forEach(pods::remove);
    }

    private void startPods() {
        pods.forEach((ordinal, pod) -> {
            if (pod.endTurns > 0 || pod.runs || pod.bad || ordinal >= nodesFor) {
                return;
            }
            if (pod.startTurns > 0) {
                pod.startTurns--;
                return;
            }
            pod.runs = true;
            servers.start(ordinal + 1, volume(ordinal).disk, started());
        });
    }

    private void control(StatefulSet there) {
        observed = generation;
        int replicas = Objects.requireNonNull(there.getSpec().getReplicas());
        for (int i = 0; i < replicas; i++) {
            ClaimState claim = claims.get(i);
            if (claim == null) {
                PersistentVolumeClaim template =
                        there.getSpec().getVolumeClaimTemplates().getFirst();
                claims.put(
                        i,
                        new ClaimState(
                                "claim-" + ++counter,
                                template.getMetadata().getAnnotations(),
                                bytes(template)));
            } else if (!claim.deleting && !pods.containsKey(i)) {
                pods.put(
                        i,
                        new PodState(
                                "pod-" + ++counter,
                                revision(),
                                revision().equals(badRevision),
                                1 + random.nextInt(4),
                                now));
            }
        }
        boolean deletes =
                "Delete"
                        .equals(
                                there.getSpec()
                                        .getPersistentVolumeClaimRetentionPolicy()
                                        .getWhenScaled());
        pods.forEach((ordinal, pod) -> {
            if (ordinal >= replicas) {
                end(ordinal, pod);
                if (deletes) {
                    judgeVolume(ordinal);
                    volume(ordinal).deleting = true;
                }
            }
        });
    }

    private static long bytes(PersistentVolumeClaim claim) {
        return Observation.bytes(
                String.valueOf(claim.getSpec().getResources().getRequests().get("storage")));
    }

    /// {@return what a server reads that starts now}
    private SimulatedServers.Started started() {
        return started(Objects.requireNonNull((ConfigMap) objects.get("ConfigMap")));
    }

    private static SimulatedServers.Started started(ConfigMap config) {
        String stage =
                Objects.requireNonNull(config.getMetadata().getAnnotations().get(Labels.TLS));
        String text = Objects.requireNonNull(config.getData().get("zoo.cfg"));
        return STARTED.computeIfAbsent(stage + "\n" + text, _ -> started(stage, text));
    }

    private static SimulatedServers.Started started(String stage, String text) {
        Map<String, String> lines = new LinkedHashMap<>();
        text.lines().map(each -> each.split("=", 2)).forEach(each -> lines.put(each[0], each[1]));
        ZooCfg file = new ZooCfg(lines);
        return new SimulatedServers.Started(
                file.restartHash(),
                Objects.requireNonNull(lines.get("maxClientCnxns")),
                file.hash(),
                Objects.requireNonNull(TlsStage.parse(stage)).peers());
    }

    /// Called when it is said that every member has what the spec asks for.
    void judgeLoaded(ConfigMap wanted) {
        String hash = started(wanted).hash();
        pods.forEach((ordinal, pod) ->
                assertFalse(
                        ordinal < size()
                                && pod.revision.equals(revision())
                                && servers.runsWithout(ordinal + 1, hash),
                        () -> "up to date without member " + ordinal));
    }

    /// What members take over while they run restarts nobody.
    private void judgeTemplate(StatefulSet next) {
        String image = next.getSpec().getTemplate().getSpec().getContainers().getFirst().getImage();
        String revision = next.getMetadata().getAnnotations().get(Labels.REVISION);
        String made = image + " " + next.getMetadata().getAnnotations().get(Labels.TLS);
        String before = revisions.putIfAbsent(made, revision);
        assertTrue(
                before == null || before.equals(revision),
                () -> "another template of the same " + made);
    }

    /// {@return how far the StatefulSet has come with TLS; null if there is none}
    @Nullable TlsStage stage() {
        StatefulSet there = set;
        return there == null
                ? null
                : TlsStage.parse(
                        Objects.requireNonNull(
                                there.getMetadata().getAnnotations().get(Labels.TLS)));
    }

    @Override
    public @Nullable Secret secret(String namespace, String name) {
        throw new AssertionError("the keys of these histories are somebody else's");
    }

    @Override
    public boolean write(Secret wanted, @Nullable Secret there) {
        throw new AssertionError("the keys of these histories are somebody else's");
    }

    private int declared() {
        ConfigMap config = (ConfigMap) objects.get("ConfigMap");
        return config == null
                ? 0
                : Integer.parseInt(config.getMetadata().getAnnotations().get(Labels.SIZE));
    }

    private boolean unanimous() {
        ConfigMap config = (ConfigMap) objects.get("ConfigMap");
        return config != null
                && String.valueOf(config.getData().get("zoo.cfg")).contains("bootstrap=unanimous");
    }

    // The API server.

    @Override
    public World read(String namespace, String name) {
        World fresh = fresh();
        old.addFirst(fresh);
        if (old.size() > OLD_WORLDS) {
            old.removeLast();
        }
        boolean stale = !calm && random.nextInt(8) == 0;
        return stale ? new ArrayList<>(old).get(random.nextInt(old.size())) : fresh;
    }

    private World fresh() {
        Map<String, Pod> seen = new TreeMap<>();
        pods.forEach((ordinal, pod) -> seen.put(Labels.pod(NAME, ordinal), pod(ordinal, pod)));
        Map<String, PersistentVolumeClaim> bound = new TreeMap<>();
        claims.forEach(
                (ordinal, claim) -> bound.put(Labels.claim(NAME, ordinal), claim(ordinal, claim)));
        return new World(shown(), (ConfigMap) objects.get("ConfigMap"), seen, bound);
    }

    private @Nullable StatefulSet shown() {
        StatefulSet there = set;
        if (there == null) {
            return null;
        }
        StatefulSet shown = new StatefulSet();
        ObjectMeta meta = new ObjectMeta();
        meta.setName(NAME);
        meta.setNamespace("shop");
        meta.setUid(setUid);
        meta.setAnnotations(there.getMetadata().getAnnotations());
        meta.setGeneration(generation);
        meta.setResourceVersion(Long.toString(generation));
        if (leavingTurns > 0) {
            meta.setDeletionTimestamp(now);
        }
        shown.setMetadata(meta);
        shown.setSpec(there.getSpec());
        StatefulSetStatus status = new StatefulSetStatus();
        status.setObservedGeneration(observed);
        shown.setStatus(status);
        return shown;
    }

    private Pod pod(int ordinal, PodState state) {
        Pod pod = new Pod();
        ObjectMeta meta = new ObjectMeta();
        meta.setName(Labels.pod(NAME, ordinal));
        meta.setUid(state.uid);
        meta.setCreationTimestamp(state.since);
        meta.setAnnotations(Map.of(Labels.REVISION, state.revision));
        if (state.endTurns > 0) {
            meta.setDeletionTimestamp(now);
        }
        pod.setMetadata(meta);
        PodStatus status = new PodStatus();
        PodCondition ready = new PodCondition();
        ready.setType("Ready");
        ready.setStatus(ready(ordinal, state) ? "True" : "False");
        ready.setLastTransitionTime(state.since);
        List<PodCondition> conditions = new ArrayList<>(List.of(ready));
        if (ordinal >= nodesFor && !state.runs) {
            PodCondition unschedulable = new PodCondition();
            unschedulable.setType("PodScheduled");
            unschedulable.setStatus("False");
            unschedulable.setReason("Unschedulable");
            conditions.add(unschedulable);
        }
        status.setConditions(conditions);
        if (state.bad && state.startTurns == 0) {
            status.setContainerStatuses(
                    List.of(
                            new ContainerStatusBuilder()
                                    .withName("server")
                                    .withRestartCount(1)
                                    .withState(
                                            new ContainerStateBuilder()
                                                    .withNewWaiting()
                                                    .withReason("CrashLoopBackOff")
                                                    .endWaiting()
                                                    .build())
                                    .build()));
        } else if (state.bad) {
            state.startTurns--;
        }
        pod.setStatus(status);
        return pod;
    }

    private static PersistentVolumeClaim claim(int ordinal, ClaimState state) {
        PersistentVolumeClaim claim = new PersistentVolumeClaim();
        ObjectMeta meta = new ObjectMeta();
        meta.setName(Labels.claim(NAME, ordinal));
        meta.setUid(state.uid);
        meta.setAnnotations(new HashMap<>(state.annotations));
        if (state.deleting) {
            meta.setDeletionTimestamp("2026-01-01T00:00:00Z");
        }
        claim.setMetadata(meta);
        PersistentVolumeClaimSpec spec = new PersistentVolumeClaimSpec();
        VolumeResourceRequirements resources = new VolumeResourceRequirements();
        resources.setRequests(Map.of("storage", new Quantity(Long.toString(state.requested))));
        spec.setResources(resources);
        claim.setSpec(spec);
        PersistentVolumeClaimStatus status = new PersistentVolumeClaimStatus();
        status.setCapacity(Map.of("storage", new Quantity(Long.toString(state.capacity))));
        claim.setStatus(status);
        return claim;
    }

    /// The process may end right before a write, or right after it.
    private void write(Runnable effect) {
        if (writes++ == crashAtWrite) {
            if (random.nextBoolean()) {
                effect.run();
            }
            throw new Crash();
        }
        effect.run();
    }

    @Override
    @SuppressWarnings("unchecked") // Objects are kept by the kind of their class.
    public <T extends HasMetadata> @Nullable T cached(T like) {
        return (T) objects.get(key(like));
    }

    @Override
    public Set<EnsembleBackupSchedule> schedules() {
        return Set.of();
    }

    private static String key(HasMetadata object) {
        return object instanceof ConfigMap
                ? "ConfigMap"
                : object.getKind() + object.getMetadata().getName();
    }

    /// What is wanted is rendered once for each state, so that the same is the very same object.
    @Override
    @SuppressWarnings("ReferenceEquality")
    public <T extends HasMetadata> boolean apply(T wanted, @Nullable T there) {
        if (wanted instanceof StatefulSet next) {
            return applySet(next, (StatefulSet) there);
        }
        if (there == wanted) {
            return false;
        }
        if (wanted instanceof ConfigMap && there != objects.get(key(wanted))) {
            return true;
        }
        write(() -> objects.put(key(wanted), wanted));
        return true;
    }

    @SuppressWarnings("ReferenceEquality")
    private boolean applySet(StatefulSet next, @Nullable StatefulSet there) {
        if (there != null
                && (there.getSpec() == next.getSpec() || Match.difference(there, next) == null)) {
            return false;
        }
        StatefulSet live = set;
        boolean conflict =
                there != null
                        && (live == null
                                || !there.getMetadata().getUid().equals(setUid)
                                || !there.getMetadata()
                                        .getResourceVersion()
                                        .equals(Long.toString(generation)));
        if (conflict) {
            return true;
        }
        if (there == null && live != null) {
            return true;
        }
        judgeTemplate(next);
        write(() -> {
            setUid = live == null ? "set-" + ++counter : setUid;
            set = next;
            generation++;
        });
        judgeSize();
        return true;
    }

    private void judgeSize() {
        int highest = servers.voters().stream().mapToInt(each -> each).max().orElse(0);
        assertTrue(
                hibernate || size() >= highest,
                () -> "%d pods for voters %s".formatted(size(), servers.voters()));
    }

    @Override
    public boolean unchanged(StatefulSet there) {
        return set != null
                && there.getMetadata().getUid().equals(setUid)
                && there.getMetadata().getResourceVersion().equals(Long.toString(generation));
    }

    @Override
    public void annotate(PersistentVolumeClaim claim, Map<String, String> annotations) {
        ClaimState live = claims.get(Labels.ordinal(NAME, claim.getMetadata().getName()));
        write(() -> {
            if (live != null) {
                live.annotations.putAll(annotations);
            }
        });
    }

    @Override
    public @Nullable String grow(PersistentVolumeClaim claim, long bytes) {
        if (!calm && random.nextInt(10) == 0) {
            return "the StorageClass does not allow it";
        }
        ClaimState live = claims.get(Labels.ordinal(NAME, claim.getMetadata().getName()));
        write(() -> {
            if (live != null) {
                assertTrue(live.requested <= bytes, "a volume never shrinks");
                live.requested = bytes;
            }
        });
        return null;
    }

    @Override
    public boolean orphan(StatefulSet there) {
        StatefulSet live = set;
        if (live == null
                || leavingTurns > 0
                || !there.getMetadata().getUid().equals(setUid)
                || !there.getMetadata().getResourceVersion().equals(Long.toString(generation))) {
            return false;
        }
        write(() -> leavingTurns = 1 + random.nextInt(3));
        return true;
    }

    @Override
    public boolean evict(String namespace, String name, String uid) {
        int ordinal = ordinal(name);
        PodState pod = pods.get(ordinal);
        if (pod == null || !pod.uid.equals(uid)) {
            return false;
        }
        int healthy = 0;
        for (Map.Entry<Integer, PodState> each : pods.entrySet()) {
            healthy += ready(each.getKey(), each.getValue()) ? 1 : 0;
        }
        int least = size() - 1;
        if (ready(ordinal, pod) ? healthy - 1 < least : healthy < least) {
            return false;
        }
        judgeRestart(ordinal, pod, true);
        write(() -> end(ordinal, pod));
        return true;
    }

    @Override
    public boolean delete(String namespace, String name, String uid) {
        int ordinal = ordinal(name);
        PodState pod = pods.get(ordinal);
        if (pod == null || !pod.uid.equals(uid)) {
            return false;
        }
        judgeRestart(ordinal, pod, false);
        write(() -> end(ordinal, pod));
        return true;
    }

    private void judgeRestart(int ordinal, PodState pod, boolean asked) {
        int myid = ordinal + 1;
        assertFalse(pod.revision.equals(revision()), () -> myid + " was up to date");
        assertTrue(mayDisrupt || !servers.in(myid), "outside of a window or without approval");
        if (!servers.well(myid)) {
            return;
        }
        assertTrue(servers.leader() != 0, () -> myid + " is well, and nobody leads");
        assertTrue(asked, () -> myid + " has a vote and is in sync, and the budget is not asked");
        List<Integer> out = servers.voters().stream().filter(each -> !servers.in(each)).toList();
        assertEquals(List.of(), out, () -> myid + " is in sync, and these are out");
        if (servers.leader() == myid) {
            for (int voter : servers.voters()) {
                assertTrue(
                        voter == myid
                                || Objects.requireNonNull(pods.get(voter - 1))
                                        .revision
                                        .equals(revision()),
                        "the leader is the last");
            }
        }
    }

    @Override
    public boolean deleteClaim(String namespace, String name, String uid) {
        int ordinal = Labels.ordinal(NAME, name);
        ClaimState claim = claims.get(ordinal);
        if (claim == null || !claim.uid.equals(uid)) {
            return false;
        }
        judgeVolume(ordinal);
        assertFalse(pods.containsKey(ordinal), "the volume of a pod that is there");
        write(() -> claim.deleting = true);
        return true;
    }

    private void judgeVolume(int ordinal) {
        assertFalse(
                servers.voters().contains(ordinal + 1),
                () -> "the volume of a voter is deleted: " + ordinal);
    }

    @Override
    public Restore restore(PersistentVolumeClaim claim, Job job) {
        throw new AssertionError("no ensemble here begins with a backup");
    }

    @Override
    public Issue issue(GenericKubernetesResource certificate) {
        throw new AssertionError("no ensemble here asks for an issuer");
    }

    @Override
    public List<Event> events(HasMetadata about) {
        return List.of();
    }

    @Override
    public void tell(Event event) {}
}
