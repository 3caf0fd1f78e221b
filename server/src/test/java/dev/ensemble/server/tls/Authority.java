package dev.ensemble.server.tls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.PBEParameterSpec;
import javax.security.auth.x500.X500Principal;

/// A certificate authority of a test: issues and revokes certificates in memory, with as much DER
/// as that needs, and writes them as `PEM`, `JKS` and `PKCS12`.
public final class Authority {
    private static final AtomicLong SERIALS = new AtomicLong(1000);
    private static final byte[] ECDSA_SHA256 = hex("300a06082a8648ce3d040302");

    private final X500Principal name;
    private final KeyPair keys = newKeys();
    private final X509Certificate certificate;

    /// A key and its certificate.
    public record Issued(PrivateKey key, X509Certificate certificate, X509Certificate issuer) {
        /// {@return both, and the authority's certificate, in one file}
        public Path pem(Path file) throws IOException, GeneralSecurityException {
            return Files.writeString(
                    file,
                    block("PRIVATE KEY", key.getEncoded())
                            + block("CERTIFICATE", certificate.getEncoded())
                            + block("CERTIFICATE", issuer.getEncoded()));
        }

        /// {@return both in one file, the key encrypted as `openssl pkcs8 -topk8` does}
        public Path encryptedPem(Path file, String password)
                throws IOException, GeneralSecurityException {
            String algorithm = "PBEWithHmacSHA256AndAES_256";
            Cipher cipher = Cipher.getInstance(algorithm);
            cipher.init(
                    Cipher.ENCRYPT_MODE,
                    SecretKeyFactory.getInstance(algorithm)
                            .generateSecret(new PBEKeySpec(password.toCharArray())),
                    new PBEParameterSpec(new byte[16], 1000));
            byte[] encrypted =
                    sequence(
                            sequence(
                                    hex("06092a864886f70d01050d"),
                                    cipher.getParameters().getEncoded()),
                            tagged(0x04, cipher.doFinal(key.getEncoded())));
            return Files.writeString(
                    file,
                    block("ENCRYPTED PRIVATE KEY", encrypted)
                            + block("CERTIFICATE", certificate.getEncoded()));
        }

        /// {@return `name.crt`, with its key in `name.key`}
        public Path pair(Path folder, String name) throws IOException, GeneralSecurityException {
            Files.writeString(
                    folder.resolve(name + ".key"), block("PRIVATE KEY", key.getEncoded()));
            return Files.writeString(
                    folder.resolve(name + ".crt"), block("CERTIFICATE", certificate.getEncoded()));
        }

        public Path store(Path file, String type, String password)
                throws IOException, GeneralSecurityException {
            KeyStore store = KeyStore.getInstance(type);
            store.load(null, null);
            store.setKeyEntry(
                    "own", key, password.toCharArray(), new Certificate[] {certificate, issuer});
            return write(store, file, password);
        }
    }

    public Authority(String commonName) throws GeneralSecurityException, IOException {
        name = new X500Principal("CN=" + commonName);
        certificate = issue(name, keys, extension("551d13", true, hex("30030101ff")), new byte[0]);
    }

    /// @param names each `dns:`, `ip:`, `uri:` or `email:` and the name; none: no such extension
    public Issued issue(String subject, String... names)
            throws GeneralSecurityException, IOException {
        KeyPair own = newKeys();
        X509Certificate issued =
                issue(
                        new X500Principal(subject),
                        own,
                        names.length == 0
                                ? new byte[0]
                                : extension("551d11", false, alternativeNames(names)),
                        new byte[0]);
        return new Issued(own.getPrivate(), /* certificate= */ issued, /* issuer= */ certificate);
    }

    /// {@return a file that says whom to trust}
    public Path pem(Path file) throws IOException, GeneralSecurityException {
        return Files.writeString(file, block("CERTIFICATE", certificate.getEncoded()));
    }

