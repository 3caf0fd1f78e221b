package dev.ensemble.server.node;

import org.jspecify.annotations.Nullable;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Every key that ZooKeeper 3.9 knows, and ours, with what becomes of it here.
///
/// A key that protects something (TLS, required authentication) and is not supported stops the
/// start: going on without it would be worse. Any other that is not supported is a warning.
final class ConfigKeys {
    /// What becomes of a key.
    sealed interface Use {
        /// Read by [ConfigParser].
        record Read() implements Use {}

        /// Known, without effect, and nothing is lost by that.
        record NotNeeded(String reason) implements Use {}

        /// Known, and not supported yet; it counts for nothing.
        record Unsupported() implements Use {}

        /// Known, not supported yet, and refused with any other value than this one.
        record RefusedUnless(String harmless) implements Use {}
    }

    private static final Map<String, Use> KEYS = new HashMap<>();
    private static final List<String> FAMILIES = List.of("metricsProvider.");

    /// Keys whose change in the file counts while the member runs ([Reloading]). Everything that
    /// they set is read anew each time that it is used, so a new value is wholly in force at once;
    /// a key that is not only that does not belong here. The operator has the same list.
    private static final Set<String> LIVE =
            Set.of(
                    """
                    minSessionTimeout maxSessionTimeout maxClientCnxns maxCnxns nio.sessionlessCnxnTimeout
                    globalOutstandingLimit request_throttle_max_requests throttled_op_wait_time
                    largeRequestMaxBytes connection_throttle_tokens connection_throttle_fill_time
                    connection_throttle_fill_count connection_throttle_freeze_time
                    connection_throttle_drop_increase connection_throttle_drop_decrease
                    connection_throttle_decrease_ratio connection_throttle_weight_enabled
                    connection_throttle_global_session_weight connection_throttle_local_session_weight
                    connection_throttle_renew_session_weight 4lw.commands.whitelist
                    admin.snapshot.enabled admin.rateLimiterIntervalInMS fsync.warningthresholdms
                    snapshotSizeFactor disk.lowWaterMegabytes log.retainSegments log.retainMegabytes
                    log.retainHours\
                    """
                            .split("\\s+", -1));

