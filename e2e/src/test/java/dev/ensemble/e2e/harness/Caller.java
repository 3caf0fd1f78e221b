package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.LocalPortForward;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// Somebody who calls a port of a pod, by TLS or not.
///
/// @param trusted data of a Secret whose `ca.crt` it trusts
/// @param own data of a Secret with the key and certificate that it shows; null if it shows none
public record Caller(
        KubernetesClient client,
        String namespace,
        Map<String, String> trusted,
        @Nullable Map<String, String> own) {
    private static final int PATIENCE_MILLIS = 10_000;
    private static final char[] PASSWORD = new char[0];

    /// Shakes hands. With TLS 1.2, in which who calls learns at once whether its certificate will
    /// do: with 1.3 it would have to hear it by what comes, or does not come, afterwards.
    ///
    /// @throws IOException if that fails, on either side
    public void greet(String pod, int port) throws IOException, GeneralSecurityException {
        try (LocalPortForward to = to(pod, port);
                SSLSocket socket = open(to)) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.startHandshake();
        }
    }

    /// Asks a member who it is, by TLS.
    ///
    /// @return the certificate that it shows
    /// @throws IOException if it does not answer
    public X509Certificate ask(String pod, int port) throws IOException, GeneralSecurityException {
        try (LocalPortForward to = to(pod, port);
                SSLSocket socket = open(to)) {
            socket.startHandshake();
            String answer = srvr(socket);
            // On a machine that is too busy there may be no leader for a moment.
            if (!answer.contains("Zookeeper version")) {
                throw new IOException("srvr: " + answer);
            }
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    /// Asks a member who it is, in plaintext.
    ///
    /// @return what it says; empty if it says nothing
    public String askPlainly(String pod, int port) {
        try (LocalPortForward to = to(pod, port);
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), to.getLocalPort())) {
            return srvr(socket);
        } catch (IOException _) {
            return "";
        }
    }

    private static String srvr(Socket socket) throws IOException {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    private LocalPortForward to(String pod, int port) {
        return client.pods().inNamespace(namespace).withName(pod).portForward(port);
    }

    private SSLSocket open(LocalPortForward to) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certificate(trusted, "ca.crt"));
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(keys(), PASSWORD);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLSocket socket =
                (SSLSocket)
                        tls.getSocketFactory()
                                .createSocket(InetAddress.getLoopbackAddress(), to.getLocalPort());
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    private KeyStore keys() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        if (own != null) {
            byte[] key =
                    Base64.getMimeDecoder()
                            .decode(
                                    new String(file(own, "tls.key"), StandardCharsets.US_ASCII)
                                            .replaceAll("-----.*?-----|\\s", ""));
            store.setKeyEntry(
                    "own",
                    KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(key)),
                    PASSWORD,
                    new X509Certificate[] {certificate(own, "tls.crt")});
        }
        return store;
    }

    private static X509Certificate certificate(Map<String, String> secret, String name)
            throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(file(secret, name)));
    }

    private static byte[] file(Map<String, String> secret, String name) {
        return Base64.getDecoder().decode(Objects.requireNonNull(secret.get(name), name));
    }
}
