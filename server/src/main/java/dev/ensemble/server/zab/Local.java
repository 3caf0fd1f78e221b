package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// What a peer holds whatever its role: the log, its promises, the configurations in force, who is
/// reachable.
///
/// Owned by the peer thread; changed by the role in office only.
final class Local {
    /// What a member last said in an election, and under which incarnation.
    record Said(long incarnation, Message.Notification notification) {}

    /// An incarnation that no disk has.
    static final long UNKNOWN = -1;

    private record Append(long ticket, long zxid) {}

    private record CurrentEpoch(long ticket, long epoch) {}

    final PeerConfig config;
    final History history;

    /// The links that are up.
    final Map<Integer, Hello> links = new TreeMap<>();

    /// What LOOKING members said last, since their link is up.
    final Map<Integer, Said> looking = new HashMap<>();

    /// Who asked to follow this member while it was not (yet) leading.
    final Map<Integer, Message.FollowerInfo> wouldFollow = new HashMap<>();

    /// Configurations in the log behind the stored state, by zxid, and the one of the state itself.
    private final NavigableMap<Long, Ensemble> configurations = new TreeMap<>();

    private final ArrayDeque<Append> appends = new ArrayDeque<>();
    private final ArrayDeque<CurrentEpoch> currentEpochs = new ArrayDeque<>();

    Identity identity;
    long acceptedEpoch;

    /// As on disk; changes when [#storeEpochs] is confirmed, whatever the role is by then.
    long currentEpoch;

    /// To whom this process promised [#acceptedEpoch]; 0 after a restart.
    int promisedTo;

    /// The disk has less space left than it should.
    boolean full;

    /// Election round; never goes back while the process lives.
    long round;

    /// How often this process has begun to follow somebody.
    long attempts;

    /// The configuration in the snapshot that was fetched last.
    Ensemble fetched;

    long now;
    Consumer<Effect> out = _ -> {};

    private long ticket;
    private long persisted;
    private long durable;
    private long installTicket;
    private long installZxid;
    private boolean bySnapshot;

    Local(PeerConfig config, Recovered disk, History history) {
        this.config = config;
        this.history = history;
        this.identity = disk.identity();
        this.acceptedEpoch = disk.acceptedEpoch();
        this.currentEpoch = disk.currentEpoch();
        this.fetched = disk.ensemble();
        configurations.put(disk.base(), disk.ensemble());
        for (History.Entry entry : disk.log()) {
            history.append(entry.zxid(), entry.payload());
            noteConfiguration(entry.zxid(), entry.payload());
        }
        // Recovery has applied these to the tree already.
        history.commit(disk.committed(), _ -> {});
        durable = history.last();
    }

    int myid() {
        return config.myid();
    }

    // Disk.

    /// Hands an operation to the log thread. {@return its ticket}
    long disk(DiskOp op) {
        out.accept(new Effect.Disk(++ticket, op));
        return ticket;
    }

    long lastTicket() {
        return ticket;
    }

    boolean isPersisted(long wanted) {
        return persisted >= wanted;
    }

    /// {@return the end of the log on disk}
    long durable() {
        return durable;
    }

    void onPersisted(long upTo) {
        persisted = Math.max(persisted, upTo);
        while (!appends.isEmpty() && appends.peekFirst().ticket() <= persisted) {
            durable = appends.removeFirst().zxid();
        }
        while (!currentEpochs.isEmpty() && currentEpochs.peekFirst().ticket() <= persisted) {
            currentEpoch = currentEpochs.removeFirst().epoch();
        }
        if (installTicket != 0 && isPersisted(installTicket)) {
            installTicket = 0;
            history.reset(installZxid);
            configurations.clear();
            configurations.put(installZxid, fetched);
            durable = installZxid;
            bySnapshot = true;
            out.accept(new Effect.Replace(installZxid));
        }
    }

    void append(long zxid, Payload payload) {
        history.append(zxid, payload);
        noteConfiguration(zxid, payload);
        long at = disk(new DiskOp.Append(zxid, payload, history.committed()));
        appends.addLast(new Append(at, zxid));
    }

    void truncate(long zxid) {
        history.truncate(zxid);
        configurations.tailMap(zxid, false).clear();
        durable = Math.min(durable, zxid);
        disk(new DiskOp.Truncate(zxid));
    }

    /// Puts a fetched snapshot in force. {@return the ticket at which it is}
    long install(long zxid) {
        installZxid = zxid;
        installTicket = disk(new DiskOp.Install(zxid));
        return installTicket;
    }

    long storeEpochs(long accepted, long current) {
        acceptedEpoch = accepted;
        long at = disk(new DiskOp.Epochs(accepted, current));
        currentEpochs.addLast(new CurrentEpoch(at, current));
        return at;
    }

    long storeIdentity(Identity next) {
        identity = next;
        return disk(new DiskOp.StoreIdentity(next));
    }

    /// Makes this disk one that has promised something. On disk before the promise is: so a member
    /// that is wiped after it promised finds a MEMBER among the others and cannot form a second
    /// ensemble.
    ///
    /// @param record who formed the ensemble, for a member that learns instead. It acks the
    ///   founding configuration like any voter, so it must be able to vote before it knows that
    ///   this was committed
    void becomeMember(String ensembleId, Map<Integer, Long> record) {
        Map<Integer, Long> voters = identity.voters().isEmpty() ? record : identity.voters();
        if (identity.state() != Identity.State.MEMBER || !voters.equals(identity.voters())) {
            storeIdentity(identity.in(Identity.State.MEMBER, ensembleId, voters));
        }
    }

