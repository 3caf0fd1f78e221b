package dev.ensemble.server.net;

/// What protects a member from its clients, beside [ClientSettings]; all off unless the
/// configuration says otherwise.
///
/// @param largeRequestBytes requests longer than this share a budget; negative: none is large
/// @param largeRequestsBytes the budget; a connection that exceeds it is closed
/// @param throttledOpMillis a request that waited longer to begin is refused; 0: it never is
/// @param tokens how fast clients may connect
public record ClientLimits(
        int largeRequestBytes, long largeRequestsBytes, int throttledOpMillis, Tokens tokens) {
    public static final ClientLimits OFF = new ClientLimits(-1, 100L << 20, 0, Tokens.OFF);

    /// The bucket of tokens that connecting takes (`connection_throttle_*`).
    ///
    /// @param size 0: nobody is refused
    /// @param fillMillis after so long, `fillCount` tokens more
    /// @param freezeMillis how often the chance to be refused is looked at; negative: there is none
    /// @param dropIncrease what is added to it if the bucket is empty then
    /// @param dropDecrease what is taken off if there are more than `decreaseRatio` of all tokens
    /// @param newSession tokens that a new session needs
    /// @param renewal tokens that coming back needs
    public record Tokens(
            int size,
            int fillMillis,
            int fillCount,
            int freezeMillis,
            double dropIncrease,
            double dropDecrease,
            double decreaseRatio,
            int newSession,
            int renewal) {
        static final Tokens OFF = new Tokens(0, 1, 1, -1, 0.02, 0.002, 0, 1, 1);
    }
}
