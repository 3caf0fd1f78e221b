package dev.ensemble.server.net;

import dev.ensemble.server.wire.Op;

import java.net.InetSocketAddress;

/// What one connection has received and sent, as `stat` and `cons` show it.
///
/// Owned by the connection's I/O thread.
final class ConnectionCounts {
    private final long establishedMillis;
    private long received;
    private long sent;
    private String lastOperation = "NA";
    private int lastXid = -1;
    private long lastZxid = -1;
    private long lastResponseMillis;
    private long answered;
    private long lastLatency;
    private long totalLatency;
    private long minLatency = Long.MAX_VALUE;
    private long maxLatency;

    ConnectionCounts(long establishedMillis) {
        this.establishedMillis = establishedMillis;
    }

    void received() {
        received++;
    }

    void sent() {
        sent++;
    }

    void request(int xid, int type) {
        lastXid = xid;
        lastOperation = name(type);
    }

    void replied(long zxid) {
        lastZxid = zxid;
    }

    void answered(long nanos, long wallMillis) {
        long millis = nanos / 1_000_000;
        answered++;
        lastLatency = millis;
        lastResponseMillis = wallMillis;
        totalLatency += millis;
        minLatency = Math.min(minLatency, millis);
        maxLatency = Math.max(maxLatency, millis);
    }

    void reset() {
        received = 0;
        sent = 0;
        answered = 0;
        lastLatency = 0;
        totalLatency = 0;
        minLatency = Long.MAX_VALUE;
        maxLatency = 0;
        lastOperation = "NA";
        lastXid = -1;
        lastZxid = -1;
        lastResponseMillis = 0;
    }

    /// {@return these counts with what the connection knows besides}
    ///
    /// @param interest 1 if it is read, 4 if it waits to be written to, 5 for both
    /// @param session 0 if there is none
    ConnectionFacts facts(
            InetSocketAddress remote,
            boolean secure,
            int interest,
            int queued,
            long session,
            int timeoutMillis) {
        return new ConnectionFacts(
                remote,
                secure,
                interest,
                queued,
                received,
                sent,
                session,
                lastOperation,
                establishedMillis,
                timeoutMillis,
                lastXid,
                lastZxid,
                lastResponseMillis,
                lastLatency,
                answered == 0 ? 0 : minLatency,
                answered == 0 ? 0 : totalLatency / answered,
                maxLatency);
    }

    private static String name(int type) {
        return switch (type) {
            case Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL -> "CREA";
            case Op.DELETE -> "DELE";
            case Op.SET_DATA -> "SETD";
            case Op.SET_ACL -> "SETA";
            case Op.EXISTS -> "EXIS";
            case Op.GET_DATA -> "GETD";
            case Op.GET_ACL -> "GETA";
            case Op.GET_CHILDREN, Op.GET_CHILDREN2 -> "GETC";
            case Op.GET_ALL_CHILDREN_NUMBER -> "GETACN";
            case Op.GET_EPHEMERALS -> "GETE";
            case Op.SYNC -> "SYNC";
            case Op.MULTI -> "MULT";
            case Op.MULTI_READ -> "MLTR";
            case Op.PING -> "PING";
            case Op.CLOSE_SESSION -> "CLOS";
            case Op.RECONFIG -> "RECO";
            case Op.SET_WATCHES -> "SETW";
            case Op.SET_WATCHES2 -> "STW2";
            case Op.ADD_WATCH -> "ADDW";
            case Op.CHECK_WATCHES -> "CHKW";
            case Op.REMOVE_WATCHES -> "REMW";
            case Op.WHO_AM_I -> "HOMI";
            default -> "NA";
        };
    }
}