    /// {@return whether a snapshot was installed since the last time that this was asked}
    boolean takeBySnapshot() {
        boolean was = bySnapshot;
        bySnapshot = false;
        return was;
    }

    // Commit.

    /// Commits up to `zxid` or the log end, whichever comes first.
    void commit(long zxid) {
        if (zxid > history.committed()) {
            history.commit(zxid, e -> out.accept(new Effect.Deliver(e.zxid(), e.payload())));
            Long inForce = configurations.floorKey(history.committed());
            if (inForce != null) {
                configurations.headMap(inForce, false).clear();
            }
        }
    }

    /// Commits what this log shares with that of a member that knows it to be committed.
    ///
    /// A change of the configuration may be committed, and its leader gone, before this member
    /// knows. It would go on to need the old quorum, of which the others know that it is over.
    ///
    /// @return whether another configuration is in force now
    boolean learnCommitted(long zxid) {
        long before = configuration().version();
        Long end = history.endOf(Zxid.epoch(zxid));
        if (end != null) {
            commit(Math.min(zxid, end));
        }
        return configuration().version() != before;
    }

    // Configurations.

    private void noteConfiguration(long zxid, Payload payload) {
        if (payload.txn() instanceof Txn.Configure(Ensemble ensemble)) {
            configurations.put(zxid, ensemble.at(zxid));
        }
    }

    /// {@return the committed configuration; before there is one, what the file declares with the
    /// disks that formed it}
    Ensemble configuration() {
        var entry = configurations.floorEntry(history.committed());
        return entry == null || entry.getValue().members().isEmpty() ? formed() : entry.getValue();
    }

    private Ensemble formed() {
        Ensemble ensemble = config.declared();
        if (config.bootstrap() != PeerConfig.Bootstrap.MAJORITY && identity.voters().isEmpty()) {
            // It neither formed the ensemble nor has learned yet who did: it knows no voter, itself
            // included.
            for (int id : ensemble.voters()) {
                ensemble = ensemble.withIncarnation(id, UNKNOWN);
            }
            return ensemble;
        }
        for (var seen : identity.voters().entrySet()) {
            ensemble = ensemble.withIncarnation(seen.getKey(), seen.getValue());
        }
        return ensemble;
    }

    /// {@return the committed configuration and those in the log that are not: each must agree to
    /// everything (B18)}
    List<Ensemble> inForce() {
        var pending = configurations.tailMap(history.committed(), false);
        if (pending.isEmpty()) {
            return List.of(configuration());
        }
        var all = new ArrayList<Ensemble>(pending.size() + 1);
        all.add(configuration());
        all.addAll(pending.values());
        return all;
    }

    /// {@return the level that a member must know to read the log}
    int level() {
        return inForce().stream().mapToInt(Ensemble::level).max().orElse(Ensemble.FIRST_LEVEL);
    }

    boolean isConfigurationPending() {
        return !configurations.tailMap(history.committed(), false).isEmpty();
    }

    /// {@return whether these members, by myid with their incarnation, are a quorum of every
    /// configuration in force}
    boolean isQuorum(Map<Integer, Long> support) {
        for (Ensemble ensemble : inForce()) {
            if (!ensemble.isQuorum(
                    id -> {
                        Long incarnation = support.get(id);
                        return incarnation != null && ensemble.isVoter(id, incarnation);
                    })) {
                return false;
            }
        }
        return true;
    }

    /// {@return whether a member votes in any configuration in force}
    boolean isVoter(int myid, long incarnation) {
        for (Ensemble ensemble : inForce()) {
            if (ensemble.isVoter(myid, incarnation)) {
                return true;
            }
        }
        return false;
    }

    /// {@return whether a member votes in any configuration in force, and its word weighs something
    /// there}
    boolean mayLead(int myid, long incarnation) {
        for (Ensemble ensemble : inForce()) {
            if (ensemble.isVoter(myid, incarnation) && ensemble.mayLead(myid)) {
                return true;
            }
        }
        return false;
    }

    /// {@return whether this member may lead: it may vote, and its word weighs something}
    boolean mayLead() {
        return mayVote() && mayLead(myid(), identity.incarnation());
    }

    /// {@return whether this member may vote: it holds what it promised, and is one of the voters}
    boolean mayVote() {
        return identity.state() != Identity.State.BLANK && isVoter(myid(), identity.incarnation());
    }

    // Messages.

    void send(int to, long epoch, Message message) {
        out.accept(new Effect.Send(to, epoch, message));
    }

    void broadcast(Message.Notification notification) {
        for (int peer : links.keySet()) {
            send(peer, 0, notification);
        }
    }

    Message.Notification notification(Message.State state, int leader, long zxid, long peerEpoch) {
        return new Message.Notification(
                state,
                leader,
                zxid,
                peerEpoch,
                round,
                identity.state(),
                identity.voters(),
                history.committed());
    }

    void warn(String text) {
        out.accept(new Effect.Warn(text));
    }

    /// {@return a short name of a zxid for texts}
    static String text(long zxid) {
        return Zxid.text(zxid);
    }
}
