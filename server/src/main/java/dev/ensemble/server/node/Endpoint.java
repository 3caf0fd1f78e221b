package dev.ensemble.server.node;

import dev.ensemble.server.model.MemberLine;

import java.net.InetSocketAddress;

/// Where something listens.
///
/// @param host name or address; an IPv6 address without brackets
/// @param port 0: one that the system chooses
public record Endpoint(String host, int port) {
    /// @param text `host:port`, an IPv6 address in brackets, as [MemberLine] has checked it
    static Endpoint parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = text.substring(0, colon);
        return new Endpoint(
                host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                Integer.parseInt(text.substring(colon + 1)));
    }

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
