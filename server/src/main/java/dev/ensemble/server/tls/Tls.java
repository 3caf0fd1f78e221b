package dev.ensemble.server.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// The keys and certificates of one family of settings, ready for handshakes.
///
/// Any thread may ask. New connections use what was loaded last; those that are there go on with
/// what they began with. What handshakes compute, and whom they ask for revoked certificates, holds
/// up no I/O thread.
public final class Tls {
    private record Loaded(
            JdkSslContext server,
            JdkSslContext client,
            X509Certificate own,
            List<X509Certificate> trusted,
            String files) {}

    private static final Logger LOG = LoggerFactory.getLogger(Tls.class);

    /// How long a connection that ends waits until the other side has been told.
    private static final long GOOD_BYE_MILLIS = 500;

    private static final Executor HANDSHAKES =
            task -> Thread.ofVirtual().name("tls-handshake").start(task);

    private final TlsSettings settings;
    private final AtomicInteger handshakes = new AtomicInteger();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong exceeded = new AtomicLong();
    private volatile Loaded loaded;
    private volatile @Nullable String refused;

    /// What the last look found. Belongs to the thread that looks.
    private String looked;

    private Tls(TlsSettings settings, Loaded loaded) {
        this.settings = settings;
        this.loaded = loaded;
        this.looked = loaded.files();
    }

    /// Reads the stores.
    ///
    /// @throws TlsFailure if they cannot be used
    public static Tls load(TlsSettings settings) throws TlsFailure {
        String files = fingerprint(settings);
        Loaded loaded = read(settings, files);
        tell(settings, loaded, "certificate loaded");
        return new Tls(settings, loaded);
    }

    public TlsSettings settings() {
        return settings;
    }

    /// {@return the certificate that this end shows at the moment}
    public X509Certificate certificate() {
        return loaded.own();
    }

    /// {@return the authorities whose certificates this end accepts at the moment}
    public List<X509Certificate> trusted() {
        return loaded.trusted();
    }

