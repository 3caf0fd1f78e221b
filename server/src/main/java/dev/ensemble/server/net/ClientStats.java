package dev.ensemble.server.net;

/// What the client side has done since its start or the last reset, and what is there at the
/// moment.
///
/// @param received frames and four-letter words
/// @param sent replies and events
/// @param outstanding requests that are not answered yet
/// @param watches of all kinds
/// @param minLatencyMillis from a request's arrival to its answer, 0 before the first, like the
///   others
/// @param p99LatencyMillis at most a quarter too high
public record ClientStats(
        long received,
        long sent,
        long outstanding,
        int connections,
        int watches,
        long minLatencyMillis,
        double avgLatencyMillis,
        long maxLatencyMillis,
        double p99LatencyMillis) {}
