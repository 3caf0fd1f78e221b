package dev.ensemble.server.node;

import java.io.Serial;

/// A member that cannot start, in one line, with the exit code that says what kind of reason it
/// was.
public final class StartFailure extends Exception {
    @Serial private static final long serialVersionUID = 1;

    private final ExitCode code;

    StartFailure(ExitCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public ExitCode code() {
        return code;
    }
}
