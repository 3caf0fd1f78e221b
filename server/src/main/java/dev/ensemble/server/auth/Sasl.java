package dev.ensemble.server.auth;

import dev.ensemble.server.model.Id;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The scheme `sasl`: who has proved a name in a SASL exchange is that name.
///
/// @param users passwords by name, for DIGEST-MD5; null: no mechanism is set up, and only ACLs know
///   the scheme
/// @param superUsers names that no ACL binds
/// @param anyone what an ACL grants to this name, it grants to everybody of this scheme; null for
///   nobody
/// @param allowFailed who fails keeps the connection, without a name
public record Sasl(
        @Nullable Map<String, String> users,
        Set<String> superUsers,
        @Nullable String anyone,
        boolean allowFailed) {
    static final String SCHEME = "sasl";

    /// `primary/instance@REALM`, as ZooKeeper's KerberosName reads it.
    private static final Pattern PRINCIPAL = Pattern.compile("([^/@]*)(/([^/@]*))?@([^/@]*)");

    public Sasl {
        users = users == null ? null : Map.copyOf(users);
        superUsers = Set.copyOf(superUsers);
    }

    /// {@return the beginning of an exchange; null if no mechanism is set up}
    public @Nullable SaslExchange begin() {
        return users == null ? null : new SaslExchange(this, users);
    }

    List<Id> ids(String name) {
        var ids = new ArrayList<Id>();
        ids.add(new Id(SCHEME, name));
        if (superUsers.contains(name)) {
            ids.add(new Id(Id.SUPER, ""));
        }
        return List.copyOf(ids);
    }

    boolean matches(String entry, String identity) {
        return identity.equals("super") || identity.equals(entry) || entry.equals(anyone);
    }

    boolean isValid(String id) {
        return id.indexOf('@') < 0 || PRINCIPAL.matcher(id).matches();
    }

    /// Without the passwords.
    @Override
    public String toString() {
        return "Sasl[users=" + (users == null ? "none" : users.keySet()) + "]";
    }
}
