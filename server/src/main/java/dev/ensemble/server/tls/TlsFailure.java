package dev.ensemble.server.tls;

import java.io.Serial;

/// Keys or certificates that cannot be used. The message is one line that names the key of the
/// configuration, its value and what is wrong with it; it holds no password.
public final class TlsFailure extends Exception {
    @Serial private static final long serialVersionUID = 1;

    TlsFailure(String message) {
        super(message);
    }

    static TlsFailure of(String key, Object value, String wrong) {
        return new TlsFailure(key + "=" + value + " cannot be used: " + wrong);
    }
}
