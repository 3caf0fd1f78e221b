package dev.ensemble.operator.ensemble;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Clock;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/// Signs what the operator asks of a leader: a compact JWS for one request, good for less than a
/// minute (`server/docs/status.md`). Safe to share between threads.
public final class Tokens {
    private static final long LIFE_SECONDS = 45;
    private static final int LINE = 64;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final KeyPair keys;
    private final Clock clock;

    private Tokens(KeyPair keys, Clock clock) {
        this.keys = keys;
        this.clock = clock;
    }

    /// {@return tokens of a new key}
    public static Tokens generate(Clock clock) {
        try {
            return new Tokens(KeyPairGenerator.getInstance("Ed25519").generateKeyPair(), clock);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has Ed25519", e);
        }
    }

    /// {@return tokens of a key that was kept}
    ///
    /// @param privateKey PKCS 8
    /// @param publicKey X.509
    /// @throws IllegalArgumentException if these are no keys of Ed25519, or none that belong
    ///   together
    public static Tokens of(byte[] privateKey, byte[] publicKey, Clock clock) {
        try {
            KeyFactory factory = KeyFactory.getInstance("Ed25519");
            Tokens tokens =
                    new Tokens(
                            new KeyPair(
                                    factory.generatePublic(new X509EncodedKeySpec(publicKey)),
                                    factory.generatePrivate(new PKCS8EncodedKeySpec(privateKey))),
                            clock);
            byte[] probe = {1};
            Signature verifier = Signature.getInstance("Ed25519");
            verifier.initVerify(tokens.keys.getPublic());
            verifier.update(probe);
            if (!verifier.verify(tokens.sign(probe))) {
                throw new IllegalArgumentException("the two keys do not belong together");
            }
            return tokens;
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not a key pair of Ed25519: " + e.getMessage(), e);
        }
    }

    /// {@return the private key, as PKCS 8}
    public byte[] privateKey() {
        return keys.getPrivate().getEncoded();
    }

    /// {@return the public key, as X.509}
    public byte[] publicKey() {
        return keys.getPublic().getEncoded();
    }

    /// {@return the public key, as the servers read it from a file}
    public String pem() {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(publicKey())
                + "\n-----END PUBLIC KEY-----\n";
    }

    /// {@return the token for one request}
    ///
    /// @param audience the ensemble's id
    String token(String audience, String method, String path, String body) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("aud", audience);
        claims.put("method", method);
        claims.put("path", path);
        claims.put("sha256", sha256(body));
        claims.put("exp", clock.instant().getEpochSecond() + LIFE_SECONDS);
        try {
            String signed =
                    base64("{\"alg\":\"EdDSA\"}".getBytes(UTF_8))
                            + "."
                            + base64(JSON.writeValueAsBytes(claims));
            return signed + "." + base64(sign(signed.getBytes(US_ASCII)));
        } catch (JsonProcessingException e) {
            throw new AssertionError("texts and numbers are always JSON", e);
        }
    }

    private byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(keys.getPrivate());
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the key cannot sign", e);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String sha256(String body) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(body.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
