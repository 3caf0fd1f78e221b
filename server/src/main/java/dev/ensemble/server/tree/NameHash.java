package dev.ensemble.server.tree;

/// Hashes names of znodes. A seam: a test puts a weak one here, to see that collisions do no harm.
interface NameHash {
    /// {@return the hash of `name[from, to)`}
    ///
    /// @param round 0 at first; each higher one is another function, which tells apart what the
    ///   rounds before did not
    long of(byte[] name, int from, int to, int round);
}
