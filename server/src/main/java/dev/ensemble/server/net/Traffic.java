package dev.ensemble.server.net;

import dev.ensemble.server.metrics.Reading;
import dev.ensemble.server.metrics.Summary;

import java.util.EnumMap;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// What one I/O thread has received, sent and taken its time for. It alone counts, others may read:
/// a count costs no more than a plain store.
final class Traffic {
    private static final ClientCounter[] COUNTERS = ClientCounter.values();
    private static final ClientSummary[] SUMMARIES = ClientSummary.values();

    private final AtomicLong received = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong outstanding = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong watches = new AtomicLong();
    private final AtomicInteger lastResponse = new AtomicInteger(-1);
    private final AtomicInteger minResponse = new AtomicInteger(-1);
    private final AtomicInteger maxResponse = new AtomicInteger(-1);
    private final EnumMap<ClientCounter, AtomicLong> counters = new EnumMap<>(ClientCounter.class);
    private final EnumMap<ClientSummary, Summary> summaries = new EnumMap<>(ClientSummary.class);

    Traffic() {
        for (ClientCounter counter : COUNTERS) {
            counters.put(counter, new AtomicLong());
        }
        for (ClientSummary summary : SUMMARIES) {
            summaries.put(summary, new Summary());
        }
    }

    void received() {
        add(received, 1);
    }

    void sent() {
        add(sent, 1);
    }

    void outstanding(int change) {
        add(outstanding, change);
    }

    void connections(int change) {
        add(connections, change);
    }

    void watches(int now) {
        watches.setOpaque(now);
    }

    void answered(long nanos, boolean update) {
        measured(update ? ClientSummary.UPDATELATENCY : ClientSummary.READLATENCY, nanos / 1000);
    }

    /// @param bytes of a reply
    void responded(int bytes) {
        count(ClientCounter.RESPONSE_BYTES, bytes);
        lastResponse.setOpaque(bytes);
        int min = minResponse.getPlain();
        minResponse.setOpaque(min < 0 ? bytes : Math.min(min, bytes));
        maxResponse.setOpaque(Math.max(maxResponse.getPlain(), bytes));
    }

    void count(ClientCounter counter, long more) {
        add(of(counter), more);
    }

    void measured(ClientSummary summary, long value) {
        of(summary).add(value);
    }

    private AtomicLong of(ClientCounter counter) {
        return Objects.requireNonNull(counters.get(counter));
    }

    private Summary of(ClientSummary summary) {
        return Objects.requireNonNull(summaries.get(summary));
    }

    /// Forgets all but what is there at the moment.
    void reset() {
        received.setOpaque(0);
        sent.setOpaque(0);
        lastResponse.setOpaque(-1);
        minResponse.setOpaque(-1);
        maxResponse.setOpaque(-1);
        counters.values().forEach(counter -> counter.setOpaque(0));
        summaries.values().forEach(Summary::reset);
    }

    private static void add(AtomicLong count, long change) {
        count.setOpaque(count.getPlain() + change);
    }

    /// The traffic of all I/O threads.
    static ClientStats sum(Iterable<Traffic> loops) {
        long received = 0;
        long sent = 0;
        long outstanding = 0;
        long connections = 0;
        long watches = 0;
        int last = -1;
        int min = -1;
        int max = -1;
        var counters = new EnumMap<ClientCounter, Long>(ClientCounter.class);
        var summaries = new EnumMap<ClientSummary, Reading>(ClientSummary.class);
        for (ClientCounter counter : COUNTERS) {
            counters.put(counter, 0L);
        }
        for (ClientSummary summary : SUMMARIES) {
            summaries.put(summary, Reading.NOTHING);
        }
        for (Traffic each : loops) {
            received += each.received.getOpaque();
            sent += each.sent.getOpaque();
            outstanding += each.outstanding.getOpaque();
            connections += each.connections.getOpaque();
            watches += each.watches.getOpaque();
            int least = each.minResponse.getOpaque();
            if (least >= 0) {
                last = each.lastResponse.getOpaque();
                min = min < 0 ? least : Math.min(min, least);
                max = Math.max(max, each.maxResponse.getOpaque());
            }
            for (ClientCounter counter : COUNTERS) {
                counters.merge(counter, each.of(counter).getOpaque(), Long::sum);
            }
            for (ClientSummary summary : SUMMARIES) {
                summaries.merge(summary, each.of(summary).read(), Reading::plus);
            }
        }
        return new ClientStats(
                received,
                sent,
                outstanding,
                (int) connections,
                (int) watches,
                new ClientStats.ResponseSizes(last, min, max),
                counters,
                summaries);
    }
}
