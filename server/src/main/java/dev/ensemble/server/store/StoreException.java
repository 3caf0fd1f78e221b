package dev.ensemble.server.store;

import java.io.IOException;

/// The folder of a member is not as it must be, and a person has to look: the text says what and
/// what to do.
public class StoreException extends IOException {
    private static final long serialVersionUID = 1;

    StoreException(String message) {
        super(message);
    }
}
