package dev.ensemble.server.net;

import org.jspecify.annotations.Nullable;

import java.util.Set;

/// What holds for the connections of clients.
///
/// @param loops how many I/O threads there are
/// @param maxFrameBytes longer frames cost the connection
/// @param backlog of the listening socket; -1: what the system has as default
/// @param maxPerAddress connections from one address; 0: no limit
/// @param maxConnections of all addresses; 0: no limit
/// @param handshakeTimeoutMillis how long a connection may be without a session
/// @param maxOutstanding requests in flight on one I/O thread before those who have one are not
///   read
/// @param fourLetterWords those that are answered
/// @param audit null: nobody keeps book of changes
/// @param linearizableReads all connections have them, not only those that ask for it
public record ClientSettings(
        int loops,
        int tickMillis,
        int minSessionTimeoutMillis,
        int maxSessionTimeoutMillis,
        int maxFrameBytes,
        int backlog,
        int maxPerAddress,
        int maxConnections,
        int handshakeTimeoutMillis,
        int maxOutstanding,
        Set<String> fourLetterWords,
        ClientLimits limits,
        @Nullable Audit audit,
        boolean linearizableReads) {
    public ClientSettings {
        fourLetterWords = Set.copyOf(fourLetterWords);
    }

    /// Without further limits.
    public ClientSettings(
            int loops,
            int tickMillis,
            int minSessionTimeoutMillis,
            int maxSessionTimeoutMillis,
            int maxFrameBytes,
            int backlog,
            int maxPerAddress,
            int maxConnections,
            int handshakeTimeoutMillis,
            int maxOutstanding,
            Set<String> fourLetterWords) {
        this(
                loops,
                tickMillis,
                minSessionTimeoutMillis,
                maxSessionTimeoutMillis,
                maxFrameBytes,
                backlog,
                maxPerAddress,
                maxConnections,
                handshakeTimeoutMillis,
                maxOutstanding,
                fourLetterWords,
                ClientLimits.OFF,
                null,
                false);
    }

    /// {@return these settings with book kept of changes}
    public ClientSettings with(Audit other) {
        return with(limits, other, linearizableReads);
    }

    /// {@return these settings with other limits}
    public ClientSettings with(ClientLimits other) {
        return with(other, audit, linearizableReads);
    }

    /// {@return these settings with linearizable reads for all}
    ClientSettings withLinearizableReads() {
        return with(limits, audit, true);
    }

    private ClientSettings with(
            ClientLimits otherLimits, @Nullable Audit otherAudit, boolean otherReads) {
        return new ClientSettings(
                loops,
                tickMillis,
                minSessionTimeoutMillis,
                maxSessionTimeoutMillis,
                maxFrameBytes,
                backlog,
                maxPerAddress,
                maxConnections,
                handshakeTimeoutMillis,
                maxOutstanding,
                fourLetterWords,
                otherLimits,
                otherAudit,
                otherReads);
    }
}
