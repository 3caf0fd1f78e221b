package dev.ensemble.server.model;

import java.util.List;

/// What the authentication schemes say about ACLs. A port: `auth` implements it, the pure core
/// asks.
///
/// Every member must answer alike, since any of them may become the leader.
public interface AclRules {
    /// {@return whether a list grants `perm` (one bit, or several of which one suffices) to a
    /// connection}
    ///
    /// @param acl the znode's list; an empty one grants everything
    /// @param identities all identities of the connection
    boolean permits(List<Acl> acl, int perm, List<Id> identities);

    /// {@return whether an ACL entry may name this id: a known scheme that accepts it}
    ///
    /// The scheme `auth` is not asked for: it is replaced before (see [#authenticates]).
    boolean isValid(Id id);

    /// {@return whether an identity stands for somebody who proved who they are: what the scheme
    /// `auth` of an ACL expands to}
    boolean authenticates(Id identity);
}
