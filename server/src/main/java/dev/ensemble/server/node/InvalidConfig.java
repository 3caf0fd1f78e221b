package dev.ensemble.server.node;

import java.io.Serial;

/// A configuration that cannot work. The message is one line that names the key, its value and what
/// would be valid.
public final class InvalidConfig extends Exception {
    @Serial private static final long serialVersionUID = 1;

    InvalidConfig(String message) {
        super(message);
    }

    /// {@return that `key` has a value that cannot work}
    ///
    /// @param valid what would be, to follow "valid:"
    static InvalidConfig of(String key, String value, String valid) {
        return new InvalidConfig(key + "=" + value + " is not valid: " + valid);
    }
}
