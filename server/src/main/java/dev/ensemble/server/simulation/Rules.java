package dev.ensemble.server.simulation;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.Applied;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Message;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What must hold, by the numbers of `replication.md` B and `safety.md`; sees all members at once,
/// as no member can.
///
/// Knows the one committed history: the first member that publishes a transaction extends it, every
/// other must publish the same (B2 to B7). And knows every proposal ever logged anywhere with the
/// one in front of it, so that equal log ends mean equal logs (B3, B13, B20).
final class Rules {
    /// One committed transaction, and the tree that it makes.
    record Committed(long zxid, Header header, Txn txn, long digest, Tree tree) {}

    private record Proposed(long previous, Payload payload) {}

    private record Origin(int myid, long incarnation, long sequence) {}

    private record Promise(int myid, long incarnation, long epoch) {}

    /// The first NEWLEADER of an epoch that a learner was sent.
    private record Sent(long epoch, int to) {}

    private final Ensemble declared;
    private final Coverage coverage;
    private final Map<Integer, SimulatedDisk> disks = new HashMap<>();
    private final List<Committed> history = new ArrayList<>();
    private final Map<Long, Proposed> proposals = new HashMap<>();
    private final Set<Origin> origins = new HashSet<>();
    private final Set<Origin> forwarded = new HashSet<>();
    private final Map<Long, Integer> leaders = new HashMap<>();
    private final Map<Long, Integer> offers = new HashMap<>();
    private final Map<Long, Integer> candidates = new HashMap<>();
    private final Map<Promise, Integer> promises = new HashMap<>();
    private final Map<Sent, Long> newLeaders = new HashMap<>();

    /// Where the initial history of each epoch ends: by the first NEWLEADER of its leader, or
    /// before its first proposal, which comes earlier where a leader needs nobody else.
    private final Map<Long, Long> initial = new HashMap<>();

    /// By zxid, whether they came to anything or not.
    private final TreeMap<Long, Ensemble> proposedEnsembles = new TreeMap<>();

    /// The epochs whose leaders have handed over.
    private final Set<Long> handedOver = new HashSet<>();

    private final Set<Long> live = new HashSet<>();
    private final Set<Long> closing = new HashSet<>();
    private final Set<Long> closed = new HashSet<>();
    private String ensembleId = "";
    private boolean formed;

    Rules(Ensemble declared, Coverage coverage) {
        this.declared = declared;
        this.coverage = coverage;
    }

    void watch(int myid, SimulatedDisk disk) {
        disks.put(myid, disk);
    }

    /// Ends the run unless a rule holds.
    @SuppressWarnings("AnnotateFormatMethod") // The annotation is not among the dependencies.
    void isTrue(boolean holds, String message, @Nullable Object... details) {
        if (!holds) {
            throw new Violation(message.formatted(details));
        }
    }

    /// {@return a zxid that becomes text only if somebody reads it: most rules hold}
    static Object shown(long zxid) {
        return new Shown(zxid);
    }

    private record Shown(long zxid) {
        @Override
        public String toString() {
            return Zxid.text(zxid);
        }
    }

    /// {@return whether these are one object: transactions travel as they are, so another one is
    /// another request}
    @SuppressWarnings("ReferenceEquality")
    private static boolean isSame(Object one, Object other) {
        return one == other;
    }

    // The committed history.

    List<Committed> history() {
        return history;
    }

    long lastCommitted() {
        return history.isEmpty() ? Zxid.NONE : history.getLast().zxid();
    }

    /// {@return the place of `zxid` in the history, 1 for the first; 0 for [Zxid#NONE]; -1 if it is
    /// not committed}
    int place(long zxid) {
        if (zxid == Zxid.NONE) {
            return 0;
        }
        int low = 0;
        int high = history.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (history.get(middle).zxid() < zxid) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < history.size() && history.get(low).zxid() == zxid ? low + 1 : -1;
    }

    /// A member starts with a tree, or replaces its own.
    ///
    /// @return the place of that tree in the history
    int onTree(int myid, Tree tree) {
        int place = place(tree.zxid());
        isTrue(
                place >= 0,
                "member %d takes %s for committed, and nobody has committed it (B14)",
                myid,
                shown(tree.zxid()));
        if (place > 0) {
            sameDigest(myid, history.get(place - 1), tree);
        }
        return place;
    }

