package dev.ensemble.server.tls;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.Socket;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Collection;

import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/// TLS between members: what is spoken with whom, and which member a certificate is good for.
///
/// A certificate of the same authority is not enough, since clients may have one too. It must be
/// good for the member that its owner says it is: for the host that the configuration has for it,
/// or for `ensemble://ENSEMBLE/MYID`.
///
/// @param tls null: plaintext only
/// @param dials whether this member speaks TLS when it dials
/// @param acceptsPlain whether plaintext is accepted too
public record PeerTls(@Nullable Tls tls, boolean dials, boolean acceptsPlain) {
    public static final PeerTls NONE = new PeerTls(null, false, true);

    /// What is known of the member at the other end.
    ///
    /// @param ensemble empty if it is not known yet
    /// @param host where the configuration has the member; null if it is not in it
    /// @param hosts of all members that are
    public record Claim(
            int myid, String ensemble, @Nullable String host, Collection<String> hosts) {}

    /// Prepares a connection that came in.
    ///
    /// @return false if it must be closed
    public boolean accept(ChannelPipeline pipeline) {
        if (tls == null) {
            return true;
        }
        if (acceptsPlain) {
            pipeline.addFirst(new Detector(tls));
            return true;
        }
        SslHandler handler = tls.accepting(pipeline.channel().alloc());
        if (handler != null) {
            pipeline.addFirst(handler);
        }
        return handler != null;
    }

    /// Prepares a connection that this member makes.
    public void dial(ChannelPipeline pipeline) {
        if (tls != null && dials) {
            pipeline.addFirst(tls.dialing(pipeline.channel().alloc()));
        }
    }

    /// Prepares a connected socket of this member's, and looks at who is there.
    ///
    /// @throws IOException if the handshake fails, or it is the wrong member
    public Socket dial(Socket connected, Claim claim) throws IOException {
        if (tls == null || !dials) {
            return connected;
        }
        SSLSocket socket = tls.dialing(connected);
        String refusal = refusal(socket.getSession(), claim, true);
        if (refusal != null) {
            throw new IOException(refusal);
        }
        return socket;
    }

    /// {@return why the other end is not who it says; null if it is, or if this connection is in
    /// plaintext and may be}
    ///
    /// @param session null for plaintext
    /// @param dialed whether this member made the connection
    public @Nullable String refusal(@Nullable SSLSession session, Claim claim, boolean dialed) {
        if (tls == null || session == null) {
            return null;
        }
        TlsSettings settings = tls.settings();
        if (!(dialed ? settings.verifyServer() : settings.verifyClient())) {
            return null;
        }
        X509Certificate certificate = certificate(session);
        if (certificate == null) {
            return settings.clientAuth() == ClientAuth.NEED
                    ? "member " + claim.myid() + " shows no certificate"
                    : null;
        }
        CertificateNames names = CertificateNames.of(certificate);
        String uri = "ensemble://" + claim.ensemble() + "/" + claim.myid();
        if (!claim.ensemble().isEmpty() && names.hasUri(uri)) {
            return null;
        }
        if (claim.host() == null) {
            // A member that is to join is in nobody's configuration. A certificate that would do
            // for one that is in it is shared by all.
            return claim.hosts().stream().anyMatch(names::hasHost)
                    ? null
                    : String.format(
                            "the certificate of member %d, which is not in the configuration, is"
                                    + " for %s and neither for %s nor for a member",
                            claim.myid(), names, uri);
        }
        return names.hasHost(claim.host())
                ? null
                : String.format(
                        "the certificate of member %d is for %s and neither for its host %s nor"
                                + " for %s",
                        claim.myid(), names, claim.host(), uri);
    }

    /// {@return the certificate that the other end has proved to own; null for none}
    public static @Nullable X509Certificate certificate(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate own ? own : null;
        } catch (SSLPeerUnverifiedException _) {
            return null;
        }
    }
}
