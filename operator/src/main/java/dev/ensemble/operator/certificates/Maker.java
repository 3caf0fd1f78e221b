package dev.ensemble.operator.certificates;

import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;

/// Makes authorities and signs certificates: keys on the curve P-256, signatures with SHA-256.
public final class Maker {
    /// How far the clocks of two nodes may be apart.
    static final Duration SKEW = Duration.ofMinutes(5);

    private static final int SERIAL_BITS = 127;
    private static final int LINE = 64;
    private static final int MAX_NAME = 40;

    private final SecureRandom random = new SecureRandom();

    /// A certificate and its private key, both in PEM.
    public record Pair(String certificate, String key) {}

    /// {@return a new authority}
    ///
    /// @param name whose it is, for people; its subject has a number beside that, so that no two
    ///   are taken for one another
    public Pair authority(String name, Instant now, Duration life) {
        BigInteger serial = serial();
        String number = serial.toString(36).substring(0, 12);
        X500Name subject = subject(shortened(name) + " authority " + number);
        return make(subject, null, serial, List.of(), now, life);
    }

    /// {@return a certificate with these alternative names, signed by an authority}
    public Pair leaf(Pair authority, String name, List<String> names, Instant now, Duration life) {
        return make(subject(shortened(name)), authority, serial(), names, now, life);
    }

    /// A common name has at most 64 characters; nobody looks at ours but people.
    private static String shortened(String name) {
        return name.substring(0, Math.min(name.length(), MAX_NAME));
    }

    private static X500Name subject(String name) {
        return new X500Name("CN=" + name.replaceAll("[^A-Za-z0-9. -]", "-"));
    }

    private BigInteger serial() {
        return new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS - 1);
    }

    private Pair make(
            X500Name subject,
            @org.jspecify.annotations.Nullable Pair authority,
            BigInteger serial,
            List<String> names,
            Instant now,
            Duration life) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            KeyPair keys = generator.generateKeyPair();
            X509Certificate above = authority == null ? null : certificate(authority);
            PrivateKey signer = authority == null ? keys.getPrivate() : key(authority);
            X500Name issuer =
                    above == null
                            ? subject
                            : X500Name.getInstance(above.getSubjectX500Principal().getEncoded());
            var extensions = new JcaX509ExtensionUtils();
            var builder =
                    new JcaX509v3CertificateBuilder(
                            issuer,
                            serial,
                            Date.from(now.minus(SKEW)),
                            Date.from(now.plus(life)),
                            subject,
                            keys.getPublic());
            builder.addExtension(
                    Extension.basicConstraints, true, new BasicConstraints(above == null));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    extensions.createSubjectKeyIdentifier(keys.getPublic()));
            if (above == null) {
                builder.addExtension(
                        Extension.keyUsage,
                        true,
                        new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            } else {
                builder.addExtension(
                        Extension.authorityKeyIdentifier,
                        false,
                        extensions.createAuthorityKeyIdentifier(above));
                builder.addExtension(
                        Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
                builder.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(
                                new KeyPurposeId[] {
                                    KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                                }));
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(
                                names.stream().map(Maker::name).toArray(GeneralName[]::new)));
            }
            X509CertificateHolder made =
                    builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer));
            return new Pair(
                    pem("CERTIFICATE", made.getEncoded()),
                    pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException("cannot make a certificate: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write a certificate: " + e.getMessage(), e);
        }
    }

    private static GeneralName name(String name) {
        return new GeneralName(
                name.contains("://") ? GeneralName.uniformResourceIdentifier : GeneralName.dNSName,
                name);
    }

    private static X509Certificate certificate(Pair pair) throws GeneralSecurityException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new java.io.ByteArrayInputStream(
                                        pair.certificate().getBytes(StandardCharsets.US_ASCII)));
    }

    private static PrivateKey key(Pair pair) throws GeneralSecurityException {
        String body = pair.key().replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        return KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(body)));
    }

    private static String pem(String type, byte[] encoded) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(
                        type,
                        Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(encoded),
                        type);
    }
}
