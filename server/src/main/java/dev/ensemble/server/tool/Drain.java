package dev.ensemble.server.tool;

import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.tls.TlsFailure;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
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
    public Integer call() {
        Duration silence = Duration.ofSeconds(timeoutSeconds);
        try (AdminCall answer = AdminCall.here(file, "POST", PATH, silence)) {
            System.out.println(answer.text());
            return answer.status() == 200
                    ? ExitCode.NORMAL.number()
                    : ExitCode.UNEXPECTED_ERROR.number();
        } catch (InvalidConfig | IllegalArgumentException e) {
            System.err.println(e.getMessage());
            return ExitCode.INVALID_INVOCATION.number();
        } catch (IOException | TlsFailure e) {
            System.err.println("cannot drain the server: " + e);
            return ExitCode.UNEXPECTED_ERROR.number();
        }
    }
}