    /// {@return a file that says whom to trust, and which certificates not any more}
    public Path pemWithout(Path file, List<X509Certificate> revoked)
            throws IOException, GeneralSecurityException {
        var entries = new ByteArrayOutputStream();
        for (X509Certificate each : revoked) {
            entries.write(sequence(integer(each.getSerialNumber()), time(Instant.now())));
        }
        byte[] body =
                sequence(
                        integer(BigInteger.ONE),
                        ECDSA_SHA256,
                        name.getEncoded(),
                        time(Instant.now().minusSeconds(60)),
                        time(Instant.now().plusSeconds(86_400)),
                        revoked.isEmpty() ? new byte[0] : sequence(entries.toByteArray()));
        return Files.writeString(
                file,
                block("CERTIFICATE", certificate.getEncoded()) + block("X509 CRL", signed(body)));
    }

    public Path trustStore(Path file, String type, String password)
            throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(type);
        store.load(null, null);
        store.setCertificateEntry("authority", certificate);
        return write(store, file, password);
    }

    public X509Certificate certificate() {
        return certificate;
    }

    private static Path write(KeyStore store, Path file, String password)
            throws IOException, GeneralSecurityException {
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, password.toCharArray());
        }
        return file;
    }

    public static String block(String kind, byte[] der) {
        return "-----BEGIN "
                + kind
                + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END "
                + kind
                + "-----\n";
    }

    private static KeyPair newKeys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private X509Certificate issue(X500Principal subject, KeyPair of, byte[]... extensions)
            throws GeneralSecurityException, IOException {
        byte[] listed = sequence(extensions);
        byte[] body =
                sequence(
                        tagged(0xa0, integer(BigInteger.TWO)),
                        integer(BigInteger.valueOf(SERIALS.incrementAndGet())),
                        ECDSA_SHA256,
                        name.getEncoded(),
                        sequence(
                                time(Instant.now().minusSeconds(3600)),
                                time(Instant.now().plusSeconds(86_400))),
                        subject.getEncoded(),
                        of.getPublic().getEncoded(),
                        listed.length == 2 ? new byte[0] : tagged(0xa3, listed));
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new java.io.ByteArrayInputStream(signed(body)));
    }

    private byte[] signed(byte[] body) throws GeneralSecurityException, IOException {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(keys.getPrivate());
        signature.update(body);
        byte[] value = signature.sign();
        byte[] bits = new byte[value.length + 1];
        System.arraycopy(value, 0, bits, 1, value.length);
        return sequence(body, ECDSA_SHA256, tagged(0x03, bits));
    }

    private static byte[] alternativeNames(String... names) throws IOException {
        var all = new ByteArrayOutputStream();
        for (String each : names) {
            int colon = each.indexOf(':');
            String value = each.substring(colon + 1);
            all.write(
                    switch (each.substring(0, colon)) {
                        case "email" -> tagged(0x81, value.getBytes(StandardCharsets.US_ASCII));
                        case "dns" -> tagged(0x82, value.getBytes(StandardCharsets.US_ASCII));
                        case "uri" -> tagged(0x86, value.getBytes(StandardCharsets.US_ASCII));
                        case "ip" ->
                                tagged(0x87, java.net.InetAddress.getByName(value).getAddress());
                        default -> throw new IllegalArgumentException(each);
                    });
        }
        return sequence(all.toByteArray());
    }

    private static byte[] extension(String oid, boolean critical, byte[] value) throws IOException {
        return sequence(
                tagged(0x06, hex(oid)),
                critical ? hex("0101ff") : new byte[0],
                tagged(0x04, value));
    }

    private static byte[] time(Instant at) throws IOException {
        String text =
                DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'")
                        .withZone(ZoneOffset.UTC)
                        .format(at);
        return tagged(0x18, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] integer(BigInteger value) throws IOException {
        return tagged(0x02, value.toByteArray());
    }

    private static byte[] sequence(byte[]... parts) throws IOException {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.write(part);
        }
        return tagged(0x30, all.toByteArray());
    }

    private static byte[] tagged(int tag, byte[] value) throws IOException {
        var out = new ByteArrayOutputStream();
        out.write(tag);
        if (value.length < 128) {
            out.write(value.length);
        } else {
            byte[] length = BigInteger.valueOf(value.length).toByteArray();
            int skip = length[0] == 0 ? 1 : 0;
            out.write(0x80 | length.length - skip);
            out.write(length, skip, length.length - skip);
        }
        out.write(value);
        return out.toByteArray();
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