    /// A member publishes the transaction behind those at `place` of the history.
    void onPublished(int myid, int place, Applied applied) {
        isTrue(
                applied.tree().zxid() == applied.zxid(),
                "member %d publishes %s with the tree of %s",
                myid,
                shown(applied.zxid()),
                shown(applied.tree().zxid()));
        if (place == history.size()) {
            commit(myid, applied);
            return;
        }
        Committed other = history.get(place);
        isTrue(
                other.zxid() == applied.zxid() && isSame(other.txn(), applied.txn()),
                "member %d publishes %s %s where %s %s was committed (B2)",
                myid,
                shown(applied.zxid()),
                applied.txn(),
                shown(other.zxid()),
                other.txn());
        sameDigest(myid, other, applied.tree());
    }

    private void sameDigest(int myid, Committed other, Tree tree) {
        isTrue(
                other.digest() == tree.digest(),
                "member %d has digest %x at %s, others have %x (B17)",
                myid,
                tree.digest(),
                shown(tree.zxid()),
                other.digest());
    }

    private void commit(int myid, Applied applied) {
        long zxid = applied.zxid();
        isTrue(
                zxid > lastCommitted(),
                "member %d commits %s behind %s (B20)",
                myid,
                shown(zxid),
                shown(lastCommitted()));
        Proposed proposed = proposals.get(zxid);
        isTrue(
                proposed != null
                        && isSame(proposed.payload.txn(), applied.txn())
                        && proposed.previous == lastCommitted(),
                "member %d commits %s, which was not proposed as what follows %s (B3, B13)",
                myid,
                shown(zxid),
                shown(lastCommitted()));
        Tree before = history.isEmpty() ? Tree.initial() : history.getLast().tree();
        onQuorumOfDisks(myid, zxid, before.ensemble());
        onQuorumOfDisks(myid, zxid, applied.tree().ensemble());
        Header header = applied.header();
        if (header.origin() != 0 && header.sequence() != 0) {
            isTrue(
                    origins.add(
                            new Origin(header.origin(), header.incarnation(), header.sequence())),
                    "request %d of member %d is committed twice, again as %s",
                    header.sequence(),
                    header.origin(),
                    shown(zxid));
        }
        noteSession(applied);
        noteEnsemble(before.ensemble(), applied.tree().ensemble());
        history.add(
                new Committed(
                        zxid, header, applied.txn(), applied.tree().digest(), applied.tree()));
        coverage.count(Coverage.Of.COMMITTED);
    }

    /// What is committed is on disk at a quorum of the voters, counted by their disks (B9, B16,
    /// `safety.md` 7).
    private void onQuorumOfDisks(int myid, long zxid, Ensemble ensemble) {
        Ensemble inForce = ensemble.members().isEmpty() ? declared : ensemble;
        var holding = new HashSet<Integer>();
        for (Ensemble.Member voter : inForce.members().values()) {
            if (voter.role() != Ensemble.Role.PARTICIPANT) {
                continue;
            }
            SimulatedDisk disk = disk(voter.myid());
            boolean now = counts(voter, disk.identity().incarnation()) && disk.holds(zxid);
            boolean then = counts(voter, disk.lostIncarnation()) && disk.lostEnd() >= zxid;
            if (now || then) {
                holding.add(voter.myid());
            }
        }
        isTrue(
                Constitution.isQuorum(inForce, holding),
                "member %d commits %s, which is not on the disks of a quorum of %s (B9)",
                myid,
                shown(zxid),
                inForce);
    }

    /// {@return whether a voter votes with this disk; said here again, since [Ensemble#isVoter] is
    /// under test}
    private static boolean counts(Ensemble.Member voter, long incarnation) {
        return voter.incarnation() == 0 || voter.incarnation() == incarnation;
    }

    /// {@return whether a member, with the disk that it has now, is a voter of the configuration
    /// committed last}
    boolean isVoter(int myid) {
        return isVoter(ensemble(), myid, disk(myid).identity().incarnation());
    }

