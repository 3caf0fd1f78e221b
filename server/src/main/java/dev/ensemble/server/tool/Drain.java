package dev.ensemble.server.tool;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.Token;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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
        try {
            // Who it is does not matter for that: any member of the file will do.
            admin = Config.loadAdmin(file);
        } catch (InvalidConfig e) {
            System.err.println(e.getMessage());
            return ExitCode.INVALID_INVOCATION.number();
        }
        Path token = admin.tokenFile();
        if (token == null) {
            System.err.println("admin.tokenFile is not set in " + file + ": there is no drain");
            return ExitCode.INVALID_INVOCATION.number();
        }
        try (HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT).build()) {
            HttpRequest request =
                    HttpRequest.newBuilder(
                                    URI.create(
                                            "http://127.0.0.1:"
                                                    + admin.endpoint().port()
                                                    + "/v1/drain"))
                            .timeout(Duration.ofSeconds(timeoutSeconds))
                            .header("Authorization", "Bearer " + Token.read(token))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build();
            HttpResponse<String> response =
                    http.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.print(response.body());
            return response.statusCode() == 200
                    ? ExitCode.NORMAL.number()
                    : ExitCode.UNEXPECTED_ERROR.number();
        } catch (IOException e) {
            System.err.println("cannot drain the server: " + e);
            return ExitCode.UNEXPECTED_ERROR.number();
        }
    }
}
