package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.security.auth.x500.X500Principal;

/// The scheme `x509`: who shows a certificate is its subject, or one of its alternative names, as
/// ZooKeeper's X509AuthenticationProvider has it.
///
/// @param superUser the id that no ACL binds; null for nobody
/// @param alternative where in the alternative names the id is; null: the id is the subject, as RFC
///   2253 writes it
public record X509(@Nullable String superUser, @Nullable Alternative alternative) {
    static final String SCHEME = "x509";

    /// Which alternative name is the id, and what part of it.
    ///
    /// @param type of the name as X.509 numbers them: 1 for mail, 2 for hosts, 6 for URIs, 7 for
    ///   addresses
    /// @param match exactly one name of that type must match
    /// @param extract the id is what this finds in it
    /// @param group of `extract`; 0 for all
    public record Alternative(int type, Pattern match, Pattern extract, int group) {
        @Nullable String id(X509Certificate certificate) {
            List<String> matching = new ArrayList<>();
            try {
                var names = certificate.getSubjectAlternativeNames();
                for (List<?> name : names == null ? List.<List<?>>of() : names) {
                    if (name.get(0).equals(type) && match.matcher("" + name.get(1)).find()) {
                        matching.add("" + name.get(1));
                    }
                }
            } catch (CertificateParsingException _) {
                return null;
            }
            if (matching.size() != 1) {
                return null;
            }
            Matcher found = extract.matcher(matching.getFirst());
            return found.find() ? found.group(group) : null;
        }
    }

    /// {@return who it is; empty if the certificate does not say it as it should}
    List<Id> authenticate(X509Certificate certificate) {
        String id =
                alternative == null
                        ? certificate.getSubjectX500Principal().getName()
                        : alternative.id(certificate);
        if (id == null || id.isEmpty()) {
            return List.of();
        }
        Id own = new Id(SCHEME, id);
        return id.equals(superUser) ? List.of(new Id(Id.SUPER, ""), own) : List.of(own);
    }

    boolean matches(String entry, String identity) {
        return identity.equals(entry) || identity.equals(superUser);
    }

    /// The original takes subjects only, so that an ACL could not name what it takes from an
    /// alternative name.
    boolean isValid(String id) {
        if (alternative != null) {
            return !id.isEmpty();
        }
        try {
            var _ = new X500Principal(id);
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