    /// {@return whether a member votes there with this disk}
    static boolean isVoter(Ensemble ensemble, int myid, long incarnation) {
        Ensemble.Member member = ensemble.members().get(myid);
        return member != null
                && member.role() == Ensemble.Role.PARTICIPANT
                && counts(member, incarnation);
    }

    /// {@return the configuration committed last, and those that somebody proposed since: each may
    /// be the next}
    List<Ensemble> inForce() {
        var all = new ArrayList<>(proposedEnsembles.tailMap(ensemble().version(), false).values());
        all.add(ensemble());
        return all;
    }

    private void noteSession(Applied applied) {
        long session = applied.header().session();
        boolean refused =
                applied.txn() instanceof Txn.Refused || applied.txn() instanceof Txn.RefusedMulti;
        isTrue(
                refused || session == 0 || live.contains(session),
                "%s is of session %x, which does not live then (B19): %s",
                shown(applied.zxid()),
                session,
                applied.txn());
        switch (applied.txn()) {
            case Txn.CreateSession _ -> {
                long made = Session.id(applied.header().origin(), applied.zxid());
                isTrue(
                        live.add(made) && !closed.contains(made),
                        "session %x is created twice",
                        made);
                coverage.count(Coverage.Of.SESSIONS_CREATED);
            }
            case Txn.CloseSession _ -> {
                live.remove(session);
                closed.add(session);
                isTrue(
                        applied.tree().ephemerals(session).isEmpty(),
                        "ephemerals of session %x outlive it (B19)",
                        session);
                coverage.count(
                        applied.header().origin() == 0
                                ? Coverage.Of.SESSIONS_EXPIRED
                                : Coverage.Of.SESSIONS_CLOSED);
            }
            case Txn.AttachSession _ -> coverage.count(Coverage.Of.SESSIONS_MOVED);
            case Txn.Refused(Code code) -> {
                isTrue(code != Code.OK, "a refusal says OK");
                coverage.count(Coverage.Of.REFUSED);
            }
            default -> {}
        }
    }

    private void noteEnsemble(Ensemble before, Ensemble after) {
        if (before.version() == after.version()) {
            return;
        }
        isTrue(
                ensembleId.isEmpty() || ensembleId.equals(after.id()),
                "a second ensemble, %s beside %s (safety 7)",
                after.id(),
                ensembleId);
        ensembleId = after.id();
        formed = true;
        noteMembers(before, after);
        if (after.groups().decide()) {
            coverage.count(Coverage.Of.QUORUMS_BY_GROUPS);
        }
        isTrue(
                after.level() >= before.level(),
                "the level goes from %d to %d",
                before.level(),
                after.level());
        if (before.version() != 0 && after.level() > before.level()) {
            coverage.count(Coverage.Of.LEVELS_RAISED);
        }
        if (before.version() != 0 && !before.groups().equals(after.groups())) {
            coverage.count(Coverage.Of.QUORUM_RULES_CHANGED);
        }
        for (var member : after.members().values()) {
            var earlier = before.members().get(member.myid());
            if (earlier != null
                    && earlier.incarnation() != 0
                    && earlier.incarnation() != member.incarnation()) {
                coverage.count(Coverage.Of.INCARNATION_CHANGES);
            }
        }
    }

    private void noteMembers(Ensemble before, Ensemble after) {
        if (before.version() == 0) {
            return;
        }
        for (int id : disks.keySet()) {
            Ensemble.Member was = before.members().get(id);
            Ensemble.Member is = after.members().get(id);
            if (was == null && is != null) {
                coverage.count(Coverage.Of.MEMBERS_ADDED);
            } else if (was != null && is == null) {
                coverage.count(Coverage.Of.MEMBERS_REMOVED);
            } else if (was != null && is != null && was.role() != is.role()) {
                coverage.count(
                        is.role() == Ensemble.Role.PARTICIPANT
                                ? Coverage.Of.MEMBERS_PROMOTED
                                : Coverage.Of.MEMBERS_DEMOTED);
            }
        }
    }

