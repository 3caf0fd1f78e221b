package dev.ensemble.server.tool;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

import java.util.List;
import java.util.concurrent.Callable;

/// Prints what makes a shell complete the command line of `ensemble`.
@Command(
        name = "completion",
        description = "Prints a script that makes bash or zsh complete this command line.",
        mixinStandardHelpOptions = true,
        footer = {"", "In ~/.bashrc (or ~/.zshrc):  source <(ensemble completion)"})
final class Completion implements Callable<Integer> {
    /// Commands of the operator's program, whose options are unknown here.
    private static final List<String> OTHERS = List.of("up", "down", "status");

    @Override
    public Integer call() {
        CommandLine all = Main.commandLine();
        for (String name : OTHERS) {
            all.addSubcommand(name, CommandSpec.create());
        }
        System.out.println(AutoComplete.bash("ensemble", all));
        return CommandLine.ExitCode.OK;
    }
}
