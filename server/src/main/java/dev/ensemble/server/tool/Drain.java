package dev.ensemble.server.tool;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.Token;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsFailure;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;

/// Takes the member on this host out of service, and returns when no client is left: what a pod's
/// preStop runs.
@Command(
        name = "drain",
        description = "Takes the running server out of service and waits until no client is left.",
        mixinStandardHelpOptions = true)
final class Drain implements Callable<Integer> {
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final String PATH = "/v1/drain";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            required = true,
            description = "The configuration that the server was started with.")
    private Path file = Path.of("zoo.cfg");

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "25",
            description = "How long to wait, ${DEFAULT-VALUE} by default.")
    private int timeoutSeconds;

    @Override
    public Integer call() throws InterruptedException {
        Config.Admin admin;
        TlsDialer.Settings tls;
        try {
            // Who it is does not matter for that: any member of the file will do.
            admin = Config.loadAdmin(file);
            tls = Config.loadAdminTls(file);
        } catch (InvalidConfig e) {
            System.err.println(e.getMessage());
            return ExitCode.INVALID_INVOCATION.number();
        }
        Path token = admin.tokenFile();
        if (token == null) {
            System.err.println("admin.tokenFile is not set in " + file + ": there is no drain");
            return ExitCode.INVALID_INVOCATION.number();
        }
        try {
            int port = admin.endpoint().port();
            Answer answer =
                    tls == null
                            ? ask(port, Token.read(token))
                            : ask(port, Token.read(token), TlsDialer.load(tls));
            System.out.print(answer.body());
            return answer.status() == 200
                    ? ExitCode.NORMAL.number()
                    : ExitCode.UNEXPECTED_ERROR.number();
        } catch (IOException | TlsFailure e) {
            System.err.println("cannot drain the server: " + e);
            return ExitCode.UNEXPECTED_ERROR.number();
        }
    }

    private record Answer(int status, String body) {}

    private Answer ask(int port, String token) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT).build()) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + PATH))
                            .timeout(Duration.ofSeconds(timeoutSeconds))
                            .header("Authorization", "Bearer " + token)
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build();
            HttpResponse<String> response =
                    http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.body());
        }
    }

    /// By hand, since Java's client insists on the host's name in the certificate.
    private Answer ask(int port, String token, TlsDialer dialer) throws IOException {
        try (var socket = new Socket()) {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            socket.connect(address, (int) CONNECT.toMillis());
            socket.setSoTimeout((int) Duration.ofSeconds(timeoutSeconds).toMillis());
            try (Socket secure = dialer.dial(socket, "localhost")) {
                String request =
                        "POST "
                                + PATH
                                + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                + token
                                + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                secure.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                secure.getOutputStream().flush();
                byte[] all = secure.getInputStream().readAllBytes();
                return answer(new String(all, StandardCharsets.UTF_8));
            }
        }
    }

    private static Answer answer(String text) throws IOException {
        int body = text.indexOf("\r\n\r\n");
        if (!text.matches("(?s)HTTP/1\\.1 \\d{3} .*") || body < 0) {
            throw new IOException("that is no HTTP: " + text);
        }
        return new Answer(
                Integer.parseInt(text.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())),
                text.substring(body + 4));
    }
}