    boolean formed() {
        return formed;
    }

    /// {@return the configuration committed last, or what the files declare}
    Ensemble ensemble() {
        Ensemble last = history.isEmpty() ? declared : history.getLast().tree().ensemble();
        return last.members().isEmpty() ? declared : last;
    }

    /// {@return whether a session lives, and no leader has ever proposed to close it}
    boolean lives(long session) {
        return live.contains(session) && !closing.contains(session);
    }

    // What members log.

    /// A member hands an entry to its log.
    void onAppend(int myid, long previous, long zxid, Payload payload) {
        isTrue(
                Zxid.follows(previous, zxid),
                "member %d appends %s behind %s (B13)",
                myid,
                shown(zxid),
                shown(previous));
        Proposed first = proposals.putIfAbsent(zxid, new Proposed(previous, payload));
        if (Zxid.counter(zxid) == 1) {
            initial.putIfAbsent(Zxid.epoch(zxid), previous);
        }
        if (payload.txn() instanceof Txn.CloseSession) {
            closing.add(payload.header().session());
        }
        if (payload.txn() instanceof Txn.Configure(Ensemble ensemble)) {
            proposedEnsembles.put(zxid, ensemble.at(zxid));
        }
        isTrue(
                first != null || !handedOver.contains(Zxid.epoch(zxid)),
                "member %d proposes %s, and the leader of that epoch has handed over (safety 5)",
                myid,
                shown(zxid));
        isTrue(
                first == null || isSame(first.payload, payload),
                "member %d appends another transaction as %s (B3, B20)",
                myid,
                shown(zxid));
        isTrue(
                first == null || first.previous == previous,
                "member %d appends %s behind %s, others behind %s (B13)",
                myid,
                shown(zxid),
                shown(previous),
                first == null ? "" : shown(first.previous));
    }

    void onTruncate(int myid, long zxid, long stateZxid, long end) {
        isTrue(
                zxid >= stateZxid,
                "member %d truncates to %s, below its state at %s (safety 1)",
                myid,
                shown(zxid),
                shown(stateZxid));
        for (int at = history.size() - 1; at >= 0 && history.get(at).zxid() > zxid; at--) {
            isTrue(
                    history.get(at).zxid() > end || !disk(myid).askedHolds(history.get(at).zxid()),
                    "member %d truncates %s, which is committed (B15)",
                    myid,
                    shown(history.get(at).zxid()));
        }
        coverage.count(Coverage.Of.TRUNCATIONS);
    }

    void onInstall(int myid, long zxid) {
        isTrue(
                place(zxid) >= 0,
                "member %d installs a state of %s, which is not committed",
                myid,
                shown(zxid));
    }

    void onIdentity(int myid, Identity before, Identity after) {
        isTrue(
                after.incarnation() == before.incarnation(),
                "member %d changes the incarnation of its disk",
                myid);
        isTrue(
                after.state().compareTo(before.state()) >= 0,
                "member %d goes from %s to %s (safety 7)",
                myid,
                before.state(),
                after.state());
        boolean forms = after.state() == Identity.State.FORMING;
        isTrue(
                !forms || after.voters().keySet().equals(declared.voters()),
                "member %d forms with %s of the voters %s (safety 7)",
                myid,
                after.voters().keySet(),
                declared.voters());
        // A voter that comes late may still write the record of an ensemble that the others have
        // formed: it was seen with
        // this disk, and has promised nothing. A disk that is not that voter's could have.
        isTrue(
                !forms || !formed || isVoter(myid),
                "member %d begins to form an ensemble that exists (safety 7)",
                myid);
    }

    // What members say.

