package dev.ensemble.server.net;

import dev.ensemble.server.auth.Proof;
import dev.ensemble.server.auth.Sasl;
import dev.ensemble.server.auth.SaslExchange;
import dev.ensemble.server.auth.Schemes;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tls.PeerTls;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

import javax.net.ssl.SSLSession;

/// Who the client of a connection has proved to be.
///
/// Owned by the connection's I/O thread.
final class Credentials {
    private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);

    private final Schemes schemes;
    private final InetSocketAddress remote;
    private final Id address;
    private List<Id> identities;
    private boolean isSecure;
    private @Nullable X509Certificate certificate;
    private @Nullable SaslExchange exchange;
    private byte @Nullable [] answer;

    Credentials(Schemes schemes, InetSocketAddress remote) {
        this.schemes = schemes;
        this.remote = remote;
        this.address = Schemes.remote(remote.getAddress());
        this.identities = List.of(address);
    }

    List<Id> identities() {
        return identities;
    }

    /// {@return whether the connection's bytes are encrypted}
    boolean isSecure() {
        return isSecure;
    }

    /// {@return whether nothing but a proof of who it is may come from the client now}
    boolean areTooLittle() {
        return schemes.isTooLittle(identities);
    }

    /// TLS is spoken from here on.
    ///
    /// @return whether the client's certificate, if it has shown one, says who it is
    boolean secured(SSLSession tls) {
        isSecure = true;
        certificate = PeerTls.certificate(tls);
        List<Id> ids = certificate == null ? List.of() : schemes.certified(certificate);
        if (ids == null) {
            return false;
        }
        add(ids);
        return true;
    }

    Proof authenticate(Request.Auth auth) {
        Proof proof = schemes.authenticate(auth.scheme(), auth.auth(), address, certificate);
        if (proof instanceof Proof.Proved(List<Id> ids)) {
            add(ids);
        }
        return proof;
    }

    /// Takes a step of a SASL exchange.
    ///
    /// @return whether the connection goes on, with [#saslAnswer]
    boolean sasl(byte @Nullable [] token) {
        Sasl scheme = schemes.sasl();
        answer = null;
        if (exchange == null && scheme != null) {
            exchange = scheme.begin();
        }
        if (exchange == null || scheme == null || token == null) {
            return true; // Nothing is set up: the original answers with nothing.
        }
        switch (exchange.step(token)) {
            case SaslExchange.Step.Answer(var next, List<Id> ids) -> {
                answer = next;
                add(ids);
                return true;
            }
            case SaslExchange.Step.Failed(String reason) -> {
                LOG.atInfo()
                        .addKeyValue("client", remote)
                        .addKeyValue("reason", reason)
                        .log("a client's SASL authentication failed");
                return scheme.allowFailed() && !schemes.isSaslRequired();
            }
        }
    }

    /// {@return what the last SASL packet is answered with}
    byte @Nullable [] saslAnswer() {
        return answer;
    }

    boolean isSaslRequired() {
        return schemes.isSaslRequired();
    }

    /// A list of its own: requests that came before keep the one they came with.
    private void add(List<Id> proved) {
        var all = new ArrayList<>(identities);
        proved.stream().filter(each -> !all.contains(each)).forEach(all::add);
        identities = List.copyOf(all);
    }
}
