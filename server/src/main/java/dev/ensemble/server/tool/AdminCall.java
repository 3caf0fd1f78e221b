package dev.ensemble.server.tool;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// One GET to a member's admin port, by hand: Java's client insists on the host's name in the
/// certificate, and what is read here ends with the connection.
///
/// @param status of HTTP
/// @param body all that follows the headers, to the end of the connection
record AdminCall(int status, InputStream body, Socket socket) implements Closeable {
    private static final int MAX_HEADER_BYTES = 16 << 10;
    private static final Duration CONNECT = Duration.ofSeconds(5);

    /// Without an answer, or a further piece of it, for so long, the member is given up.
    private static final Duration SILENCE = Duration.ofSeconds(60);

    /// {@return a connection}
    static Socket connect(String host, int port) throws IOException {
        var socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(host, port), (int) CONNECT.toMillis());
            socket.setSoTimeout((int) SILENCE.toMillis());
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// Asks; the socket is closed with what is returned, or if this fails.
    static AdminCall get(Socket socket, String path, String token) throws IOException {
        try {
            String request =
                    "GET "
                            + path
                            + " HTTP/1.1\r\nHost: member\r\nAuthorization: Bearer "
                            + token
                            + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            var in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
            String head = head(in);
            if (!head.matches("(?s)HTTP/1\\.[01] \\d{3} .*")) {
                throw new IOException("that is no HTTP: " + head);
            }
            return new AdminCall(Integer.parseInt(head.substring(9, 12)), in, socket);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        int last = 0;
        while (head.size() < MAX_HEADER_BYTES) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the member closed the connection");
            }
            head.write(next);
            last = last << 8 | next;
            if (last == 0x0d0a0d0a) {
                return head.toString(StandardCharsets.US_ASCII);
            }
        }
        throw new IOException("the answer's headers are longer than " + MAX_HEADER_BYTES);
    }

    /// {@return the body as text, of which there should not be much}
    String text() throws IOException {
        return new String(body.readNBytes(MAX_HEADER_BYTES), StandardCharsets.UTF_8).strip();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
