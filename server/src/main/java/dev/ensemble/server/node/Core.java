package dev.ensemble.server.node;

import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.MemberOptions;
import dev.ensemble.server.store.Recovered;
import dev.ensemble.server.store.TxnCodec;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.History;
import dev.ensemble.server.zab.PeerConfig;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What decides in a member, made of what its file says and of what its disk holds.
///
/// @param rescued a recovery was carried out just now
record Core(Config config, boolean rescued, Recovered recovered) {
    private static final long ELECTION_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /// What a learner may lag without a snapshot.
    private static final int HISTORY_ENTRIES = 100_000;

    private static final long HISTORY_BYTES = 32 << 20;

    /// How long a member without a leader waits at least before it serves readers.
    private static final int READ_ONLY_AFTER_MILLIS = 2000;

    /// Data of one ensemble must not serve another.
    void checkEnsemble() throws StartFailure {
        String declared = config.membership().declared().id();
        String found = recovered.identity().ensembleId();
        if (!declared.isEmpty() && !found.isEmpty() && !declared.equals(found)) {
            String text =
                    String.format(
                            "the data belongs to ensemble %s, the file says ensembleId=%s",
                            found, declared);
            throw new StartFailure(
                    ExitCode.DATA_DIR_INACCESSIBLE, text, new IllegalStateException(text));
        }
    }

    Member member(Schemes schemes, TxnCodec codec, long nowNanos) {
        List<History.Entry> log = new ArrayList<>(recovered.log().size());
        recovered.log().forEach(entry -> log.add(new History.Entry(entry.zxid(), entry.payload())));
        var disk =
                new dev.ensemble.server.zab.Recovered(
                        recovered.identity(),
                        recovered.acceptedEpoch(),
                        recovered.currentEpoch(),
                        recovered.base(),
                        recovered.baseEnsemble(),
                        log,
                        recovered.committed());
        var preparation =
                new Preparation(
                        schemes,
                        new Preparation.Options(
                                config.membership().reconfigEnabled(),
                                config.znodes().extendedTypes(),
                                config.znodes().enforceQuota(),
                                config.membership().fewestVoters(),
                                config.membership().severalAddresses()));
        return new Member(
                peerConfig(),
                disk,
                recovered.tree(),
                new History(recovered.base(), HISTORY_ENTRIES, HISTORY_BYTES),
                preparation,
                codec,
                options(),
                TimeUnit.MILLISECONDS.toNanos(config.timing().tickMillis()),
                nowNanos);
    }

    private MemberOptions options() {
        Config.Sessions sessions = config.sessions();
        return new MemberOptions(
                config.znodes().reaping(),
                sessions.local(),
                sessions.upgradesLocal(),
                sessions.readOnlyMode(),
                TimeUnit.MILLISECONDS.toNanos(
                        Math.max(READ_ONLY_AFTER_MILLIS, config.timing().tickMillis())));
    }

    private PeerConfig peerConfig() {
        Config.Membership membership = config.membership();
        PeerConfig.Bootstrap bootstrap =
                switch (membership.bootstrap()) {
                    case UNANIMOUS -> PeerConfig.Bootstrap.UNANIMOUS;
                    case BOOTSTRAPPED -> PeerConfig.Bootstrap.BOOTSTRAPPED;
                    case MAJORITY -> PeerConfig.Bootstrap.MAJORITY;
                };
        return new PeerConfig(
                config.myid(),
                membership.declared(),
                recovered.mustRejoin() || rescued ? PeerConfig.Bootstrap.BOOTSTRAPPED : bootstrap,
                membership.bootstrapRecord(),
                TimeUnit.MILLISECONDS.toNanos(config.timing().heartbeatMillis()),
                TimeUnit.MILLISECONDS.toNanos(config.timing().heartbeatTimeoutMillis()),
                TimeUnit.MILLISECONDS.toNanos(
                        (long) config.timing().initLimitTicks() * config.timing().tickMillis()),
                ELECTION_WAIT_NANOS,
                Hello.PROTOCOL);
    }

    /// {@return how the member presents itself to others}
    ///
    /// @param recovery the last one that its data went through; empty for none
    Hello hello(String recovery) {
        String found = recovered.identity().ensembleId();
        return new Hello(
                Hello.PROTOCOL,
                Hello.idAfter(
                        found.isEmpty() ? config.membership().declared().id() : found, recovery),
                config.myid(),
                recovered.identity().incarnation(),
                recovered.identity().starts(),
                recovered.identity().state(),
                config.membership().bootstrapRecord());
    }
}
