package dev.ensemble.server.tls;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.CRL;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;

import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/// Reads key stores and trust stores: `JKS` and `PKCS12` files, and `PEM` text.
final class Stores {
    private Stores() {}

    /// Our own key, and the certificates that go with it.
    record Keys(KeyManager manager, X509Certificate certificate) {}

    static Keys keys(TlsSettings.Store from) throws TlsFailure {
        char[] password = password(from);
        KeyStore store = from.type().equals("PEM") ? ofKey(from, password) : binary(from, password);
        try {
            X509Certificate certificate = ownCertificate(from, store);
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, password);
            return new Keys(factory.getKeyManagers()[0], certificate);
        } catch (UnrecoverableKeyException e) {
            throw wrongPassword(from);
        } catch (GeneralSecurityException e) {
            throw unreadable(from, e);
        }
    }

    private static X509Certificate ownCertificate(TlsSettings.Store from, KeyStore store)
            throws GeneralSecurityException, TlsFailure {
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias)
                    && store.getCertificate(alias) instanceof X509Certificate certificate) {
                return certificate;
            }
        }
        throw TlsFailure.of(
                from.key() + "location", from.location(), "there is no private key in it");
    }

    static TrustManager trust(TlsSettings.Store from, boolean crl, boolean ocsp) throws TlsFailure {
        char[] password = password(from);
        List<CRL> revoked = new ArrayList<>();
        KeyStore store =
                from.type().equals("PEM") ? ofCertificates(from, revoked) : binary(from, password);
        try {
            if (Collections.list(store.aliases()).isEmpty()) {
                throw TlsFailure.of(
                        from.key() + "location", from.location(), "there is no certificate in it");
            }
            var path = new PKIXBuilderParameters(store, new X509CertSelector());
            path.setRevocationEnabled(false);
            if (crl || ocsp) {
                path.addCertStore(
                        CertStore.getInstance(
                                "Collection", new CollectionCertStoreParameters(revoked)));
                path.addCertPathChecker(revocation(crl, ocsp));
            }
            var factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(new CertPathTrustManagerParameters(path));
            return factory.getTrustManagers()[0];
        } catch (GeneralSecurityException e) {
            throw unreadable(from, e);
        }
    }

    /// With both, the responder is asked first, as Java does; with lists only, it is never asked.
    private static PKIXRevocationChecker revocation(boolean crl, boolean ocsp)
            throws GeneralSecurityException {
        var checker =
                (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        var options = EnumSet.noneOf(PKIXRevocationChecker.Option.class);
        if (!ocsp) {
            options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
        }
        if (!ocsp || !crl) {
            options.add(PKIXRevocationChecker.Option.NO_FALLBACK);
        }
        checker.setOptions(options);
        return checker;
    }

    private static KeyStore binary(TlsSettings.Store from, char[] password) throws TlsFailure {
        try (InputStream in = Files.newInputStream(from.location())) {
            KeyStore store = KeyStore.getInstance(from.type());
            store.load(in, password);
            return store;
        } catch (IOException e) {
            if (e.getCause() instanceof UnrecoverableKeyException) {
                throw wrongPassword(from);
            }
            throw unreadable(from, e);
        } catch (GeneralSecurityException e) {
            throw unreadable(from, e);
        }
    }

    private static KeyStore ofKey(TlsSettings.Store from, char[] password) throws TlsFailure {
        Pem pem = pem(from, from.location(), password);
        Path keyFile = keyFile(from);
        PrivateKey key = pem.key();
        if (key == null && keyFile != null) {
            key = pem(from, keyFile, password).key();
        }
        List<X509Certificate> chain = pem.certificates();
        if (chain.isEmpty() || key == null) {
            throw TlsFailure.of(
                    from.key() + "location",
                    from.location(),
                    "there is no " + (chain.isEmpty() ? "certificate" : "private key") + " in it");
        }
        if (!belongs(key, chain.getFirst().getPublicKey())) {
            throw TlsFailure.of(
                    from.key() + "location",
                    from.location(),
                    "its private key does not belong to its first certificate");
        }
        try {
            KeyStore store = empty();
            store.setKeyEntry("key", key, password, chain.toArray(Certificate[]::new));
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw unreadable(from, e);
        }
    }

    private static KeyStore ofCertificates(TlsSettings.Store from, List<CRL> revoked)
            throws TlsFailure {
        Pem pem = pem(from, from.location(), new char[0]);
        revoked.addAll(pem.revoked());
        try {
            KeyStore store = empty();
            for (int i = 0; i < pem.certificates().size(); i++) {
                store.setCertificateEntry("trusted-" + i, pem.certificates().get(i));
            }
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw unreadable(from, e);
        }
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /// A new key that has been put in place a moment before its certificate does not fit to the old
    /// one.
    private static boolean belongs(PrivateKey key, PublicKey certified) {
        String algorithm =
                switch (certified.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    case "EdDSA", "Ed25519", "Ed448" -> "EdDSA";
                    default -> "";
                };
        if (algorithm.isEmpty()) {
            return true; // Java will say so itself, if it is not, at the first handshake.
        }
        try {
            byte[] text = {1, 2, 3};
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    /// {@return where the private key of a PEM key store may be besides the file itself: `tls.key`
    /// for `tls.crt`; null for other names}
    private static @Nullable Path keyFile(TlsSettings.Store from) {
        String name = from.location().toString();
        int dot = name.lastIndexOf('.');
        if (!from.type().equals("PEM") || !name.endsWith(".crt")) {
            return null;
        }
        Path key = Path.of(name.substring(0, dot) + ".key");
        return Files.exists(key) ? key : null;
    }

    /// {@return every file that it is read from}
    static List<Path> files(TlsSettings.Store store) {
        List<Path> files = new ArrayList<>();
        files.add(store.location());
        if (store.passwordPath() != null) {
            files.add(store.passwordPath());
        }
        Path key = keyFile(store);
        if (key != null) {
            files.add(key);
        }
        return files;
    }

    private static Pem pem(TlsSettings.Store from, Path file, char[] password) throws TlsFailure {
        try {
            return Pem.parse(Files.readString(file, StandardCharsets.ISO_8859_1), password);
        } catch (IOException e) {
            throw unreadable(from, e);
        }
    }

    private static char[] password(TlsSettings.Store from) throws TlsFailure {
        Path file = from.passwordPath();
        if (file == null) {
            String password = from.password();
            return password == null ? new char[0] : password.toCharArray();
        }
        try {
            String text = Files.readString(file);
            int end = text.endsWith("\n") ? text.length() - 1 : text.length();
            return text.substring(0, end).toCharArray();
        } catch (IOException e) {
            throw TlsFailure.of(from.key() + "passwordPath", file, reason(e));
        }
    }

    private static TlsFailure wrongPassword(TlsSettings.Store from) {
        boolean none = from.password() == null && from.passwordPath() == null;
        return TlsFailure.of(
                from.key() + "location",
                from.location(),
                none
                        ? "it needs a password, and " + from.key() + "password is not set"
                        : "the password in "
                                + from.key()
                                + (from.passwordPath() == null ? "password" : "passwordPath")
                                + " is wrong");
    }

    private static TlsFailure unreadable(TlsSettings.Store from, Exception e) {
        TlsFailure failure =
                TlsFailure.of(
                        from.key() + "location",
                        from.location(),
                        reason(e) + " (read as " + from.type() + ")");
        failure.initCause(e);
        return failure;
    }

    private static String reason(Exception e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException _ -> "the file does not exist";
            case java.nio.file.AccessDeniedException _ -> "the file may not be read";
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }
}
