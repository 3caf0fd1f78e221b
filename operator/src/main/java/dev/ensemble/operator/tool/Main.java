package dev.ensemble.operator.tool;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The program of the operator: the operator itself, `ensemble up` and the rest are subcommands of
/// it.
@Command(
        name = "ensemble",
        description = "Runs Ensembles on Kubernetes or on this machine.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {Up.class, Down.class, Status.class, Plugin.class, RunOperator.class})
public final class Main implements Runnable {
    @Spec private CommandSpec spec = CommandSpec.create();

    /// Runs the command that the arguments name and ends the process with its exit code.
    public static void main(String[] args) {
        CommandLine program = commandLine();
        int code = program.execute(args);
        // The writer flushes at the end of a line that println ended, and at no other.
        program.getOut().flush();
        System.exit(code);
    }

    /// {@return the program; a [Refusal] ends it with its own words and exit code 1}
    static CommandLine commandLine() {
        return refusing(new CommandLine(new Main()));
    }

    /// {@return the program, which says a [Refusal] in its own words}
    static CommandLine refusing(CommandLine program) {
        return program.setExecutionExceptionHandler((failure, command, _) -> {
            if (!(failure instanceof Refusal)) {
                throw failure;
            }
            command.getErr().println("ensemble: " + failure.getMessage());
            command.getErr().flush();
            return 1;
        });
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
