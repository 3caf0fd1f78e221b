package dev.ensemble.server.auth;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/// The authentication schemes that this server knows: `world`, `ip`, `digest`, `x509`, `sasl`,
/// `ensemble` and the identity `super`.
///
/// Immutable; any thread may ask. The scheme `auth` of an ACL is replaced before it gets here, and
/// nobody can claim `world` or `super`.
public final class Schemes implements AclRules {
    private static final String WORLD = "world";
    private static final String IP = "ip";
    private static final String DIGEST = "digest";
    private static final String ENSEMBLE = "ensemble";

    /// No identity: how a client says what its reads must be. Every client library can send that,
    /// sends it again by itself on each new connection, and learns at once from a server that does
    /// not know it.
    private static final String READS = "reads";

    private static final String LINEARIZABLE = "linearizable";

    private final boolean skipAcl;
    private final @Nullable Digest digest;
    private final @Nullable X509 x509;
    private final @Nullable Sasl sasl;
    private final @Nullable Set<String> ensembles;
    private final Set<String> enforced;

    /// @param skipAcl whether everybody may do everything
    /// @param digest null if that scheme is switched off
    public Schemes(boolean skipAcl, @Nullable Digest digest) {
        this(skipAcl, digest, null, null, null, Set.of());
    }

    /// @param skipAcl whether everybody may do everything
    /// @param digest null if that scheme is switched off
    /// @param x509 null if that scheme is switched off
    /// @param sasl null if that scheme is switched off
    /// @param ensembles names of this ensemble that clients may expect, empty for any; null if that
    ///   scheme is switched off
    /// @param enforced schemes of which a connection must have one before it may do anything; empty
    ///   if nothing is asked for
    public Schemes(
            boolean skipAcl,
            @Nullable Digest digest,
            @Nullable X509 x509,
            @Nullable Sasl sasl,
            @Nullable Set<String> ensembles,
            Set<String> enforced) {
        this.skipAcl = skipAcl;
        this.digest = digest;
        this.x509 = x509;
        this.sasl = sasl;
        this.ensembles = ensembles == null ? null : Set.copyOf(ensembles);
        this.enforced = Set.copyOf(enforced);
    }

    /// {@return the identity that every connection has from its start}
    public static Id remote(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return new Id(IP, scope < 0 ? text : text.substring(0, scope));
    }

    /// {@return what an auth packet of a client comes to}
    ///
    /// @param remote the identity of the connection's address
    /// @param certificate that the client has shown; null for none
    public Proof authenticate(
            @Nullable String scheme,
            byte @Nullable [] auth,
            Id remote,
            @Nullable X509Certificate certificate) {
        return switch (scheme) {
            case IP -> new Proof.Proved(List.of(remote));
            case DIGEST -> proof(digest == null || auth == null ? null : digest.authenticate(auth));
            case X509.SCHEME -> proof(certificate == null ? null : certified(certificate));
            case ENSEMBLE -> ensemble(auth);
            case READS -> reads(auth);
            case null, default -> new Proof.Refused();
        };
    }

    private static Proof proof(@Nullable List<Id> ids) {
        return ids == null || ids.isEmpty() ? new Proof.Refused() : new Proof.Proved(ids);
    }

    private static Proof reads(byte @Nullable [] auth) {
        return auth != null && LINEARIZABLE.equals(new String(auth, StandardCharsets.UTF_8))
                ? new Proof.Linearizable()
                : new Proof.Refused();
    }

    /// A client that expects another ensemble must not take this one for it.
    private Proof ensemble(byte @Nullable [] auth) {
        if (ensembles == null) {
            return new Proof.Refused();
        }
        String expected = auth == null ? "" : new String(auth, StandardCharsets.UTF_8);
        return expected.isEmpty() || ensembles.isEmpty() || ensembles.contains(expected)
                ? new Proof.Proved(List.of())
                : new Proof.Misled("the client looks for the ensemble " + expected);
    }

    /// {@return who a client is whose certificate was accepted: it need not ask for that; null if
    /// that is not to be found in it}
    public @Nullable List<Id> certified(X509Certificate certificate) {
        if (x509 == null) {
            return List.of();
        }
        List<Id> ids = x509.authenticate(certificate);
        return ids.isEmpty() ? null : ids;
    }

    /// {@return what SASL is here; null if it is nothing}
    public @Nullable Sasl sasl() {
        return sasl;
    }

    /// {@return whether nothing is answered to somebody with these identities}
    public boolean isTooLittle(List<Id> identities) {
        return !enforced.isEmpty()
                && identities.stream().noneMatch(id -> enforced.contains(id.scheme()));
    }

    /// {@return whether everybody must prove a name by SASL}
    public boolean isSaslRequired() {
        return enforced.contains(Sasl.SCHEME);
    }

    @Override
    public boolean permits(List<Acl> acl, int perm, List<Id> identities) {
        if (skipAcl || acl.isEmpty()) {
            return true;
        }
        for (Acl entry : acl) {
            if ((entry.perms() & perm) != 0 && names(entry.id(), identities)) {
                return true;
            }
        }
        return isSuper(identities);
    }

    private boolean names(Id entry, List<Id> identities) {
        if (entry.equals(Id.ANYONE)) {
            return true;
        }
        for (Id identity : identities) {
            if (identity.scheme().equals(entry.scheme()) && matches(entry, identity)) {
                return true;
            }
        }
        return false;
    }

    private boolean matches(Id entry, Id identity) {
        return switch (entry.scheme()) {
            case IP -> IpRange.covers(entry.id(), identity.id());
            case DIGEST -> entry.id().equals(identity.id());
            case X509.SCHEME -> x509 != null && x509.matches(entry.id(), identity.id());
            case Sasl.SCHEME -> sasl != null && sasl.matches(entry.id(), identity.id());
            default -> false;
        };
    }

    private static boolean isSuper(List<Id> identities) {
        for (Id identity : identities) {
            if (identity.scheme().equals(Id.SUPER)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean isValid(Id id) {
        return switch (id.scheme()) {
            case WORLD -> id.equals(Id.ANYONE);
            case IP -> IpRange.isValid(id.id());
            case DIGEST -> digest != null && Digest.isValid(id.id());
            case X509.SCHEME -> x509 != null && x509.isValid(id.id());
            case Sasl.SCHEME -> sasl != null && sasl.isValid(id.id());
            default -> false;
        };
    }

    @Override
    public boolean authenticates(Id identity) {
        return switch (identity.scheme()) {
            case DIGEST -> digest != null;
            case X509.SCHEME -> x509 != null;
            case Sasl.SCHEME -> sasl != null;
            default -> false;
        };
    }
}
