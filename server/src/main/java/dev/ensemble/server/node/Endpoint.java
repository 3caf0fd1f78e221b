package dev.ensemble.server.node;

import java.net.InetSocketAddress;

/// Where something listens.
///
/// @param host name or address; an IPv6 address without brackets
/// @param port 0: one that the system chooses
public record Endpoint(String host, int port) {
    /// {@return the address to bind; a name is resolved now}
    public InetSocketAddress toSocketAddress() {
        return new InetSocketAddress(host, port);
    }

    /// {@return `host:port`, an IPv6 address in brackets}
    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
