package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.desired.ZooCfg;
import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.MemberStatus;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/// Servers that say what a test wants them to say. Member 1 leads unless told otherwise.
final class FakeEnsemble implements EnsembleClient {
    private final Set<Integer> out = new TreeSet<>();
    private int leader = 1;
    private boolean silent;
    private int voters = 3;
    private Supplier<String> file = () -> "";
    private @Nullable String keptHash;
    private @Nullable String refused;

    /// Where they read their configuration, each time that they are asked.
    synchronized void reading(Supplier<String> text) {
        file = text;
    }

    /// From here on they take no change over.
    ///
    /// @param why null: they say nothing about it, and follow as before
    synchronized void refusing(@Nullable String why) {
        keptHash = why == null ? null : hash();
        refused = why;
    }

    private String hash() {
        Map<String, String> lines = new LinkedHashMap<>();
        file.get()
                .lines()
                .map(each -> each.split("=", 2))
                .forEach(each -> lines.put(each[0], each[1]));
        return new ZooCfg(lines).hash();
    }

    synchronized void out(int myid, boolean is) {
        if (is) {
            out.add(myid);
        } else {
            out.remove(myid);
        }
    }

    synchronized void leader(int myid) {
        leader = myid;
    }

    synchronized void silent(boolean is) {
        silent = is;
    }

    @Override
    public synchronized Map<Integer, Answer> ask(Map<Integer, URI> members) {
        Map<Integer, Answer> answers = new TreeMap<>();
        for (int myid : members.keySet()) {
            answers.put(
                    myid, silent ? new Answer.Unknown("hangs") : new Answer.Known(status(myid)));
        }
        return answers;
    }

    @Override
    public Outcome changeVoters(URI leader, String audience, Change change) {
        return new Outcome.Refused("not in this test");
    }

    @Override
    public Outcome handOver(URI leader, String audience, int to) {
        return new Outcome.Refused("not in this test");
    }

    private MemberStatus status(int myid) {
        int synced = voters - out.size();
        boolean leads = myid == leader;
        List<MemberStatus.Voter> all = new ArrayList<>();
        for (int i = 1; i <= voters; i++) {
            boolean safe = out.contains(i) || out.isEmpty();
            all.add(
                    new MemberStatus.Voter(
                            i, true, !out.contains(i), 0L, "0x" + i, safe, List.of()));
        }
        return Saying.of(myid)
                .runs("0.1.0", keptHash == null ? hash() : keptHash)
                .role(leads ? "leader" : "follower")
                .follows(leader, 1)
                .zxid("0x100000001")
                .configuration(new MemberStatus.Configuration("0x1", false, List.of()))
                .quorum(leads ? new MemberStatus.Quorum(voters, 2, synced, synced - 2) : null)
                .voters(leads ? all : null)
                .metrics(new MemberStatus.Metrics(5, 1, 1, 0, 1))
                .file(new MemberStatus.File(List.of(), refused))
                .status();
    }
}
