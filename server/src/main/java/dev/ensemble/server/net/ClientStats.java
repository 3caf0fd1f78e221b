package dev.ensemble.server.net;

import dev.ensemble.server.metrics.Reading;

import java.util.Map;

/// What the client side has done since its start or the last reset, and what is there at the
/// moment.
///
/// @param received frames and four-letter words
/// @param sent replies and events
/// @param outstanding requests that are not answered yet
/// @param watches of all kinds
/// @param responses bytes of replies
/// @param counters all of them
/// @param summaries all of them
public record ClientStats(
        long received,
        long sent,
        long outstanding,
        int connections,
        int watches,
        ResponseSizes responses,
        Map<ClientCounter, Long> counters,
        Map<ClientSummary, Reading> summaries) {

    private static final double MICROS = 1000;

    /// Bytes of a reply; -1 before the first.
    public record ResponseSizes(int last, int min, int max) {}

    /// {@return the times of all requests, in microseconds}
    private Reading latency() {
        return reading(ClientSummary.READLATENCY).plus(reading(ClientSummary.UPDATELATENCY));
    }

    public Reading reading(ClientSummary which) {
        return summaries.getOrDefault(which, Reading.NOTHING);
    }

    /// {@return from a request's arrival to its answer, the least; 0 before the first}
    public long minLatencyMillis() {
        return (long) (latency().min() / MICROS);
    }

    public double avgLatencyMillis() {
        return latency().average() / MICROS;
    }

    public long maxLatencyMillis() {
        return (long) (latency().max() / MICROS);
    }

    /// {@return at most a quarter too high}
    public double p99LatencyMillis() {
        return latency().quantile(0.99) / MICROS;
    }
}
