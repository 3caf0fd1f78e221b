package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/// The scheme `digest`: who knows `user:password` is `user:` and the Base64 of its hash.
public final class Digest {
    private final String algorithm;
    private final SuperDigests superDigests;

    /// @param algorithm of the hash, `SHA1` by default
    /// @param superDigest `user:hash` of whoever no ACL binds; null for nobody
    /// @throws IllegalArgumentException if this Java knows no such algorithm
    public Digest(String algorithm, @Nullable String superDigest) {
        this(algorithm, new SuperDigests(superDigest == null ? Set.of() : Set.of(superDigest)));
    }

    private Digest(String algorithm, SuperDigests superDigests) {
        this.algorithm = algorithm;
        this.superDigests = superDigests;
        var _ = hasher(algorithm);
    }

    /// {@return the scheme where those whom no ACL binds may change}
    ///
    /// @param algorithm of the hash, `SHA1` by default
    /// @throws IllegalArgumentException if this Java knows no such algorithm
    public static Digest with(String algorithm, SuperDigests superDigests) {
        return new Digest(algorithm, superDigests);
    }

    /// {@return `user:hash` of `user:password`}
    ///
    /// @throws IllegalArgumentException if this Java knows no such algorithm
    public static String of(String algorithm, byte[] auth) {
        String text = new String(auth, StandardCharsets.UTF_8);
        int colon = text.indexOf(':');
        String user = colon < 0 ? text : text.substring(0, colon);
        return user + ":" + Base64.getEncoder().encodeToString(hasher(algorithm).digest(auth));
    }

    List<Id> authenticate(byte[] auth) {
        Id id = new Id("digest", of(algorithm, auth));
        return superDigests.contains(id.id()) ? List.of(id, new Id(Id.SUPER, "")) : List.of(id);
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

    private static MessageDigest hasher(String algorithm) {
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