    /// {@return SHA-256 of a certificate in hexadecimal, by which people and programs name it}
    public static String fingerprint(X509Certificate certificate) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
            throw new IllegalStateException("a certificate in use can be encoded", e);
        }
    }

    /// {@return why the files as they are now are not in use; null if they are}
    public @Nullable String refused() {
        return refused;
    }

    /// {@return handshakes that are going on}
    public int handshakes() {
        return handshakes.get();
    }

    /// {@return how many handshakes have failed}
    public long failed() {
        return failed.get();
    }

    /// {@return how many connections were closed since too many handshakes were going on}
    public long exceeded() {
        return exceeded.get();
    }

    /// {@return what does TLS on a connection that came in; null if too many are shaking hands}
    public @Nullable SslHandler accepting(ByteBufAllocator allocator) {
        int now = handshakes.incrementAndGet();
        if (settings.maxHandshakes() > 0 && now > settings.maxHandshakes()) {
            handshakes.decrementAndGet();
            exceeded.incrementAndGet();
            return null;
        }
        return counted(loaded.server().newHandler(allocator, HANDSHAKES));
    }

    /// {@return what does TLS on a connection that this member dialed}
    public SslHandler dialing(ByteBufAllocator allocator) {
        handshakes.incrementAndGet();
        return counted(loaded.client().newHandler(allocator, HANDSHAKES));
    }

    private SslHandler counted(SslHandler handler) {
        handler.setCloseNotifyFlushTimeoutMillis(GOOD_BYE_MILLIS);
        var _ =
                handler.handshakeFuture()
                        .addListener(done -> {
                            handshakes.decrementAndGet();
                            if (!done.isSuccess()) {
                                failed.incrementAndGet();
                            }
                        });
        return handler;
    }

    /// Does TLS on a connected socket that this member dialed; waits for the handshake.
    public SSLSocket dialing(Socket connected) throws IOException {
        JdkSslContext context = loaded.client();
        var socket =
                (SSLSocket)
                        context.context()
                                .getSocketFactory()
                                .createSocket(
                                        connected,
                                        connected.getInetAddress().getHostAddress(),
                                        connected.getPort(),
                                        true);
        socket.setEnabledProtocols(settings.protocols().toArray(String[]::new));
        socket.setEnabledCipherSuites(context.cipherSuites().toArray(String[]::new));
        socket.startHandshake();
        return socket;
    }

    // The reload.

    /// Looks whether the files are others now, and loads them if the settings say so. One thread,
    /// now and then.
    public void look() {
        if (!settings.reload()) {
            return;
        }
        String files = fingerprint(settings);
        if (!files.equals(looked)) {
            looked = files;
            reload(files);
        }
    }

    /// Files that are half replaced do not fit together: what was loaded before stays in use until
    /// they do.
    private void reload(String files) {
        if (files.equals(loaded.files())) {
            refused = null; // They are again what they were.
            return;
        }
        try {
            Loaded next = read(settings, files);
            loaded = next;
            refused = null;
            tell(settings, next, "certificate reloaded");
        } catch (TlsFailure e) {
            refused = e.getMessage();
            LOG.atWarn()
                    .addKeyValue("reason", e.getMessage())
                    .log("changed certificates are not used; those from before are");
        }
    }

    private static void tell(TlsSettings settings, Loaded loaded, String what) {
        LOG.atInfo()
                .addKeyValue("keys", settings.keyStore())
                .addKeyValue("subject", loaded.own().getSubjectX500Principal().getName())
                .addKeyValue("until", loaded.own().getNotAfter().toInstant())
                .log(what);
    }

    /// {@return the same if nothing has changed: not of times, since they may be kept, and a
    /// mounted Kubernetes secret is a link to a folder that is replaced}
    private static String fingerprint(TlsSettings settings) {
        List<Path> files = new ArrayList<>(Stores.files(settings.keyStore()));
        if (settings.trustStore() != null) {
            files.addAll(Stores.files(settings.trustStore()));
        }
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files) {
                digest.update(file.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
                try {
                    digest.update(Files.readAllBytes(file));
                } catch (IOException _) {
                    digest.update((byte) 0); // Reading it in earnest will say why.
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    // What is loaded.

    private static Loaded read(TlsSettings settings, String files) throws TlsFailure {
        Stores.Keys keys = Stores.keys(settings.keyStore());
        TlsSettings.Store trusted = settings.trustStore();
        TrustManager trust =
                trusted == null ? null : Stores.trust(trusted, settings.crl(), settings.ocsp());
        SslContextBuilder server = SslContextBuilder.forServer(keys.manager());
        SslContextBuilder client = SslContextBuilder.forClient().keyManager(keys.manager());
        if (trust != null) {
            server.trustManager(trust);
            client.trustManager(trust);
        }
        server.clientAuth(
                trust == null
                        ? io.netty.handler.ssl.ClientAuth.NONE
                        : switch (settings.clientAuth()) {
                            case NEED -> io.netty.handler.ssl.ClientAuth.REQUIRE;
                            case WANT -> io.netty.handler.ssl.ClientAuth.OPTIONAL;
                            case NONE -> io.netty.handler.ssl.ClientAuth.NONE;
                        });
        // Which member a certificate belongs to is checked when it has said which it is.
        client.endpointIdentificationAlgorithm(null);
        return new Loaded(
                build(server, settings),
                build(client, settings),
                keys.certificate(),
                trust instanceof X509TrustManager x509
                        ? List.of(x509.getAcceptedIssuers())
                        : List.of(),
                files);
    }

    private static JdkSslContext build(SslContextBuilder builder, TlsSettings settings)
            throws TlsFailure {
        checkNames(settings.prefix(), settings.protocols(), settings.ciphers());
        builder.sslProvider(SslProvider.JDK).protocols(settings.protocols());
        if (!settings.ciphers().isEmpty()) {
            builder.ciphers(settings.ciphers());
        }
        try {
            SslContext context = builder.build();
            return (JdkSslContext) context;
        } catch (SSLException | IllegalArgumentException e) {
            throw TlsFailure.of(settings.prefix() + "*", settings.keyStore(), "" + e.getMessage());
        }
    }

    static void checkNames(String prefix, List<String> protocols, List<String> ciphers)
            throws TlsFailure {
        try {
            var supported = javax.net.ssl.SSLContext.getDefault().getSupportedSSLParameters();
            check(prefix + "enabledProtocols", protocols, List.of(supported.getProtocols()));
            check(prefix + "ciphersuites", ciphers, Arrays.asList(supported.getCipherSuites()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has TLS", e);
        }
    }

    private static void check(String key, List<String> wanted, List<String> known)
            throws TlsFailure {
        for (String each : wanted) {
            if (!known.contains(each)) {
                throw TlsFailure.of(
                        key,
                        String.join(",", wanted),
                        each
                                + " is unknown; this Java knows "
                                + String.join(" ", known)
                                        .toUpperCase(Locale.ROOT)
                                        .replace("TLSV", "TLSv"));
            }
        }
    }
}
