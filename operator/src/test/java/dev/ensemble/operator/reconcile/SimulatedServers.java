package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.MemberStatus;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Servers of one ensemble, as far as the operator can tell them from real ones: who has a vote,
/// who has which data, who leads. myid is ordinal + 1. They keep the promises of
/// `server/docs/status.md`, and fail when they are asked for what no operator may ask.
final class SimulatedServers implements EnsembleClient {
    private static final int MOST_AT_ONCE = 2;

    /// What is on a member's volume.
    static final class Disk {
        boolean formed;
        int incarnation;

        /// Everything that is committed up to here is on it.
        int upTo;
    }

    /// What a process has read.
    ///
    /// @param fixed hash of what it takes from its file at the start only
    /// @param live what it takes over while it runs
    /// @param hash of what is in force
    /// @param links how it speaks with others
    record Started(String fixed, String live, String hash, TlsStage.Side links) {}

    /// A process that runs.
    private static final class Server {
        private final Disk disk;
        private Started started;
        private int syncTurns;

        /// A changed file that it has not taken over yet, and when it will.
        private @Nullable Started file;

        private int reloadTurns;

        Server(Disk disk, Started started, int syncTurns) {
            this.disk = disk;
            this.started = started;
            this.syncTurns = syncTurns;
        }
    }

    private final Random random;
    private final Map<Integer, Server> running = new TreeMap<>();

    /// Voters and, of each, the disk that its vote belongs to.
    private final Map<Integer, Integer> voters = new TreeMap<>();

    private final Set<Integer> silent = new TreeSet<>();
    private boolean formed;
    private int formations;
    private int version = 1;
    private int committed;
    private int incarnations;
    private int leader;
    private int epoch = 1;
    private int deposed;
    private int deposedEpoch;
    private Set<Integer> deposedVoters = Set.of();
    private int deposedTurns;
    private int pendingTurns;
    private @Nullable Change pending;
    private int electionTurns;
    private boolean calm;

    SimulatedServers(Random random) {
        this.random = random;
    }

    void calm() {
        calm = true;
        silent.clear();
        deposedTurns = 0;
    }

    /// {@return how often the ensemble has formed}
    int formations() {
        return formations;
    }

    Set<Integer> voters() {
        return voters.keySet();
    }

    int leader() {
        return leader;
    }

    boolean in(int myid) {
        return leader != 0 && well(myid);
    }

    /// {@return whether it would be in, were there a leader}
    boolean well(int myid) {
        Server server = running.get(myid);
        return server != null
                && server.syncTurns == 0
                && Objects.equals(voters.get(myid), server.disk.incarnation);
    }

    boolean ready(int myid) {
        return in(myid) || (leader == 0 && running.containsKey(myid) && voters.containsKey(myid));
    }

    boolean level(int myid) {
        Server server = running.get(myid);
        return leader != 0 && server != null && server.syncTurns == 0;
    }

    /// Whether nobody's disk may be lost now without losing what was acknowledged.
    boolean mayLose(int myid) {
        long safe = voters.keySet().stream().filter(each -> each != myid).filter(this::in).count();
        return pending == null && (!voters.containsKey(myid) || safe > voters.size() / 2);
    }

    private Server server(int myid) {
        return Objects.requireNonNull(running.get(myid));
    }

    void start(int myid, Disk disk, Started started) {
        running.put(myid, new Server(disk, started, 1 + random.nextInt(5)));
        running.forEach((other, server) ->
                assertTrue(
                        understand(started.links(), server.started.links()),
                        () ->
                                "members %d and %d do not understand each other: %s, %s"
                                        .formatted(
                                                myid,
                                                other,
                                                started.links(),
                                                server.started.links())));
    }

    /// Whether either may dial the other, and both trust whom they see.
    private static boolean understand(TlsStage.Side one, TlsStage.Side other) {
        boolean near = Math.abs(one.mode().level() - other.mode().level()) <= 1;
        boolean speaks =
                Math.max(one.mode().level(), other.mode().level()) > TlsStage.Mode.Accept.level();
        return near && (!speaks || one.source().equals(other.source()));
    }

    void stop(int myid) {
        running.remove(myid);
        silent.remove(myid);
        if (leader == myid) {
            leader = 0;
            electionTurns = random.nextInt(3);
        }
    }

    void fall(int myid) {
        if (leader != 0 && leader == myid && running.size() > 1) {
            depose(myid);
        } else if (running.containsKey(myid)) {
            server(myid).syncTurns += 1 + random.nextInt(6);
        }
    }

    /// It goes on to say for a while that it leads, to whoever asks.
    private void depose(int myid) {
        deposed = myid;
        deposedEpoch = epoch;
        deposedVoters = new TreeSet<>(voters.keySet());
        deposedTurns = 1 + random.nextInt(3);
        leader = 0;
        electionTurns = random.nextInt(4);
        server(myid).syncTurns = deposedTurns + 1;
    }

    void silence(int myid, boolean is) {
        if (is) {
            silent.add(myid);
        } else {
            silent.remove(myid);
        }
    }

