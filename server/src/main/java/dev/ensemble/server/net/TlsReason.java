package dev.ensemble.server.net;

import io.netty.handler.ssl.NotSslRecordException;

/// Why a handshake failed, in words for a log.
final class TlsReason {
    private TlsReason() {}

    /// {@return the outermost reason and the innermost: what is around the latter says little more
    /// than that a handshake failed}
    static String of(Throwable failure) {
        Throwable inner = failure;
        for (Throwable each = failure; each != null; each = each.getCause()) {
            inner = each;
        }
        if (inner instanceof NotSslRecordException) {
            return "it speaks plaintext where TLS is spoken"; // The message has what it sent.
        }
        String outer = String.valueOf(failure.getMessage());
        String text = inner.getMessage() == null ? inner.toString() : inner.getMessage();
        return outer.contains(text) ? outer : outer + ": " + text;
    }
}