    /// Checks that what a message promises is on disk (B10).
    void onSend(SimulatedProcess from, int to, long epoch, Message message) {
        int myid = from.myid();
        SimulatedDisk disk = disk(myid);
        switch (message) {
            case Message.Notification said -> onVote(disk, myid, said);
            case Message.LeaderInfo _ -> {
                isTrue(
                        disk.acceptedEpoch() >= epoch,
                        "member %d offers epoch %d, on its disk is %d",
                        myid,
                        epoch,
                        disk.acceptedEpoch());
                Integer other = offers.putIfAbsent(epoch, myid);
                if (other != null && other != myid) {
                    coverage.count(Coverage.Of.DUELING_CANDIDATES);
                }
            }
            case Message.AckEpoch ack -> onAckEpoch(disk, myid, to, epoch, ack);
            case Message.NewLeader(var zxid) -> {
                isTrue(
                        disk.currentEpoch() == epoch,
                        "member %d sends NEWLEADER of epoch %d, current on its disk is %d",
                        myid,
                        epoch,
                        disk.currentEpoch());
                Integer other = candidates.putIfAbsent(epoch, myid);
                isTrue(
                        other == null || other == myid,
                        "members %d and %d both lead epoch %d (B1)",
                        other,
                        myid,
                        epoch);
                initial.putIfAbsent(epoch, zxid);
                newLeaders.putIfAbsent(new Sent(epoch, to), zxid);
            }
            case Message.AckNewLeader _ -> onAckNewLeader(disk, myid, to, epoch);
            case Message.Ack(var zxid) -> {
                isTrue(
                        disk.currentEpoch() == epoch,
                        "member %d acks in epoch %d, current on its disk is %d (B12)",
                        myid,
                        epoch,
                        disk.currentEpoch());
                holds(disk, myid, zxid, "acks");
            }
            case Message.Commit(var zxid) -> committed(myid, zxid, "sends COMMIT of");
            case Message.UpToDate(var zxid) -> committed(myid, zxid, "sends UPTODATE at");
            case Message.Ping ping -> committed(myid, ping.committed(), "pings with");
            case Message.Snap(var zxid) -> {
                committed(myid, zxid, "sends SNAP at");
                coverage.count(Coverage.Of.SNAPSHOTS_ASKED);
            }
            case Message.HandOver(int successor) -> onHandOver(myid, epoch, successor);
            case Message.Diff _ -> coverage.count(Coverage.Of.DIFFS);
            case Message.Forward forward -> {
                var origin = new Origin(myid, disk.identity().incarnation(), forward.sequence());
                if (!forwarded.add(origin)) {
                    coverage.count(Coverage.Of.RESUBMITTED_REQUESTS);
                }
            }
            default -> {}
        }
    }

    /// Nothing is left to do in that epoch: all is committed, and the successor has it on disk,
    /// unless that disk was lost since and nobody could know yet.
    private void onHandOver(int myid, long epoch, int successor) {
        long end = disk(myid).askedEnd();
        Ensemble.Member named = ensemble().members().get(successor);
        boolean lost =
                named != null
                        && named.incarnation() != 0
                        && named.incarnation() == disk(successor).lostIncarnation();
        isTrue(
                lastCommitted() >= end && (lost || disk(successor).holds(end)),
                "member %d hands epoch %d over to %d, whose disk ends at %s, with %s in its log, of"
                        + " which %s is committed (safety 5)",
                myid,
                epoch,
                successor,
                shown(disk(successor).durableEnd()),
                shown(end),
                shown(lastCommitted()));
        // Who slept through the election of another leader knows no later configuration; nobody
        // follows it.
        boolean deposed = Zxid.epoch(lastCommitted()) > epoch;
        isTrue(
                lost || deposed || isVoter(successor),
                "member %d hands over to %d, which is no voter (safety 5)",
                myid,
                successor);
        if (handedOver.add(epoch)) {
            coverage.count(Coverage.Of.HAND_OVERS);
        }
    }

    private void committed(int myid, long zxid, String does) {
        isTrue(
                zxid <= lastCommitted() || proposals.containsKey(zxid) || Zxid.counter(zxid) == 0,
                "member %d %s %s, which nobody proposed",
                myid,
                does,
                shown(zxid));
    }

    private void onVote(SimulatedDisk disk, int myid, Message.Notification said) {
        boolean votes = said.state() == Message.State.LOOKING && said.leader() != 0;
        isTrue(
                !votes || disk.identity().state() != Identity.State.BLANK,
                "member %d votes for %d and its disk is blank (safety 7)",
                myid,
                said.leader());
    }