    /// {@return whether it runs with another configuration than this}
    boolean runsWithout(int myid, String hash) {
        Server server = running.get(myid);
        return server != null && !server.started.hash().equals(hash);
    }

    /// The file has come to the nodes, or will: a member takes over what it can, some time later.
    private void reload(Started file) {
        running.forEach((_, server) -> {
            if (!file.equals(server.file)) {
                server.file = file;
                server.reloadTurns = 1 + random.nextInt(calm ? 3 : random.nextInt(6) == 0 ? 60 : 8);
            } else if (server.reloadTurns > 0 && --server.reloadTurns == 0) {
                server.started = merged(server.started, file);
            }
        });
    }

    private static Started merged(Started started, Started file) {
        if (file.fixed().equals(started.fixed())) {
            return file;
        }
        return file.live().equals(started.live())
                ? started
                : new Started(
                        started.fixed(),
                        file.live(),
                        "%s and %s".formatted(started.fixed(), file.live()),
                        started.links());
    }

    /// One turn of their own.
    ///
    /// @param declared members of the file that they were started with
    /// @param mayForm whether that file lets them form
    /// @param file as it is now; null if there is none
    void act(int declared, boolean mayForm, @Nullable Started file) {
        if (file != null) {
            reload(file);
        }
        deposedTurns = Math.max(0, deposedTurns - 1);
        if (mayForm) {
            form(declared);
        }
        if (!formed) {
            return;
        }
        elect();
        if (leader == 0) {
            return;
        }
        running.forEach((_, server) -> server.syncTurns = Math.max(0, server.syncTurns - 1));
        rejoin();
        if (quorum(voters.keySet())) {
            committed++;
            running.forEach((myid, server) -> {
                if (server.syncTurns == 0) {
                    server.disk.upTo = committed;
                    server.disk.formed = true;
                }
            });
        }
        Change change = pending;
        if (change != null && --pendingTurns <= 0 && able(change)) {
            commit(change);
            pending = null;
        }
    }

    /// A change needs a quorum of the old voters and one of the new ones.
    private boolean able(Change change) {
        Set<Integer> next = next(change);
        return quorum(voters.keySet())
                && next.stream()
                                .filter(each -> voters.containsKey(each) ? in(each) : level(each))
                                .count()
                        > next.size() / 2;
    }

    private Set<Integer> next(Change change) {
        Set<Integer> next = new TreeSet<>(voters.keySet());
        next.removeAll(change.remove());
        next.addAll(change.add().keySet());
        return next;
    }

    private void form(int declared) {
        for (int myid = 1; myid <= declared; myid++) {
            if (!running.containsKey(myid) || server(myid).disk.formed) {
                return;
            }
        }
        formed = true;
        formations++;
        committed = 0;
        voters.clear();
        for (int myid = 1; myid <= declared; myid++) {
            Server server = server(myid);
            server.disk.formed = true;
            server.disk.incarnation = ++incarnations;
            server.syncTurns = 0;
            voters.put(myid, server.disk.incarnation);
        }
    }

    private void elect() {
        if (leader != 0 && (!running.containsKey(leader) || !quorumCould(leader))) {
            leader = 0;
        }
        if (leader != 0 || electionTurns-- > 0) {
            return;
        }
        List<Integer> able =
                voters.keySet().stream()
                        .filter(each -> running.containsKey(each) && mine(each))
                        .filter(each -> !(deposedTurns > 0 && each == deposed))
                        .toList();
        if (able.size() <= voters.size() / 2) {
            return;
        }
        int best =
                able.stream()
                        .max(Comparator.comparingInt(each -> server(each).disk.upTo))
                        .orElseThrow();
        assertTrue(
                server(best).disk.upTo >= committed,
                () -> "what was acknowledged is lost: " + committed);
        leader = best;
        epoch++;
        if (pending != null && random.nextBoolean()) {
            pending = null; // It was on no log of those that elected.
        }
        server(best).syncTurns = 0;
    }

    private boolean mine(int myid) {
        return Objects.equals(voters.get(myid), server(myid).disk.incarnation);
    }

    private boolean quorumCould(int myid) {
        return voters.containsKey(myid)
                && mine(myid)
                && voters.keySet().stream()
                                .filter(each -> running.containsKey(each) && mine(each))
                                .count()
                        > voters.size() / 2;
    }

    private boolean quorum(Set<Integer> of) {
        return of.stream().filter(this::in).count() > of.size() / 2;
    }

    /// A voter with a new disk gets its vote back once it has everything (`safety.md` 7).
    private void rejoin() {
        running.forEach((myid, server) -> {
            if (server.disk.incarnation == 0) {
                server.disk.incarnation = ++incarnations;
                server.syncTurns = Math.max(server.syncTurns, 1 + random.nextInt(4));
            }
            if (server.syncTurns == 0
                    && pending == null
                    && voters.containsKey(myid)
                    && !mine(myid)
                    && quorum(voters.keySet())) {
                voters.put(myid, server.disk.incarnation);
                version++;
            }
        });
    }

