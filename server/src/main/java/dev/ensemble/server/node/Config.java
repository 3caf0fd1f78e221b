package dev.ensemble.server.node;

import dev.ensemble.server.auth.Sasl;
import dev.ensemble.server.auth.X509;
import dev.ensemble.server.member.Reaping;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.ClientLimits;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsSettings;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// All that a member is told from outside: one file in ZooKeeper's `zoo.cfg` syntax, and its id.
/// Read and checked once, before anything starts, and passed by constructor from there; what of it
/// may change while the member runs, [Reloading] hands on.
///
/// @param dataLogDir where the log is, [#dataDir] unless the file says otherwise
/// @param metrics null if the file asks for no metrics port
/// @param pauses null if nobody watches for them
/// @param fsyncWarningMillis a sync of the log that takes longer is worth a warning
/// @param text of the file, as it was read
/// @param hash of what is in force, as `/v1/status` shows it (`docs/status.md`)
/// @param warnings one line each: keys that have no effect, values that are unwise
/// @param file where it all comes from
public record Config(
        int myid,
        Path dataDir,
        Path dataLogDir,
        Timing timing,
        Clients clients,
        Auth auth,
        Znodes znodes,
        Tls tls,
        Storage storage,
        Sessions sessions,
        Membership membership,
        Admin admin,
        @Nullable Metrics metrics,
        @Nullable Pauses pauses,
        int fsyncWarningMillis,
        String text,
        String hash,
        List<String> warnings,
        ConfigFile file) {

    /// The unit of all limits, and the limits.
    ///
    /// @param initLimitTicks how long a member may take to connect and synchronise
    /// @param syncLimitTicks how long a member may be silent
    /// @param heartbeatMillis how often a leader speaks
    /// @param heartbeatTimeoutMillis of silence until a leader or a learner is given up; where
    ///   processes stand still for longer, the lead moves about
    public record Timing(
            int tickMillis,
            int initLimitTicks,
            int syncLimitTicks,
            int minSessionTimeoutMillis,
            int maxSessionTimeoutMillis,
            int heartbeatMillis,
            int heartbeatTimeoutMillis) {}

    /// What holds for the connections of clients.
    ///
    /// @param endpoint null: there is no port but that for TLS
    /// @param backlog of the listening socket; -1: what the system has as default
    /// @param maxPerAddress connections from one address; 0: no limit
    /// @param maxConnections of all addresses; 0: no limit
    /// @param maxFrameBytes longer frames cost the connection
    /// @param handshakeTimeoutMillis how long a connection may be without a session
    /// @param maxOutstanding requests in flight before reading stops
    /// @param fourLetterWords those that are answered
    /// @param audit each change is logged with who made it
    /// @param linearizableReads reads of all connections are
    public record Clients(
            @Nullable Endpoint endpoint,
            int backlog,
            int maxPerAddress,
            int maxConnections,
            int maxFrameBytes,
            int handshakeTimeoutMillis,
            int maxOutstanding,
            Set<String> fourLetterWords,
            ClientLimits limits,
            boolean audit,
            boolean linearizableReads) {}

    /// Who may do what.
    ///
    /// @param skipAcl every request is allowed
    /// @param superDigest `user:base64` of the identity that every ACL allows
    /// @param superUser files that say who is that, too; null if none do
    /// @param digestAlgorithm as [MessageDigest] names it
    /// @param x509 null if that scheme is unknown here, like the next two
    /// @param ensembles names that clients may expect; empty for any
    /// @param enforced schemes of which a connection must have one; empty if nothing is asked for
    public record Auth(
            boolean skipAcl,
            boolean digestEnabled,
            @Nullable String superDigest,
            @Nullable SuperUser superUser,
            String digestAlgorithm,
            @Nullable X509 x509,
            @Nullable Sasl sasl,
            @Nullable Set<String> ensembles,
            Set<String> enforced) {}

    /// Files that say who the superuser is, and may change while the member runs.
    ///
    /// @param digests with `user:base64` in each line; null if there is no such file
    /// @param password of the user `super`; null if there is no such file
    public record SuperUser(@Nullable Path digests, @Nullable Path password) {
        @Override
        public String toString() {
            return digests == null
                    ? "" + password
                    : password == null ? "" + digests : digests + " or " + password;
        }
    }

    /// Whether the admin port speaks HTTPS.
    public enum Https {
        NONE,
        BOTH,
        ONLY
    }

    /// Who speaks TLS, with which keys.
    ///
    /// @param secure port that speaks only TLS with clients; null for none
    /// @param unified the clients' plain port speaks TLS too
    /// @param clients null if none of the two is
    /// @param quorum members dial with TLS
    /// @param quorumBoth members are accepted with TLS and without
    /// @param members null if nobody uses it: neither members nor the admin port
    /// @param adminNeedsClient whoever asks the admin port over HTTPS must show a certificate
    public record Tls(
            @Nullable Endpoint secure,
            boolean unified,
            @Nullable TlsSettings clients,
            boolean quorum,
            boolean quorumBoth,
            @Nullable TlsSettings members,
            Https admin,
            boolean adminNeedsClient) {}

    /// What holds for znodes of all clients.
    ///
    /// @param extendedTypes there are TTL nodes
    /// @param enforceQuota a hard limit refuses what exceeds it
    public record Znodes(boolean extendedTypes, boolean enforceQuota, Reaping reaping) {}

    /// How the data folder is used (`docs/storage.md`).
    ///
    /// @param lowWaterMegabytes with less free space the member takes part no more; -1: 256, or an
    ///   eighth of a smaller volume
    /// @param snapshotSizeFactor a learner that lags gets the log from disk as long as that has at
    ///   most so many times the bytes of the state, else a snapshot
    /// @param tail what stays of the log though the state holds it
    public record Storage(
            int lowWaterMegabytes, double snapshotSizeFactor, StoreOptions.Tail tail) {
        static final long LOW_WATER_BYTES = 256L << 20;

        /// {@return the same in bytes, negative if the volume decides}
        long lowWaterBytes() {
            return lowWaterMegabytes < 0 ? -1 : (long) lowWaterMegabytes << 20;
        }
    }

    /// Sessions that one member alone knows, and members without a leader that serve readers.
    ///
    /// @param upgradesLocal a local session that creates an ephemeral becomes everybody's
    public record Sessions(boolean local, boolean upgradesLocal, boolean readOnlyMode) {}

    /// When an ensemble whose members hold nothing yet may form (`safety.md` 7).
    public enum Bootstrap {
        /// Once every declared voter has been seen blank, with the same record.
        UNANIMOUS,
        /// Never: it has formed before, so blank members learn from the others.
        BOOTSTRAPPED,
        /// Once a majority is there, as ZooKeeper does.
        MAJORITY
    }

    /// The ensemble as the file declares it: seeds and the bootstrap record, since what was
    /// committed beats every file.
    ///
    /// @param declared with its id, empty if the file gives none; a server alone has a member with
    ///   peer port 0
    /// @param standalone the mode is shown as `standalone`, and there is no port for peers
    /// @param reconfigEnabled clients may change the membership
    /// @param listenOnAllAddresses peers are accepted on every address, not just on the declared
    ///   one
    /// @param fewestVoters that a client may leave; 0 for a server alone
    /// @param severalAddresses a member may have more than one
    public record Membership(
            Ensemble declared,
            boolean standalone,
            Bootstrap bootstrap,
            boolean reconfigEnabled,
            boolean listenOnAllAddresses,
            int fewestVoters,
            boolean severalAddresses) {
        /// {@return the same on every member that was told the same ensemble, in hexadecimal}
        public String bootstrapRecord() {
            var record = new StringBuilder(declared.id()).append('\n');
            for (Ensemble.Member member : declared.members().values()) {
                record.append(member.myid()).append('=');
                for (Ensemble.Member.Address each : member.addresses()) {
                    record.append(new Endpoint(each.host(), each.port())).append('\n');
                }
            }
            if (declared.groups().decide()) {
                record.append(declared.groups().groups()).append(declared.groups().weights());
            }
            return sha256(record.toString());
        }
    }

    /// The admin server.
    ///
    /// @param commandUrl path below which ZooKeeper's admin commands are
    /// @param tokenFile where the process writes the token that its drain asks for; null: no drain
    ///   over HTTP
    /// @param operatorKeys public keys of those who may change the ensemble from anywhere; null:
    ///   nobody
    /// @param snapshots the command `snapshot` is answered
    /// @param snapshotIntervalMillis at most so often
    public record Admin(
            boolean enabled,
            Endpoint endpoint,
            String commandUrl,
            int idleTimeoutMillis,
            @Nullable Path tokenFile,
            @Nullable Path operatorKeys,
            boolean snapshots,
            int snapshotIntervalMillis) {}

    /// The Prometheus port.
    ///
    /// @param exportJvm metrics of the JVM too
    public record Metrics(Endpoint endpoint, boolean exportJvm) {}

    /// Watching for times in which the process stands still.
    ///
    /// @param sleepMillis between two looks
    /// @param infoMillis a longer pause is worth a line in the log
    /// @param warnMillis a longer one a warning
    public record Pauses(int sleepMillis, int infoMillis, int warnMillis) {}

    public Config {
        warnings = List.copyOf(warnings);
    }

    /// Reads the file.
    ///
    /// @param myid as the command line gives it; else it is in the file `myid` of the data folder
    /// @throws InvalidConfig if the member cannot start with it
    public static Config load(Path file, OptionalInt myid) throws InvalidConfig {
        return ConfigParser.load(file, myid);
    }

    /// {@return what a tool on the same host needs to ask the running server}
    ///
    /// @throws InvalidConfig if the file cannot be read, or that part of it cannot work
    public static Admin loadAdmin(Path file) throws InvalidConfig {
        return ConfigParser.loadAdmin(file);
    }

    /// {@return how that tool dials where HTTP is not spoken; null if HTTP is}
    ///
    /// @throws InvalidConfig if the file cannot be read, or that part of it cannot work
    public static TlsDialer.@Nullable Settings loadAdminTls(Path file) throws InvalidConfig {
        return ConfigParser.loadAdminTls(file);
    }

    /// {@return what the file of a client says of TLS, as `zkCli.sh -client-configuration` reads
    /// it; null if it does not ask for TLS}
    ///
    /// @throws InvalidConfig if the file cannot be read or a value is not valid
    public static TlsDialer.@Nullable Settings loadClient(Path file) throws InvalidConfig {
        return ConfigParser.loadClient(file);
    }

    /// {@return the same with what can change while a member runs}
    Config with(
            Timing otherTiming,
            Clients otherClients,
            Storage otherStorage,
            Admin otherAdmin,
            int otherFsyncWarningMillis,
            String otherHash) {
        return new Config(
                myid,
                dataDir,
                dataLogDir,
                otherTiming,
                otherClients,
                auth,
                znodes,
                tls,
                otherStorage,
                sessions,
                membership,
                otherAdmin,
                metrics,
                pauses,
                otherFsyncWarningMillis,
                text,
                otherHash,
                warnings,
                file);
    }

    /// {@return this member as the file declares it}
    public Ensemble.Member self() {
        Ensemble.Member self = membership.declared().members().get(myid);
        if (self == null) {
            throw new IllegalStateException("member " + myid + " is not declared");
        }
        return self;
    }

    static String sha256(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
