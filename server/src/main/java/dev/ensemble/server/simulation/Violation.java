package dev.ensemble.server.simulation;

import org.jspecify.annotations.Nullable;

/// A rule that did not hold: the run ends.
public final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String message) {
        super(message);
    }

    Violation(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
