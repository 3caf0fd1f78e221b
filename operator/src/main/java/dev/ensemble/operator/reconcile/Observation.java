package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Answer;
import dev.ensemble.operator.ensemble.MemberStatus;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Turns what the API server and the members say into the facts of a decision.
final class Observation {
    /// Members that are looked at, whatever a configuration may hold that others made.
    private static final int MOST = 100;

    private final EnsembleClient ensemble;

    /// Where a member's admin server is; a test puts it elsewhere.
    interface Address {
        /// {@return the root of the admin server of this pod, or null if it has none yet}
        @Nullable URI of(Pod pod);

        /// The pod's own address, at the admin port.
        static @Nullable URI inCluster(Pod pod) {
            String ip = pod.getStatus() == null ? null : pod.getStatus().getPodIP();
            if (ip == null || ip.isEmpty()) {
                return null;
            }
            String host = ip.contains(":") ? "[" + ip + "]" : ip;
            return URI.create("http://" + host + ":" + Labels.ADMIN_PORT);
        }
    }

    private final Address address;

    Observation(EnsembleClient ensemble, Address address) {
        this.ensemble = ensemble;
        this.address = address;
    }

    /// What was seen, and figures for the status.
    ///
    /// @param admins the root of each running member's admin server, by myid
    record Seen(
            Observed observed,
            EnsembleStatus.@Nullable Metrics metrics,
            Map<Integer, URI> admins) {}

