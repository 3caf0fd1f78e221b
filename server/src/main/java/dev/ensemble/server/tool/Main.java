package dev.ensemble.server.tool;

import dev.ensemble.server.node.Release;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The server's program: `ensemble serve`, `cli` and the rest are subcommands of it.
@Command(
        name = "ensemble",
        description = "A coordination service that speaks ZooKeeper's client protocol.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
public final class Main implements Runnable {
    @Spec private CommandSpec spec = CommandSpec.create();

    /// Runs the command that the arguments name and ends the process with its exit code.
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        var line = new CommandLine(new Main());
        line.addSubcommand(new Serve());
        line.addSubcommand(new Drain());
        line.addSubcommand(Cli.line());
        line.addSubcommand(new Inspect());
        line.addSubcommand(new Backup());
        line.addSubcommand(new BackupSecret());
        line.addSubcommand(new Restore());
        line.addSubcommand(new Bench());
        line.addSubcommand(new Simulate());
        line.addSubcommand(new Completion());
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Name a command");
    }

    /// The version line of `--version`.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"ensemble " + Release.current().version()};
        }
    }
}
