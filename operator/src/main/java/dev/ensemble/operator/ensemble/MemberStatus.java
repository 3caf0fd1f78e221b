package dev.ensemble.operator.ensemble;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// What a member tells about itself (`server/docs/status.md`), as much of it as we use. What the
/// member does not know is null. A newer server may tell more; that is ignored.
@JsonIgnoreProperties(ignoreUnknown = true)
public record MemberStatus(
        int myid,
        @Nullable String version,
        @Nullable String configHash,
        @Nullable String ensembleId,
        @Nullable String role,
        @Nullable Integer leader,
        long epoch,
        boolean serving,
        boolean draining,
        long outOfSyncMillis,
        @Nullable Zxids zxid,
        @Nullable Identity identity,
        @Nullable Configuration configuration,
        @Nullable Quorum quorum,
        @Nullable List<Voter> voters,
        @Nullable List<Learner> learners,
        @Nullable SafeToStop safeToStop,
        @Nullable List<String> warnings,
        @Nullable Metrics metrics,
        @Nullable Tls tls,
        @Nullable File file,
        @Nullable SuperUser superUser) {

    /// Whether files say who the superuser is.
    ///
    /// @param problem with the files as they are now; null if there is none
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record SuperUser(boolean known, @Nullable String problem) {}

    /// How the file of its configuration stands to what is in force.
    ///
    /// @param waiting keys that differ and count from the next start on
    /// @param refused why nothing of the file is in force; null if what can be is
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record File(@Nullable List<String> waiting, @Nullable String refused) {}

    /// Certificates in use, between members and for clients.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Tls(@Nullable Shown members, @Nullable Shown clients) {}

    /// A certificate in use, and whom is trusted.
    ///
    /// @param refused why the files as they are now are not in use; null if they are
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Shown(
            String fingerprint,
            String notAfter,
            @Nullable List<String> trusted,
            @Nullable String refused) {}

    /// How far its data goes.
    ///
    /// @param logged end of its log, in hexadecimal with `0x`
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Zxids(String logged) {}

    /// Whose data it holds.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Identity(@Nullable String state, @Nullable String incarnation, long starts) {}

    /// The committed configuration.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Configuration(
            @Nullable String version, boolean pending, @Nullable List<Member> members) {}

    /// A member of the committed configuration.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Member(int myid, @Nullable String role, @Nullable String incarnation) {}

    /// The quorum; told by the leader only.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Quorum(int configured, int needed, int synced, int canLose) {}

    /// A voter as the leader sees it.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Voter(
            int myid,
            boolean connected,
            boolean synced,
            @Nullable Long lag,
            @Nullable String incarnation,
            boolean safeToStop,
            @Nullable List<String> reasons) {}

    /// A connected member without a vote, as the leader sees it.
    ///
    /// @param level whether it may join the voters now
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Learner(int myid, @Nullable Long lag, boolean level) {}

    /// Whether the member may stop, as the leader last told it.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record SafeToStop(boolean value, @Nullable List<String> reasons) {}

    /// Figures.
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Metrics(
            double znodes,
            double connections,
            double sessions,
            double writesPerSecond,
            double p99Millis) {}

    /// {@return whether it says that it leads}
    public boolean leads() {
        return "leader".equals(role);
    }
}
