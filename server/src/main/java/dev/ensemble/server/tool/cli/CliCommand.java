package dev.ensemble.server.tool.cli;

import java.io.IOException;
import java.util.List;

/// A command of the shell.
///
/// @param usage its line in `help`, and what is shown when it is written in another way
/// @param flags letters of its options without a value
/// @param valued letters of its options with one
/// @param least how many words it needs besides its options
/// @param most how many it can take
record CliCommand(
        String name,
        String usage,
        String flags,
        String valued,
        int least,
        int most,
        Action action) {
    /// What it does.
    interface Action {
        void run(Shell shell, Arguments arguments) throws IOException, Refused, WrongUsage;
    }

    void run(Shell shell, List<String> given) throws IOException, Refused, WrongUsage {
        Arguments arguments;
        try {
            arguments = Arguments.parse(given, flags, valued);
        } catch (WrongUsage e) {
            throw new WrongUsage(e.getMessage() + "\nusage: " + usage);
        }
        int words = arguments.words().size();
        if (words < least || words > most) {
            throw new WrongUsage("usage: " + usage);
        }
        action.run(shell, arguments);
    }
}
