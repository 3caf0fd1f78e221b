package dev.ensemble.server.tree;

/// The key by which names of znodes are hashed, 128 random bits for each process.
///
/// Clients choose the names, so a key that they can guess lets them choose names that all hash
/// alike. It only decides where a name lies in memory: two members never need the same one, and all
/// trees of one process do.
public record HashKey(long first, long second) {
    /// A key that everyone knows: for tests and simulations, never for a server.
    public static final HashKey KNOWN = new HashKey(0x656e73656d626c65L, 0x6b6e6f776e6b6579L);

    @Override
    public String toString() {
        return "HashKey";
    }
}
