package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/// The scheme `digest`: who knows `user:password` is `user:` and the Base64 of its hash.
public final class Digest {
    private final String algorithm;
    private final @Nullable String superDigest;

    /// @param algorithm of the hash, `SHA1` by default
    /// @param superDigest `user:hash` of whoever no ACL binds; null for nobody
    /// @throws IllegalArgumentException if this Java knows no such algorithm
    public Digest(String algorithm, @Nullable String superDigest) {
        this.algorithm = algorithm;
        this.superDigest = superDigest;
        hasher();
    }

    List<Id> authenticate(byte[] auth) {
        String text = new String(auth, StandardCharsets.UTF_8);
        int colon = text.indexOf(':');
        String user = colon < 0 ? text : text.substring(0, colon);
        String hash = Base64.getEncoder().encodeToString(hasher().digest(auth));
        Id id = new Id("digest", user + ":" + hash);
        return id.id().equals(superDigest) ? List.of(id, new Id(Id.SUPER, "")) : List.of(id);
    }

    /// A hash behind one colon; the original does not look at what the hash is, and forgives colons
    /// at the end.
    static boolean isValid(String id) {
        int end = id.length();
        while (end > 0 && id.charAt(end - 1) == ':') {
            end--;
        }
        int colon = id.indexOf(':');
        return colon >= 0 && colon < end && id.lastIndexOf(':', end - 1) == colon;
    }

    private MessageDigest hasher() {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalArgumentException(
                    "DigestAuthenticationProvider.digestAlg="
                            + algorithm
                            + ": not a hash that this Java knows; SHA1, SHA-256 and SHA3-256 are",
                    e);
        }
    }
}
