package dev.ensemble.server.tool.cli;

import java.io.Serial;

/// A command that is not written as it must be. The message says what is wrong and how it is
/// written.
final class WrongUsage extends Exception {
    @Serial private static final long serialVersionUID = 1;

    WrongUsage(String message) {
        super(message);
    }
}
