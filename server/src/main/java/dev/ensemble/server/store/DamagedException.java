package dev.ensemble.server.store;

import java.io.IOException;

/// What was once on disk is not there as it was. The member cannot prove that it holds what it
/// acked, and has to begin anew with another incarnation (`safety.md` 9).
final class DamagedException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedException(String message) {
        super(message);
    }

    DamagedException(String message, Throwable cause) {
        super(message, cause);
    }
}
