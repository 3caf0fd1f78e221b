package dev.ensemble.server.tool;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.Token;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsFailure;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/// One request to a member's admin port, by hand: Java's client insists on the host's name in the
/// certificate, and what is read here ends with the connection.
///
/// @param status of HTTP
/// @param body all that follows the headers, to the end of the connection
record AdminCall(int status, InputStream body, Socket socket) implements Closeable {
    private static final int MAX_HEADER_BYTES = 16 << 10;
    private static final Duration CONNECT = Duration.ofSeconds(5);

    /// Without an answer, or a further piece of it, for so long, the member is given up.
    static final Duration SILENCE = Duration.ofSeconds(60);

    /// Asks the member on this host. Who it is does not matter for that: any of the file will do.
    ///
    /// @param silence how long it may say nothing
    /// @throws IllegalArgumentException if the file says of no token
    static AdminCall here(Path config, String method, String path, Duration silence)
            throws InvalidConfig, TlsFailure, IOException {
        Config.Admin admin = Config.loadAdmin(config);
        TlsDialer.Settings tls = Config.loadAdminTls(config);
        Path token = admin.tokenFile();
        if (token == null) {
            throw new IllegalArgumentException(
                    "admin.tokenFile is not set in " + config + ": the member would refuse");
        }
        String secret = Token.read(token);
        TlsDialer dialer = tls == null ? null : TlsDialer.load(tls);
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        Socket plain = connect(host, admin.endpoint().port(), silence);
        try {
            return ask(
                    dialer == null ? plain : dialer.dial(plain, "localhost"), method, path, secret);
        } catch (IOException e) {
            plain.close();
            throw e;
        }
    }

    /// {@return a connection to a member elsewhere}
    static Socket connect(String host, int port) throws IOException {
        return connect(host, port, SILENCE);
    }

    private static Socket connect(String host, int port, Duration silence) throws IOException {
        var socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(host, port), (int) CONNECT.toMillis());
            socket.setSoTimeout((int) silence.toMillis());
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// Asks; the socket is closed with what is returned, or if this fails.
    static AdminCall ask(Socket socket, String method, String path, String token)
            throws IOException {
        try {
            String request =
                    method
                            + " "
                            + path
                            + " HTTP/1.1\r\nHost: member\r\nAuthorization: Bearer "
                            + token
                            + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
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
