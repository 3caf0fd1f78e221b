package dev.ensemble.server.node;

import com.fasterxml.jackson.jr.ob.JSON;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// Checks the tokens that an operator signs: a compact JWS (RFC 7515) by an Ed25519 key, for one
/// request to one ensemble, good for a minute (`server/docs/status.md`).
///
/// The keys are read anew for each token: a changed file counts at once. Any thread.
final class OperatorTokens {
    private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
    private static final String END = "-----END PUBLIC KEY-----";
    private static final int MAX_FILE_BYTES = 64 << 10;
    private static final int MAX_SECONDS = 60;
    private static final int SKEW_SECONDS = 5;

    private final Path keys;
    private final LongSupplier wallMillis;

    OperatorTokens(Path keys, LongSupplier wallMillis) {
        this.keys = keys;
        this.wallMillis = wallMillis;
    }

    /// {@return why the token does not allow this, or null if it does}
    ///
    /// @param audience id of the ensemble; null: not known yet, so no token can be for it
    @Nullable String refusal(
            String token, @Nullable String audience, String method, String path, byte[] body) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) {
            return "the token is no compact JWS";
        }
        try {
            Map<String, Object> header = object(parts[0]);
            if (!"EdDSA".equals(header.get("alg")) || header.containsKey("crit")) {
                return "the token's header must say alg EdDSA, and nothing critical";
            }
            byte[] signed = (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII);
            if (!isSigned(signed, Base64.getUrlDecoder().decode(parts[2]))) {
                return "no key of admin.operatorKeys has signed the token";
            }
            return claims(object(parts[1]), audience, method, path, body);
        } catch (IllegalArgumentException | IOException _) {
            return "the token is malformed";
        } catch (GeneralSecurityException e) {
            return "admin.operatorKeys cannot be used: " + e.getMessage();
        }
    }

    private static Map<String, Object> object(String part) throws IOException {
        return JSON.std.mapFrom(Base64.getUrlDecoder().decode(part));
    }

    private @Nullable String claims(
            Map<String, Object> claims,
            @Nullable String audience,
            String method,
            String path,
            byte[] body) {
        if (audience == null || audience.isEmpty() || !audience.equals(claims.get("aud"))) {
            return "the token is for ensemble " + claims.get("aud") + ", this is " + audience;
        }
        if (!method.equals(claims.get("method")) || !path.equals(claims.get("path"))) {
            return "the token is for another request";
        }
        if (!sha256(body).equals(claims.get("sha256"))) {
            return "the token is for another body";
        }
        if (!(claims.get("exp") instanceof Number expires)) {
            return "the token has no exp";
        }
        double left = expires.doubleValue() - wallMillis.getAsLong() / 1000.0;
        if (left < -SKEW_SECONDS) {
            return "the token has expired";
        }
        return left > MAX_SECONDS + SKEW_SECONDS ? "the token is good for too long" : null;
    }

    private boolean isSigned(byte[] text, byte[] signature) throws GeneralSecurityException {
        for (PublicKey key : read()) {
            Signature check = Signature.getInstance("Ed25519");
            check.initVerify(key);
            check.update(text);
            try {
                if (check.verify(signature)) {
                    return true;
                }
            } catch (java.security.SignatureException _) {
                return false; // Of a wrong length.
            }
        }
        return false;
    }

    private List<PublicKey> read() throws GeneralSecurityException {
        String text;
        try {
            if (Files.size(keys) > MAX_FILE_BYTES) {
                throw new GeneralSecurityException(keys + " is too large");
            }
            text = Files.readString(keys);
        } catch (IOException e) {
            throw new GeneralSecurityException(keys + " cannot be read", e);
        }
        KeyFactory factory = KeyFactory.getInstance("Ed25519");
        var found = new ArrayList<PublicKey>();
        int at = text.indexOf(BEGIN);
        while (at >= 0) {
            int end = text.indexOf(END, at);
            if (end < 0) {
                throw new GeneralSecurityException(keys + " ends within a key");
            }
            String base64 = text.substring(at + BEGIN.length(), end);
            try {
                byte[] encoded = Base64.getMimeDecoder().decode(base64);
                found.add(factory.generatePublic(new X509EncodedKeySpec(encoded)));
            } catch (IllegalArgumentException e) {
                throw new GeneralSecurityException(keys + " holds a malformed key", e);
            }
            at = text.indexOf(BEGIN, end);
        }
        if (found.isEmpty()) {
            throw new GeneralSecurityException(keys + " holds no PUBLIC KEY");
        }
        return found;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
