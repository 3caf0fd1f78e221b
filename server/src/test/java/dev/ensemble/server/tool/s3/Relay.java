package dev.ensemble.server.tool.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Hands on what a client and a store send each other, and does harm to it if it is told to.
public final class Relay implements AutoCloseable {
    private static final int PIECE_BYTES = 16 << 10;

    /// Pieces smaller than that are headers and short answers: they are never changed.
    private static final int LARGE_BYTES = 4 << 10;

    private final ServerSocket listening =
            new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int to;
    private final AtomicInteger cuts = new AtomicInteger();
    private final AtomicLong cutAfter = new AtomicLong();
    private final AtomicInteger flipsOut = new AtomicInteger();
    private final AtomicInteger flipsBack = new AtomicInteger();

    Relay(int to) throws IOException {
        this.to = to;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /// The next connections that carry so many bytes to the store end there, each with a reset.
    public void cut(int times, long afterBytes) {
        cutAfter.set(afterBytes);
        cuts.set(times);
    }

    /// Changes one byte of so many of the pieces that go to the store.
    public void flipUploads(int times) {
        flipsOut.set(times);
    }

    /// Changes one byte of so many of the pieces that come from the store.
    public void flipDownloads(int times) {
        flipsBack.set(times);
    }

    /// {@return how many cuts are still to come}
    int cutsLeft() {
        return cuts.get();
    }

    private void accept() {
        while (true) {
            try {
                Socket from = listening.accept();
                Thread.ofVirtual().start(() -> connect(from));
            } catch (IOException _) {
                return; // Closed.
            }
        }
    }

    private void connect(Socket from) {
        try {
            var store = new Socket(InetAddress.getLoopbackAddress(), to);
            Thread.ofVirtual().start(() -> pump(from, store, flipsOut, true));
            Thread.ofVirtual().start(() -> pump(store, from, flipsBack, false));
        } catch (IOException _) {
            close(from);
        }
    }

    private void pump(Socket from, Socket into, AtomicInteger flips, boolean up) {
        byte[] piece = new byte[PIECE_BYTES];
        long sent = 0;
        try (InputStream in = from.getInputStream();
                OutputStream out = into.getOutputStream()) {
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                sent += count;
                if (up && sent > cutAfter.get() && take(cuts)) {
                    from.setSoLinger(true, 0); // A reset, not an end.
                    break;
                }
                if (count > LARGE_BYTES && sent > count && take(flips)) {
                    piece[count - 1] ^= 1;
                }
                out.write(piece, 0, count);
            }
        } catch (IOException _) {
            // One of both ends has closed it.
        } finally {
            close(from);
            close(into);
        }
    }

    private static boolean take(AtomicInteger left) {
        return left.getAndUpdate(each -> Math.max(0, each - 1)) > 0;
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // It is of no more use either way.
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
