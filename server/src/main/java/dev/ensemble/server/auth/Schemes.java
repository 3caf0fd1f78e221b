package dev.ensemble.server.auth;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.util.List;

/// The authentication schemes that this server knows: `world`, `ip`, `digest` and the identity
/// `super`.
///
/// Immutable; any thread may ask. The scheme `auth` of an ACL is replaced before it gets here, and
/// nobody can claim `world` or `super`.
public final class Schemes implements AclRules {
    private static final String WORLD = "world";
    private static final String IP = "ip";
    private static final String DIGEST = "digest";

    private final boolean skipAcl;
    private final @Nullable Digest digest;

    /// @param skipAcl whether everybody may do everything
    /// @param digest null if that scheme is switched off
    public Schemes(boolean skipAcl, @Nullable Digest digest) {
        this.skipAcl = skipAcl;
        this.digest = digest;
    }

    /// {@return the identity that every connection has from its start}
    public static Id remote(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return new Id(IP, scope < 0 ? text : text.substring(0, scope));
    }

    /// {@return the identities that an auth packet of a client proves; none: it is refused}
    ///
    /// @param remote the identity of the connection's address
    public List<Id> authenticate(@Nullable String scheme, byte @Nullable [] auth, Id remote) {
        if (scheme == null) {
            return List.of();
        }
        return switch (scheme) {
            case IP -> List.of(remote);
            case DIGEST -> digest == null || auth == null ? List.of() : digest.authenticate(auth);
            default -> List.of();
        };
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

    private static boolean names(Id entry, List<Id> identities) {
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

    private static boolean matches(Id entry, Id identity) {
        return switch (entry.scheme()) {
            case IP -> IpRange.covers(entry.id(), identity.id());
            case DIGEST -> entry.id().equals(identity.id());
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
            default -> false;
        };
    }

    @Override
    public boolean authenticates(Id identity) {
        return identity.scheme().equals(DIGEST) && digest != null;
    }
}
