package dev.ensemble.server.tool;

import dev.ensemble.server.tool.cli.Commands;
import dev.ensemble.server.tool.cli.Shell;

import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The command line with a person at it: editing, history, completion of commands and paths.
final class Conversation {
    private Conversation() {}

    /// Reads lines until the end of the input or `quit`.
    ///
    /// @return exit code 0: a person has seen each error already
    static int run(Shell shell) throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
            LineReader reader = reader(terminal, shell);
            while (!shell.isQuit()) {
                try {
                    shell.run(reader.readLine(shell.prompt()));
                } catch (UserInterruptException _) {
                    // Ctrl-C gives up the line, not the session.
                } catch (EndOfFileException _) {
                    break;
                }
            }
            return Shell.OK;
        }
    }

    private static LineReader reader(Terminal terminal, Shell shell) throws IOException {
        LineReaderBuilder builder =
                LineReaderBuilder.builder()
                        .terminal(terminal)
                        .appName("ensemble")
                        .completer((_, line, candidates) -> complete(shell, line, candidates))
                        // An exclamation mark is data here.
                        .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                        // Credentials do not belong into a file.
                        .variable(LineReader.HISTORY_IGNORE, "addauth *");
        String home = System.getenv("HOME");
        if (home != null && Files.isWritable(Path.of(home))) {
            Path folder = Files.createDirectories(Path.of(home, ".ensemble"));
            builder.variable(LineReader.HISTORY_FILE, folder.resolve("cli_history"));
        }
        return builder.build();
    }

    /// Offers commands for the first word, and for others paths as far as they are written.
    static void complete(Shell shell, ParsedLine line, List<Candidate> candidates) {
        if (line.wordIndex() == 0) {
            Commands.names().forEach(name -> candidates.add(new Candidate(name)));
            return;
        }
        String word = line.word().substring(0, line.wordCursor());
        int slash = word.lastIndexOf('/');
        if (!word.startsWith("/")) {
            return;
        }
        String parent = slash == 0 ? "/" : word.substring(0, slash);
        for (String child : shell.children(parent)) {
            String path = (slash == 0 ? "/" : parent + "/") + child;
            // Not complete: there may be children below it.
            candidates.add(new Candidate(path, path, null, null, null, null, false));
        }
    }
}