    private void onAckEpoch(
            SimulatedDisk disk, int myid, int to, long epoch, Message.AckEpoch ack) {
        isTrue(
                disk.acceptedEpoch() == epoch,
                "member %d promises epoch %d, on its disk is %d",
                myid,
                epoch,
                disk.acceptedEpoch());
        isTrue(
                disk.claimedEpoch() == ack.currentEpoch(),
                "member %d says its current epoch is %d, on its disk is %d",
                myid,
                ack.currentEpoch(),
                disk.currentEpoch());
        isTrue(
                disk.durableEnd() == ack.lastZxid(),
                "member %d says its log ends at %s, on its disk it does at %s",
                myid,
                shown(ack.lastZxid()),
                shown(disk.durableEnd()));
        if (ack.promised()) {
            var promise = new Promise(myid, disk.identity().incarnation(), epoch);
            Integer other = promises.putIfAbsent(promise, to);
            isTrue(
                    other == null || other == to,
                    "member %d promises epoch %d to %d and to %d",
                    myid,
                    epoch,
                    other,
                    to);
        }
    }

    private void onAckNewLeader(SimulatedDisk disk, int myid, int to, long epoch) {
        isTrue(
                disk.identity().state() == Identity.State.MEMBER,
                "member %d acks NEWLEADER and its disk is %s (safety 7)",
                myid,
                disk.identity().state());
        isTrue(
                disk.currentEpoch() == epoch,
                "member %d acks NEWLEADER of epoch %d, current on its disk is %d (B11)",
                myid,
                epoch,
                disk.currentEpoch());
        Integer leader = candidates.get(epoch);
        Long zxid = newLeaders.get(new Sent(epoch, myid));
        isTrue(
                zxid != null && leader != null && leader == to,
                "member %d acks NEWLEADER of epoch %d to %d, its leader is %s",
                myid,
                epoch,
                to,
                leader);
        if (zxid != null) {
            holds(disk, myid, zxid, "acks NEWLEADER at");
        }
    }

    /// A disk says from here on that it holds the initial history of this epoch.
    void onCurrentEpoch(int myid, long epoch) {
        Long zxid = initial.get(epoch);
        if (zxid != null) {
            holds(
                    disk(myid),
                    myid,
                    zxid,
                    "takes epoch " + epoch + " for current, with the history of");
        }
    }

    private void holds(SimulatedDisk disk, int myid, long zxid, String does) {
        isTrue(
                disk.holds(zxid) || Zxid.counter(zxid) == 0,
                "member %d %s %s and its disk, which ends at %s, does not hold it (B10, B11)",
                myid,
                does,
                shown(zxid),
                shown(disk.durableEnd()));
    }

    // Leaders.

    /// A member is established as leader.
    void onEstablished(int myid, long epoch) {
        Integer other = leaders.putIfAbsent(epoch, myid);
        isTrue(
                other == null || other == myid,
                "members %d and %d are both established in epoch %d (B1)",
                other,
                myid,
                epoch);
        if (formed && !isVoter(ensemble(), myid, disk(myid).identity().incarnation())) {
            coverage.count(Coverage.Of.LEADERS_THAT_DO_NOT_VOTE);
        }
        // Of later epochs it may know nothing: a leader that stood still is the last to hear that
        // it is none.
        int known = history.size();
        while (known > 0 && Zxid.epoch(history.get(known - 1).zxid()) > epoch) {
            known--;
        }
        isTrue(
                known == 0 || disk(myid).askedHolds(history.get(known - 1).zxid()),
                "member %d is established in epoch %d without %s, which is committed (B8)",
                myid,
                epoch,
                known == 0 ? "" : shown(history.get(known - 1).zxid()));
        if (other == null) {
            coverage.count(Coverage.Of.ESTABLISHED_LEADERS);
        }
    }

    @Nullable Integer leaderOf(long epoch) {
        return leaders.get(epoch);
    }

    private SimulatedDisk disk(int myid) {
        SimulatedDisk disk = disks.get(myid);
        if (disk == null) {
            throw new IllegalArgumentException("no member " + myid);
        }
        return disk;
    }
}