    private void commit(Change change) {
        change.remove().forEach(voters::remove);
        change.add()
                .keySet()
                .forEach(myid -> {
                    Server server = running.get(myid);
                    voters.put(myid, server == null ? -1 : server.disk.incarnation);
                });
        version++;
        if (!voters.containsKey(leader)) {
            leader = 0;
        }
    }

    private int myid(URI root) {
        return Integer.parseInt(root.getHost().substring(1));
    }

    @Override
    public Map<Integer, Answer> ask(Map<Integer, URI> members) {
        Map<Integer, Answer> answers = new TreeMap<>();
        members.keySet()
                .forEach(myid -> {
                    boolean answers_ = running.containsKey(myid) && !silent.contains(myid);
                    answers.put(
                            myid,
                            answers_
                                    ? new Answer.Known(status(myid))
                                    : new Answer.Unknown("does not answer"));
                });
        return answers;
    }

    private MemberStatus status(int myid) {
        if (deposedTurns > 0 && myid == deposed) {
            return leads(myid, deposedEpoch, deposedVoters, true);
        }
        if (myid == leader) {
            return leads(myid, epoch, voters.keySet(), false);
        }
        Disk disk = server(myid).disk;
        boolean follows = level(myid);
        return status(
                myid,
                follows ? "follower" : "looking",
                follows ? leader : null,
                epoch,
                disk,
                null,
                null,
                null,
                null);
    }

    private MemberStatus leads(int myid, int inEpoch, Set<Integer> of, boolean stale) {
        List<MemberStatus.Voter> list = new ArrayList<>();
        boolean all = stale || of.stream().allMatch(this::in);
        int synced = stale ? of.size() : (int) of.stream().filter(this::in).count();
        int needed = of.size() / 2 + 1;
        for (int each : of) {
            boolean in = stale || in(each);
            boolean safe = !in || (all && synced - 1 >= needed && pending == null);
            list.add(new MemberStatus.Voter(each, in, in, 0L, "0x1", safe, List.of()));
        }
        List<MemberStatus.Learner> learners =
                running.keySet().stream()
                        .filter(each -> !of.contains(each))
                        .map(each -> new MemberStatus.Learner(each, 0L, level(each)))
                        .toList();
        List<MemberStatus.Member> members =
                of.stream()
                        .map(each -> new MemberStatus.Member(each, "participant", "0x1"))
                        .toList();
        return status(
                myid,
                "leader",
                myid,
                inEpoch,
                server(myid).disk,
                new MemberStatus.Configuration("0x" + version, pending != null, members),
                new MemberStatus.Quorum(of.size(), needed, synced, synced - needed),
                list,
                learners);
    }

    private MemberStatus status(
            int myid,
            String role,
            @Nullable Integer leader,
            int epoch,
            Disk disk,
            MemberStatus.@Nullable Configuration configuration,
            MemberStatus.@Nullable Quorum quorum,
            @Nullable List<MemberStatus.Voter> voters,
            @Nullable List<MemberStatus.Learner> learners) {
        return Saying.of(myid)
                .runs("1", server(myid).started.hash())
                .role(role)
                .follows(leader, epoch)
                .zxid("0x100000001")
                .identity(disk.formed ? "member" : "blank", "0x1")
                .configuration(configuration)
                .quorum(quorum)
                .voters(voters)
                .learners(learners)
                .file(new MemberStatus.File(waiting(server(myid)), null))
                .status();
    }

    private static List<String> waiting(Server server) {
        Started file = server.file;
        return file == null || server.reloadTurns > 0 || file.fixed().equals(server.started.fixed())
                ? List.of()
                : List.of("tickTime");
    }

    @Override
    public Outcome changeVoters(URI root, String audience, Change change) {
        int asked = myid(root);
        assertTrue(
                change.add().size() + change.remove().size() <= MOST_AT_ONCE,
                () -> "more than two at a time: " + change);
        if (asked != leader || !change.version().equals("0x" + version)) {
            return new Outcome.Refused("another leader or version");
        }
        assertFalse(pending != null, "two changes in flight");
        for (int myid : change.add().keySet()) {
            assertTrue(level(myid), () -> "no vote for who is not level: " + myid);
        }
        if (!able(change)) {
            return new Outcome.Refused("no quorum of the new voters is in sync");
        }
        if (change.remove().contains(leader)) {
            leader = 0;
            return new Outcome.Refused("hands over first");
        }
        int luck = calm ? 3 : random.nextInt(8);
        if (luck == 0) {
            return new Outcome.Unknown("the answer is lost, and so is the request");
        }
        pending = change;
        pendingTurns = random.nextInt(4);
        if (pendingTurns == 0) {
            commit(change);
            pending = null;
        }
        return luck == 1 ? new Outcome.Unknown("the answer is lost") : new Outcome.Done();
    }

    @Override
    public Outcome handOver(URI root, String audience, int to) {
        if (myid(root) != leader || !in(to) || pending != null) {
            return new Outcome.Refused("not now");
        }
        if (random.nextInt(6) == 0) {
            return new Outcome.Refused("what was outstanding did not commit");
        }
        leader = to;
        epoch++;
        return random.nextInt(6) == 0 ? new Outcome.Unknown("lost") : new Outcome.Done();
    }
}
