package dev.ensemble.server.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The sockets of one kind at which connections are accepted; they may move while it runs.
///
/// Any thread; each method waits until it is done.
final class Listeners {
    private final ServerBootstrap bootstrap;
    private final String whom;
    private final Map<InetSocketAddress, Channel> open = new LinkedHashMap<>();

    /// @param whom who connects, for errors
    Listeners(ServerBootstrap bootstrap, String whom) {
        this.bootstrap = bootstrap;
        this.whom = whom;
    }

    /// Listens at these addresses and at no other. Connections that were accepted stay.
    ///
    /// @param wanted port 0 for any that is free
    /// @throws IOException if one cannot be bound; all is then as it was
    synchronized void listen(List<InetSocketAddress> wanted) throws IOException {
        var closed = new ArrayList<InetSocketAddress>();
        var opened = new ArrayList<InetSocketAddress>();
        try {
            for (InetSocketAddress address : wanted) {
                if (!open.containsKey(address)) {
                    closed.addAll(makeWay(address, wanted));
                    open.put(address, bind(address));
                    opened.add(address);
                }
            }
        } catch (IOException e) {
            opened.forEach(this::close);
            for (InetSocketAddress address : closed) {
                open.put(address, bind(address));
            }
            throw e;
        }
        List.copyOf(open.keySet()).stream()
                .filter(address -> !wanted.contains(address))
                .forEach(this::close);
    }

    /// Two sockets cannot have one port, one on every address and one on a certain one.
    private List<InetSocketAddress> makeWay(
            InetSocketAddress address, List<InetSocketAddress> wanted) {
        List<InetSocketAddress> inTheWay =
                open.keySet().stream()
                        .filter(each -> each.getPort() == address.getPort() && each.getPort() != 0)
                        .filter(each -> !wanted.contains(each))
                        .toList();
        inTheWay.forEach(this::close);
        return inTheWay;
    }

    private Channel bind(InetSocketAddress address) throws IOException {
        var binding = bootstrap.bind(address).awaitUninterruptibly();
        if (!binding.isSuccess()) {
            throw new IOException(
                    "cannot listen for " + whom + " on " + address + ": " + binding.cause(),
                    binding.cause());
        }
        return binding.channel();
    }

    private void close(InetSocketAddress address) {
        Channel channel = open.remove(address);
        if (channel != null) {
            channel.close().awaitUninterruptibly();
        }
    }

    /// {@return the address in use of the first socket; port 0 if there is none}
    synchronized InetSocketAddress first() {
        return open.isEmpty()
                ? new InetSocketAddress(0)
                : (InetSocketAddress) open.values().iterator().next().localAddress();
    }

    synchronized void close() {
        List.copyOf(open.keySet()).forEach(this::close);
    }
}
