package dev.ensemble.operator.certificates;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;

/// What is in a certificate, as much of it as we look at.
///
/// @param fingerprint SHA-256 in hexadecimal, as the servers tell it
/// @param subject whom it is for; each of our authorities has a name of its own
/// @param issuer who signed it
/// @param names alternative names, sorted
public record Certified(
        String fingerprint,
        String subject,
        String issuer,
        Instant notBefore,
        Instant notAfter,
        List<String> names) {
    private static final int DNS = 2;
    private static final int URI = 6;

    /// {@return the certificates of a PEM text; none if it cannot be read as such}
    public static List<Certified> all(String pem) {
        List<Certified> all = new ArrayList<>();
        try {
            // Keys stand in front of certificates, and Java's reader wants certificates alone.
            int begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
            if (begin < 0) {
                return all;
            }
            byte[] text = pem.substring(begin).getBytes(StandardCharsets.US_ASCII);
            for (var each :
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(text))) {
                if (each instanceof X509Certificate certificate) {
                    all.add(of(certificate));
                }
            }
        } catch (CertificateException e) {
            all.clear();
        }
        return all;
    }

    static Certified of(X509Certificate certificate) {
        try {
            return new Certified(
                    HexFormat.of()
                            .formatHex(
                                    MessageDigest.getInstance("SHA-256")
                                            .digest(certificate.getEncoded())),
                    certificate.getSubjectX500Principal().getName(),
                    certificate.getIssuerX500Principal().getName(),
                    certificate.getNotBefore().toInstant(),
                    certificate.getNotAfter().toInstant(),
                    names(certificate));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate that was read can be written", e);
        }
    }

    private static List<String> names(X509Certificate certificate)
            throws CertificateParsingException {
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        TreeSet<String> sorted = new TreeSet<>();
        if (names != null) {
            for (List<?> name : names) {
                if (name.get(0) instanceof Integer type && (type == DNS || type == URI)) {
                    sorted.add(String.valueOf(name.get(1)));
                }
            }
        }
        return List.copyOf(sorted);
    }
}
