package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.ClientStats;
import dev.ensemble.server.tls.Tls;
import dev.ensemble.server.zab.Peer;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The object that `GET /v1/status` answers (`server/docs/status.md`).
final class StatusReport {
    private StatusReport() {}

    /// {@return the object of a member that has not loaded its data yet}
    static Json starting(Config config) {
        return new Json()
                .put("myid", config.myid())
                .put("version", Release.current().version())
                .put("configHash", config.hash())
                .put("ensembleId", null)
                .put("role", "looking")
                .put("leader", null)
                .put("serving", false)
                .put("warnings", config.warnings());
    }

    private static Json file(Reloading.Standing standing) {
        return new Json().put("waiting", standing.waiting()).put("refused", standing.refused());
    }

    static Json of(Observed observed, Facts facts) {
        Config config = observed.config();
        boolean member = facts.identity().state() == Identity.State.MEMBER;
        return new Json()
                .put("myid", config.myid())
                .put("version", Release.current().version())
                .put("configHash", config.hash())
                .put("file", file(observed.standing()))
                .put("ensembleId", member ? facts.identity().ensembleId() : null)
                .put("role", lower(facts.role()))
                .put("leader", facts.leader() == 0 ? null : facts.leader())
                .put("epoch", facts.currentEpoch())
                .put("acceptedEpoch", facts.acceptedEpoch())
                .put("serving", facts.serving())
                .put("draining", observed.isDraining())
                .put("outOfSyncMillis", observed.outOfSyncMillis(facts))
                .put("zxid", zxids(observed, facts))
                .put("identity", identity(facts.identity()))
                .put("configuration", configuration(facts))
                .put("quorum", quorum(facts))
                .put("voters", voters(facts))
                .put("learners", learners(facts))
                .put("safeToStop", safeToStop(facts.reasonsNotToStop()))
                .put(
                        "tls",
                        new Json()
                                .put("members", tls(observed.parts().memberTls()))
                                .put("clients", tls(observed.parts().clientTls())))
                .put("superUser", superUser(observed.parts().superUser()))
                .put("warnings", observed.warnings(facts))
                .put("metrics", metrics(observed, facts));
    }

    private static Json zxids(Observed observed, Facts facts) {
        return new Json()
                .put("committed", Zxid.text(facts.committed()))
                .put("logged", Zxid.text(facts.logged()))
                .put("synced", Zxid.text(facts.synced()))
                .put("state", Zxid.text(observed.parts().flushing().storedZxid()));
    }

    private static Json identity(Identity identity) {
        return new Json()
                .put("state", lower(identity.state()))
                .put("incarnation", hex(identity.incarnation()))
                .put("starts", identity.starts());
    }

    private static @Nullable Json configuration(Facts facts) {
        Ensemble ensemble = facts.configuration();
        if (ensemble.version() == 0) {
            return null;
        }
        return configuration(ensemble, facts.configurationPending());
    }

    /// {@return a committed configuration}
    ///
    /// @param pending whether a newer one is on its way
    static Json configuration(Ensemble ensemble, boolean pending) {
        return new Json()
                .put("version", Zxid.text(ensemble.version()))
                .put("pending", pending)
                .put("level", ensemble.level())
                .put(
                        "members",
                        ensemble.members().values().stream().map(StatusReport::member).toList());
    }

    private static Map<String, @Nullable Object> member(Ensemble.Member member) {
        return new Json()
                .put("myid", member.myid())
                .put("role", member.role().text())
                .put("address", new Endpoint(member.host(), member.port()).toString())
                .put("clientAddress", member.client())
                .put("incarnation", hex(member.incarnation()))
                .fields();
    }

    private static @Nullable Json tls(@Nullable Tls tls) {
        return tls == null
                ? null
                : new Json()
                        .put("fingerprint", Tls.fingerprint(tls.certificate()))
                        .put("notAfter", tls.certificate().getNotAfter().toInstant().toString())
                        .put(
                                "trusted",
                                tls.trusted().stream().map(Tls::fingerprint).sorted().toList())
                        .put("refused", tls.refused());
    }

    private static @Nullable Json superUser(@Nullable SuperUserFiles files) {
        return files == null
                ? null
                : new Json()
                        .put("known", files.standing().known())
                        .put("problem", files.standing().problem());
    }

    private static @Nullable Json quorum(Facts facts) {
        if (!facts.isLeader()) {
            return null;
        }
        int needed = facts.configuration().needed();
        int synced = (int) facts.voters().stream().filter(Peer.Standing::synced).count();
        return new Json()
                .put("configured", facts.voters().size())
                .put("needed", needed)
                .put("synced", synced)
                .put("canLose", Math.max(0, synced - needed));
    }

    private static @Nullable List<Map<String, @Nullable Object>> voters(Facts facts) {
        if (!facts.isLeader()) {
            return null;
        }
        return facts.voters().stream().map(StatusReport::voter).toList();
    }

    private static Map<String, @Nullable Object> voter(Peer.Standing voter) {
        return new Json()
                .put("myid", voter.myid())
                .put("connected", voter.connected())
                .put("synced", voter.synced())
                .put("lag", voter.lag())
                .put("incarnation", hex(voter.incarnation()))
                .put("safeToStop", voter.reasonsNotToStop().isEmpty())
                .put("reasons", voter.reasonsNotToStop())
                .fields();
    }

    private static @Nullable List<Map<String, @Nullable Object>> learners(Facts facts) {
        if (!facts.isLeader()) {
            return null;
        }
        return facts.learners().stream()
                .map(learner ->
                        new Json()
                                .put("myid", learner.myid())
                                .put("lag", learner.lag())
                                .put("level", learner.level())
                                .put("incarnation", hex(learner.incarnation()))
                                .fields())
                .toList();
    }

    private static @Nullable Json safeToStop(@Nullable List<String> reasons) {
        return reasons == null
                ? null
                : new Json().put("value", reasons.isEmpty()).put("reasons", reasons);
    }

    private static Json metrics(Observed observed, Facts facts) {
        ClientStats clients = observed.parts().clients().stats();
        return new Json()
                .put("znodes", facts.tree().znodeCount())
                .put("connections", clients.connections())
                .put("sessions", facts.tree().sessionCount())
                .put("watches", clients.watches())
                .put("ephemerals", facts.tree().ephemeralCount())
                .put("writesPerSecond", Math.round(observed.writesPerSecond() * 10) / 10.0)
                .put("p99Millis", clients.p99LatencyMillis());
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