    /// @param wish what the spec asks for
    /// @param revision what the pods should be made of
    Seen of(
            World world,
            Troubles troubles,
            Wanted wanted,
            Observed.Wish wish,
            String revision,
            Instant now) {
        String name = wanted.name();
        int first = wish.firstMyid();
        Map<Integer, URI> asked = new TreeMap<>();
        int last = wanted.size();
        for (Pod pod : world.pods().values()) {
            int ordinal = Labels.ordinal(name, "data-" + pod.getMetadata().getName());
            URI root = ordinal < 0 || !Troubles.mayRun(pod) ? null : address.of(pod);
            last = Math.max(last, ordinal + 1);
            if (root != null) {
                asked.put(first + ordinal, root);
            }
        }
        Map<Integer, Answer> answers = ensemble.ask(asked);
        Map<Integer, MemberStatus> known = new TreeMap<>();
        answers.forEach((myid, answer) -> {
            if (answer instanceof Answer.Known(MemberStatus status)) {
                known.put(myid, status);
            }
        });
        Leadership leadership = leadership(wanted.size(), asked.size(), known);
        Map<Integer, MemberStatus.Voter> voters = voters(leadership, known);
        Map<Integer, MemberStatus.Learner> learners = learners(leadership, known);
        if (leadership instanceof Leadership.Known leader) {
            for (int myid : leader.configuration().voters()) {
                last = Math.max(last, myid - first + 1);
            }
        }
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < Math.min(last, MOST); i++) {
            int myid = first + i;
            PersistentVolumeClaim claim = world.claims().get(Labels.claim(name, i));
            members.add(
                    new Member(
                            myid,
                            Labels.pod(name, i),
                            pod(world, troubles, name, i, revision, now),
                            voter(voters.get(myid)),
                            learner(learners.get(myid)),
                            said(known.get(myid)),
                            answers.get(myid) instanceof Answer.Unknown(String why) ? why : null,
                            claim == null ? null : volume(claim, i)));
        }
        List<Observed.Volume> spare = new ArrayList<>();
        for (PersistentVolumeClaim claim : world.claims().values()) {
            int ordinal = Labels.ordinal(name, claim.getMetadata().getName());
            if (ordinal >= wanted.size()
                    && wanted.ensembleId().equals(World.annotation(claim, Labels.ENSEMBLE_ID))) {
                spare.add(volume(claim, ordinal));
            }
        }
        String template = world.template();
        Observed observed =
                new Observed(
                        wish,
                        wanted.bootstrapped() != null,
                        wanted.size(),
                        revision,
                        wanted.image(),
                        wanted.zooCfg().hash(),
                        world.controllerCurrent(revision),
                        template == null ? 0 : bytes(template),
                        leadership,
                        new Observed.Tls(
                                wanted.security().stage(),
                                TlsStage.target(wanted.name(), wanted.spec())),
                        members,
                        spare);
        return new Seen(observed, metrics(leadership, known, now), asked);
    }

    private static Observed.Volume volume(PersistentVolumeClaim claim, int ordinal) {
        Quantity requested =
                claim.getSpec().getResources() == null
                                || claim.getSpec().getResources().getRequests() == null
                        ? null
                        : claim.getSpec().getResources().getRequests().get("storage");
        Quantity capacity =
                claim.getStatus() == null || claim.getStatus().getCapacity() == null
                        ? null
                        : claim.getStatus().getCapacity().get("storage");
        String waiting =
                claim.getStatus() == null || claim.getStatus().getConditions() == null
                        ? null
                        : claim.getStatus().getConditions().stream()
                                .filter(each -> "True".equals(each.getStatus()))
                                .map(each ->
                                        each.getMessage() == null || each.getMessage().isEmpty()
                                                ? each.getType()
                                                : each.getMessage())
                                .findFirst()
                                .orElse(null);
        return new Observed.Volume(
                claim.getMetadata().getName(),
                String.valueOf(claim.getMetadata().getUid()),
                ordinal,
                requested == null ? 0 : bytes(requested.toString()),
                capacity == null ? 0 : bytes(capacity.toString()),
                claim.getMetadata().getDeletionTimestamp() != null,
                waiting);
    }

    static long bytes(String quantity) {
        return Quantity.getAmountInBytes(new Quantity(quantity)).longValue();
    }

    /// One leader counts if it has just heard from a quorum. That there is none is known only if
    /// too few members are left that could be, or make, one.
    static Leadership leadership(int replicas, int running, Map<Integer, MemberStatus> known) {
        List<MemberStatus> leaders =
                known.values().stream()
                        .filter(each -> each.leads() && each.quorum() != null)
                        .filter(each -> each.voters() != null)
                        .toList();
        List<MemberStatus> backed = leaders.stream().filter(Observation::hasQuorum).toList();
        if (backed.size() == 1
                && leaders.stream().allMatch(each -> each.epoch() <= backed.getFirst().epoch())) {
            MemberStatus leader = backed.getFirst();
            MemberStatus.Quorum quorum = Objects.requireNonNull(leader.quorum());
            Observed.Configuration configuration = configuration(leader);
            return new Leadership.Known(
                    leader.myid(),
                    leader.epoch(),
                    quorum.configured(),
                    quorum.needed(),
                    quorum.synced(),
                    quorum.canLose(),
                    confirmed(leader, configuration.voters(), known),
                    configuration,
                    leader.ensembleId());
        }
        if (leaders.size() > 1) {
            return new Leadership.Unknown(
                    "members %s say that they lead"
                            .formatted(
                                    leaders.stream()
                                            .map(each -> Integer.toString(each.myid()))
                                            .collect(Collectors.joining(" and "))));
        }
        long without =
                known.values().stream()
                        .filter(each -> each.leader() == null || each.leads())
                        .count();
        int majority = replicas / 2 + 1;
        int silent = running - known.size();
        if (without >= majority || silent == 0) {
            return new Leadership.None(
                    "%d of %d members run, and none leads a quorum".formatted(running, replicas));
        }
        return new Leadership.Unknown(
                "%d of %d members do not answer the operator".formatted(silent, replicas));
    }

    private static Observed.Configuration configuration(MemberStatus leader) {
        Set<Integer> voters = new TreeSet<>();
        MemberStatus.Configuration committed = leader.configuration();
        if (committed != null && committed.members() != null) {
            for (MemberStatus.Member each : committed.members()) {
                if (!"observer".equals(each.role())) {
                    voters.add(each.myid());
                }
            }
        }
        if (voters.isEmpty()) {
            Objects.requireNonNull(leader.voters()).forEach(each -> voters.add(each.myid()));
        }
        return new Observed.Configuration(
                committed == null ? null : committed.version(),
                committed != null && committed.pending(),
                voters);
    }

    /// Whether a majority of the voters follow it, by their own word.
    private static boolean confirmed(
            MemberStatus leader, Set<Integer> voters, Map<Integer, MemberStatus> known) {
        long follow =
                known.values().stream()
                        .filter(each -> voters.contains(each.myid()))
                        .filter(each -> each.epoch() == leader.epoch())
                        .filter(each -> Objects.equals(each.leader(), leader.myid()))
                        .count();
        return follow > voters.size() / 2;
    }

    private static boolean hasQuorum(MemberStatus leader) {
        MemberStatus.Quorum quorum = Objects.requireNonNull(leader.quorum());
        return quorum.synced() >= quorum.needed();
    }

    private static Map<Integer, MemberStatus.Voter> voters(
            Leadership leadership, Map<Integer, MemberStatus> known) {
        Map<Integer, MemberStatus.Voter> voters = new TreeMap<>();
        if (leadership instanceof Leadership.Known leader) {
            MemberStatus status = Objects.requireNonNull(known.get(leader.myid()));
            for (MemberStatus.Voter voter : Objects.requireNonNull(status.voters())) {
                voters.put(voter.myid(), voter);
            }
        }
        return voters;
    }

    private static Map<Integer, MemberStatus.Learner> learners(
            Leadership leadership, Map<Integer, MemberStatus> known) {
        Map<Integer, MemberStatus.Learner> learners = new TreeMap<>();
        if (leadership instanceof Leadership.Known leader) {
            MemberStatus status = Objects.requireNonNull(known.get(leader.myid()));
            if (status.learners() != null) {
                status.learners().forEach(each -> learners.put(each.myid(), each));
            }
        }
        return learners;
    }

    private static Observed.@Nullable Learner learner(MemberStatus.@Nullable Learner learner) {
        return learner == null ? null : new Observed.Learner(learner.level(), learner.lag());
    }

    private static Observed.@Nullable Voter voter(MemberStatus.@Nullable Voter voter) {
        return voter == null
                ? null
                : new Observed.Voter(
                        voter.synced(),
                        voter.lag(),
                        voter.safeToStop(),
                        voter.reasons() == null ? List.of() : voter.reasons());
    }

    private static Observed.@Nullable Said said(@Nullable MemberStatus status) {
        return status == null
                ? null
                : new Observed.Said(
                        status.role() == null ? "unknown" : status.role(),
                        status.identity() != null
                                && Set.of("member").contains(text(status.identity().state())),
                        status.version(),
                        status.configHash(),
                        status.identity() == null ? null : status.identity().incarnation(),
                        status.warnings() == null ? List.of() : status.warnings(),
                        status.tls() == null ? null : shown(status.tls().members()),
                        status.tls() == null ? null : shown(status.tls().clients()),
                        file(status.file()),
                        status.superUser() == null
                                ? null
                                : new Observed.SuperUser(
                                        status.superUser().known(), status.superUser().problem()));
    }

    private static Observed.@Nullable File file(MemberStatus.@Nullable File file) {
        return file == null
                ? null
                : new Observed.File(
                        file.waiting() == null ? List.of() : file.waiting(), file.refused());
    }

    private static Observed.@Nullable Shown shown(MemberStatus.@Nullable Shown shown) {
        try {
            return shown == null
                    ? null
                    : new Observed.Shown(
                            shown.fingerprint(),
                            Instant.parse(shown.notAfter()),
                            shown.trusted() == null ? List.of() : shown.trusted(),
                            shown.refused());
        } catch (DateTimeParseException e) {
            return null; // Not of a server that we know.
        }
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static Observed.@Nullable Pod pod(
            World world,
            Troubles troubles,
            String ensemble,
            int ordinal,
            String revision,
            Instant now) {
        Pod pod = world.pods().get(Labels.pod(ensemble, ordinal));
        if (pod == null) {
            return null;
        }
        PodCondition ready =
                pod.getStatus() == null || pod.getStatus().getConditions() == null
                        ? null
                        : pod.getStatus().getConditions().stream()
                                .filter(each -> "Ready".equals(each.getType()))
                                .findFirst()
                                .orElse(null);
        ContainerStatus container = Troubles.container(pod);
        boolean isReady = ready != null && "True".equals(ready.getStatus());
        String since =
                ready != null && ready.getLastTransitionTime() != null
                        ? ready.getLastTransitionTime()
                        : pod.getMetadata().getCreationTimestamp();
        return new Observed.Pod(
                pod.getMetadata().getUid(),
                pod.getMetadata().getDeletionTimestamp() != null,
                isReady,
                since == null ? 0 : Duration.between(Instant.parse(since), now).toSeconds(),
                Troubles.stuck(pod),
                revision.equals(World.annotation(pod, Labels.REVISION)),
                container == null || container.getRestartCount() == null
                        ? 0
                        : container.getRestartCount(),
                pod.getSpec() == null ? null : pod.getSpec().getNodeName(),
                isReady
                        ? null
                        : troubles.of(pod, world.claims().get(Labels.claim(ensemble, ordinal))));
    }

    private static EnsembleStatus.@Nullable Metrics metrics(
            Leadership leadership, Map<Integer, MemberStatus> known, Instant now) {
        MemberStatus leader =
                leadership instanceof Leadership.Known it ? known.get(it.myid()) : null;
        if (leader == null || leader.metrics() == null) {
            return null;
        }
        double connections = 0;
        double p99 = 0;
        for (MemberStatus each : known.values()) {
            if (each.metrics() != null) {
                connections += each.metrics().connections();
                p99 = Math.max(p99, each.metrics().p99Millis());
            }
        }
        return new EnsembleStatus.Metrics(
                Math.round(leader.metrics().znodes()),
                Math.round(connections),
                Math.round(leader.metrics().sessions()),
                Math.round(leader.metrics().writesPerSecond()),
                Math.round(p99),
                now.toString());
    }
}
