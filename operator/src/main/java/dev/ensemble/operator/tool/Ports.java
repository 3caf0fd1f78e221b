package dev.ensemble.operator.tool;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/// The ports of an ensemble on this machine, all counted from one base. They are written down with
/// the data, since the members know each other by them.
///
/// @param base the client port of the first member
record Ports(int base) {
    /// ZooKeeper's client port, where a client looks first.
    static final int USUAL_BASE = 2181;

    private static final int STRIDE = 100;
    private static final int KINDS = 5;
    private static final int TRIES = 20;

    Ports {
        if (base < 1024 || base + KINDS * STRIDE > 65535) {
            throw new Refusal(
                    "--port-base: '%d' is not valid; valid: 1024 to %d"
                            .formatted(base, 65535 - KINDS * STRIDE));
        }
    }

    /// A port that a member listens on.
    record Use(int port, int ordinal, String what) {}

    int client(int ordinal) {
        return base + ordinal;
    }

    int peer(int ordinal) {
        return base + STRIDE + ordinal;
    }

    /// Nobody listens there; the syntax of a server's address asks for one.
    int election(int ordinal) {
        return base + 2 * STRIDE + ordinal;
    }

    int admin(int ordinal) {
        return base + 3 * STRIDE + ordinal;
    }

    int metrics(int ordinal) {
        return base + 4 * STRIDE + ordinal;
    }

    /// {@return the first base from the usual one on, in steps of 1000, with all ports free}
    static Ports free(int members) {
        for (int i = 0; i < TRIES; i++) {
            Ports ports = new Ports(USUAL_BASE + 1000 * i);
            if (ports.taken(members).isEmpty()) {
                return ports;
            }
        }
        throw new Refusal(
                "no free ports found from %d on; name some with --port-base".formatted(USUAL_BASE));
    }

    /// {@return those ports that another program listens on}
    List<Use> taken(int members) {
        List<Use> taken = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            for (Use use :
                    List.of(
                            new Use(client(i), i, "client"),
                            new Use(peer(i), i, "peer"),
                            new Use(admin(i), i, "admin"),
                            new Use(metrics(i), i, "metrics"))) {
                if (!bindable(use.port())) {
                    taken.add(use);
                }
            }
        }
        return taken;
    }

    private static boolean bindable(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true); // As the server does: a port in TIME_WAIT is free.
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
