package dev.ensemble.server.tls;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;

/// What one family of keys says: `ssl.*` for clients, `ssl.quorum.*` for members and the admin
/// port.
///
/// @param prefix of the keys, for messages
/// @param trustStore null: nobody's certificate is looked at
/// @param protocols that are spoken, `TLSv1.3` and the like
/// @param ciphers suites that are allowed; empty: those that Java allows
/// @param crl certificates are looked up in revocation lists
/// @param ocsp and with their issuer's responder
/// @param verifyServer the name of whom this member dials must be in the certificate
/// @param verifyClient so must the name of a member that dials this one
/// @param detectionMillis how long a connection to a port for both may say nothing
/// @param maxHandshakes at once; more connections are closed; 0: no limit
/// @param reload files are looked at again while the server runs
public record TlsSettings(
        String prefix,
        Store keyStore,
        @Nullable Store trustStore,
        List<String> protocols,
        List<String> ciphers,
        ClientAuth clientAuth,
        boolean crl,
        boolean ocsp,
        boolean verifyServer,
        boolean verifyClient,
        int detectionMillis,
        int maxHandshakes,
        boolean reload) {

    /// Where keys or trusted certificates are.
    ///
    /// @param key prefix of its keys, `ssl.keyStore.`
    /// @param type `JKS`, `PEM` or `PKCS12`
    /// @param password null for none
    /// @param passwordPath a file that holds it, which counts more than `password`
    public record Store(
            String key,
            Path location,
            String type,
            @Nullable String password,
            @Nullable Path passwordPath) {
        @Override
        public String toString() {
            return key + "location=" + location;
        }
    }

    public TlsSettings {
        protocols = List.copyOf(protocols);
        ciphers = List.copyOf(ciphers);
    }

    /// {@return the same, but for whether clients must show a certificate}
    public TlsSettings withClientAuth(ClientAuth other) {
        return new TlsSettings(
                prefix,
                keyStore,
                trustStore,
                protocols,
                ciphers,
                other,
                crl,
                ocsp,
                verifyServer,
                verifyClient,
                detectionMillis,
                maxHandshakes,
                reload);
    }
}
