package dev.ensemble.server.differential;

/// How both servers are set up.
enum Flavour {
    /// As a server is that nobody has set up.
    PLAIN(false),
    /// With TTL nodes, and quotas that refuse.
    FULL(true);

    private final boolean full;

    Flavour(boolean full) {
        this.full = full;
    }

    boolean extendedTypes() {
        return full;
    }

    boolean enforceQuota() {
        return full;
    }
}
