package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.EnsembleClient.Answer;
import dev.ensemble.operator.ensemble.MemberStatus;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Observed.Leadership;
import dev.ensemble.operator.plan.Observed.Member;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Turns what the API server and the members say into the facts of a decision.
final class Observation {
    private final EnsembleClient ensemble;
    private final Troubles troubles;

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

    Observation(EnsembleClient ensemble, Troubles troubles, Address address) {
        this.ensemble = ensemble;
        this.troubles = troubles;
        this.address = address;
    }

    /// What was seen, and figures for the status.
    record Seen(Observed observed, EnsembleStatus.@Nullable Metrics metrics) {}

    /// @param revision what the pods should be made of
    Seen of(World world, Wanted wanted, String revision, Instant now) {
        EnsembleSpec spec = wanted.spec();
        Map<Integer, URI> asked = new TreeMap<>();
        for (int i = 0; i < spec.replicas(); i++) {
            Pod pod = world.pods().get(Labels.pod(wanted.name(), i));
            URI root = pod == null || !Troubles.mayRun(pod) ? null : address.of(pod);
            if (root != null) {
                asked.put(spec.firstMyid() + i, root);
            }
        }
        Map<Integer, Answer> answers = ensemble.ask(asked);
        Map<Integer, MemberStatus> known = new TreeMap<>();
        answers.forEach((myid, answer) -> {
            if (answer instanceof Answer.Known(MemberStatus status)) {
                known.put(myid, status);
            }
        });
        Leadership leadership = leadership(spec.replicas(), asked.size(), known);
        Map<Integer, MemberStatus.Voter> voters = voters(leadership, known);
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < spec.replicas(); i++) {
            int myid = spec.firstMyid() + i;
            String name = Labels.pod(wanted.name(), i);
            members.add(
                    new Member(
                            myid,
                            name,
                            pod(world, wanted.name(), i, revision, now),
                            voter(voters.get(myid)),
                            said(known.get(myid)),
                            answers.get(myid) instanceof Answer.Unknown(String why) ? why : null));
        }
        Observed observed =
                new Observed(
                        spec.replicas(),
                        spec.update().strategy() == EnsembleSpec.Strategy.Manual,
                        wanted.bootstrapped() != null,
                        spec.update().minReadySeconds(),
                        spec.update().memberTimeoutSeconds(),
                        revision,
                        wanted.image(),
                        wanted.zooCfg().hash(),
                        world.controllerCurrent(revision),
                        leadership,
                        members);
        return new Seen(observed, metrics(leadership, known, now));
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
            return new Leadership.Known(
                    leader.myid(),
                    leader.epoch(),
                    quorum.configured(),
                    quorum.needed(),
                    quorum.synced(),
                    quorum.canLose(),
                    leader.configuration() != null && leader.configuration().pending(),
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
                        status.warnings() == null ? List.of() : status.warnings());
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    private Observed.@Nullable Pod pod(
            World world, String ensemble, int ordinal, String revision, Instant now) {
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
