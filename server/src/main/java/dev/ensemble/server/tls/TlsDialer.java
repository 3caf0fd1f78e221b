package dev.ensemble.server.tls;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.util.List;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/// TLS as a client does it, who dials a server by the name of its host: for our own tools.
public final class TlsDialer {
    /// What a client's file says.
    ///
    /// @param keyStore null: it shows no certificate
    /// @param trustStore null: it trusts whom Java trusts
    /// @param ciphers suites that are allowed; empty: those that Java allows
    /// @param verifyHost the name of the host must be in the server's certificate
    public record Settings(
            TlsSettings.@Nullable Store keyStore,
            TlsSettings.@Nullable Store trustStore,
            List<String> protocols,
            List<String> ciphers,
            boolean verifyHost,
            boolean crl,
            boolean ocsp) {}

    private final SSLContext context;
    private final SSLParameters parameters;

    private TlsDialer(SSLContext context, SSLParameters parameters) {
        this.context = context;
        this.parameters = parameters;
    }

    /// @throws TlsFailure if the stores or names cannot be used
    public static TlsDialer load(Settings settings) throws TlsFailure {
        Tls.checkNames("ssl.", settings.protocols(), settings.ciphers());
        KeyManager[] keys =
                settings.keyStore() == null
                        ? null
                        : new KeyManager[] {Stores.keys(settings.keyStore()).manager()};
        TrustManager[] trusted =
                settings.trustStore() == null
                        ? null
                        : new TrustManager[] {
                            Stores.trust(settings.trustStore(), settings.crl(), settings.ocsp())
                        };
        var parameters = new SSLParameters();
        parameters.setProtocols(settings.protocols().toArray(String[]::new));
        if (!settings.ciphers().isEmpty()) {
            parameters.setCipherSuites(settings.ciphers().toArray(String[]::new));
        }
        if (settings.verifyHost()) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trusted, null);
            return new TlsDialer(context, parameters);
        } catch (GeneralSecurityException e) {
            throw new TlsFailure("TLS cannot be used: " + e.getMessage());
        }
    }

    /// Does TLS on a connected socket; waits for the handshake.
    ///
    /// @param host whom the certificate must be for, if that is to be verified
    public SSLSocket dial(Socket connected, String host) throws IOException {
        var socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(connected, host, connected.getPort(), true);
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }
}
