package dev.ensemble.server.tool.client;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/// Where to connect, as ZooKeeper's clients write it: `host[:port],host[:port].../chroot`.
///
/// @param addresses at least one; names are not resolved
/// @param chroot what every path is below of; empty: the root
public record ConnectString(List<InetSocketAddress> addresses, String chroot) {
    private static final int DEFAULT_PORT = 2181;

    /// @throws IllegalArgumentException saying what is wrong with it
    public static ConnectString parse(String text) {
        int slash = text.indexOf('/');
        String chroot = slash < 0 ? "" : text.substring(slash);
        if (chroot.endsWith("/")) {
            chroot = chroot.substring(0, chroot.length() - 1);
        }
        if (chroot.contains("//")) {
            throw new IllegalArgumentException("the path in " + text + " has an empty part");
        }
        var addresses = new ArrayList<InetSocketAddress>();
        for (String part : (slash < 0 ? text : text.substring(0, slash)).split(",", -1)) {
            addresses.add(address(part.strip(), text));
        }
        return new ConnectString(List.copyOf(addresses), chroot);
    }

    private static InetSocketAddress address(String part, String text) {
        int colon = part.lastIndexOf(':');
        // Without brackets, several colons are an IPv6 address and no port.
        boolean hasPort = part.contains("]:") || (colon >= 0 && part.indexOf(':') == colon);
        String host = hasPort ? part.substring(0, colon) : part;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty()) {
            throw new IllegalArgumentException(
                    text + " must be host:port, with commas between several");
        }
        return InetSocketAddress.createUnresolved(
                host, hasPort ? port(part.substring(colon + 1), text) : DEFAULT_PORT);
    }

    private static int port(String port, String text) {
        try {
            int number = Integer.parseInt(port);
            if (number >= 1 && number <= 65535) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw new IllegalArgumentException(
                "the port in " + text + " must be a whole number from 1 to 65535");
    }
}
