package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.ensemble.MemberStatus;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.stream.IntStream;

/// What a member tells about itself: that it is a follower which serves, without TLS, and what a
/// test has it say instead.
final class Saying {
    private final int myid;
    private String version = "1";
    private @Nullable String configHash;
    private String role = "follower";
    private @Nullable Integer leader;
    private long epoch = 4;
    private boolean serving = true;
    private long outOfSyncMillis;
    private String zxid = "0x400000007";
    private MemberStatus.Identity identity;
    private MemberStatus.@Nullable Configuration configuration;
    private MemberStatus.@Nullable Quorum quorum;
    private @Nullable List<MemberStatus.Voter> voters;
    private @Nullable List<MemberStatus.Learner> learners;
    private MemberStatus.@Nullable Metrics metrics;
    private MemberStatus.@Nullable File file;

    private Saying(int myid) {
        this.myid = myid;
        this.identity = new MemberStatus.Identity("member", "0x" + myid, 1);
    }

    static Saying of(int myid) {
        return new Saying(myid);
    }

    /// {@return a committed configuration of voters that have their volumes}
    static MemberStatus.Configuration voters(int size) {
        return new MemberStatus.Configuration(
                "0x100000001",
                false,
                IntStream.rangeClosed(1, size)
                        .mapToObj(i -> new MemberStatus.Member(i, "participant", "0x" + i))
                        .toList());
    }

    /// What it runs, and with which configuration.
    Saying runs(String release, String hash) {
        version = release;
        configHash = hash;
        return this;
    }

    Saying role(String is) {
        role = is;
        return this;
    }

    /// Whom it follows, and since when; null for nobody, and then it does not serve.
    Saying follows(@Nullable Integer who, long inEpoch) {
        leader = who;
        epoch = inEpoch;
        serving = who != null;
        return this;
    }

    Saying outOfSync(long millis) {
        outOfSyncMillis = millis;
        return this;
    }

    Saying zxid(String logged) {
        zxid = logged;
        return this;
    }

    Saying identity(String state, String incarnation) {
        identity = new MemberStatus.Identity(state, incarnation, 1);
        return this;
    }

    Saying configuration(MemberStatus.@Nullable Configuration committed) {
        configuration = committed;
        return this;
    }

    Saying quorum(MemberStatus.@Nullable Quorum asLeader) {
        quorum = asLeader;
        return this;
    }

    Saying voters(@Nullable List<MemberStatus.Voter> asLeader) {
        voters = asLeader;
        return this;
    }

    Saying learners(@Nullable List<MemberStatus.Learner> asLeader) {
        learners = asLeader;
        return this;
    }

    Saying metrics(MemberStatus.Metrics figures) {
        metrics = figures;
        return this;
    }

    Saying file(MemberStatus.File standing) {
        file = standing;
        return this;
    }

    MemberStatus status() {
        return new MemberStatus(
                myid,
                version,
                configHash,
                "id",
                role,
                leader,
                epoch,
                serving,
                false,
                outOfSyncMillis,
                new MemberStatus.Zxids(zxid),
                identity,
                configuration,
                quorum,
                voters,
                learners,
                null,
                List.of(),
                metrics,
                null,
                file,
                null);
    }
}
