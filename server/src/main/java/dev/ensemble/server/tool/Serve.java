package dev.ensemble.server.tool;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ExitCode;
import dev.ensemble.server.node.InvalidConfig;
import dev.ensemble.server.node.ServerNode;
import dev.ensemble.server.node.StartFailure;
import dev.ensemble.server.store.Rescue;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.security.Security;
import java.util.OptionalInt;
import java.util.concurrent.Callable;

/// Runs a member of an ensemble, or a server alone, until the process is told to stop.
@Command(
        name = "serve",
        description = "Runs a server with the configuration in FILE (zoo.cfg syntax).",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it was told to stop (SIGTERM)",
            "1:an unexpected error; the log says which",
            "2:the configuration or the command is not valid; standard error says what is",
            "3:the data folder cannot be used",
            "4:the admin port cannot be opened",
            "14:the port for members or clients cannot be opened"
        },
        footer = {
            "",
            "Keys of FILE: server/docs/configuration.md. A key that is known and not supported is a"
                    + " warning in the log."
        })
final class Serve implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Serve.class);

    @Parameters(paramLabel = "FILE", description = "The configuration.")
    private Path file = Path.of("zoo.cfg");

    @ArgGroup private @Nullable Identity identity;

    @Option(
            names = "--recovery",
            paramLabel = "ID,MYID,ZXID",
            description =
                    "Goes on without a quorum, from the data of member MYID alone, whose log ends"
                        + " at ZXID or later. Every member that is started gets this, and keeps it;"
                        + " each carries it out once. See server/docs/storage.md.")
    private @Nullable String recovery;

    /// Who this member is, if the file `myid` in the data folder does not say it.
    static final class Identity {
        @Option(names = "--myid", paramLabel = "N", description = "Id of this member, 1 to 254.")
        private @Nullable Integer myid;

        @ArgGroup(exclusive = false)
        private @Nullable Pod pod;
    }

    /// The place of a pod in its StatefulSet.
    static final class Pod {
        @Option(
                names = "--first-myid",
                paramLabel = "F",
                required = true,
                description = "Id of the pod with index 0.")
        private int first;

        @Option(
                names = "--pod-index",
                paramLabel = "I",
                required = true,
                description = "Index of this pod; its id is F + I.")
        private int index;
    }

    @Override
    public Integer call() {
        // Pods change their addresses: a name is good for a second, and its absence not at all.
        Security.setProperty("networkaddress.cache.ttl", "1");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        Rescue rescue;
        try {
            rescue = recovery == null ? null : Rescue.of(recovery);
        } catch (IllegalArgumentException e) {
            System.err.println("--recovery: " + e.getMessage());
            return ExitCode.INVALID_INVOCATION.number();
        }
        ServerNode node;
        try {
            node = ServerNode.start(Config.load(file, myid()), rescue);
        } catch (InvalidConfig e) {
            System.err.println(e.getMessage());
            return ExitCode.INVALID_INVOCATION.number();
        } catch (StartFailure e) {
            LOG.atDebug().setCause(e).log("start failed");
            System.err.println(e.getMessage());
            return e.code().number();
        }
        Thread.setDefaultUncaughtExceptionHandler((thread, cause) -> {
            LOG.atError().setCause(cause).log("thread {} died", thread.getName());
            Runtime.getRuntime().halt(ExitCode.UNEXPECTED_ERROR.number());
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node), "stop"));
        ExitCode code = node.ended().join();
        // Not an orderly end, which might wait for what is broken.
        Runtime.getRuntime().halt(code.number());
        return code.number();
    }

    private OptionalInt myid() {
        if (identity == null) {
            return OptionalInt.empty();
        }
        if (identity.pod != null) {
            return OptionalInt.of(identity.pod.first + identity.pod.index);
        }
        return identity.myid == null ? OptionalInt.empty() : OptionalInt.of(identity.myid);
    }

    /// The virtual machine was told to stop; its own exit code would be that of the signal.
    private static void stop(ServerNode node) {
        LOG.info("stopping");
        node.close();
        LOG.info("stopped");
        Runtime.getRuntime().halt(ExitCode.NORMAL.number());
    }
}
