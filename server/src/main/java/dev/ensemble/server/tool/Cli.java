package dev.ensemble.server.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsFailure;
import dev.ensemble.server.tool.cli.Shell;
import dev.ensemble.server.tool.client.Client;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// `ensemble cli`: one command, or those from standard input, or a conversation.
@Command(
        name = "cli",
        description = "Reads and writes what an ensemble holds, as zkCli.sh does.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all went well",
            "1:the server refused it: no such node, no permission, another version ...",
            "2:the command is not written as it must be",
            "3:no connection, or it was lost before the answer"
        },
        footer = {
            "",
            "Without COMMAND, commands are read from standard input; their exit code is that of the"
                    + " first that failed.",
            "What a command gives is on standard output, all else on standard error."
        })
final class Cli implements Callable<Integer> {
    @Option(
            names = {"-server", "--server"},
            paramLabel = "HOST:PORT",
            defaultValue = "localhost:2181",
            description =
                    "Where to connect: HOST:PORT, several with commas, /path behind it as root"
                            + " (${DEFAULT-VALUE}).")
    private String server = "";

    @Option(
            names = {"-timeout", "--timeout"},
            paramLabel = "MILLIS",
            defaultValue = "30000",
            description =
                    "Of the session, and how long to wait for a connection (${DEFAULT-VALUE}).")
    private int timeoutMillis;

    @Option(
            names = {"-client-configuration", "--client-configuration"},
            paramLabel = "FILE",
            description = {
                "Of a ZooKeeper client. With zookeeper.client.secure=true it connects with TLS, by"
                        + " the keys zookeeper.ssl.*; other keys have no effect."
            })
    private @Nullable Path configuration;

    @Option(
            names = {"-r", "-readonly", "--readonly"},
            description =
                    "A member without a quorum will do, if it serves reads (readonlymode.enabled).")
    private boolean readOnly;

    @Parameters(
            paramLabel = "COMMAND",
            description = "One command with its arguments; help lists them.")
    private List<String> command = new ArrayList<>();

    @Spec private CommandSpec spec = CommandSpec.create();

    /// {@return this command, which leaves what follows the command of the shell to it: `ls -R /`}
    static CommandLine line() {
        var line = new CommandLine(new Cli());
        line.getCommandSpec()
                .addOption(
                        OptionSpec.builder("-waitforconnection", "--waitforconnection")
                                .type(boolean.class)
                                .description(
                                        "No effect: a command waits for the connection anyway.")
                                .build());
        return line.setStopAtPositional(true);
    }

    @Override
    public Integer call() throws IOException {
        if (timeoutMillis < 1) {
            throw new ParameterException(
                    spec.commandLine(), "-timeout " + timeoutMillis + ": it must be at least 1 ms");
        }
        // Netty's buffers would start our logging for nothing to log, which is a third of the whole
        // run.
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
        Client.Options options = new Client.Options(tls(), readOnly);
        Console console = command.isEmpty() ? System.console() : null;
        boolean talks = console != null && console.isTerminal();
        try (Shell shell = shell(talks, options)) {
            if (!command.isEmpty()) {
                return isLocal(command.getFirst()) || shell.connect() == Shell.OK
                        ? shell.run(command)
                        : Shell.NOT_CONNECTED;
            }
            int connected = shell.connect();
            if (talks) {
                return Conversation.run(shell);
            }
            return connected == Shell.OK ? runInput(shell) : connected;
        }
    }

    private @Nullable TlsDialer tls() {
        if (configuration == null) {
            return null;
        }
        try {
            TlsDialer.Settings settings = Config.loadClient(configuration);
            return settings == null ? null : TlsDialer.load(settings);
        } catch (InvalidConfig | TlsFailure e) {
            throw new ParameterException(
                    spec.commandLine(), "-client-configuration: " + e.getMessage(), e);
        }
    }

    private static boolean isLocal(String command) {
        return command.equals("help");
    }

    private Shell shell(boolean talks, Client.Options options) {
        try {
            return new Shell(
                    server,
                    timeoutMillis,
                    talks,
                    options,
                    new PrintStream(System.out, true, UTF_8),
                    new PrintStream(System.err, true, UTF_8));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "-server: " + e.getMessage(), e);
        }
    }

    private static int runInput(Shell shell) throws IOException {
        int first = Shell.OK;
        var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line = in.readLine(); line != null && !shell.isQuit(); line = in.readLine()) {
            int code = shell.run(line);
            first = first == Shell.OK ? code : first;
        }
        return first;
    }
}