    static {
        add(
                new Use.Read(),
                """
                dataDir dataLogDir clientPort clientPortAddress clientPortListenBacklog tickTime minSessionTimeout
                maxSessionTimeout maxClientCnxns maxCnxns initLimit syncLimit electionAlg peerType
                quorumListenOnAllIPs standaloneEnabled reconfigEnabled dynamicConfigFile version
                metricsProvider.className metricsProvider.httpHost metricsProvider.httpPort
                metricsProvider.exportJvmInfo jute.maxbuffer globalOutstandingLimit nio.sessionlessCnxnTimeout
                fsync.warningthresholdms skipACL DigestAuthenticationProvider.superDigest
                DigestAuthenticationProvider.superDigestFile DigestAuthenticationProvider.superPasswordFile
                DigestAuthenticationProvider.enabled DigestAuthenticationProvider.digestAlg
                4lw.commands.whitelist admin.enableServer admin.serverAddress admin.serverPort admin.idleTimeout
                jvm.pause.monitor jvm.pause.sleep.time.ms jvm.pause.info-threshold.ms jvm.pause.warn-threshold.ms
                admin.rateLimiterIntervalInMS admin.snapshot.enabled
                admin.commandURL admin.tokenFile admin.operatorKeys
                extendedTypesEnabled enforceQuota
                znode.container.checkIntervalMs znode.container.maxPerMinute
                znode.container.maxNeverUsedIntervalMs bootstrap ensembleId heartbeatMillis heartbeatTimeoutMillis
                audit.enable multiAddress.enabled disk.lowWaterMegabytes snapshotSizeFactor log.retainSegments
                log.retainMegabytes log.retainHours linearizableReads\
                """);
        add(new Use.NotNeeded("restore over HTTP is not supported"), "admin.restore.enabled");
        add(
                new Use.Read(),
                """
                secureClientPort secureClientPortAddress client.portUnification client.certReload
                secureClientPortOnly netty.server.outstandingHandshake.limit sslQuorum portUnification sslQuorumReloadCertFiles
                admin.portUnification admin.forceHttps admin.needClientAuth fips-mode
                X509AuthenticationProvider.superUser X509AuthenticationProvider.clientCertIdType
                X509AuthenticationProvider.clientCertIdSanMatchType
                X509AuthenticationProvider.clientCertIdSanMatchRegex
                X509AuthenticationProvider.clientCertIdSanExtractRegex
                X509AuthenticationProvider.clientCertIdSanExtractMatcherGroupIndex superUser
                java.security.auth.login.config sasl.serverconfig SASLAuthenticationProvider.superPassword
                letAnySaslUserDoX allowSaslFailedClients sessionRequireClientSASLAuth ensembleAuthName
                enforce.auth.enabled enforce.auth.schemes\
                """);
        add(
                new Use.Read(),
                """
                localSessionsEnabled localSessionsUpgradingEnabled readonlymode.enabled
                request_throttle_max_requests throttled_op_wait_time largeRequestThreshold
                largeRequestMaxBytes connection_throttle_tokens connection_throttle_fill_time
                connection_throttle_fill_count connection_throttle_freeze_time
                connection_throttle_drop_increase connection_throttle_drop_decrease
                connection_throttle_decrease_ratio connection_throttle_weight_enabled
                connection_throttle_global_session_weight
                connection_throttle_local_session_weight
                connection_throttle_renew_session_weight\
                """);
        add(
                new Use.NotNeeded("a connection is not read while too much is in flight"),
                """
                request_throttle_stall_time request_throttle_drop_stale request_stale_connection_check
                request_stale_latency_check\
                """);
        add(
                new Use.NotNeeded(
                        "there is one state, and the log behind it goes unless log.retain... keeps"
                                + " it"),
                "autopurge.snapRetainCount autopurge.purgeInterval");
        add(
                new Use.NotNeeded("state and log are stored in another way"),
                """
                snapCount snapSizeLimitInKb txnLogSizeLimitInKb preAllocSize commitLogCount
                snapshot.compression.method snapshot.trust.empty serializeLastProcessedZxid.enabled digest.enabled
                closeSessionTxn.enabled jute.maxbuffer.extrasize emulate353TTLNodes\
                """);
        add(
                new Use.NotNeeded("requests are batched as they arrive"),
                """
                flushDelay maxWriteQueuePollTime maxBatchSize commitProcessor.numWorkerThreads
                commitProcessor.maxReadBatchSize commitProcessor.maxCommitBatchSize nio.numSelectorThreads
                nio.numWorkerThreads nio.directBufferBytes serverCnxnFactory maxResponseCacheSize
                maxGetChildrenResponseCacheSize watchManagerName netty.advancedFlowControl.enabled
                netty.server.earlyDropSecureConnectionHandshakes\
                """);
        add(
                new Use.NotNeeded(
                        "members have one connection for each pair, and elect without waiting"),
                """
                quorum.cnxn.threads.size fastleader.minNotificationInterval fastleader.maxNotificationInterval
                cnxTimeout quorumCnxnTimeoutMs electionPortBindRetry tcpKeepAlive leader.maxTimeToWaitForEpoch
                leader.closeSocketAsync learner.closeSocketAsync learner.asyncSending connectToLearnerMasterLimit
                observer.reconnectDelayMs observer.election.DelayMs syncEnabled
                multiAddress.reachabilityCheckEnabled multiAddress.reachabilityCheckTimeoutMs\
                """);
        add(
                new Use.Unsupported(),
                """
                observerMasterPort observerMaster.sizeLimit leaderServes
                quorum.auth.learner.saslLoginContext quorum.auth.server.saslLoginContext
                quorum.auth.kerberos.servicePrincipal
                enableEagerACLCheck IPAuthenticationProvider.usexforwardedfor
                leader.maxConcurrentSnapSyncs leader.maxConcurrentDiffSyncs datadir.autocreate db.autocreate
                clientTcpKeepAlive
                metricsProvider.numWorkerThreads metricsProvider.maxQueueSize
                metricsProvider.workerShutdownTimeoutMs metricsProvider.httpsPort\
                """);
        add(
                new Use.RefusedUnless("false"),
                """
                quorum.auth.enableSasl quorum.auth.serverRequireSasl quorum.auth.learnerRequireSasl\
                """);
        add(new Use.RefusedUnless("yes"), "forceSync");
        add(
                new Use.RefusedUnless("org.apache.zookeeper.audit.Slf4jAuditLogger"),
                "audit.impl.class");
    }

    private ConfigKeys() {}

    private static void add(Use use, String keys) {
        for (String key : keys.strip().split("\\s+", -1)) {
            KEYS.put(key, use);
        }
    }

    /// {@return the keys, without prefix, whose change counts while the member runs}
    static Set<String> live() {
        return LIVE;
    }

    /// {@return whether a change of this key, with prefix or without, counts while the member runs}
    static boolean isLive(String key) {
        return LIVE.contains(ConfigValues.bare(key));
    }

    /// {@return every key that is known by its whole name}
    static Map<String, Use> all() {
        return Collections.unmodifiableMap(KEYS);
    }

    /// {@return what becomes of the key, null if nobody knows it}
    static @Nullable Use use(String key) {
        Use use = KEYS.get(key);
        if (use != null) {
            return use;
        }
        if (TlsConfig.isKey(key)
                || key.startsWith("authProvider.")
                || key.startsWith("superUser.")) {
            return new Use.Read();
        }
        if (key.startsWith("server.") || key.startsWith("group.") || key.startsWith("weight.")) {
            return new Use.Read();
        }
        return FAMILIES.stream().anyMatch(key::startsWith) ? new Use.Unsupported() : null;
    }

    /// {@return the known key that is spelled most like it, null if none is near}
    static @Nullable String nearest(String key) {
        String wanted = key.toLowerCase(Locale.ROOT);
        int allowed = Math.max(2, key.length() / 3);
        String nearest = null;
        for (String known : KEYS.keySet().stream().sorted().toList()) {
            int distance = distance(wanted, known.toLowerCase(Locale.ROOT));
            if (distance <= allowed) {
                nearest = known;
                allowed = distance - 1;
            }
        }
        return nearest;
    }

    /// How many letters must be put in, taken out or changed to make one of the other
    /// (Levenshtein).
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, 1 + Math.min(previous[j], row[j - 1]));
            }
            previous = row;
        }
        return previous[b.length()];
    }
}
