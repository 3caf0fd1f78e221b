package dev.ensemble.server.node;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A network that can be cut: whoever dials a member reaches a proxy on an address of its own on
/// this machine, which hands on what it gets, unless it is told not to.
///
/// All call a member by the same name, as they must to be one ensemble; what that name stands for,
/// each process is told by a file of its own.
final class FaultyNetwork implements MemberProcesses.Network, Closeable {
    /// Who dials, as a client of the ensemble.
    static final int CLIENT = 0;

    private static final int PIECE_BYTES = 64 << 10;

    private record Way(int from, int to) {
        Way back() {
            return new Way(to, from);
        }
    }

    private final Path folder;
    private final int size;
    private final List<ServerSocket> proxies = new ArrayList<>();
    private final Map<Way, Collection<Socket>> open = new ConcurrentHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /// Ways on which nothing arrives for now, though the connection stays.
    private final Set<Way> silent = new HashSet<>();

    /// Ways on which there is no connection for now.
    private final Set<Way> cut = new HashSet<>();

    private boolean closed;

    FaultyNetwork(Path folder, int size) {
        this.folder = folder;
        this.size = size;
    }

    /// Starts the proxies, before the members.
    void start(MemberProcesses members) throws IOException {
        for (int to : members.ids()) {
            for (int from : members.ids()) {
                if (from != to) {
                    proxy(new Way(from, to), members.peerPort(to));
                }
            }
            proxy(new Way(CLIENT, to), members.clientPort(to));
        }
    }

    /// {@return what a client connects to}
    static String connectString(MemberProcesses members) {
        return String.join(
                ",",
                members.ids().stream()
                        .map(id -> address(CLIENT, id) + ":" + members.clientPort(id))
                        .toList());
    }

    private static String address(int from, int to) {
        return from == to ? "127.0.0.1" : "127.0.1." + (10 * from + to);
    }

    @Override
    public String host(int id) {
        return "member-" + id;
    }

    @Override
    public List<String> options(int id) throws IOException {
        var hosts = new StringBuilder("127.0.0.1 localhost\n");
        hosts.append("127.0.0.1 ").append(InetAddress.getLocalHost().getHostName()).append('\n');
        for (int to = 1; to <= size; to++) {
            hosts.append(address(id, to)).append(' ').append(host(to)).append('\n');
        }
        Path file = folder.resolve("hosts" + id);
        Files.writeString(file, hosts);
        return List.of("-Djdk.net.hosts.file=" + file);
    }

    private void proxy(Way way, int port) throws IOException {
        var listening = new ServerSocket();
        byte[] own = {127, 0, 1, (byte) (10 * way.from + way.to)};
        listening.bind(new InetSocketAddress(InetAddress.getByAddress(own), port));
        proxies.add(listening);
        Thread.ofVirtual().start(() -> accept(listening, way, port));
    }

    private void accept(ServerSocket listening, Way way, int port) {
        while (true) {
            try {
                Socket from = listening.accept();
                if (isCut(way)) {
                    from.close();
                    continue;
                }
                Thread.ofVirtual().start(() -> connect(from, way, port));
            } catch (IOException _) {
                return; // Closed.
            }
        }
    }

    private void connect(Socket from, Way way, int port) {
        try {
            var to = new Socket(InetAddress.getLoopbackAddress(), port);
            from.setTcpNoDelay(true);
            to.setTcpNoDelay(true);
            Collection<Socket> sockets =
                    open.computeIfAbsent(way, _ -> ConcurrentHashMap.newKeySet());
            sockets.add(from);
            sockets.add(to);
            if (isCut(way)) {
                closeAll(way);
            }
            Thread.ofVirtual().start(() -> pump(from, to, way, way));
            Thread.ofVirtual().start(() -> pump(to, from, way.back(), way));
        } catch (IOException _) {
            close(from); // Nobody is there.
        }
    }

    private void pump(Socket from, Socket to, Way way, Way of) {
        byte[] piece = new byte[PIECE_BYTES];
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                if (!awaitSound(way)) {
                    break;
                }
                out.write(piece, 0, count);
            }
        } catch (IOException _) {
            // One of both ends has closed it, or a fault has.
        } finally {
            close(from);
            close(to);
            Collection<Socket> sockets = open.get(of);
            if (sockets != null) {
                sockets.remove(from);
                sockets.remove(to);
            }
        }
    }

    /// Holds back what goes this way while it is silent. {@return false if all is over}
    private boolean awaitSound(Way way) {
        lock.lock();
        try {
            while (silent.contains(way) && !closed) {
                changed.awaitUninterruptibly();
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    private boolean isCut(Way way) {
        lock.lock();
        try {
            return closed || cut.contains(way) || cut.contains(way.back());
        } finally {
            lock.unlock();
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // It is of no more use either way.
        }
    }

    private void closeAll(Way way) {
        open.getOrDefault(way, List.of()).forEach(FaultyNetwork::close);
    }

    /// What `from` says does not arrive at `to`; the other way it may.
    void silence(int from, int to) {
        lock.lock();
        try {
            silent.add(new Way(from, to));
        } finally {
            lock.unlock();
        }
    }

    /// Ends all connections between both, and refuses new ones.
    void cut(int one, int other) {
        var way = new Way(one, other);
        lock.lock();
        try {
            cut.add(way);
        } finally {
            lock.unlock();
        }
        closeAll(way);
        closeAll(way.back());
    }

    /// All is well again; what was held back arrives.
    void heal() {
        lock.lock();
        try {
            silent.clear();
            cut.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        for (ServerSocket proxy : proxies) {
            proxy.close();
        }
        open.keySet().forEach(this::closeAll);
    }
}
