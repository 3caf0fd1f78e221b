package dev.ensemble.server.tls;

/// Whether a client must show a certificate.
public enum ClientAuth {
    NEED,
    WANT,
    NONE
}
