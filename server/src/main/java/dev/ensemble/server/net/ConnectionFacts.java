package dev.ensemble.server.net;

import java.net.InetSocketAddress;

/// One connection of a client at one moment, as `cons` and the admin command `connections` show it.
///
/// @param secure over TLS
/// @param interest 1: it is read; 4: it waits to be written to; 5: both; 0: neither
/// @param queued requests without an answer
/// @param session 0 if it has none; what is below has a meaning only with one
/// @param lastOperation four letters, as ZooKeeper shortens them
/// @param lastXid -1 before the first
/// @param lastResponseMillis wall clock
public record ConnectionFacts(
        InetSocketAddress remote,
        boolean secure,
        int interest,
        int queued,
        long received,
        long sent,
        long session,
        String lastOperation,
        long establishedMillis,
        int timeoutMillis,
        int lastXid,
        long lastZxid,
        long lastResponseMillis,
        long lastLatencyMillis,
        long minLatencyMillis,
        long avgLatencyMillis,
        long maxLatencyMillis) {

    /// {@return its line of `stat`, or with `all` that of `cons`}
    String line(boolean all) {
        var text = new StringBuilder(" ").append(remote);
        text.append('[').append(Integer.toHexString(interest)).append("](queued=").append(queued);
        text.append(",recved=").append(received).append(",sent=").append(sent);
        if (all && session != 0) {
            text.append(",sid=0x").append(Long.toHexString(session));
            text.append(",lop=").append(lastOperation);
            text.append(",est=").append(establishedMillis).append(",to=").append(timeoutMillis);
            if (lastXid >= 0) {
                text.append(",lcxid=0x").append(Integer.toHexString(lastXid));
            }
            text.append(",lzxid=0x").append(Long.toHexString(lastZxid));
            text.append(",lresp=").append(lastResponseMillis);
            text.append(",llat=").append(lastLatencyMillis);
            text.append(",minlat=").append(minLatencyMillis);
            text.append(",avglat=").append(avgLatencyMillis);
            text.append(",maxlat=").append(maxLatencyMillis);
        }
        return text.append(')').toString();
    }
}
