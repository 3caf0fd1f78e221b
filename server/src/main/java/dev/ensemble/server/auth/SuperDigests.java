package dev.ensemble.server.auth;

import java.util.Set;

/// Whom no ACL binds, as `user:hash` of the scheme `digest`. May change while the server runs: who
/// has proved it before keeps it until its connection ends.
///
/// Any thread. It has no `toString` of its own, since these are secrets, or nearly.
public final class SuperDigests {
    private volatile Set<String> digests;

    public SuperDigests(Set<String> digests) {
        this.digests = Set.copyOf(digests);
    }

    public void set(Set<String> now) {
        digests = Set.copyOf(now);
    }

    boolean contains(String digest) {
        return digests.contains(digest);
    }
}
