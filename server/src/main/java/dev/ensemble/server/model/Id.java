package dev.ensemble.server.model;

/// Somebody, in the terms of an authentication scheme: an identity of a connection, or whom an ACL
/// entry names.
///
/// @param scheme `world`, `ip`, `digest`, `auth`, `x509`, `sasl` or `super`
/// @param id what the scheme makes of it, `user:hash` for digest
public record Id(String scheme, String id) {
    /// Whoever it is.
    public static final Id ANYONE = new Id("world", "anyone");

    /// The scheme of an identity that no ACL binds.
    public static final String SUPER = "super";
}
