package dev.ensemble.server.net;

import dev.ensemble.server.wire.Op;

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
    }

    /// {@return what stands behind the number of queued requests}
    String text(boolean all, long session, int timeoutMillis) {
        var text =
                new StringBuilder()
                        .append(",recved=")
                        .append(received)
                        .append(",sent=")
                        .append(sent);
        if (!all) {
            return text.toString();
        }
        text.append(",sid=0x").append(Long.toHexString(session));
        text.append(",lop=").append(lastOperation);
        text.append(",est=").append(establishedMillis).append(",to=").append(timeoutMillis);
        if (lastXid >= 0) {
            text.append(",lcxid=0x").append(Integer.toHexString(lastXid));
        }
        text.append(",lzxid=0x").append(Long.toHexString(lastZxid));
        text.append(",lresp=").append(lastResponseMillis).append(",llat=").append(lastLatency);
        text.append(",minlat=").append(answered == 0 ? 0 : minLatency);
        text.append(",avglat=").append(answered == 0 ? 0 : totalLatency / answered);
        return text.append(",maxlat=").append(maxLatency).toString();
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
