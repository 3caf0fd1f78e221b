package dev.ensemble.server.tls;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.EncodedKeySpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/// What is in the text of a PEM file (RFC 7468): certificates, revocation lists, a private key.
record Pem(List<X509Certificate> certificates, List<CRL> revoked, @Nullable PrivateKey key) {
    private static final Pattern BLOCK =
            Pattern.compile(
                    "-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----",
                    Pattern.DOTALL);

    /// The name that PKCS #5 version 2 has in [EncryptedPrivateKeyInfo]; how exactly the key is
    /// encrypted is in its parameters.
    private static final String PBES2 = "1.2.840.113549.1.5.13";

    /// The order in which kinds of keys are tried: the bytes say which it is, but Java does not
    /// read that for us.
    private static final List<String> KINDS = List.of("EC", "RSA", "EdDSA", "RSASSA-PSS", "DSA");

    /// @param password of the private key, if that is encrypted
    /// @throws IOException if something in it cannot be read; blocks of other kinds are left out
    static Pem parse(String text, char[] password) throws IOException {
        var certificates = new ArrayList<X509Certificate>();
        var revoked = new ArrayList<CRL>();
        PrivateKey key = null;
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            String kind = block.group(1);
            byte[] der = Base64.getMimeDecoder().decode(block.group(2));
            try {
                switch (kind) {
                    case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE" -> {
                        Certificate read =
                                factory().generateCertificate(new ByteArrayInputStream(der));
                        certificates.add((X509Certificate) read);
                    }
                    case "X509 CRL" ->
                            revoked.add(factory().generateCRL(new ByteArrayInputStream(der)));
                    case "PRIVATE KEY" -> key = key(new PKCS8EncodedKeySpec(der));
                    case "ENCRYPTED PRIVATE KEY" -> key = key(decrypt(der, password));
                    case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" ->
                            throw new IOException(
                                    "the private key is in an older form ("
                                            + kind
                                            + "); convert it with: openssl pkcs8 -topk8 -nocrypt");
                    default -> {}
                }
            } catch (GeneralSecurityException e) {
                throw new IOException(
                        "the " + kind.toLowerCase(java.util.Locale.ROOT) + " in it is damaged", e);
            }
        }
        return new Pem(certificates, revoked, key);
    }

    private static CertificateFactory factory() throws GeneralSecurityException {
        return CertificateFactory.getInstance("X.509");
    }

    private static EncodedKeySpec decrypt(byte[] der, char[] password) throws IOException {
        try {
            var info = new EncryptedPrivateKeyInfo(der);
            String algorithm =
                    info.getAlgName().equals(PBES2) || info.getAlgName().equals("PBES2")
                            ? info.getAlgParameters().toString()
                            : info.getAlgName();
            var spec = new PBEKeySpec(password);
            Cipher cipher = Cipher.getInstance(algorithm);
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    SecretKeyFactory.getInstance(algorithm).generateSecret(spec),
                    info.getAlgParameters());
            return info.getKeySpec(cipher);
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(
                    "the private key is encrypted in a way that Java does not know: "
                            + e.getMessage(),
                    e);
        } catch (GeneralSecurityException e) {
            throw new IOException("the password of the private key is wrong", e);
        }
    }

    private static PrivateKey key(EncodedKeySpec spec) throws IOException {
        for (String kind : KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePrivate(spec);
            } catch (InvalidKeySpecException | NoSuchAlgorithmException _) {
                // Of another kind.
            }
        }
        throw new IOException("the private key is of none of the kinds " + KINDS);
    }
}
