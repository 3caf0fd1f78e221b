package dev.ensemble.server.differential;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;

/// One connection to a server, of which every byte is the caller's.
public final class Connection implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    private final Socket socket;
    private final DataInputStream in;

    public Connection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new DataInputStream(socket.getInputStream());
    }

    /// @param password null for none
    public static byte[] handshake(
            long seen, int timeoutMillis, long session, byte[] password, boolean readOnlyByte) {
        Bytes request =
                new Bytes()
                        .number(0)
                        .number(seen)
                        .number(timeoutMillis)
                        .number(session)
                        .buffer(password);
        if (readOnlyByte) {
            request.flag(false);
        }
        return framed(request.done());
    }

    public static byte[] framed(byte[] body) {
        return ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body).array();
    }

    public void send(byte[]... frames) throws IOException {
        var all = new ByteArrayOutputStream();
        for (byte[] frame : frames) {
            all.writeBytes(frame);
        }
        socket.getOutputStream().write(all.toByteArray());
    }

    /// {@return the next frame without its length; null if the server has ended the connection}
    ///
    /// @throws SilentException if nothing comes
    public ByteBuffer receive() {
        try {
            byte[] body = new byte[in.readInt()];
            in.readFully(body);
            return ByteBuffer.wrap(body);
        } catch (SocketTimeoutException e) {
            throw new SilentException(e);
        } catch (IOException _) {
            return null;
        }
    }

    /// Says that nothing more is sent, and reads until the server ends the connection.
    public void finish() throws IOException {
        socket.shutdownOutput();
        ByteBuffer last = receive();
        while (last != null) {
            last = receive();
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /// The server neither answers nor ends the connection.
    public static final class SilentException extends RuntimeException {
        private static final long serialVersionUID = 1;

        SilentException(Throwable cause) {
            super("no answer in " + PATIENCE_MILLIS + " ms", cause);
        }
    }
}
